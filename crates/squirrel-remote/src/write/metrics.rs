//! What remote write says of itself.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use squirrel_model::{Batch, Kind, Labels, Metric, Timestamp, Unit};

/// Why samples are not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Refused,
    Late,
    Unreadable,
}

const REASONS: [(Reason, &str); 3] =
    [(Reason::Refused, "refused"), (Reason::Late, "late"), (Reason::Unreadable, "unreadable")];

static SAMPLES: Metric = Metric::new(
    "squirrel_remote_write_samples_total",
    Kind::Counter,
    Unit::None,
    "Samples that a target of remote write has taken.",
)
.why("Its rate is what arrives there; zero for a minute means that nothing does.")
.check(&["Look at squirrel_remote_write_failures_total.", "Read the log of squirrel: it says what the target answers."])
.labels(&["target"]);

static BYTES: Metric = Metric::new(
    "squirrel_remote_write_bytes_total",
    Kind::Counter,
    Unit::Bytes,
    "Bytes of bodies that were sent to a target of remote write, compressed, those that were sent again among them.",
)
.why("What remote write costs the network.")
.check(&["Set interval of the target, or drop series by its relabel rules."])
.labels(&["target"]);

static FAILURES: Metric = Metric::new(
    "squirrel_remote_write_failures_total",
    Kind::Counter,
    Unit::None,
    "Requests of remote write that failed and are sent again.",
)
.why("The target is away, slow, or refuses this sender; no sample is lost by it while retention lasts.")
.check(&["Read the log of squirrel: it says why.", "Look at squirrel_remote_write_behind_seconds."])
.labels(&["target"]);

static DROPPED: Metric = Metric::new(
    "squirrel_remote_write_dropped_total",
    Kind::Counter,
    Unit::None,
    "Samples that a target will not get: refused by it, late beyond the room for late ones, or (each one a series or a window) unreadable on disk.",
)
.why("These are missing there and not here.")
.check(&[
    "Read the log of squirrel: it says what the target answers.",
    "Refused after a restart may be samples that the target had already.",
])
.labels(&["target", "reason"]);

static EXPIRED: Metric = Metric::new(
    "squirrel_remote_write_expired_seconds_total",
    Kind::Counter,
    Unit::Seconds,
    "Time whose samples were deleted here by retention before the target took them.",
)
.why("The target was away for longer than samples are kept.")
.check(&["Raise retention under [store].", "Look at squirrel_remote_write_failures_total."])
.labels(&["target"]);

static BEHIND: Metric = Metric::new(
    "squirrel_remote_write_behind_seconds",
    Kind::Gauge,
    Unit::Seconds,
    "How far a target of remote write is behind the store.",
)
.why("A few seconds are usual; what grows is an outage or a link that is too slow.")
.check(&["Look at squirrel_remote_write_failures_total.", "Raise shards of the target, or set its interval."])
.labels(&["target"]);

static SHARDS: Metric = Metric::new(
    "squirrel_remote_write_shards",
    Kind::Gauge,
    Unit::None,
    "Requests that the last step of remote write had under way at one time.",
)
.why("It grows with the samples of a step, up to the target's shards.")
.check(&["Look at squirrel_remote_write_behind_seconds."])
.labels(&["target"]);

/// All metrics of remote write out.
pub static METRICS: &[&Metric] = &[&SAMPLES, &BYTES, &FAILURES, &DROPPED, &EXPIRED, &BEHIND, &SHARDS];

/// One target's figures.
#[derive(Debug, Default)]
pub(super) struct Figures {
    samples: AtomicU64,
    bytes: AtomicU64,
    failures: AtomicU64,
    dropped: [AtomicU64; REASONS.len()],
    expired: AtomicU64,
    sent: AtomicI64,
    shards: AtomicU64,
}

impl Figures {
    pub(super) fn new(sent: i64) -> Self {
        Self { sent: AtomicI64::new(sent), ..Self::default() }
    }

    pub(super) fn taken(&self, samples: usize) {
        self.samples.fetch_add(samples as u64, Ordering::Relaxed);
    }

    pub(super) fn bytes(&self, octets: usize) {
        self.bytes.fetch_add(octets as u64, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn dropped(&self, reason: Reason, count: usize) {
        if let Some(place) = REASONS.iter().position(|(known, _)| *known == reason)
            && let Some(counter) = self.dropped.get(place)
        {
            counter.fetch_add(count as u64, Ordering::Relaxed);
        }
    }

    pub(super) fn expired(&self, seconds: u64) {
        self.expired.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(super) fn sent_up_to(&self, at: Timestamp) {
        self.sent.store(at.millis(), Ordering::Relaxed);
    }

    pub(super) fn shards(&self, count: usize) {
        self.shards.store(count as u64, Ordering::Relaxed);
    }

    pub(super) fn rows(&self, target: &str, now: Timestamp, out: &mut Batch) {
        let labels = Labels::new([("target", target)]).unwrap_or_default();
        for (metric, counter) in
            [(&SAMPLES, &self.samples), (&BYTES, &self.bytes), (&FAILURES, &self.failures), (&EXPIRED, &self.expired)]
        {
            out.put(metric, &labels, counter.load(Ordering::Relaxed) as f64);
        }
        for ((_, reason), counter) in REASONS.iter().zip(&self.dropped) {
            let labels = Labels::new([("target", target), ("reason", reason)]).unwrap_or_default();
            out.put(&DROPPED, &labels, counter.load(Ordering::Relaxed) as f64);
        }
        let behind = now.millis().saturating_sub(self.sent.load(Ordering::Relaxed)).max(0);
        out.put(&BEHIND, &labels, behind as f64 / 1_000.0);
        out.put(&SHARDS, &labels, self.shards.load(Ordering::Relaxed) as f64);
    }
}
