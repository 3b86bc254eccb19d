//! Network metrics from inside an application: connections, bandwidth, messages by type, protocol
//! errors and latency.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! use std::time::Duration;
//! use squirrel_monitor::{NetworkConfig, NetworkMonitor};
//!
//! let monitor = NetworkMonitor::new(NetworkConfig::default());
//! monitor.start().await?;
//!
//! monitor.record_connection_attempt(true, Duration::from_millis(12)).await;
//! monitor.record_message_received("command", 128).await;
//!
//! let connections = monitor.get_connection_metrics().await;
//! assert_eq!((connections.successful_connections, connections.error_rate), (1, 0.0));
//! assert_eq!(monitor.get_protocol_metrics().await.messages_received["command"], 1);
//! monitor.stop().await?;
//! # Ok::<(), squirrel_monitor::MonitorError>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`NetworkMonitor`] is the interface of the network monitoring specification. Beside it stand the
//! same recordings as plain functions ([`Recorder`]) and as handles that look a name up once
//! ([`MessageCounter`] and its like). [`guide`] shows how they are used together.
//!
//! Recording takes no lock and does not wait. It allocates when a thread meets a name for the first
//! time, and not after. Each thread adds to memory of its own; the sums are made when somebody asks.
//!
//! Units: sizes are bytes, rates are bytes per second, times are [`std::time::Duration`].
//!
//! Features: `sockets` (on by default) is `NetworkMonitor::collect_socket_stats` and the connections that
//! follow from it, on Linux; `portable-sockets` is the same on Windows and macOS; `tokio-net` is for tokio's
//! listeners, and `Recorder::connect_tcp`. Without them tokio, pin-project-lite (which tokio brings), thiserror and
//! the inspectors are all that is built.
//!
//! The numbers leave by an [`Exporter`]: `squirrel-monitor-export` has those for Prometheus, OTLP, remote write
//! and Squirrel's daemon.
//!
//! Absences: nothing here sends anything, keeps a payload, keeps an address unless `track_per_connection`
//! is on, or starts a task before [`NetworkMonitor::start`].
#![forbid(unsafe_code)]

mod alert;
mod clock;
mod config;
mod counter;
mod error;
mod export;
mod handle;
mod histogram;
mod inspection;
pub mod io;
mod metrics;
#[cfg(all(test, squirrel_loom))]
mod models;
mod monitor;
mod rate;
mod recorder;
mod slot;
#[cfg(feature = "sockets")]
mod sockets;
mod sync;
mod table;
mod transport;

pub use alert::{Alert, AlertKind, AlertSender, AlertSink, Quantity, RECENT_ALERTS, alert_channel};
pub use clock::Stopwatch;
pub use config::{ExportConfig, ExportFormat, MAX_INTERVAL_SECONDS, MAX_MESSAGE_TYPES, NetworkConfig};
pub use error::{MonitorError, Result};
pub use export::{EXPORT_STOP_LIMIT, ExportContext, ExportTask, Exporter, MonitorSnapshot, MonitorSource};
pub use handle::{ByteCounter, ErrorCounter, LatencyRecorder, MessageCounter, MessageRecorder};
pub use histogram::HistogramSnapshot;
pub use inspection::{
    FailureClass, FailureMetrics, FieldMetrics, Inspection, InspectionMetrics, InspectionOptions, MAX_FIELD_TEXTS,
    MessageDirection, NumberMetrics, Role,
};
pub use metrics::{BandwidthMetrics, ConnectionMetrics, MessageTypeMetrics, ProtocolMetrics};
pub use monitor::{NetworkMonitor, NetworkMonitorBuilder};
pub use recorder::Recorder;
#[cfg(feature = "portable-sockets")]
pub use sockets::PortableSockets;
#[cfg(feature = "sockets")]
pub use sockets::{
    ClosedConnection, ConnectionTracking, Precision, SocketConnection, SocketSource, SocketState, SocketStats,
    SocketTable, TableReport, TrackedConnection, TrackingDetail, Transport, UdpStats,
};
/// The protocol inspectors by themselves, and the trait for one of your own.
pub use squirrel_inspect as protocols;
pub use transport::{ConnectAttempt, ConnectPhase, ConnectPhaseMetrics, RequestGuard, TransportMetrics};

#[doc = include_str!("../docs/guide.md")]
pub mod guide {}
