//! What a monitor answers: the shapes of the network monitoring specification.

use std::collections::HashMap;
use std::time::Duration;

/// Connections of the application.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConnectionMetrics {
    /// Number of active connections: as last told, and those that wrappers count.
    pub active_connections: u32,
    /// Number of connection attempts: the successful and the failed.
    pub connection_attempts: u64,
    /// Number of successful connections.
    pub successful_connections: u64,
    /// Number of failed connections.
    pub failed_connections: u64,
    /// Average connection time: the mean of the successful attempts. How long it takes to fail is a
    /// property of time limits, and would hide how long it takes to connect. Zero when there is none.
    pub avg_connection_time: Duration,
    /// Connection error rate as percentage: failed of all attempts, 0 to 100; zero before the first.
    pub error_rate: f64,
}

/// Bytes, and how fast they go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BandwidthMetrics {
    /// Total bytes received. Begins again at zero after 2⁶⁴ bytes.
    pub bytes_received: u64,
    /// Total bytes transmitted. Begins again at zero after 2⁶⁴ bytes.
    pub bytes_transmitted: u64,
    /// Current receive rate (bytes/sec): over the last collection interval.
    pub current_rx_rate: u64,
    /// Current transmit rate (bytes/sec): over the last collection interval.
    pub current_tx_rate: u64,
    /// Average receive rate (bytes/sec): over the last twelve collection intervals, unless told otherwise.
    pub avg_rx_rate: u64,
    /// Average transmit rate (bytes/sec): over the last twelve collection intervals, unless told otherwise.
    pub avg_tx_rate: u64,
}

/// Messages of the application's protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtocolMetrics {
    /// Messages received by type. Types that were never received are not listed.
    pub messages_received: HashMap<String, u64>,
    /// Messages sent by type. Types that were never sent are not listed.
    pub messages_sent: HashMap<String, u64>,
    /// Protocol errors by type.
    pub protocol_errors: HashMap<String, u64>,
    /// Protocol latency by message type: the mean of all that was recorded.
    pub message_latency: HashMap<String, Duration>,
    /// Protocol version, as last told; empty before.
    pub protocol_version: String,
}

/// One message type in detail: what [`ProtocolMetrics`] has no room for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MessageTypeMetrics {
    /// The type; `other` for those beyond `max_message_types`.
    pub message_type: String,
    /// Messages received.
    pub received: u64,
    /// Bytes of the messages received.
    pub received_bytes: u64,
    /// Messages sent.
    pub sent: u64,
    /// Bytes of the messages sent.
    pub sent_bytes: u64,
    /// How many of them asked for something that failed.
    pub failed: u64,
    /// Those of `failed` that inspection found, whose kinds are in
    /// [`InspectionMetrics::failures`](crate::InspectionMetrics::failures). The rest was told by the application
    /// or a wrapper.
    pub failed_inspected: u64,
    /// How long they took.
    pub latency: crate::HistogramSnapshot,
}
