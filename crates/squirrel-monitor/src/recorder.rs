//! Recording by plain functions, from any thread.

mod rows;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::config::MAX_MESSAGE_TYPES;
use crate::counter::Sharded;
use crate::handle::{ByteCounter, ErrorCounter, LatencyRecorder, MessageCounter, MessageRecorder};
use crate::histogram::Histogram;
use crate::table::Table;
use crate::transport::Transport;
use crate::{ConnectionMetrics, HistogramSnapshot, MessageTypeMetrics, NetworkConfig, ProtocolMetrics};
pub(crate) use rows::{ErrorRow, MessageRow};

struct Counts {
    received: Arc<Sharded<1>>,
    transmitted: Arc<Sharded<1>>,
    /// Successful, failed.
    attempts: Sharded<2>,
    connect_time: Histogram,
    active: AtomicU32,
    transport: Transport,
    messages: Table<MessageRow>,
    errors: Table<ErrorRow>,
    all_errors: Arc<Sharded<1>>,
    version: RwLock<String>,
    track_protocol: bool,
}

/// The counting part of a [`NetworkMonitor`](crate::NetworkMonitor): each recording method as a plain
/// function that neither waits nor takes a lock. Cheap to clone, and usable from any thread, with or
/// without a runtime, before the monitor is started and after it was stopped or dropped.
///
/// Names that were seen before cost a look-up without lock or allocation; a new name costs one row.
/// For the hottest paths resolve the name once: [`Recorder::message_received`] and its like.
#[derive(Clone)]
pub struct Recorder(Arc<Counts>);

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("connections", &self.connection_metrics()).finish_non_exhaustive()
    }
}

impl Recorder {
    pub(crate) fn new(config: &NetworkConfig) -> Self {
        let types = if config.track_protocol { config.max_message_types.min(MAX_MESSAGE_TYPES) } else { 0 };
        Self(Arc::new(Counts {
            received: Arc::new(Sharded::new()),
            transmitted: Arc::new(Sharded::new()),
            attempts: Sharded::new(),
            connect_time: Histogram::new(),
            active: AtomicU32::new(0),
            transport: Transport::new(),
            messages: Table::new(types),
            errors: Table::new(types),
            all_errors: Arc::new(Sharded::new()),
            version: RwLock::default(),
            track_protocol: config.track_protocol,
        }))
    }

    /// Records an attempt to connect and how long it took. Only the time of successful ones enters the average.
    #[inline]
    pub fn record_connection_attempt(&self, successful: bool, duration: Duration) {
        self.0.attempts.add([u64::from(successful), u64::from(!successful)]);
        if successful {
            self.0.connect_time.record(duration);
        }
    }

    /// Records a connection that was accepted: a successful attempt, of which nobody here knows how long
    /// it took, so that the average connection time is not changed.
    #[inline]
    pub fn record_accepted(&self) {
        self.0.attempts.add([1, 0]);
    }

    /// Tells how many connections are active now, apart from those that wrappers count by themselves.
    #[inline]
    pub fn update_active_connections(&self, count: u32) {
        self.0.active.store(count, Relaxed);
    }

    /// Records bytes received from the network.
    #[inline]
    pub fn record_bytes_received(&self, bytes: u64) {
        self.0.received.add([bytes]);
    }

    /// Records bytes handed to the network.
    #[inline]
    pub fn record_bytes_transmitted(&self, bytes: u64) {
        self.0.transmitted.add([bytes]);
    }

    /// Records a message received and its size in bytes. The size is kept with the type; it is not
    /// added to the bytes received, which the transport counts.
    #[inline]
    pub fn record_message_received(&self, message_type: &str, size: u64) {
        if self.0.track_protocol {
            self.0.messages.row(message_type).received.get().add([1, size]);
        }
    }

    /// Records a message sent and its size in bytes, which is not added to the bytes transmitted.
    #[inline]
    pub fn record_message_sent(&self, message_type: &str, size: u64) {
        if self.0.track_protocol {
            self.0.messages.row(message_type).sent.get().add([1, size]);
        }
    }

    /// Records a protocol error.
    #[inline]
    pub fn record_protocol_error(&self, error_type: &str) {
        if self.0.track_protocol {
            self.0.errors.row(error_type).count.get().add([1]);
            self.0.all_errors.add([1]);
        }
    }

    /// Records how long a message of a type took, by the measure of the application: usually from
    /// request to answer.
    #[inline]
    pub fn record_message_latency(&self, message_type: &str, latency: Duration) {
        if self.0.track_protocol {
            self.0.messages.row(message_type).latency.get().record(latency);
        }
    }

    /// Records that what a message of a type asked for failed.
    #[inline]
    pub fn record_message_failed(&self, message_type: &str) {
        if self.0.track_protocol {
            self.0.messages.row(message_type).failed.get().add([1, 0]);
        }
    }

    /// The same of a failure whose kind inspection counts.
    pub(crate) fn record_inspected_failure(&self, message_type: &str) {
        if self.0.track_protocol {
            self.0.messages.row(message_type).failed.get().add([0, 1]);
        }
    }

    /// Tells the version of the protocol that is spoken.
    pub fn set_protocol_version(&self, version: &str) {
        let mut known = self.0.version.write().unwrap_or_else(PoisonError::into_inner);
        if *known != version {
            version.clone_into(&mut known);
        }
    }

    /// A counter for bytes received.
    pub fn bytes_received(&self) -> ByteCounter {
        ByteCounter(Arc::clone(&self.0.received))
    }

    /// A counter for bytes transmitted.
    pub fn bytes_transmitted(&self) -> ByteCounter {
        ByteCounter(Arc::clone(&self.0.transmitted))
    }

    /// A counter for messages received of one type, with the name looked up once.
    pub fn message_received(&self, message_type: &str) -> MessageCounter {
        let row = |counts: &Counts| Arc::clone(counts.messages.row(message_type).received.get());
        MessageCounter(self.0.track_protocol.then(|| row(&self.0)))
    }

    /// A counter for messages sent of one type, with the name looked up once.
    pub fn message_sent(&self, message_type: &str) -> MessageCounter {
        let row = |counts: &Counts| Arc::clone(counts.messages.row(message_type).sent.get());
        MessageCounter(self.0.track_protocol.then(|| row(&self.0)))
    }

    /// A counter for protocol errors of one type, with the name looked up once.
    pub fn protocol_error(&self, error_type: &str) -> ErrorCounter {
        let row = |counts: &Counts| Arc::clone(counts.errors.row(error_type).count.get());
        ErrorCounter(self.0.track_protocol.then(|| (row(&self.0), Arc::clone(&self.0.all_errors))))
    }

    /// A recorder for the latency of one message type, with the name looked up once.
    pub fn message_latency(&self, message_type: &str) -> LatencyRecorder {
        let row = |counts: &Counts| Arc::clone(counts.messages.row(message_type).latency.get());
        LatencyRecorder(self.0.track_protocol.then(|| row(&self.0)))
    }

    /// All recordings of one message type, with the name looked up once.
    pub fn message_type(&self, message_type: &str) -> MessageRecorder {
        MessageRecorder(self.0.track_protocol.then(|| Arc::clone(self.0.messages.row(message_type))))
    }

    /// The connections as they are now.
    pub fn connection_metrics(&self) -> ConnectionMetrics {
        let [successful, failed] = self.0.attempts.sums();
        // The attempts are the sum of both, so that the three always agree.
        let attempts = successful.wrapping_add(failed);
        ConnectionMetrics {
            active_connections: self.active_connections(),
            connection_attempts: attempts,
            successful_connections: successful,
            failed_connections: failed,
            avg_connection_time: self.0.connect_time.snapshot().mean().unwrap_or_default(),
            error_rate: if attempts == 0 { 0.0 } else { failed as f64 / attempts as f64 * 100.0 },
        }
    }

    /// How long successful connections took to be made.
    pub fn connection_time(&self) -> HistogramSnapshot {
        self.0.connect_time.snapshot()
    }

    /// The messages, protocol errors and latencies as they are now.
    pub fn protocol_metrics(&self) -> ProtocolMetrics {
        let mut metrics = ProtocolMetrics {
            protocol_version: self.0.version.read().unwrap_or_else(PoisonError::into_inner).clone(),
            ..ProtocolMetrics::default()
        };
        for (name, row) in self.0.messages.rows() {
            let ([received, _], [sent, _]) = (row.received.sums(), row.sent.sums());
            put(&mut metrics.messages_received, name, received);
            put(&mut metrics.messages_sent, name, sent);
            if let Some(mean) = row.latency.snapshot().mean() {
                metrics.message_latency.insert(name.to_owned(), mean);
            }
        }
        for (name, row) in self.0.errors.rows() {
            let [count] = row.count.sums();
            put(&mut metrics.protocol_errors, name, count);
        }
        metrics
    }

    /// Each message type in detail, in the order of their names: sizes, and latencies with percentiles.
    pub fn message_types(&self) -> Vec<MessageTypeMetrics> {
        let detail = |(name, row): (&str, &MessageRow)| {
            let ([received, received_bytes], [sent, sent_bytes]) = (row.received.sums(), row.sent.sums());
            let (message_type, latency, [told, inspected]) =
                (name.to_owned(), row.latency.snapshot(), row.failed.sums());
            MessageTypeMetrics {
                message_type,
                received,
                received_bytes,
                sent,
                sent_bytes,
                failed: told + inspected,
                failed_inspected: inspected,
                latency,
            }
        };
        let mut types: Vec<MessageTypeMetrics> = self.0.messages.rows().map(detail).collect();
        types.retain(|row| row.received > 0 || row.sent > 0 || row.failed > 0 || row.latency.count() > 0);
        types.sort_unstable_by(|a, b| a.message_type.cmp(&b.message_type));
        types
    }

    /// The latencies of one message type; `None` for a type that was never seen.
    pub fn latency_of(&self, message_type: &str) -> Option<HistogramSnapshot> {
        Some(self.0.messages.existing(message_type)?.latency.snapshot()).filter(|latency| latency.count() > 0)
    }

    /// Totals whose growth is watched.
    pub(crate) fn totals(&self) -> Totals {
        let ([received], [transmitted]) = (self.0.received.sums(), self.0.transmitted.sums());
        let ([successful, failed], [errors]) = (self.0.attempts.sums(), self.0.all_errors.sums());
        Totals { received, transmitted, successful, failed, errors }
    }

    pub(crate) fn is_tracking_protocol(&self) -> bool {
        self.0.track_protocol
    }

    /// How many message types may have a row.
    pub(crate) fn max_message_types(&self) -> usize {
        self.0.messages.limit()
    }

    /// As last told, and those that are counted by wrappers.
    pub(crate) fn active_connections(&self) -> u32 {
        self.0.active.load(Relaxed).saturating_add(self.0.transport.open())
    }

    #[inline]
    pub(crate) fn transport(&self) -> &Transport {
        &self.0.transport
    }

    /// How many message types, and error types, have a row.
    pub(crate) fn used(&self) -> [usize; 2] {
        [self.0.messages.used(), self.0.errors.used()]
    }

    /// Whether message types, and error types, were more than there is room for.
    pub(crate) fn overflowed(&self) -> [bool; 2] {
        [self.0.messages.overflowed(), self.0.errors.overflowed()]
    }
}

/// Totals at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Totals {
    pub(crate) received: u64,
    pub(crate) transmitted: u64,
    pub(crate) successful: u64,
    pub(crate) failed: u64,
    pub(crate) errors: u64,
}

fn put(map: &mut HashMap<String, u64>, name: &str, count: u64) {
    if count > 0 {
        map.insert(name.to_owned(), count);
    }
}
