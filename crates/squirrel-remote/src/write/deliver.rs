//! Sending requests until each has been taken or refused.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use squirrel_exchange::Series;
use squirrel_exchange::remote_write::{self, VERSION_HEADER, Version};
use squirrel_model::Timestamp;
use squirrel_outbound::{Client, Request};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Target;
use super::gather::Shard;
use super::judge::{Spoken, Verdict, judge};
use super::metrics::{Figures, Reason};
use crate::backoff::Backoff;

/// A refused request is sent again in halves, to find the samples that were meant; not more often than this
/// for one request.
const MOST_HALVES: usize = 64;

/// The same complaint is logged once in this time.
const COMPLAIN_EVERY: Duration = Duration::from_mins(1);

/// The way to one target.
pub(super) struct Delivery {
    target: Arc<Target>,
    client: Arc<Client>,
    figures: Arc<Figures>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    spoken: Mutex<Spoken>,
    /// When something was last complained about, and whether it is still so.
    complaint: Mutex<(Option<Instant>, bool)>,
}

/// Sends all shards, each beside the others, and waits for the last.
pub(super) async fn all(delivery: &Arc<Delivery>, shards: Vec<Shard>) {
    delivery.figures.shards(shards.len());
    let mut tasks = JoinSet::new();
    for shard in shards {
        let delivery = Arc::clone(delivery);
        tasks.spawn(async move {
            for request in shard {
                delivery.deliver(request).await;
            }
        });
    }
    // Dropping the set, when the writer is stopped, ends its tasks.
    while tasks.join_next().await.is_some() {}
}

fn count(series: &[Series]) -> usize {
    series.iter().map(|one| one.samples.len()).sum()
}

impl Delivery {
    pub(super) fn new(
        target: Arc<Target>,
        client: Arc<Client>,
        figures: Arc<Figures>,
        clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    ) -> Self {
        let version = target.version.unwrap_or(Version::V2);
        let spoken = Mutex::new(Spoken { version, is_settled: target.version.is_some() });
        Self { target, client, figures, clock, spoken, complaint: Mutex::default() }
    }

    fn spoken(&self) -> Spoken {
        *self.spoken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends one request until it was taken or refused.
    async fn deliver(&self, series: Vec<Series>) {
        let mut waiting = vec![series];
        let mut halves = 0;
        while let Some(series) = waiting.pop() {
            let (samples, verdict) = (count(&series), self.until_judged(&series).await);
            match verdict {
                Verdict::Partly { refused, reason } => {
                    self.figures.taken(samples.saturating_sub(refused));
                    self.refused(refused, &reason);
                }
                Verdict::Never { .. } | Verdict::Smaller { .. } if samples > 1 && halves < MOST_HALVES => {
                    halves += 2;
                    let (first, second) = halved(series);
                    // The first half goes first: series keep their order.
                    waiting.push(second);
                    waiting.push(first);
                }
                Verdict::Never { reason } | Verdict::Smaller { reason } => self.refused(samples, &reason),
                // The others are never the last word.
                Verdict::Taken | Verdict::Older | Verdict::Again { .. } => self.figures.taken(samples),
            }
        }
    }

    async fn until_judged(&self, series: &[Series]) -> Verdict {
        let mut backoff = Backoff::default();
        loop {
            let mut spoken = self.spoken();
            // Only what is longer than 4 GiB cannot be written; a request is far from that.
            let body = remote_write::encode(spoken.version, series).unwrap_or_default();
            let octets = body.len();
            let request = Request::post(spoken.version.content_type(), body)
                .with_header("Content-Encoding", remote_write::CONTENT_ENCODING)
                .with_header(VERSION_HEADER, spoken.version.header());
            let answer = self.client.send(&self.target.destination, request).await;
            self.figures.bytes(octets);
            let verdict = judge(&mut spoken, count(series), &answer, (self.clock)());
            match verdict {
                Verdict::Older => self.fall_back(),
                Verdict::Again { after, reason } => {
                    self.figures.failed();
                    self.complain(&reason);
                    tokio::time::sleep(backoff.pause(after)).await;
                }
                verdict => {
                    if spoken.is_settled {
                        *self.spoken.lock().unwrap_or_else(PoisonError::into_inner) = spoken;
                    }
                    if matches!(verdict, Verdict::Taken) {
                        self.works();
                    }
                    return verdict;
                }
            }
        }
    }

    fn fall_back(&self) {
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        if !spoken.is_settled && spoken.version == Version::V2 {
            tracing::info!(target = self.target.name, "the receiver does not know remote write 2.0: sending 1.0");
            *spoken = Spoken { version: Version::V1, is_settled: true };
        }
    }

    fn refused(&self, samples: usize, reason: &str) {
        self.figures.dropped(Reason::Refused, samples);
        if samples > 0 {
            self.complain(&format!("{samples} samples were refused and are not sent again: it {reason}"));
        }
    }

    /// Says what is wrong, once a minute.
    fn complain(&self, what: &str) {
        let now = Instant::now();
        let mut complaint = self.complaint.lock().unwrap_or_else(PoisonError::into_inner);
        if complaint.0.is_none_or(|last| now.duration_since(last) >= COMPLAIN_EVERY) {
            complaint.0 = Some(now);
            tracing::warn!(target = self.target.name, to = %self.target.destination, "remote write: {what}");
        }
        complaint.1 = true;
    }

    fn works(&self) {
        let mut complaint = self.complaint.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut complaint.1) {
            complaint.0 = None;
            tracing::info!(target = self.target.name, "remote write goes on");
        }
    }
}

/// Two requests of one: by series, or by time when there is one series.
fn halved(mut series: Vec<Series>) -> (Vec<Series>, Vec<Series>) {
    if series.len() > 1 {
        let second = series.split_off(series.len() / 2);
        return (series, second);
    }
    let second = series
        .iter_mut()
        .map(|one| {
            let samples = one.samples.split_off(one.samples.len() / 2);
            Series { labels: one.labels.clone(), metadata: one.metadata.clone(), samples }
        })
        .collect();
    (series, second)
}
