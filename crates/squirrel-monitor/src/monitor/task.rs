//! What happens once each collection interval.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::alert::{Alerts, Thresholds};
use crate::clock::Clock;
use crate::config::MAX_MESSAGE_TYPES;
use crate::export::Exports;
use crate::inspection::Inspections;
use crate::rate::RateWindow;
use crate::recorder::{Recorder, Totals};
use crate::{
    Alert, AlertKind, BandwidthMetrics, ExportConfig, InspectionOptions, MonitorSnapshot, NetworkConfig, Quantity,
};

/// The totals that are sampled: received, transmitted, successful and failed attempts, protocol errors.
type Window = RateWindow<5>;

/// What the monitor and its task share.
pub(crate) struct Watch {
    pub(super) config: NetworkConfig,
    pub(super) recorder: Recorder,
    pub(crate) alerts: Alerts,
    pub(super) inspections: Inspections,
    clock: Clock,
    started: SystemTime,
    lost_exports: AtomicU64,
    interval: Duration,
    average: Duration,
    state: Mutex<State>,
    #[cfg(feature = "sockets")]
    pub(super) sockets: crate::sockets::SocketWatch,
}

struct State {
    window: Window,
    thresholds: Thresholds,
    /// Whether it was told that message types and error types are nearly full, and full.
    told_room: [[bool; 2]; 2],
    /// Whether it is still to be told that nothing exports.
    unexported: bool,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("config", &self.config).field("recorder", &self.recorder).finish_non_exhaustive()
    }
}

impl Watch {
    pub(super) fn new(
        config: NetworkConfig,
        average: Duration,
        alerts: Alerts,
        limits: &[(Quantity, f64)],
        unexported: bool,
    ) -> Self {
        let (clock, interval, recorder) = (Clock::start(), config.clamped_interval(), Recorder::new(&config));
        let state = State {
            window: Window::new(interval, average),
            thresholds: Thresholds::new(limits),
            told_room: [[false; 2]; 2],
            unexported,
        };
        Self {
            config,
            inspections: Inspections::new(&recorder, clock.birth(), InspectionOptions::default()),
            recorder,
            alerts,
            clock,
            started: Clock::wall(),
            lost_exports: AtomicU64::new(0),
            interval,
            average,
            state: Mutex::new(state),
            #[cfg(feature = "sockets")]
            sockets: crate::sockets::SocketWatch::new(crate::sockets::TrackingLimits::NONE, interval),
        }
    }

    /// Inspects as these options say.
    pub(super) fn inspecting(self, options: InspectionOptions) -> Self {
        Self { inspections: Inspections::new(&self.recorder, self.clock.birth(), options), ..self }
    }

    /// Tracks connections within these limits.
    #[cfg(feature = "sockets")]
    pub(super) fn tracking(self, limits: crate::sockets::TrackingLimits) -> Self {
        Self { sockets: crate::sockets::SocketWatch::new(limits, self.interval), ..self }
    }

    pub(crate) fn configured_export(&self) -> Option<&ExportConfig> {
        self.config.export.as_ref()
    }

    /// Nobody needs to be told that nothing exports.
    pub(super) fn exporter_attached(&self) {
        self.state().unexported = false;
    }

    pub(crate) fn count_lost_exports(&self, count: u64) {
        self.lost_exports.fetch_add(count, Relaxed);
    }

    pub(super) fn lost_exports(&self) -> u64 {
        self.lost_exports.load(Relaxed)
    }

    pub(crate) fn tell(&self, kind: AlertKind) {
        self.alerts.tell(Alert { at: self.clock.now(), kind });
    }

    /// All numbers as they are now.
    pub(crate) fn snapshot(&self) -> MonitorSnapshot {
        let protocol = self.recorder.protocol_metrics();
        let mut protocol_errors: Vec<(String, u64)> = protocol.protocol_errors.into_iter().collect();
        protocol_errors.sort_unstable();
        MonitorSnapshot {
            started: self.started,
            taken: Clock::wall(),
            connections: self.recorder.connection_metrics(),
            connection_time: self.recorder.connection_time(),
            bandwidth: self.bandwidth(),
            message_types: self.recorder.message_types(),
            failures: self.inspections.failures(),
            protocol_errors,
            protocol_version: protocol.protocol_version,
            transport: self.recorder.transport_metrics(),
            alerts: self.alerts.told(),
            lost_alerts: self.alerts.lost(),
            lost_exports: self.lost_exports(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn bandwidth(&self) -> BandwidthMetrics {
        self.bandwidth_at(self.clock.now())
    }

    pub(super) fn bandwidth_at(&self, now: Duration) -> BandwidthMetrics {
        let state = self.state();
        let totals = self.recorder.totals();
        let [rx, tx, ..] = state.window.rates(now, in_order(totals), self.interval);
        let [avg_rx, avg_tx, ..] = state.window.rates(now, in_order(totals), self.average);
        BandwidthMetrics {
            bytes_received: totals.received,
            bytes_transmitted: totals.transmitted,
            current_rx_rate: rx.round() as u64,
            current_tx_rate: tx.round() as u64,
            avg_rx_rate: avg_rx.round() as u64,
            avg_tx_rate: avg_tx.round() as u64,
        }
    }

    /// Message types and error types: is there room for more?
    fn check_room(&self, state: &mut State, news: &mut Vec<AlertKind>) {
        let limit = self.config.max_message_types.min(MAX_MESSAGE_TYPES);
        let (used, full) = (self.recorder.used(), self.recorder.overflowed());
        let tables = ["message types", "error types"].into_iter().zip(used).zip(full);
        for (((table, used), full), [told_nearly, told_full]) in tables.zip(&mut state.told_room) {
            if limit >= 10 && used >= limit - limit / 10 && !std::mem::replace(told_nearly, true) {
                news.push(AlertKind::TypesNearlyFull { table, used, limit });
            }
            if full && !std::mem::replace(told_full, true) {
                news.push(AlertKind::TypesFull { table, limit });
            }
        }
    }

    /// Samples the totals and tells what has changed.
    pub(super) fn tick_at(&self, now: Duration) {
        let mut news = Vec::new();
        {
            let mut state = self.state();
            let totals = in_order(self.recorder.totals());
            state.window.observe(now, totals);
            let rates = state.window.rates(now, totals, self.interval);
            let active = self.recorder.active_connections();
            state.thresholds.check(|quantity| value_of(quantity, rates, active), |kind| news.push(kind));
            self.check_room(&mut state, &mut news);
            if std::mem::take(&mut state.unexported) {
                news.push(AlertKind::NothingExports);
            }
        }
        // Told without the lock, so that a sink may ask the monitor.
        for kind in news {
            self.alerts.tell(Alert { at: now, kind });
        }
    }
}

fn in_order(totals: Totals) -> [u64; 5] {
    [totals.received, totals.transmitted, totals.successful, totals.failed, totals.errors]
}

/// The value that a threshold is compared with; `None` when there is nothing to judge by.
fn value_of(quantity: Quantity, rates: [f64; 5], active: u32) -> Option<f64> {
    let [received, transmitted, successful, failed, errors] = rates;
    let attempts = successful + failed;
    match quantity {
        Quantity::ReceiveRate => Some(received),
        Quantity::TransmitRate => Some(transmitted),
        Quantity::ConnectionErrorRate => (attempts > 0.0).then(|| failed / attempts * 100.0),
        Quantity::ProtocolErrorRate => Some(errors),
        Quantity::ActiveConnections => Some(f64::from(active)),
    }
}

/// A task that ticks. Dropped, it ends at once: the sender is gone.
#[derive(Debug)]
pub(super) struct Running {
    /// Held for its drop.
    _stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    exports: Exports,
}

impl Running {
    pub(super) fn spawn(runtime: &Handle, watch: &Arc<Watch>, interval: Duration, exports: Exports) -> Self {
        let (stop, stopped) = oneshot::channel();
        watch.tick_at(watch.clock.now());
        let task = runtime.spawn(run(Arc::downgrade(watch), watch.clock, interval, stopped));
        Self { _stop: stop, task, exports }
    }

    /// Another exporter at work, until this ends.
    pub(super) fn export(&mut self, runtime: &Handle, exports: Exports) {
        self.exports.append(runtime, exports);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    pub(super) async fn end(self) {
        let Self { _stop: stop, task, exports } = self;
        drop(stop);
        // First those that send the last numbers, then their ticks.
        exports.end().await;
        // An error means that its runtime ended it first.
        let _ = task.await;
    }
}

async fn run(watch: Weak<Watch>, clock: Clock, interval: Duration, mut stopped: oneshot::Receiver<()>) {
    let mut next = clock.now() + interval;
    // Until somebody stops it, the wait ends by its time.
    while tokio::time::timeout_at(clock.moment(next), &mut stopped).await.is_err() {
        let Some(watch) = watch.upgrade() else {
            return;
        };
        let now = clock.now();
        watch.tick_at(now);
        watch.inspections.tick(clock.moment(now).into_std());
        #[cfg(feature = "sockets")]
        for kind in watch.sockets.tick(|| clock.now()).await {
            watch.alerts.tell(Alert { at: clock.now(), kind });
        }
        // Ticks that were missed (a machine suspended, a busy runtime) are not made up for.
        next = (next + interval).max(now);
    }
}
