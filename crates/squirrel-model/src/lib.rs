//! The vocabulary that every other crate of Squirrel speaks.
//!
//! A *collector* reads the kernel and brings a [`Batch`]: rows of a declared [`Metric`], its
//! [`Labels`] and a number, and a [`Fault`] for each part that could not be read.
//! The *store* keeps them as series of samples; *queries* see the store only through
//! [`Select`].
//!
//! Absences: nothing here does I/O, reads a clock, is asynchronous, or can be serialised.
//! (JSON twins live in `squirrel-api`, the disk form in `squirrel-store`.)
//!
//! There is one number type, `f64`. A byte counter at 100 Gbit/s needs eight days to pass
//! 2⁵³, after which it is exact to two bytes.
#![forbid(unsafe_code)]

mod batch;
mod catalogue;
mod duration;
pub mod exposition;
mod io_text;
mod labels;
mod matcher;
mod metric;
mod select;
mod text;
mod time;

pub use batch::{Batch, Fault, Row};
pub use catalogue::Catalogue;
pub use duration::{DurationError, MAX_DURATION_MS, duration_text, parse_duration_ms};
pub use io_text::{IoText, without_numbers};
pub use labels::{Labels, LabelsBuilder, LabelsError, NAME_LABEL};
pub use matcher::{MatchOp, Matcher, MatcherError, REGEX_BYTES, anchored_regex};
pub use metric::{Kind, Metric, MetricRef, Unit};
pub use select::{
    Figure, Found, Samples, Select, SelectError, Tier, histogram_marker, is_histogram, is_stale, stale_marker,
};
pub use text::{Untrusted, is_hostile, is_label_name, is_metric_name};
pub use time::{Elapsed, TimeRange, Timestamp};
