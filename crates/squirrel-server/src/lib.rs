//! Squirrel over HTTP.
//!
//! [`Server`] answers Prometheus' query API below `/api/v1/`, the last readings as `/metrics`, the
//! live stream, the verdict, and the dashboard's files. It reads frozen snapshots through
//! [`Snapshots`] and never writes; the one request that brings something is an application's report, which
//! [`Applications`] holds until the program takes it to the store.
//!
//! ```text
//! connection ─► caps, timeouts ─► Host ─► Origin ─► route ─► gate ─► blocking thread: PromQL
//!                                                       └──► hub: one evaluation a tick for all streams
//! ```
//!
//! Absences: collectors, the store's files, a clock (it is handed over in [`ServerParts`]).
#![forbid(unsafe_code)]

mod alerting;
mod applications;
pub mod assets;
mod charts;
mod checks;
mod engine;
mod failure;
mod form;
mod gate;
mod hosts;
mod hub;
mod listen;
mod metrics;
mod parts;
mod probes;
mod routes;
mod seats;
mod security;
mod server;
mod stall;
mod verdict;

pub use alerting::{Alerting, AlertmanagerAlerts, AlertmanagerRequest, NoAlerting, Watch};
pub use applications::{
    APPLICATION_METRICS, ApplicationLimits, Applications, OWN_METRICS as APPLICATIONS_METRICS,
    Token as ApplicationToken,
};
pub use charts::charts;
pub use checks::{CheckQuery, Checks};
pub use hosts::{AllowedHost, AllowedHostError};
pub use metrics::{METRICS, ServerMetrics};
pub use parts::{BuildInfo, Limits, Receive, ReceiveReply, ServerParts, Snapshots, Tick};
pub use probes::{Probes, Reply};
pub use server::Server;

/// The name and the text of every expression that charts and checks ask, so that the program can test
/// that each metric in them is declared. Placeholders of charts are still in them.
pub fn expressions() -> impl Iterator<Item = (&'static str, &'static str)> {
    let charts = charts().flat_map(|chart| chart.queries.iter().map(|query| (chart.id.as_ref(), query.expr.as_ref())));
    charts.chain(verdict::CHECKS.iter().chain(verdict::PARTS).map(|check| (check.id, check.expr)))
}
