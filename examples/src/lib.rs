//! What the programs share: telling what a monitor has measured.

use squirrel_monitor::NetworkMonitor;

/// Prints connections, bytes, messages by type and errors, as a person reads them.
pub async fn print(monitor: &NetworkMonitor) {
    let connections = monitor.get_connection_metrics().await;
    let bandwidth = monitor.get_bandwidth_metrics().await;
    let transport = monitor.recorder().transport_metrics();
    println!(
        "connections   {} attempts, {} failed, {} active, {:?} to connect on average",
        connections.connection_attempts,
        connections.failed_connections,
        connections.active_connections,
        connections.avg_connection_time,
    );
    println!("bytes         {} received, {} transmitted", bandwidth.bytes_received, bandwidth.bytes_transmitted);
    for phase in transport.connect_phases.iter().filter(|phase| phase.time.count() > 0) {
        println!("{:<13} {:?} at the median", phase.phase.name(), phase.time.quantile(0.5).unwrap_or_default());
    }
    for message in monitor.message_types() {
        println!(
            "{:<24} {} received ({} B), {} sent ({} B), {} failed, p99 {:?}",
            message.message_type,
            message.received,
            message.received_bytes,
            message.sent,
            message.sent_bytes,
            message.failed,
            message.latency.quantile(0.99).unwrap_or_default(),
        );
    }
    for (error, count) in monitor.get_protocol_metrics().await.protocol_errors {
        println!("error         {error}: {count}");
    }
    for (kind, count) in transport.io_errors {
        println!("i/o error     {kind}: {count}");
    }
}
