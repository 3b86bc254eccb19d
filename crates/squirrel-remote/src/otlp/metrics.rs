//! What the export of OTLP says of itself.

use std::sync::atomic::{AtomicU64, Ordering};

use squirrel_model::{Batch, Kind, Labels, Metric, Unit};

static POINTS: Metric =
    Metric::new("squirrel_otlp_points_total", Kind::Counter, Unit::None, "Points that a collector of OTLP has taken.")
        .why("Its rate is what arrives there.")
        .check(&[
            "Look at squirrel_otlp_failures_total.",
            "Read the log of squirrel: it says what the collector answers.",
        ])
        .labels(&["target"]);

static LOST: Metric = Metric::new(
    "squirrel_otlp_lost_total",
    Kind::Counter,
    Unit::None,
    "Points that a collector of OTLP did not get: refused, or not sent before the next export was due.",
)
.why("They are missing there and not here.")
.check(&["Read the log of squirrel.", "Use remote write where every sample counts."])
.labels(&["target"]);

static FAILURES: Metric = Metric::new(
    "squirrel_otlp_failures_total",
    Kind::Counter,
    Unit::None,
    "Requests of OTLP that failed and are tried again until the next export is due.",
)
.why("The collector is away, slow or refuses this sender.")
.check(&["Read the log of squirrel: it says why."])
.labels(&["target"]);

static BYTES: Metric = Metric::new(
    "squirrel_otlp_bytes_total",
    Kind::Counter,
    Unit::Bytes,
    "Bytes of bodies that a collector of OTLP has taken.",
)
.why("What the export costs the network.")
.check(&["Raise interval of the target."])
.labels(&["target"]);

/// All metrics of the export of OTLP.
pub static METRICS: &[&Metric] = &[&POINTS, &LOST, &FAILURES, &BYTES];

/// One target's figures.
#[derive(Debug, Default)]
pub(super) struct Figures {
    points: AtomicU64,
    lost: AtomicU64,
    failures: AtomicU64,
    bytes: AtomicU64,
}

impl Figures {
    pub(super) fn sent(&self, points: usize, octets: usize) {
        self.points.fetch_add(points as u64, Ordering::Relaxed);
        self.bytes.fetch_add(octets as u64, Ordering::Relaxed);
    }

    pub(super) fn lost(&self, points: usize) {
        self.lost.fetch_add(points as u64, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn rows(&self, target: &str, out: &mut Batch) {
        let labels = Labels::new([("target", target)]).unwrap_or_default();
        let counters =
            [(&POINTS, &self.points), (&LOST, &self.lost), (&FAILURES, &self.failures), (&BYTES, &self.bytes)];
        for (metric, counter) in counters {
            out.put(metric, &labels, counter.load(Ordering::Relaxed) as f64);
        }
    }
}
