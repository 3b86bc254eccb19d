//! What the receiver of remote write says of itself.

use std::sync::atomic::{AtomicU64, Ordering};

use squirrel_model::{Batch, Kind, Labels, Metric, Unit};

/// Why samples are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Series,
    Old,
    Future,
    Histogram,
    Own,
    Invalid,
}

const REASONS: [(Reason, &str); 6] = [
    (Reason::Series, "series"),
    (Reason::Old, "old"),
    (Reason::Future, "future"),
    (Reason::Histogram, "histogram"),
    (Reason::Own, "own"),
    (Reason::Invalid, "invalid"),
];

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Taken,
    Partly,
    Throttled,
    Malformed,
    Unavailable,
}

const OUTCOMES: [(Outcome, &str); 5] = [
    (Outcome::Taken, "taken"),
    (Outcome::Partly, "partly"),
    (Outcome::Throttled, "throttled"),
    (Outcome::Malformed, "malformed"),
    (Outcome::Unavailable, "unavailable"),
];

static REQUESTS: Metric = Metric::new(
    "squirrel_receive_requests_total",
    Kind::Counter,
    Unit::None,
    "Requests of remote write that came from a sender, by what became of them.",
)
.why("Anything but taken is something that a sender is told and its owner may not read.")
.check(&["Look at squirrel_receive_refused_total.", "Read the log of the sender: it has the reasons in words."])
.labels(&["sender", "outcome"]);

static SAMPLES: Metric = Metric::new(
    "squirrel_receive_samples_total",
    Kind::Counter,
    Unit::None,
    "Samples that were received from a sender and kept.",
)
.why("Its rate is what the sender measures; zero means that it is silent.")
.check(&["Look at squirrel_receive_requests_total."])
.labels(&["sender"]);

static REFUSED: Metric = Metric::new(
    "squirrel_receive_refused_total",
    Kind::Counter,
    Unit::None,
    "Samples of a sender that were not kept: of series beyond its limit, older than retention, of the future, native histograms, or not as the data model has them.",
)
.why("They are missing here.")
.check(&["Raise series of the sender under [[receive]], or let it send less.", "Compare the clocks of both hosts."])
.labels(&["sender", "reason"]);

static DISORDERED: Metric = Metric::new(
    "squirrel_receive_disordered_total",
    Kind::Counter,
    Unit::None,
    "Samples of a sender that were kept though a later one (late) or one of the same time (again) of their series had come before.",
)
.why("A sender that was restarted sends some again; many without a restart mean two senders of the same series.")
.check(&["Ask whether two hosts send under the same job and instance."])
.labels(&["sender", "order"]);

static SERIES: Metric = Metric::new(
    "squirrel_receive_series",
    Kind::Gauge,
    Unit::None,
    "Series that a sender has sent within the last one to two hours.",
)
.why("At the sender's limit new series are refused.")
.check(&["Find the label that grows: `count by (__name__) ({instance=\"…\"})`."])
.labels(&["sender"]);

static UNAUTHORISED: Metric = Metric::new(
    "squirrel_receive_unauthorised_total",
    Kind::Counter,
    Unit::None,
    "Requests of remote write that showed no credentials of a sender.",
)
.why("A sender with an old token, or somebody who tries.")
.check(&["Compare the token of the sender with that under [[receive]]."]);

/// All metrics of the receiver.
pub static METRICS: &[&Metric] = &[&REQUESTS, &SAMPLES, &REFUSED, &DISORDERED, &SERIES, &UNAUTHORISED];

/// One sender's figures.
#[derive(Debug, Default)]
pub(super) struct Figures {
    requests: [AtomicU64; OUTCOMES.len()],
    samples: AtomicU64,
    refused: [AtomicU64; REASONS.len()],
    late: AtomicU64,
    again: AtomicU64,
}

impl Figures {
    pub(super) fn request(&self, outcome: Outcome) {
        let place = OUTCOMES.iter().position(|(known, _)| *known == outcome);
        if let Some(counter) = place.and_then(|place| self.requests.get(place)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn samples(&self, count: usize) {
        self.samples.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, reason: Reason, count: usize) {
        let place = REASONS.iter().position(|(known, _)| *known == reason);
        if let Some(counter) = place.and_then(|place| self.refused.get(place)) {
            counter.fetch_add(count as u64, Ordering::Relaxed);
        }
    }

    pub(super) fn order(&self, late: usize, again: usize) {
        self.late.fetch_add(late as u64, Ordering::Relaxed);
        self.again.fetch_add(again as u64, Ordering::Relaxed);
    }

    pub(super) fn rows(&self, sender: &str, series: usize, out: &mut Batch) {
        let with = |name: &str, value: &str| Labels::new([("sender", sender), (name, value)]).unwrap_or_default();
        for ((_, outcome), counter) in OUTCOMES.iter().zip(&self.requests) {
            out.put(&REQUESTS, &with("outcome", outcome), counter.load(Ordering::Relaxed) as f64);
        }
        for ((_, reason), counter) in REASONS.iter().zip(&self.refused) {
            out.put(&REFUSED, &with("reason", reason), counter.load(Ordering::Relaxed) as f64);
        }
        for (order, counter) in [("late", &self.late), ("again", &self.again)] {
            out.put(&DISORDERED, &with("order", order), counter.load(Ordering::Relaxed) as f64);
        }
        let labels = Labels::new([("sender", sender)]).unwrap_or_default();
        out.put(&SAMPLES, &labels, self.samples.load(Ordering::Relaxed) as f64);
        out.put(&SERIES, &labels, series as f64);
    }
}

/// The figure of those who are no sender.
pub(super) fn unauthorised(count: u64, out: &mut Batch) {
    out.put_plain(&UNAUTHORISED, count as f64);
}
