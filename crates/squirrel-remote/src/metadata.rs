//! What a declared metric is in the words of other systems.

use std::sync::Arc;

use squirrel_exchange::Metadata;
use squirrel_model::{Kind, Metric};

/// Gives what is known of a metric by its name.
pub type Describe = Arc<dyn Fn(&str) -> Metadata + Send + Sync>;

/// A declaration as metadata.
pub fn metadata_of(metric: &Metric) -> Metadata {
    let kind = match metric.kind {
        Kind::Counter => squirrel_exchange::Kind::Counter,
        Kind::Gauge => squirrel_exchange::Kind::Gauge,
        Kind::Histogram => squirrel_exchange::Kind::Histogram,
        Kind::Info => squirrel_exchange::Kind::Info,
        Kind::Untyped => squirrel_exchange::Kind::Unknown,
    };
    Metadata::new(kind, metric.unit.word(), &metric.help)
}
