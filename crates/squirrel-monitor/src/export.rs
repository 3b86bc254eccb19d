//! How the numbers leave: the trait of exporters, and what they are handed. The core knows no format
//! and no socket; `squirrel-monitor-export` does.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::monitor::Watch;
use crate::{
    Alert, AlertKind, BandwidthMetrics, ConnectionMetrics, ExportConfig, FailureMetrics, HistogramSnapshot,
    MessageTypeMetrics, MonitorError, TransportMetrics,
};

/// How long [`NetworkMonitor::stop`](crate::NetworkMonitor::stop) waits for exporters to send what they
/// have. Those that are not done then are ended.
pub const EXPORT_STOP_LIMIT: Duration = Duration::from_secs(5);

/// The work of an exporter, from start to stop.
pub type ExportTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Somebody who takes a monitor's numbers elsewhere, attached by
/// [`NetworkMonitorBuilder::exporter`](crate::NetworkMonitorBuilder::exporter) or
/// [`NetworkMonitor::attach_exporter`](crate::NetworkMonitor::attach_exporter).
pub trait Exporter: Send + Sync {
    /// Makes ready each time the monitor starts, and returns the work, which the monitor puts on its
    /// runtime. `configured` is [`NetworkConfig::export`](crate::NetworkConfig::export). The work ends when
    /// [`ExportContext::stopped`] does, after a last export, within [`EXPORT_STOP_LIMIT`].
    ///
    /// This is called in a tokio runtime and must not block.
    ///
    /// # Errors
    /// What is wrong with the configuration, or cannot be had, such as an address to listen on; the
    /// start fails with it. What goes wrong later is told by [`ExportContext::failed`].
    fn prepare(
        &self,
        configured: Option<&ExportConfig>,
        context: ExportContext,
    ) -> Result<ExportTask, Box<dyn Error + Send + Sync>>;
}

/// All numbers of a monitor at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MonitorSnapshot {
    /// When the monitor was made, by the wall clock.
    pub started: SystemTime,
    /// When this was taken, by the wall clock.
    pub taken: SystemTime,
    /// Connections.
    pub connections: ConnectionMetrics,
    /// How long successful connections took to be made.
    pub connection_time: HistogramSnapshot,
    /// Bytes and rates.
    pub bandwidth: BandwidthMetrics,
    /// Message types, in the order of their names.
    pub message_types: Vec<MessageTypeMetrics>,
    /// Failures that inspection found, by message type, class and kind, in that order.
    pub failures: Vec<FailureMetrics>,
    /// Protocol errors by type, in the order of their names.
    pub protocol_errors: Vec<(String, u64)>,
    /// Protocol version, as last told; empty before.
    pub protocol_version: String,
    /// What wrappers recorded of connections and requests.
    pub transport: TransportMetrics,
    /// How many alerts there were so far.
    pub alerts: u64,
    /// How many alerts a sink did not take.
    pub lost_alerts: u64,
    /// How many samples exporters could not deliver so far.
    pub lost_exports: u64,
}

/// Reads a monitor for as long as it lives, and does not keep it alive. Cheap to clone; for handlers and
/// exporters.
#[derive(Clone)]
pub struct MonitorSource(Weak<Watch>);

impl fmt::Debug for MonitorSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MonitorSource")
    }
}

impl MonitorSource {
    pub(crate) fn new(watch: &Arc<Watch>) -> Self {
        Self(Arc::downgrade(watch))
    }

    /// All numbers as they are now; `None` when the monitor is gone.
    pub fn snapshot(&self) -> Option<MonitorSnapshot> {
        self.0.upgrade().map(|watch| watch.snapshot())
    }

    /// The alerts after the one of this number (0 for all), the oldest first, each with its number: from 1,
    /// in the order in which they happened. Only the last [`RECENT_ALERTS`](crate::RECENT_ALERTS) are
    /// there; a gap in the numbers is what was missed.
    pub fn alerts_after(&self, number: u64) -> Vec<(u64, Alert)> {
        self.0.upgrade().map(|watch| watch.alerts.after(number)).unwrap_or_default()
    }
}

/// What an exporter works with.
#[derive(Debug)]
pub struct ExportContext {
    source: MonitorSource,
    stop: watch::Receiver<()>,
    failing: bool,
}

impl ExportContext {
    /// The monitor.
    pub fn source(&self) -> &MonitorSource {
        &self.source
    }

    /// Waits until the monitor stops or is gone. May be awaited again and again.
    pub async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // Nothing is ever sent: the sender's end is the news.
        while stop.changed().await.is_ok() {}
    }

    /// Tells that exports do not arrive, and why in a sentence without secrets. An alert says so once,
    /// until [`worked`](Self::worked).
    pub fn failed(&mut self, reason: impl Into<String>) {
        if !std::mem::replace(&mut self.failing, true) {
            self.tell(AlertKind::ExportFailing { reason: reason.into() });
        }
    }

    /// Tells that an export arrived.
    pub fn worked(&mut self) {
        if std::mem::replace(&mut self.failing, false) {
            self.tell(AlertKind::ExportWorks);
        }
    }

    /// Counts samples that will never arrive.
    pub fn lost(&self, count: u64) {
        if let Some(watch) = self.source.0.upgrade() {
            watch.count_lost_exports(count);
        }
    }

    fn tell(&self, kind: AlertKind) {
        if let Some(watch) = self.source.0.upgrade() {
            watch.tell(kind);
        }
    }
}

/// Exporters at work. Dropped, it tells them to stop.
#[derive(Debug)]
pub(crate) struct Exports {
    stop: watch::Sender<()>,
    tasks: Vec<JoinHandle<()>>,
}

impl Exports {
    /// Makes all ready; when one cannot, none begins.
    pub(crate) fn spawn(
        runtime: &Handle,
        watch: &Arc<Watch>,
        exporters: &[Arc<dyn Exporter>],
    ) -> Result<Self, MonitorError> {
        let (stop, stopped) = watch::channel(());
        let prepare = |exporter: &Arc<dyn Exporter>| {
            let context = ExportContext { source: MonitorSource::new(watch), stop: stopped.clone(), failing: false };
            exporter.prepare(watch.configured_export(), context)
        };
        let ready: Result<Vec<ExportTask>, _> = exporters.iter().map(prepare).collect();
        let ready = ready.map_err(|error| MonitorError::Export { reason: error.to_string() })?;
        Ok(Self { stop, tasks: ready.into_iter().map(|task| runtime.spawn(task)).collect() })
    }

    pub(crate) fn append(&mut self, runtime: &Handle, other: Self) {
        // Whoever waits for the other's end gets ours: it is held until this one ends.
        let held = other.stop;
        let mut stopped = self.stop.subscribe();
        let hold = async move {
            while stopped.changed().await.is_ok() {}
            drop(held);
        };
        self.tasks.push(runtime.spawn(hold));
        self.tasks.extend(other.tasks);
    }

    /// Tells all to stop and waits for them, up to the limit.
    pub(crate) async fn end(self) {
        let Self { stop, mut tasks } = self;
        drop(stop);
        let all = async {
            for task in &mut tasks {
                // An error means that it panicked, or that its runtime ended it first.
                let _ = task.await;
            }
        };
        if tokio::time::timeout(EXPORT_STOP_LIMIT, all).await.is_err() {
            tasks.iter().for_each(JoinHandle::abort);
        }
    }
}

#[cfg(test)]
mod tests;
