//! Samples in the formats of other systems, written and read.
//!
//! | format | written from | read into |
//! |---|---|---|
//! | remote write 1.0 and 2.0 ([`remote_write`]) | [`Series`] | [`Series`] |
//! | OTLP metrics, protobuf ([`otlp`]) | [`Family`] | [`Family`] |
//! | Prometheus text 0.0.4, OpenMetrics 1.0 ([`text`]) | [`Family`] | [`Series`] |
//!
//! A [`Family`] has structure: one histogram is one value, names and units are OpenTelemetry's. A
//! [`Series`] is what a store keeps: a label set and plain numbers, Prometheus' names. [`flatten`] goes from
//! the one to the other, by the naming rules that Prometheus itself applies to OTLP ([`naming`]), so that
//! an application shows the same names however it is asked.
//!
//! What comes from outside is read under [`Limits`]. Octets that are not the format are an error and
//! nothing is taken; a series that breaks the data model is left out and counted in [`Refused`].
//! Protobuf is read by a reader of our own, straight into these types: a generated decoder builds the
//! sender's tree first, in which each octet received may take fifty.
//!
//! Absences: no HTTP, no clock, no compression but remote write's own snappy.
#![forbid(unsafe_code)]

mod family;
pub mod flatten;
mod limits;
pub mod naming;
pub mod otlp;
mod protobuf;
pub mod remote_write;
mod series;
pub mod text;

pub use family::{Buckets, ExponentialHistogram, Family, Histogram, Kind, Point, Summary, Temporality, Value};
pub use limits::{DecodeError, Limits, Refused};
pub use series::{Metadata, Sample, Series};
