//! What a monitor is told when it is made.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use crate::MonitorError;

/// The longest interval that [`NetworkMonitor::start`](crate::NetworkMonitor::start) accepts: one day, in seconds.
pub const MAX_INTERVAL_SECONDS: u64 = 86_400;

/// The most message types that are tracked, whatever [`NetworkConfig::max_message_types`] says.
pub const MAX_MESSAGE_TYPES: usize = 65_536;

/// How a [`NetworkMonitor`](crate::NetworkMonitor) works. The fields are those of the network
/// monitoring specification, and no others; what goes beyond it is set by
/// [`NetworkMonitor::builder`](crate::NetworkMonitor::builder).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkConfig {
    /// Collection interval in seconds: the length of the window of the current rates, and how often
    /// thresholds are checked. From 1 to [`MAX_INTERVAL_SECONDS`]; with another number a monitor still
    /// counts, and [`start`](crate::NetworkMonitor::start) says what is wrong.
    pub collection_interval: u64,
    /// Maximum number of protocol message types to track; error types have a table of the same size.
    /// What comes after them is counted in one row named `other`. Zero puts everything there;
    /// more than [`MAX_MESSAGE_TYPES`] means that many.
    pub max_message_types: usize,
    /// Whether to track per-connection metrics: the connections of this process are read each collection
    /// interval while the monitor runs (`NetworkMonitor::connections`), and listed by
    /// `NetworkMonitor::collect_socket_stats`. Needs the feature `sockets`.
    pub track_per_connection: bool,
    /// Whether to track protocol metrics: messages, protocol errors and latency. When false, recording
    /// them does nothing.
    pub track_protocol: bool,
    /// Export configuration. The core only keeps it for the [`Exporter`](crate::Exporter) that is attached to
    /// the monitor, such as `squirrel-monitor-export`, and says so by an alert when none is.
    pub export: Option<ExportConfig>,
}

impl Default for NetworkConfig {
    /// Five seconds, as the specification has it; 100 message types; protocols are tracked, single
    /// connections are not; nothing is exported.
    fn default() -> Self {
        Self {
            collection_interval: 5,
            max_message_types: 100,
            track_per_connection: false,
            track_protocol: true,
            export: None,
        }
    }
}

impl NetworkConfig {
    /// The collection interval, when it is one that a monitor can keep.
    pub(crate) fn interval(&self) -> Result<Duration, MonitorError> {
        match self.collection_interval {
            seconds @ 1..=MAX_INTERVAL_SECONDS => Ok(Duration::from_secs(seconds)),
            seconds => Err(MonitorError::Interval { seconds }),
        }
    }

    /// The collection interval, brought into its range.
    pub(crate) fn clamped_interval(&self) -> Duration {
        Duration::from_secs(self.collection_interval.clamp(1, MAX_INTERVAL_SECONDS))
    }
}

/// Where metrics are sent, for an exporter to read from [`NetworkConfig::export`].
#[derive(Clone, PartialEq, Eq)]
pub struct ExportConfig {
    /// In which form.
    pub format: ExportFormat,
    /// To whom: a URL, or an address to listen on for forms that are fetched.
    pub endpoint: String,
    /// Seconds between two exports, for forms that are sent.
    pub interval: u64,
    /// The bearer token to present. Never printed, not even by `{:?}`.
    pub auth_token: Option<String>,
    /// What only one exporter understands, by its own names.
    pub options: HashMap<String, String>,
}

impl fmt::Debug for ExportConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportConfig")
            .field("format", &self.format)
            .field("endpoint", &self.endpoint)
            .field("interval", &self.interval)
            .field("auth_token", &self.auth_token.as_ref().map(|_| "(hidden)"))
            .field("options", &self.options)
            .finish()
    }
}

/// A form in which metrics leave the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExportFormat {
    /// The Prometheus text format, fetched by a scraper.
    #[default]
    Prometheus,
    /// The OpenTelemetry protocol, sent.
    Otlp,
    /// Prometheus remote write, sent.
    RemoteWrite,
    /// Squirrel's own daemon on this machine, sent.
    Squirrel,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_never_printed() {
        let config = ExportConfig {
            format: ExportFormat::Otlp,
            endpoint: "https://collector.example".to_owned(),
            interval: 10,
            auth_token: Some("open sesame".to_owned()),
            options: HashMap::new(),
        };
        let printed = format!("{config:?}");
        assert!(!printed.contains("sesame") && printed.contains("(hidden)"), "{printed}");
    }

    #[test]
    fn intervals_that_nobody_can_keep_are_refused_by_number() {
        for (seconds, kept) in [(0, false), (1, true), (86_400, true), (86_401, false), (u64::MAX, false)] {
            let config = NetworkConfig { collection_interval: seconds, ..NetworkConfig::default() };
            assert_eq!(config.interval().is_ok(), kept, "{seconds}");
        }
    }
}
