//! One process of an application: its last report, its series, its alerts, and whether it speaks.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use squirrel_api::application::{
    ApplicationAlert, ApplicationAlertState, ApplicationLosses, ApplicationReceipt, ApplicationReport,
};
use squirrel_model::{Elapsed, Labels, Timestamp, stale_marker};

use super::Refusal;
use super::bucket::Bucket;
use super::counters::{Outcome, Reason};
use super::series::Offered;

/// Reports of one instance at once, and a second after that.
const REPORTS_AT_ONCE: f64 = 10.0;
const REPORTS_A_SECOND: f64 = 2.0;

/// Silence that is taken for the end, whatever interval was told.
const SHORTEST_GRACE: Duration = Duration::from_secs(3);
const LONGEST_GRACE: Duration = Duration::from_mins(15);

/// Alerts that are kept of each sort: those that hold, and those that were told.
const ALERTS: usize = 64;

/// Samples on their way to the store.
pub(super) type Samples = Vec<(Labels, Timestamp, f64)>;

pub(super) struct Instance {
    pub(super) pid: u32,
    pub(super) started: f64,
    pub(super) interval_seconds: f64,
    pub(super) protocol_version: String,
    pub(super) last_report: Timestamp,
    pub(super) silent_since: Option<Timestamp>,
    pub(super) refused: BTreeMap<Reason, u64>,
    pub(super) lost: ApplicationLosses,
    pub(super) raised: BTreeMap<String, ApplicationAlert>,
    pub(super) told: VecDeque<ApplicationAlert>,
    heard: Elapsed,
    last_number: u64,
    often: Bucket,
    /// Its series that have not ended, each with the report that had it last.
    series: HashMap<Labels, u64>,
    reports: u64,
    /// The slot before the store: when the newest report came, and what it said.
    pending: Option<(Timestamp, Vec<(Labels, f64)>)>,
    /// Series that a report lacked which the one before had.
    ended: Vec<(Labels, Timestamp)>,
}

/// What became of the metrics of a report.
#[derive(Debug, Default)]
pub(super) struct Taken {
    metrics: u64,
    pub(super) refused: BTreeMap<Reason, u64>,
    /// Whether an earlier report was waiting still.
    pub(super) replaced: bool,
}

impl Taken {
    pub(super) fn receipt(&self) -> ApplicationReceipt {
        ApplicationReceipt {
            taken: self.metrics,
            refused: self.refused.values().sum(),
            sentences: self.refused.iter().map(|(reason, count)| reason.sentence(*count)).collect(),
        }
    }
}

impl Instance {
    /// One that is about to report for the first time.
    pub(super) fn new(report: &ApplicationReport, at: Timestamp, now: Elapsed) -> Self {
        Self { started: report.started, ..Self::of_old(at, now) }
    }

    /// One of which only the series in the store are known: it spoke last at `at`.
    pub(super) fn of_old(at: Timestamp, now: Elapsed) -> Self {
        Self {
            pid: 0,
            started: 0.0,
            interval_seconds: 0.0,
            protocol_version: String::new(),
            last_report: at,
            silent_since: None,
            refused: BTreeMap::new(),
            lost: ApplicationLosses::default(),
            raised: BTreeMap::new(),
            told: VecDeque::new(),
            heard: now,
            last_number: 0,
            often: Bucket::new(REPORTS_AT_ONCE, REPORTS_A_SECOND),
            series: HashMap::new(),
            reports: 0,
            pending: None,
            ended: Vec::new(),
        }
    }

    /// Adds a series that the store has and that has not ended there.
    pub(super) fn adopt(&mut self, labels: Labels, last: Timestamp) {
        self.last_report = self.last_report.max(last);
        self.silent_since = Some(self.last_report);
        self.series.insert(labels, 0);
    }

    pub(super) fn series(&self) -> usize {
        self.series.len()
    }

    pub(super) fn alerts(&self) -> usize {
        self.raised.len()
    }

    pub(super) fn is_silent(&self) -> bool {
        self.silent_since.is_some()
    }

    /// Whether it reported to this daemon, and is not only known from the store.
    pub(super) fn reports_here(&self) -> bool {
        self.reports > 0
    }

    /// When it was last heard, by the clock that never jumps.
    pub(super) fn heard_at(&self) -> Elapsed {
        self.heard
    }

    pub(super) fn is_silent_for(&self, now: Elapsed, time: Duration) -> bool {
        self.is_silent() && now.0.saturating_sub(self.heard.0) >= time
    }

    /// When it fell silent, if nothing of it is on its way any more.
    pub(super) fn forgettable_since(&self) -> Option<Timestamp> {
        self.silent_since.filter(|_| self.series.is_empty() && self.pending.is_none() && self.ended.is_empty())
    }

    /// Whether a report of the process that was made at `started` may come now.
    pub(super) fn may_report(&mut self, report: &ApplicationReport, now: Elapsed) -> Result<(), Refusal> {
        if report.started < self.started && !self.is_silent() {
            return Err(Refusal::new(
                Outcome::Conflict,
                format!(
                    "another process (it says {}), started later, reports as this instance of this application: give \
                     each process an instance name of its own",
                    self.pid
                ),
            ));
        }
        if !self.often.take(now, 1.0) {
            return Err(Refusal::new(
                Outcome::Rate,
                format!("this instance reports more than {REPORTS_A_SECOND} times a second: report less often"),
            ));
        }
        Ok(())
    }

    /// Takes a report. At most `room` series are kept, and of new ones as many as `budget` has.
    pub(super) fn report(
        &mut self,
        report: ApplicationReport,
        offered: Offered,
        at: Timestamp,
        now: Elapsed,
        room: usize,
        budget: &mut Bucket,
    ) -> Taken {
        // Equality of two texts that came from one number, not of two results.
        if report.started.to_bits() != self.started.to_bits() || self.pid != report.pid {
            self.raised.clear();
            self.last_number = 0;
        }
        self.reports += 1;
        let mut taken = Taken { refused: offered.refused, replaced: self.pending.is_some(), ..Taken::default() };
        let mut values = Vec::with_capacity(offered.metrics.len());
        // What was kept before keeps its place: a newcomer is refused, not something that is on a chart.
        let mut newcomers = Vec::new();
        for metric in offered.metrics {
            if metric.iter().all(|(labels, _)| self.series.contains_key(labels)) {
                self.keep(metric, &mut values);
                taken.metrics += 1;
            } else {
                newcomers.push(metric);
            }
        }
        // Those that the report lacks end first: what is new may take their places.
        self.end_missing(&newcomers, at);
        for metric in newcomers {
            let new = metric.iter().filter(|(labels, _)| !self.series.contains_key(labels)).count();
            let reason = if self.series.len() + new > room {
                Reason::Limit
            } else if !budget.take(now, new as f64) {
                Reason::NewSeries
            } else {
                self.keep(metric, &mut values);
                taken.metrics += 1;
                continue;
            };
            *taken.refused.entry(reason).or_default() += 1;
        }
        self.pending = Some((at, values));
        (self.pid, self.started, self.lost) = (report.pid, report.started, report.lost);
        (self.interval_seconds, self.protocol_version) = (report.interval_seconds, report.protocol_version);
        (self.last_report, self.heard, self.silent_since) = (at, now, None);
        self.refused.clone_from(&taken.refused);
        for alert in report.alerts {
            self.alert(alert);
        }
        taken
    }

    fn keep(&mut self, metric: Vec<(Labels, f64)>, values: &mut Vec<(Labels, f64)>) {
        for (labels, value) in metric {
            self.series.insert(labels.clone(), self.reports);
            values.push((labels, value));
        }
    }

    /// Ends the series that the present report has neither brought nor is about to bring.
    fn end_missing(&mut self, newcomers: &[Vec<(Labels, f64)>], at: Timestamp) {
        for (labels, _) in newcomers.iter().flatten() {
            if let Some(last) = self.series.get_mut(labels) {
                *last = self.reports;
            }
        }
        let (reports, ended) = (self.reports, &mut self.ended);
        self.series.retain(|labels, last| {
            let stays = *last == reports;
            if !stays {
                ended.push((labels.clone(), at));
            }
            stays
        });
    }

    fn alert(&mut self, alert: ApplicationAlert) {
        if alert.number <= self.last_number {
            return;
        }
        self.last_number = alert.number;
        match alert.state {
            ApplicationAlertState::Raised if self.raised.len() < ALERTS || self.raised.contains_key(&alert.name) => {
                self.raised.insert(alert.name.clone(), alert.clone());
            }
            ApplicationAlertState::Cleared => {
                self.raised.remove(&alert.name);
            }
            // One that does not fit among those that hold is at least among those that were told.
            ApplicationAlertState::Raised | ApplicationAlertState::Told => {}
        }
        self.told.truncate(ALERTS - 1);
        self.told.push_front(alert);
    }

    /// Silence after which it is taken to have ended.
    fn grace(&self) -> Duration {
        Duration::try_from_secs_f64(3.0 * self.interval_seconds)
            .unwrap_or(LONGEST_GRACE)
            .clamp(SHORTEST_GRACE, LONGEST_GRACE)
    }

    /// What is to be kept at the tick of `at`.
    pub(super) fn due(&mut self, at: Timestamp, now: Elapsed, step_ms: i64, out: &mut Samples) {
        self.drain(step_ms, out);
        // One that was silent already when this daemon began has as long as the slowest.
        let grace = if self.reports == 0 { LONGEST_GRACE.min(Duration::from_secs(30)) } else { self.grace() };
        if now.0.saturating_sub(self.heard.0) <= grace {
            return;
        }
        self.silent_since.get_or_insert(self.last_report);
        self.end(at.floor_to(step_ms), out);
    }

    /// Empties the slot. The ends come first: a series that ended and came back in one moment goes on.
    pub(super) fn drain(&mut self, step_ms: i64, out: &mut Samples) {
        out.extend(self.ended.drain(..).map(|(labels, at)| (labels, at.floor_to(step_ms), stale_marker())));
        if let Some((at, values)) = self.pending.take() {
            let at = at.floor_to(step_ms);
            out.extend(values.into_iter().map(|(labels, value)| (labels, at, value)));
        }
    }

    /// Gives its place to another: what it told last is kept, and its series end after it.
    pub(super) fn leave(&mut self, out: &mut Samples) {
        let last = self.last_report;
        out.extend(self.ended.drain(..).map(|(labels, at)| (labels, at, stale_marker())));
        if let Some((at, values)) = self.pending.take() {
            out.extend(values.into_iter().map(|(labels, value)| (labels, at, value)));
        }
        self.end(last.plus_ms(1_000), out);
    }

    /// Ends all its series at `at`.
    pub(super) fn end(&mut self, at: Timestamp, out: &mut Samples) {
        out.extend(self.series.drain().map(|(labels, _)| (labels, at, stale_marker())));
    }
}
