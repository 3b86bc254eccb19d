//! Remote write out.
//!
//! A [`Writer`] takes its target through the store's time, window after window. A window is read from a
//! snapshot, relabelled, divided among shards by series, and sent; a shard sends one request after the other,
//! so that the samples of a series arrive in order. When everything in the window has been taken (or was
//! refused and counted), the cursor moves. The cursor is on disk: what was not taken before a crash is read
//! from the store and sent again afterwards. An outage costs nothing but time, as far as retention holds.
//!
//! Samples that come to the store late, with times that the cursor has passed (from applications, from other
//! senders), are handed over by [`Handle::arrived`] and sent beside the windows.
//!
//! Specifications: <https://prometheus.io/docs/specs/prw/remote_write_spec/> and
//! <https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/>. One thing is not as they say: answers that
//! say nothing of the samples (401, 403, 404, 405, 407: a wrong token, a wrong path) do not drop them; the
//! writer waits until somebody mends the configuration.

mod cursor;
mod deliver;
mod gather;
mod judge;
mod late;
mod metrics;
mod target;
mod thin;

use std::sync::Arc;
use std::time::Duration;

use squirrel_model::{Batch, Labels, Select, TimeRange, Timestamp, Untrusted};
use squirrel_outbound::Client;
use squirrel_store::dir::Dir;

use crate::metadata::Describe;
use cursor::{Cursor, Kept};
use deliver::Delivery;
use gather::Gatherer;
use late::Late;
pub use metrics::METRICS;
use metrics::{Figures, Reason};
pub use target::{Target, Thin};

/// Longest window, in milliseconds: as much as a chunk of the store has at one sample a second.
const LONGEST_WINDOW_MS: i64 = 600_000;

/// Samples that are read and held at one time, about.
const GROUP_SAMPLES: usize = 200_000;

/// A clock set back by more than this, in milliseconds, takes the cursor with it.
const CLOCK_STEP_MS: i64 = 60_000;

/// What a writer stands on.
#[derive(Clone)]
pub struct Source {
    /// Frozen views of the store.
    pub snapshots: Arc<dyn Fn() -> Arc<dyn Select> + Send + Sync>,
    /// Up to when ticks are in the store; `None` before the first.
    pub complete: Arc<dyn Fn() -> Option<Timestamp> + Send + Sync>,
    /// The wall clock.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// What is known of a metric.
    pub describe: Describe,
    /// Where cursors are kept.
    pub dir: Arc<dyn Dir>,
    /// How long the store keeps full resolution, in milliseconds.
    pub retention_ms: i64,
    /// The store's interval, in milliseconds.
    pub step_ms: i64,
}

/// A target's figures, and the way to it for late samples. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    name: Arc<str>,
    figures: Arc<Figures>,
    late: Arc<Late>,
}

impl Handle {
    /// Adds the target's figures to a batch; [`METRICS`] declares them.
    pub fn rows(&self, now: Timestamp, out: &mut Batch) {
        self.figures.rows(&self.name, now, out);
    }

    /// To be told of samples with times of their own, after the store has them.
    pub fn arrived(&self, samples: &[(Labels, Timestamp, f64)]) {
        let lost = self.late.put(samples);
        self.figures.dropped(Reason::Late, lost);
    }
}

/// Sends the store's samples to one target.
pub struct Writer {
    target: Arc<Target>,
    source: Source,
    kept: Kept,
    cursor: Cursor,
    gatherer: Option<Gatherer>,
    delivery: Arc<Delivery>,
    figures: Arc<Figures>,
    late: Arc<Late>,
    saving_failed: bool,
}

impl Writer {
    /// A writer that goes on where the last one for a target of this name stopped.
    pub fn new(target: Target, source: Source, client: Arc<Client>) -> Self {
        let now = (source.clock)();
        let kept = Kept::new(&target.name);
        let cursor = match kept.read(&*source.dir) {
            Ok(Some(cursor)) => cursor,
            // The tick of this moment, which is stamped with its beginning, is the first.
            Ok(None) => Cursor::at(now.floor_to(source.step_ms).plus_ms(-1 - target.backfill_ms)),
            Err(reason) => {
                tracing::error!(
                    target = target.name,
                    "where remote write stopped is not known ({reason}); it goes on from now"
                );
                Cursor::at(now)
            }
        };
        let target = Arc::new(target);
        let figures = Arc::new(Figures::new(cursor.sent));
        let late = Arc::new(Late::new(cursor.sent));
        let delivery = Delivery::new(Arc::clone(&target), client, Arc::clone(&figures), Arc::clone(&source.clock));
        let gatherer = Some(Gatherer::new(Arc::clone(&target), Arc::clone(&source.describe)));
        Self {
            target,
            source,
            kept,
            cursor,
            gatherer,
            delivery: Arc::new(delivery),
            figures,
            late,
            saving_failed: false,
        }
    }

    /// Figures and late samples.
    pub fn handle(&self) -> Handle {
        Handle {
            name: self.target.name.as_str().into(),
            figures: Arc::clone(&self.figures),
            late: Arc::clone(&self.late),
        }
    }

    /// Sends for ever. Dropping the future stops it at any point; what was on its way is sent again by the
    /// next writer of this name.
    pub async fn run(mut self) {
        loop {
            self.send_late().await;
            match self.plan() {
                Some(window) => self.send(window).await,
                None => tokio::time::sleep(self.pause()).await,
            }
        }
    }

    /// Until there may be a window to send.
    fn pause(&self) -> Duration {
        let wait = self.wait_ms().clamp(100, 5_000);
        Duration::from_millis(wait.unsigned_abs())
    }

    fn wait_ms(&self) -> i64 {
        let complete = (self.source.complete)().map_or(self.cursor.sent, Timestamp::millis);
        let company = self.target.flush_ms.max(self.target.thin.map_or(0, |thin| thin.step_ms));
        self.cursor.sent.saturating_add(company).saturating_sub(complete)
    }

    /// The next window, if it is time for it.
    fn plan(&mut self) -> Option<TimeRange> {
        let complete = (self.source.complete)()?.millis();
        let now = (self.source.clock)().millis();
        if complete < self.cursor.sent.saturating_sub(CLOCK_STEP_MS) {
            tracing::warn!(target = self.target.name, "the clock was set back: remote write goes on from there");
            self.cursor = Cursor::at(Timestamp(complete));
        }
        let oldest = now.saturating_sub(self.source.retention_ms);
        if self.cursor.sent < oldest {
            let seconds = oldest.saturating_sub(self.cursor.sent) / 1_000;
            tracing::warn!(target = self.target.name, seconds, "retention ended before these samples could be sent");
            self.figures.expired(seconds.unsigned_abs());
            self.cursor = Cursor::at(Timestamp(oldest));
        }
        // What may have been sent in part before a crash is sent again alone: engines that refuse a request
        // for one sample that they have already must not refuse new ones with it.
        let end = match self.cursor.pending {
            Some(end) if end <= complete => end,
            _ => {
                let end = complete.min(self.cursor.sent.saturating_add(LONGEST_WINDOW_MS));
                if self.wait_ms() > 0 {
                    return None;
                }
                // Whole steps only.
                self.target.thin.map_or(end, |thin| Timestamp(end + 1).floor_to(thin.step_ms).millis() - 1)
            }
        };
        let begin = self.cursor.sent.saturating_add(1);
        (begin <= end).then(|| TimeRange::new(Timestamp(begin), Timestamp(end)))
    }

    async fn send(&mut self, window: TimeRange) {
        self.late.horizon(window.end);
        self.cursor.pending = Some(window.end.millis());
        self.save().await;
        let snapshot = (self.source.snapshots)();
        let found = {
            let snapshot = Arc::clone(&snapshot);
            tokio::task::spawn_blocking(move || snapshot.find(&[], window)).await
        };
        let found = match found {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                tracing::error!(target = self.target.name, "samples are not sent: {}", Untrusted(&error.to_string()));
                self.figures.dropped(Reason::Unreadable, 1);
                Vec::new()
            }
            Err(_) => Vec::new(),
        };
        let samples_each = (window.end.millis() - window.start.millis()) / self.source.step_ms.max(1) + 1;
        let group = (GROUP_SAMPLES / usize::try_from(samples_each).unwrap_or(usize::MAX).max(1)).max(16);
        let mut found = found.into_iter();
        loop {
            let series: Vec<_> = found.by_ref().take(group).collect();
            let Some(mut gatherer) = self.gatherer.take().filter(|_| !series.is_empty()) else { break };
            let snapshot = Arc::clone(&snapshot);
            let gathered = tokio::task::spawn_blocking(move || {
                let gathered = gatherer.gather(&*snapshot, &series, window);
                (gatherer, gathered)
            });
            // A panic in it is a fault of ours: this group is lost, and said, and the next begins anew.
            let Ok((gatherer, gathered)) = gathered.await else {
                tracing::error!(target = self.target.name, "reading samples to send met a fault");
                self.figures.dropped(Reason::Unreadable, 1);
                self.gatherer = Some(Gatherer::new(Arc::clone(&self.target), Arc::clone(&self.source.describe)));
                continue;
            };
            self.gatherer = Some(gatherer);
            self.figures.dropped(Reason::Unreadable, gathered.unreadable);
            deliver::all(&self.delivery, gathered.shards).await;
        }
        if self.gatherer.is_none() {
            self.gatherer = Some(Gatherer::new(Arc::clone(&self.target), Arc::clone(&self.source.describe)));
        }
        self.cursor = Cursor::at(window.end);
        self.figures.sent_up_to(window.end);
        self.save().await;
    }

    /// Sends what came late.
    async fn send_late(&mut self) {
        let samples = self.late.take();
        if samples.is_empty() {
            return;
        }
        let Some(mut gatherer) = self.gatherer.take() else { return };
        let shards = gatherer.late(samples);
        self.gatherer = Some(gatherer);
        deliver::all(&self.delivery, shards).await;
    }

    /// Writes the cursor down. A disk that refuses costs only that more is sent again after a crash.
    async fn save(&mut self) {
        let (kept, dir, cursor) = (self.kept.clone(), Arc::clone(&self.source.dir), self.cursor);
        let saved = tokio::task::spawn_blocking(move || kept.write(&*dir, cursor)).await;
        let problem = match saved {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the writing met a fault".to_owned()),
        };
        if let Some(problem) = &problem
            && !self.saving_failed
        {
            tracing::warn!(
                target = self.target.name,
                "where remote write stands cannot be written down: {problem}; after a crash more is sent again"
            );
        }
        self.saving_failed = problem.is_some();
    }
}

#[cfg(test)]
mod tests;
