//! Where samples are sent, which, and how many at a time.

use squirrel_exchange::remote_write::Version;
use squirrel_outbound::Destination;

use crate::relabel::Relabelling;

/// A reduced rate: one sample of each series in each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thin {
    /// Length of a step in milliseconds; steps begin at multiples of it.
    pub step_ms: i64,
    /// Whether the greatest value of each step goes too, under the metric's name with `:max`.
    pub max: bool,
}

/// Where samples are sent, and which.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name, in metrics and in the cursor's file: letters, digits, `-` and `_`.
    pub name: String,
    /// Where.
    pub destination: Destination,
    /// The version of the protocol; `None` tries 2.0 and falls back to 1.0.
    pub version: Option<Version>,
    /// Which series, under which labels.
    pub relabelling: Relabelling,
    /// A reduced rate, or all samples.
    pub thin: Option<Thin>,
    /// Most samples in one request.
    pub request_samples: usize,
    /// Most requests at one time.
    pub shards: usize,
    /// How long samples wait for company, at most, in milliseconds.
    pub flush_ms: i64,
    /// Whether kind, unit and help of metrics are sent.
    pub metadata: bool,
    /// How far back a target begins that was not known before, in milliseconds.
    pub backfill_ms: i64,
}

impl Target {
    /// A target with the usual settings: 10,000 samples a request, 4 shards, 5 s.
    pub fn new(name: impl Into<String>, destination: Destination) -> Self {
        Self {
            name: name.into(),
            destination,
            version: None,
            relabelling: Relabelling::default(),
            thin: None,
            request_samples: 10_000,
            shards: 4,
            flush_ms: 5_000,
            metadata: true,
            backfill_ms: 0,
        }
    }
}
