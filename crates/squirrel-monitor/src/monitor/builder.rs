//! What goes beyond the specification's configuration.

use std::sync::Arc;
use std::time::Duration;

use super::task::Watch;
use crate::alert::Alerts;
use crate::{AlertSink, Exporter, NetworkConfig, NetworkMonitor, Quantity};

/// Collection intervals in the span of averages, unless told otherwise: a minute at the usual 5 seconds.
const AVERAGE_INTERVALS: u32 = 12;

/// The longest span of averages, in collection intervals: what the window of samples has room for.
const MAX_AVERAGE_INTERVALS: u32 = 200;

/// Connections that are listed before a sample is drawn, unless told otherwise.
#[cfg(feature = "sockets")]
const DEFAULT_MAX_CONNECTIONS: usize = 10_000;

/// Makes a [`NetworkMonitor`] with thresholds, alert sinks and a span for averages.
#[must_use = "nothing is made before build"]
pub struct NetworkMonitorBuilder {
    config: NetworkConfig,
    sinks: Vec<Arc<dyn AlertSink>>,
    thresholds: Vec<(Quantity, f64)>,
    average: Option<Duration>,
    exporter_attached: bool,
    exporters: Vec<Arc<dyn Exporter>>,
    #[cfg(feature = "sockets")]
    max_connections: usize,
}

impl NetworkMonitorBuilder {
    pub(crate) fn new(config: NetworkConfig) -> Self {
        Self {
            config,
            sinks: Vec::new(),
            thresholds: Vec::new(),
            average: None,
            exporter_attached: false,
            exporters: Vec::new(),
            #[cfg(feature = "sockets")]
            max_connections: DEFAULT_MAX_CONNECTIONS,
        }
    }

    /// Tells this sink each alert. May be called several times.
    pub fn alerts_to(mut self, sink: impl AlertSink + 'static) -> Self {
        self.sinks.push(Arc::new(sink));
        self
    }

    /// Raises an alert when a quantity exceeds `limit`, in the quantity's unit. Several limits for one
    /// quantity are told one by one; NaN is never exceeded.
    pub fn threshold(mut self, quantity: Quantity, limit: f64) -> Self {
        self.thresholds.push((quantity, limit));
        self
    }

    /// The span of the average rates, instead of twelve collection intervals. It is brought into the
    /// range from one to 200 collection intervals.
    pub fn average_over(mut self, span: Duration) -> Self {
        self.average = Some(span);
        self
    }

    /// Exports by this exporter while the monitor runs. May be called several times.
    pub fn exporter(mut self, exporter: impl Exporter + 'static) -> Self {
        self.exporters.push(Arc::new(exporter));
        self.exporter_attached = true;
        self
    }

    /// Says that somebody exports this monitor's numbers as [`NetworkConfig::export`] asks, so that no
    /// alert says otherwise.
    pub fn exporter_attached(mut self) -> Self {
        self.exporter_attached = true;
        self
    }

    #[cfg(feature = "sockets")]
    /// How many connections `collect_socket_stats` lists at most, instead of 10,000; of more it lists a
    /// sample of that size. Each takes less than 600 bytes.
    pub fn max_connections(mut self, limit: usize) -> Self {
        self.max_connections = limit;
        self
    }

    /// The monitor.
    pub fn build(self) -> NetworkMonitor {
        let interval = self.config.clamped_interval();
        let average = self.average.unwrap_or(interval * AVERAGE_INTERVALS);
        let average = average.clamp(interval, interval * MAX_AVERAGE_INTERVALS);
        let unexported = self.config.export.is_some() && !self.exporter_attached;
        let alerts = Alerts::to(self.sinks);
        #[cfg(feature = "sockets")]
        let listed = if self.config.track_per_connection { self.max_connections } else { 0 };
        let watch = Watch::new(self.config, average, alerts, &self.thresholds, unexported);
        #[cfg(feature = "sockets")]
        let watch = watch.listing(listed);
        NetworkMonitor::from_watch(watch, self.exporters)
    }
}
