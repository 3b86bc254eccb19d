//! What goes beyond the specification's configuration.

use std::sync::Arc;
use std::time::Duration;

use super::task::Watch;
use crate::alert::Alerts;
#[cfg(feature = "sockets")]
use crate::sockets::TrackingLimits;
use crate::{AlertSink, Exporter, InspectionOptions, NetworkConfig, NetworkMonitor, Quantity};

/// Collection intervals in the span of averages, unless told otherwise: a minute at the usual 5 seconds.
const AVERAGE_INTERVALS: u32 = 12;

/// The longest span of averages, in collection intervals: what the window of samples has room for.
const MAX_AVERAGE_INTERVALS: u32 = 200;

/// What is tracked of connections unless told otherwise: so many before a sample is drawn, so many closed
/// ones, and so many bytes.
#[cfg(feature = "sockets")]
const TRACKED: TrackingLimits = TrackingLimits { connections: 10_000, closed: 1_000, memory: 32 << 20 };

/// Makes a [`NetworkMonitor`] with thresholds, alert sinks and a span for averages.
#[must_use = "nothing is made before build"]
pub struct NetworkMonitorBuilder {
    config: NetworkConfig,
    sinks: Vec<Arc<dyn AlertSink>>,
    thresholds: Vec<(Quantity, f64)>,
    average: Option<Duration>,
    exporter_attached: bool,
    inspection: InspectionOptions,
    exporters: Vec<Arc<dyn Exporter>>,
    #[cfg(feature = "sockets")]
    tracked: TrackingLimits,
    #[cfg(feature = "sockets")]
    table: Option<Arc<dyn crate::SocketTable>>,
}

impl NetworkMonitorBuilder {
    pub(crate) fn new(config: NetworkConfig) -> Self {
        Self {
            config,
            sinks: Vec::new(),
            thresholds: Vec::new(),
            average: None,
            exporter_attached: false,
            inspection: InspectionOptions::default(),
            exporters: Vec::new(),
            #[cfg(feature = "sockets")]
            tracked: TRACKED,
            #[cfg(feature = "sockets")]
            table: None,
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

    /// What is inspected, instead of MCP over stdio as its server. Nothing is when `track_protocol` is off.
    pub fn inspection(mut self, options: InspectionOptions) -> Self {
        self.inspection = options;
        self
    }

    /// How many connections are listed at most, instead of 10,000; of more a sample of that size is
    /// listed. Each takes less than 600 bytes, at the worst moment. Zero lists none.
    #[cfg(feature = "sockets")]
    pub fn max_connections(mut self, limit: usize) -> Self {
        self.tracked.connections = limit;
        self
    }

    /// How many closed connections are kept at most, instead of 1,000; the oldest are forgotten first.
    #[cfg(feature = "sockets")]
    pub fn closed_connections(mut self, limit: usize) -> Self {
        self.tracked.closed = limit;
        self
    }

    /// How many bytes connections and closed connections may take, instead of 32 MiB. First the oldest
    /// closed ones are forgotten, and what still does not fit is sampled. Each connection is reckoned with
    /// its worst moment, 553 bytes.
    #[cfg(feature = "sockets")]
    pub fn tracking_memory(mut self, bytes: usize) -> Self {
        self.tracked.memory = bytes;
        self
    }

    /// Reads the sockets from this table instead of the system's own.
    #[cfg(feature = "sockets")]
    pub fn sockets_from(mut self, table: impl crate::SocketTable + 'static) -> Self {
        self.table = Some(Arc::new(table));
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
        let tracked = if self.config.track_per_connection { self.tracked } else { TrackingLimits::NONE };
        let watch = Watch::new(self.config, average, alerts, &self.thresholds, unexported);
        let watch = watch.inspecting(self.inspection);
        #[cfg(feature = "sockets")]
        let watch = watch.tracking(tracked);
        #[cfg(feature = "sockets")]
        if let Some(table) = self.table {
            watch.sockets.ask(table);
        }
        NetworkMonitor::from_watch(watch, self.exporters)
    }
}
