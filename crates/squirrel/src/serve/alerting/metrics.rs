//! What the evaluation of rules says of itself, under Prometheus' names where it has one.

use std::sync::atomic::{AtomicU64, Ordering};

use squirrel_channels::Status;
use squirrel_model::{Batch, Kind, Labels, Metric, Unit};

static RULES: Metric =
    Metric::new("prometheus_rule_group_rules", Kind::Gauge, Unit::None, "Rules of a group, by its file and name.")
        .why("A group that is empty or gone watches nothing.")
        .check(&[
            "Run `squirrel alerts check` on its file.",
            "Read the log of squirrel: it names files that are broken.",
        ])
        .labels(&["rule_group"]);

static INTERVAL: Metric = Metric::new(
    "prometheus_rule_group_interval_seconds",
    Kind::Gauge,
    Unit::Seconds,
    "Time between two evaluations of a group.",
)
.why("An evaluation that takes longer than this makes the next one late.")
.check(&["Compare with prometheus_rule_group_last_duration_seconds."])
.labels(&["rule_group"]);

static DURATION: Metric = Metric::new(
    "prometheus_rule_group_last_duration_seconds",
    Kind::Gauge,
    Unit::Seconds,
    "Time that the last evaluation of a group took.",
)
.why("When it nears the interval, evaluations will be missed and alerts come late.")
.check(&[
    "Look which rule takes the time: evaluationTime in /api/v1/rules.",
    "Record an expensive expression once, and use the record in the others.",
    "Make the interval of the group longer.",
])
.labels(&["rule_group"]);

static EVALUATIONS: Metric = Metric::new(
    "prometheus_rule_evaluations_total",
    Kind::Counter,
    Unit::None,
    "Evaluations of the rules of a group since the start.",
)
.why("It stands still when rules are not evaluated any more.")
.check(&["Read the log of squirrel.", "Look at prometheus_rule_group_iterations_missed_total."])
.labels(&["rule_group"]);

static FAILURES: Metric = Metric::new(
    "prometheus_rule_evaluation_failures_total",
    Kind::Counter,
    Unit::None,
    "Of these, evaluations that failed.",
)
.why("A rule that fails raises no alert, whatever happens.")
.check(&[
    "Read lastError of the rule in /api/v1/rules, or the log of squirrel.",
    "Ask its expression by `squirrel query`.",
])
.labels(&["rule_group"]);

static MISSED: Metric = Metric::new(
    "prometheus_rule_group_iterations_missed_total",
    Kind::Counter,
    Unit::None,
    "Evaluations of a group that were left out because the one before took too long, or the host slept.",
)
.why("An alert that should have come in that time comes late.")
.check(&[
    "Look at prometheus_rule_group_last_duration_seconds.",
    "Ask whether the host was suspended or starved of CPU.",
])
.labels(&["rule_group"]);

static ALERTS: Metric =
    Metric::new("squirrel_alerts", Kind::Gauge, Unit::None, "Alerts of all rules, by how far they have come.")
        .why("Many at once are one cause more often than many.")
        .check(&["List them: `squirrel alerts`.", "Look for what they have in common: an interface, a host, a path."])
        .labels(&["state"]);

static REFUSED: Metric = Metric::new(
    "squirrel_alerts_rule_files_refused",
    Kind::Gauge,
    Unit::None,
    "Rule files that are broken; of each its last good version stays in force.",
)
.why("What was changed in them is not watched.")
.check(&["Run `squirrel alerts check` on the file.", "Read the log of squirrel: it says line and column."]);

static LOST: Metric = Metric::new(
    "squirrel_alerts_samples_lost_total",
    Kind::Counter,
    Unit::None,
    "Samples of rules that the store refused.",
)
.why("Charts of recorded series and of alerts have holes.")
.check(&["Look at squirrel_store_degraded.", "Ask whether the clock was set back."]);

static MESSAGES: Metric = Metric::new(
    "squirrel_notify_messages_total",
    Kind::Counter,
    Unit::None,
    "Messages about alerts since the start, by what became of them.",
)
.why("One that was given up or lost is a person who was not told.")
.check(&[
    "Look at the deliveries on the page of alerts, or in /api/alerts: they have the other side's answer.",
    "Try the channel: `squirrel notify test NAME`.",
])
.labels(&["state"]);

static WAITING: Metric =
    Metric::new("squirrel_notify_waiting", Kind::Gauge, Unit::None, "Messages that wait for a channel.")
        .why("They come late, as long as the other side does not take them.")
        .check(&["Look at the deliveries in /api/alerts.", "Try the channel: `squirrel notify test NAME`."])
        .labels(&["channel"]);

/// What this module declares.
pub(crate) static METRICS: &[&Metric] =
    &[&RULES, &INTERVAL, &DURATION, &EVALUATIONS, &FAILURES, &MISSED, &ALERTS, &REFUSED, &LOST, &MESSAGES, &WAITING];

/// Adds what became of messages.
pub(super) fn channels(status: &Status, out: &mut Batch) {
    let counts = &status.counts;
    for (state, count) in [
        ("delivered", counts.delivered),
        ("failed", counts.failed),
        ("given_up", counts.given_up),
        ("lost", counts.lost),
        ("replaced", counts.replaced),
    ] {
        out.put(&MESSAGES, &Labels::new([("state", state)]).unwrap_or_default(), count as f64);
    }
    for one in &status.backlog {
        let labels = Labels::new([("channel", one.channel.as_str())]).unwrap_or_default();
        out.put(&WAITING, &labels, one.waiting as f64);
    }
}

/// The counters of one group.
#[derive(Clone, Debug)]
pub(super) struct GroupFigures {
    labels: Labels,
    pub(super) rules: usize,
    pub(super) interval_seconds: f64,
    pub(super) seconds: f64,
    pub(super) evaluations: u64,
    pub(super) failures: u64,
    pub(super) missed: u64,
}

impl GroupFigures {
    pub(super) fn new(file: &str, name: &str, rules: usize, interval_ms: i64) -> Self {
        Self {
            // A path that is too long for a label is left out of it.
            labels: Labels::new([("rule_group", format!("{file};{name}"))]).unwrap_or_default(),
            rules,
            interval_seconds: interval_ms as f64 / 1000.0,
            seconds: 0.0,
            evaluations: 0,
            failures: 0,
            missed: 0,
        }
    }

    /// Takes over the counts of the group before its file was read again.
    pub(super) fn go_on_from(&mut self, old: &Self) {
        (self.evaluations, self.failures, self.missed) = (old.evaluations, old.failures, old.missed);
        self.seconds = old.seconds;
    }

    pub(super) fn rows(&self, out: &mut Batch) {
        out.put(&RULES, &self.labels, self.rules as f64);
        out.put(&INTERVAL, &self.labels, self.interval_seconds);
        out.put(&DURATION, &self.labels, self.seconds);
        out.put(&EVALUATIONS, &self.labels, self.evaluations as f64);
        out.put(&FAILURES, &self.labels, self.failures as f64);
        out.put(&MISSED, &self.labels, self.missed as f64);
    }
}

/// What belongs to no group.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) lost: AtomicU64,
}

impl Totals {
    pub(super) fn rows(&self, pending: usize, firing: usize, refused: usize, out: &mut Batch) {
        for (state, count) in [("pending", pending), ("firing", firing)] {
            out.put(&ALERTS, &Labels::new([("state", state)]).unwrap_or_default(), count as f64);
        }
        out.put_plain(&REFUSED, refused as f64);
        out.put_plain(&LOST, self.lost.load(Ordering::Relaxed) as f64);
    }
}
