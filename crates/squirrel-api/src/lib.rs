//! The words that Squirrel speaks over HTTP, as plain data.
//!
//! [`envelope`] and [`result`] write Prometheus' answers straight into a text, sample by sample, so that
//! a large matrix never stands in memory twice. [`reply`] reads them. [`params`] reads what comes in
//! with a question. Squirrel's own resources ([`CollectorStatus`], [`Verdict`], [`ChartSpec`],
//! [`CatalogueEntry`]) are serde structures; [`application`] is what applications tell the daemon of
//! themselves, and [`applications`] what the daemon says of them. [`client`] asks a running daemon.
//!
//! Absences: no store, no screen, no clock.
#![forbid(unsafe_code)]

pub mod alerts;
pub mod application;
pub mod applications;
pub mod check;
pub mod client;
pub mod envelope;
mod error;
pub mod json;
pub mod live;
pub mod params;
pub mod probe;
pub mod probes;
pub mod reply;
mod resources;
pub mod result;
pub mod rules;

pub use error::{ApiError, ErrorType};
pub use resources::{
    CatalogueEntry, ChartQuery, ChartSpec, ChartUnit, CollectorState, CollectorStatus, FaultReport, Finding, Level,
    Verdict,
};
