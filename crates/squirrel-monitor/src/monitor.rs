//! The monitor: recording, rates, thresholds, and the task that keeps them current.

mod builder;
mod task;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::export::Exports;
use crate::handle::{ByteCounter, ErrorCounter, LatencyRecorder, MessageCounter};
use crate::inspection::Inspections;
use crate::recorder::Recorder;
use crate::{
    Alert, BandwidthMetrics, ConnectionMetrics, Exporter, MessageTypeMetrics, MonitorError, MonitorSnapshot,
    MonitorSource, NetworkConfig, ProtocolMetrics, Result,
};

pub use builder::NetworkMonitorBuilder;
use task::Running;
pub(crate) use task::Watch;

/// Watches the network activity of the application that it is part of.
///
/// The `record_*` methods are `async` because the specification has them so; none of them ever waits.
/// [`NetworkMonitor::recorder`] has the same as plain functions, and the methods that return a handle look a
/// name up once.
///
/// Counting works from the first moment: before [`start`](Self::start), after [`stop`](Self::stop), in any
/// thread. Started, a monitor keeps a task on the runtime that samples the rates and checks the
/// thresholds once each collection interval. Dropping the monitor ends the task.
///
/// To share it, put it into an [`Arc`].
pub struct NetworkMonitor {
    watch: Arc<Watch>,
    running: Mutex<Option<Running>>,
    exporters: Mutex<Vec<Arc<dyn Exporter>>>,
}

impl std::fmt::Debug for NetworkMonitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NetworkMonitor")
            .field("watch", &self.watch)
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}

impl NetworkMonitor {
    /// A monitor that counts; [`start`](Self::start) begins its rates and thresholds.
    pub fn new(config: NetworkConfig) -> Self {
        Self::builder(config).build()
    }

    /// A monitor with more than the configuration can say: thresholds, alert sinks, the span of averages.
    pub fn builder(config: NetworkConfig) -> NetworkMonitorBuilder {
        NetworkMonitorBuilder::new(config)
    }

    fn from_watch(watch: Watch, exporters: Vec<Arc<dyn Exporter>>) -> Self {
        Self { watch: Arc::new(watch), running: Mutex::new(None), exporters: Mutex::new(exporters) }
    }

    /// Begins to sample rates and to check thresholds. On a monitor that is running it does nothing.
    ///
    /// # Errors
    /// When `collection_interval` is zero or longer than a day, the protocol to inspect is not known, or there is no
    /// tokio runtime. The runtime must have time enabled, as `#[tokio::main]` and `#[tokio::test]` do. When an exporter
    /// says that it cannot begin; then nothing has begun.
    #[expect(clippy::unused_async, reason = "the specification has it async, and callers await it")]
    pub async fn start(&self) -> Result<()> {
        let interval = self.watch.config.interval()?;
        self.watch.inspections.check()?;
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| MonitorError::NoRuntime)?;
        let mut running = self.running();
        // A task may have ended with the runtime that it ran on.
        if running.as_ref().is_none_or(Running::has_ended) {
            let exports = Exports::spawn(&runtime, &self.watch, &self.exporters())?;
            *running = Some(Running::spawn(&runtime, &self.watch, interval, exports));
        }
        Ok(())
    }

    /// Ends sampling and waits until the task is gone, and until exporters have sent what they have, at most
    /// [`EXPORT_STOP_LIMIT`](crate::EXPORT_STOP_LIMIT). Counting goes on. On a monitor that is not
    /// running it does nothing.
    ///
    /// # Errors
    /// None at present.
    pub async fn stop(&self) -> Result<()> {
        // The lock is given back before waiting: others may start or stop meanwhile.
        let running = self.running().take();
        if let Some(running) = running {
            running.end().await;
        }
        Ok(())
    }

    /// Whether the monitor is sampling.
    pub fn is_running(&self) -> bool {
        self.running().as_ref().is_some_and(|running| !running.has_ended())
    }

    /// Exports by this exporter from now on: at once when the monitor is running, else from its start. For
    /// monitors that were made by [`new`](Self::new); attach it before the start, or an alert says that
    /// nothing exports.
    ///
    /// # Errors
    /// When the monitor is running and the exporter cannot begin, or is not in a tokio runtime; it is not
    /// attached then.
    pub fn attach_exporter(&self, exporter: impl Exporter + 'static) -> Result<()> {
        let exporter: Arc<dyn Exporter> = Arc::new(exporter);
        if let Some(running) = self.running().as_mut().filter(|running| !running.has_ended()) {
            let runtime = tokio::runtime::Handle::try_current().map_err(|_| MonitorError::NoRuntime)?;
            let exports = Exports::spawn(&runtime, &self.watch, std::slice::from_ref(&exporter))?;
            running.export(&runtime, exports);
        }
        self.watch.exporter_attached();
        self.exporters().push(exporter);
        Ok(())
    }

    fn exporters(&self) -> MutexGuard<'_, Vec<Arc<dyn Exporter>>> {
        self.exporters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All numbers as they are now.
    pub fn snapshot(&self) -> MonitorSnapshot {
        self.watch.snapshot()
    }

    /// What reads this monitor for as long as it lives, for handlers of a server.
    pub fn source(&self) -> MonitorSource {
        MonitorSource::new(&self.watch)
    }

    /// How many samples exporters could not deliver and will not try again.
    pub fn lost_exports(&self) -> u64 {
        self.watch.lost_exports()
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn inspections(&self) -> &Inspections {
        &self.watch.inspections
    }

    /// What the monitor was made with.
    pub fn config(&self) -> &NetworkConfig {
        &self.watch.config
    }

    /// Recording by plain functions, for code that is not async and for other threads.
    pub fn recorder(&self) -> &Recorder {
        &self.watch.recorder
    }

    /// The last 64 alerts, the oldest first.
    pub fn recent_alerts(&self) -> Vec<Alert> {
        self.watch.alerts.recent()
    }

    /// How many alerts a sink did not take.
    pub fn lost_alerts(&self) -> u64 {
        self.watch.alerts.lost()
    }

    /// Each message type in detail: sizes, and latencies with percentiles.
    pub fn message_types(&self) -> Vec<MessageTypeMetrics> {
        self.recorder().message_types()
    }

    /// Bytes and rates as they are now, without awaiting.
    pub fn bandwidth_metrics(&self) -> BandwidthMetrics {
        self.watch.bandwidth()
    }
}

/// The methods of the specification.
#[expect(clippy::unused_async, reason = "the specification has these async; none of them waits")]
impl NetworkMonitor {
    /// Records an attempt to connect and how long it took; see [`Recorder::record_connection_attempt`].
    pub async fn record_connection_attempt(&self, successful: bool, duration: Duration) {
        self.recorder().record_connection_attempt(successful, duration);
    }

    /// Tells how many connections are active now.
    pub async fn update_active_connections(&self, count: u32) {
        self.recorder().update_active_connections(count);
    }

    /// Records bytes received from the network.
    pub async fn record_bytes_received(&self, bytes: u64) {
        self.recorder().record_bytes_received(bytes);
    }

    /// Records bytes handed to the network.
    pub async fn record_bytes_transmitted(&self, bytes: u64) {
        self.recorder().record_bytes_transmitted(bytes);
    }

    /// Records a message received and its size in bytes; see [`Recorder::record_message_received`].
    pub async fn record_message_received(&self, message_type: &str, size: u64) {
        self.recorder().record_message_received(message_type, size);
    }

    /// Records a message sent and its size in bytes; see [`Recorder::record_message_sent`].
    pub async fn record_message_sent(&self, message_type: &str, size: u64) {
        self.recorder().record_message_sent(message_type, size);
    }

    /// Records a protocol error.
    pub async fn record_protocol_error(&self, error_type: &str) {
        self.recorder().record_protocol_error(error_type);
    }

    /// Records how long a message of a type took.
    pub async fn record_message_latency(&self, message_type: &str, latency: Duration) {
        self.recorder().record_message_latency(message_type, latency);
    }

    /// The connections as they are now.
    pub async fn get_connection_metrics(&self) -> ConnectionMetrics {
        self.recorder().connection_metrics()
    }

    /// Bytes and rates as they are now. Rates are zero while the monitor is not running, from four
    /// collection intervals after it was stopped.
    pub async fn get_bandwidth_metrics(&self) -> BandwidthMetrics {
        self.watch.bandwidth()
    }

    /// The messages, protocol errors and latencies as they are now.
    pub async fn get_protocol_metrics(&self) -> ProtocolMetrics {
        self.recorder().protocol_metrics()
    }
}

/// What the kernel knows.
#[cfg(feature = "sockets")]
impl NetworkMonitor {
    /// The TCP and UDP sockets of this process as the system's books have them, and with
    /// `track_per_connection` each connection. Works whether or not the monitor was started.
    ///
    /// The system is asked on the runtime's threads for blocking work when there is a runtime. On Linux it takes
    /// some microseconds for each descriptor of the process and each socket of the host.
    ///
    /// # Errors
    /// When the sockets may not be read: on Linux neither by `sock_diag` nor from `/proc/net/tcp`.
    pub async fn collect_socket_stats(&self) -> Result<crate::SocketStats> {
        self.watch.sockets.collect().await
    }

    /// The connections of this process with age and rates, as of the last collection interval, those known
    /// longest first. Empty unless `track_per_connection` is on and the monitor was started. Of more
    /// connections than are listed it is the sample of [`SocketStats`](crate::SocketStats).
    pub fn connections(&self) -> Vec<crate::TrackedConnection> {
        self.watch.sockets.connections()
    }

    /// The last connections that were listed and are gone, the oldest first. Whoever came and went between two
    /// collections was never seen.
    pub fn closed_connections(&self) -> Vec<crate::ClosedConnection> {
        self.watch.sockets.closed()
    }

    /// How far [`connections`](Self::connections) can be believed, how closely they are followed, and what
    /// that costs.
    pub fn connection_tracking(&self) -> crate::ConnectionTracking {
        self.watch.sockets.tracking()
    }
}

/// Handles: names looked up once.
impl NetworkMonitor {
    /// A counter for bytes received.
    pub fn bytes_received(&self) -> ByteCounter {
        self.recorder().bytes_received()
    }

    /// A counter for bytes transmitted.
    pub fn bytes_transmitted(&self) -> ByteCounter {
        self.recorder().bytes_transmitted()
    }

    /// A counter for messages received of one type.
    pub fn message_received(&self, message_type: &str) -> MessageCounter {
        self.recorder().message_received(message_type)
    }

    /// A counter for messages sent of one type.
    pub fn message_sent(&self, message_type: &str) -> MessageCounter {
        self.recorder().message_sent(message_type)
    }

    /// A counter for protocol errors of one type.
    pub fn protocol_error(&self, error_type: &str) -> ErrorCounter {
        self.recorder().protocol_error(error_type)
    }

    /// A recorder for the latency of one message type.
    pub fn message_latency(&self, message_type: &str) -> LatencyRecorder {
        self.recorder().message_latency(message_type)
    }
}
