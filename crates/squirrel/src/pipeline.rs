//! One second's work: read the kernel, keep it, show it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use squirrel_collect::Schedule;
use squirrel_model::{Batch, Timestamp, Untrusted};
use squirrel_server::{Applications, ServerMetrics, Tick};
use squirrel_store::Store;
use squirrel_sys::{Kernel, clock};
use tokio::sync::watch;

use crate::accounting::{self, Accounting};
use crate::fault_log::{FaultLog, Line};
use crate::own_metrics::OwnMetrics;
use crate::serve::checks::Checks;
use crate::serve::probes::Watched;
use crate::serve::remote::Remote;

/// Everything that a tick needs, owned by whoever runs it.
pub(crate) struct Pipeline {
    pub(crate) kernel: Arc<dyn Kernel>,
    pub(crate) schedule: Schedule,
    pub(crate) store: Arc<Store>,
    pub(crate) monotonic: clock::Monotonic,
    pub(crate) own: OwnMetrics,
    pub(crate) server_metrics: Arc<ServerMetrics>,
    pub(crate) applications: Arc<Applications>,
    pub(crate) alerting: Arc<crate::serve::alerting::Shared>,
    pub(crate) checks: Arc<Checks>,
    pub(crate) ticks: watch::Sender<Option<Arc<Tick>>>,
    pub(crate) status: Arc<Mutex<Vec<squirrel_api::CollectorStatus>>>,
    accounting: Option<Accounting>,
    remote: Arc<Remote>,
    watched: Arc<Watched>,
    fault_log: FaultLog,
    last: Option<Timestamp>,
    refusing: bool,
}

/// What [`Pipeline::new`] is made of.
pub(crate) struct Parts {
    pub(crate) kernel: Arc<dyn Kernel>,
    pub(crate) schedule: Schedule,
    pub(crate) store: Arc<Store>,
    pub(crate) monotonic: clock::Monotonic,
    pub(crate) server_metrics: Arc<ServerMetrics>,
    pub(crate) applications: Arc<Applications>,
    pub(crate) alerting: Arc<crate::serve::alerting::Shared>,
    pub(crate) checks: Arc<Checks>,
    pub(crate) ticks: watch::Sender<Option<Arc<Tick>>>,
    pub(crate) status: Arc<Mutex<Vec<squirrel_api::CollectorStatus>>>,
    /// Whose bytes they are; `None` when the configuration switched it off.
    pub(crate) accounting: Option<Accounting>,
    /// Samples to and from other systems.
    pub(crate) remote: Arc<Remote>,
    /// Probes on a schedule.
    pub(crate) watched: Arc<Watched>,
    /// The data directory.
    pub(crate) directory: PathBuf,
}

impl Pipeline {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts {
            kernel,
            schedule,
            store,
            monotonic,
            server_metrics,
            applications,
            alerting,
            checks,
            ticks,
            status,
            accounting,
            remote,
            watched,
            directory,
        } = parts;
        let own = OwnMetrics::new(directory);
        Self {
            kernel,
            schedule,
            store,
            monotonic,
            own,
            server_metrics,
            applications,
            alerting,
            checks,
            ticks,
            status,
            accounting,
            remote,
            watched,
            fault_log: FaultLog::default(),
            last: None,
            refusing: false,
        }
    }

    /// Whether `now` belongs to a tick that has not been taken yet.
    pub(crate) fn is_due(&self, now: Timestamp, step_ms: i64) -> bool {
        self.last.is_none_or(|last| now.floor_to(step_ms) != last)
    }

    /// Reads, keeps and shows. Never fails as a whole: what the disk refuses is still shown live.
    pub(crate) fn tick(&mut self, now: Timestamp, step_ms: i64) {
        let began = self.monotonic.elapsed();
        let at = now.floor_to(step_ms);
        self.own.missed += missed(self.last, at, step_ms);
        self.last = Some(at);

        let mut batch = Batch::default();
        let monotonic = self.monotonic;
        if let Some(accounting) = &mut self.accounting {
            accounting.begin(began, now);
        }
        self.schedule.tick(&*self.kernel, &|| monotonic.elapsed(), &mut batch);
        if let Some(accounting) = &mut self.accounting {
            accounting.rows(&mut batch);
            self.own.accounting = Some(accounting.figures());
        }
        self.store.metrics(&mut batch);
        self.server_metrics.rows(&mut batch);
        self.applications.rows(&mut batch);
        self.remote.rows(now, &mut batch);
        self.alerting.rows(&mut batch);
        self.checks.rows(&mut batch);
        self.watched.rows(&mut batch);
        self.own.tick(&mut batch);
        self.keep(at, &batch);
        self.keep_applications(now, step_ms);
        self.keep_probes(now);

        let mut statuses = crate::status::statuses(&self.schedule);
        match &self.accounting {
            Some(accounting) => statuses.extend(accounting.status()),
            None => statuses.push(accounting::off()),
        }
        statuses.push(self.watched.status());
        for line in self.fault_log.news(began, &statuses) {
            match line {
                Line::Unavailable(text) | Line::Mended(text) => tracing::info!("{}", Untrusted(&text)),
                Line::Fault(text) => tracing::warn!("{}", Untrusted(&text)),
            }
        }
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = statuses;
        self.ticks.send_replace(Some(Arc::new(Tick { at, batch })));
        self.own.tick_seconds = (self.monotonic.elapsed().0.saturating_sub(began.0)).as_secs_f64();
    }

    /// Switches collectors off and on, for a configuration that was read again.
    pub(crate) fn set_disabled(&mut self, disabled: &[String]) {
        self.schedule.set_disabled(&*self.kernel, disabled, self.monotonic.elapsed());
    }

    /// Appends what applications told since the last tick. Their samples have times of their own, and so do
    /// not wait for a tick that the clock refuses.
    fn keep_applications(&self, now: Timestamp, step_ms: i64) {
        let samples = self.applications.due(now, self.monotonic.elapsed(), step_ms);
        if samples.is_empty() {
            return;
        }
        match self.store.append_samples(now, &samples) {
            Ok(report) => {
                self.applications.lost(report.refused);
                self.remote.arrived(&samples);
            }
            // Closed: the end of the program, which was said.
            Err(_) => self.applications.lost(samples.len()),
        }
    }

    /// Appends what probes brought since the last tick, by the same reason.
    fn keep_probes(&self, now: Timestamp) {
        let samples = self.watched.due(now, self.monotonic.elapsed());
        if samples.is_empty() {
            return;
        }
        match self.store.append_samples(now, &samples) {
            Ok(report) => {
                self.watched.lost(report.refused);
                self.remote.arrived(&samples);
            }
            // Closed: the end of the program, which was said.
            Err(_) => self.watched.lost(samples.len()),
        }
    }

    /// Appends to the store, which itself says in the log when it begins to fail and when it is over.
    fn keep(&mut self, at: Timestamp, batch: &Batch) {
        if let Err(error) = self.store.append(at, batch)
            && !self.refusing
        {
            self.refusing = true;
            tracing::error!("samples are not kept: {error}");
        }
    }
}

/// How many ticks lie between the last one taken and this one. A clock that was set back missed none.
fn missed(last: Option<Timestamp>, at: Timestamp, step_ms: i64) -> u64 {
    let Some(last) = last else { return 0 };
    u64::try_from((at.millis().saturating_sub(last.millis())) / step_ms.max(1) - 1).unwrap_or(0)
}

/// How long to wait so that the next reading happens at the next whole step of the wall clock: samples
/// are stamped with it, and neighbours in a fleet line up.
pub(crate) fn until_next(now: Timestamp, step_ms: i64) -> Duration {
    let into = now.millis().rem_euclid(step_ms.max(1));
    Duration::from_millis(u64::try_from(step_ms.max(1) - into).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_line_up_with_the_wall_clock() {
        assert_eq!(until_next(Timestamp(10_250), 1000), Duration::from_millis(750));
        assert_eq!(until_next(Timestamp(10_000), 1000), Duration::from_secs(1));
        assert_eq!(until_next(Timestamp(-1), 1000), Duration::from_millis(1));
    }

    #[test]
    fn skipped_seconds_are_counted_and_a_clock_set_back_is_not() {
        assert_eq!(missed(None, Timestamp(5000), 1000), 0);
        assert_eq!(missed(Some(Timestamp(5000)), Timestamp(6000), 1000), 0);
        assert_eq!(missed(Some(Timestamp(5000)), Timestamp(9000), 1000), 3);
        assert_eq!(missed(Some(Timestamp(5000)), Timestamp(1000), 1000), 0);
        assert_eq!(missed(Some(Timestamp(i64::MIN)), Timestamp(i64::MAX), 1000), 9_223_372_036_854_774);
    }
}
