//! Takes the numbers of a [`NetworkMonitor`](squirrel_monitor::NetworkMonitor) to where they are looked at.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use squirrel_monitor::{ExportConfig, ExportFormat, NetworkConfig, NetworkMonitor};
//!
//! let export = ExportConfig {
//!     format: ExportFormat::Prometheus,
//!     // Port 0 lets the system choose one; 9464 is the usual.
//!     endpoint: "127.0.0.1:0".to_owned(),
//!     interval: 15,
//!     auth_token: None,
//!     options: [("service.name".to_owned(), "shop".to_owned())].into(),
//! };
//! let monitor = NetworkMonitor::new(NetworkConfig { export: Some(export), ..NetworkConfig::default() });
//! let exporter = squirrel_monitor_export::install(&monitor)?;
//! monitor.start().await?;
//! println!("http://{}/metrics", exporter.listening().expect("it has started"));
//! monitor.stop().await?;
//! # Ok::<(), squirrel_monitor::MonitorError>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | [`ExportFormat`](squirrel_monitor::ExportFormat) | `endpoint` | what happens |
//! |---|---|---|
//! | `Prometheus` | an address to listen on, `127.0.0.1:9464` | answers `GET /metrics` in text 0.0.4 or OpenMetrics |
//! | `Otlp` | a collector's URL, `http://127.0.0.1:4318` | posts protobuf to `/v1/metrics` |
//! | `RemoteWrite` | a URL, `http://127.0.0.1:9090/api/v1/write` | posts 2.0, and 1.0 where that is not understood |
//! | `Squirrel` | the daemon's address, `127.0.0.1:7775` | posts a report with the alerts to `/api/applications` |
//!
//! Names follow OpenTelemetry's conventions; [`families`] lists them. Prometheus and remote write get them as
//! Prometheus itself translates them, so that a query finds them whichever way they went.
//!
//! Options (`ExportConfig::options`), for all formats unless said otherwise; an unknown one is an error:
//! - `service.name`, `service.version`, `service.namespace`, `service.instance.id`: whose numbers they are.
//!   Without them the program's name, and host and process id.
//! - `protocol`: `mcp.server` or `mcp.client` names the latencies by OpenTelemetry's MCP conventions.
//! - `buckets`: bounds of histograms in seconds, rising, separated by commas. `histogram` = `exponential`: OTLP's
//!   exponential histograms instead.
//! - `queue`: how many exports wait while nobody takes them, 1 to 1,000; 20 unless told otherwise. Whatever it says,
//!   at most 200,000 samples wait beside the newest export.
//! - `protocol_version`: `1.0` or `2.0` of remote write, instead of trying.
//! - `allow_plain_auth` = `true`: sends `auth_token` over plain HTTP to other machines.
//!
//! Applications with a server of their own answer scrapes by [`page`] (`examples/axum.rs`), and tell the monitor's
//! builder so by `exporter_attached`.
//!
//! What cannot be delivered waits in a queue with an end. When it is full the oldest is dropped and counted
//! ([`lost_exports`](squirrel_monitor::NetworkMonitor::lost_exports)), an alert tells that exports do not arrive, and the loss is itself
//! exported. Failed tries are repeated with growing pauses, or when `Retry-After` says. The token is in no
//! error, alert or log. Redirects are not followed: the token would go along.
//!
//! Absences: https. Send to a collector, an agent or a daemon on the same machine, which speaks it; a token
//! goes to other machines only when `allow_plain_auth` says so.
#![forbid(unsafe_code)]

#[cfg(feature = "http")]
mod endpoint;
mod families;
mod histogram;
#[cfg(feature = "http")]
mod install;
#[cfg(feature = "prometheus")]
mod listen;
mod options;
mod page;
#[cfg(feature = "push")]
mod post;
#[cfg(feature = "push")]
mod push;
#[cfg(feature = "push")]
mod push_format;
#[cfg(feature = "squirrel")]
mod report;

pub use families::{DECLARED, Declared, NamedDurations, durations, families};
pub use histogram::middles;
#[cfg(feature = "http")]
pub use install::{HttpExporter, install, install_with};
pub use options::{Options, OptionsError};
pub use page::{Page, page};
