//! Plain numbers with their labels: what stores take.

use std::sync::Arc;

use squirrel_model::{Labels, Timestamp};

use crate::Kind;

/// One label set with its samples, in Prometheus' naming.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The labels, the metric's name (`__name__`) among them.
    pub labels: Labels,
    /// What is known of the metric. For the parts of a histogram (`x_bucket`) it is the histogram's.
    pub metadata: Metadata,
    /// The samples in order of time.
    pub samples: Vec<Sample>,
}

/// What the numbers of a metric mean. Cheap to clone: many series share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// How its values behave.
    pub kind: Kind,
    /// Base unit as a word, such as `bytes`; empty for none.
    pub unit: Arc<str>,
    /// What is counted; empty when not known.
    pub help: Arc<str>,
}

impl Default for Metadata {
    fn default() -> Self {
        Self::new(Kind::Unknown, "", "")
    }
}

impl Metadata {
    /// Metadata of these texts.
    pub fn new(kind: Kind, unit: &str, help: &str) -> Self {
        Self { kind, unit: unit.into(), help: help.into() }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.kind == Kind::Unknown && self.unit.is_empty() && self.help.is_empty()
    }
}

/// A number at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// When it was read.
    pub at: Timestamp,
    /// The number; [`squirrel_model::stale_marker`] says that the series has ended.
    pub value: f64,
    /// When the counter began, where that is known.
    pub start: Option<Timestamp>,
}
