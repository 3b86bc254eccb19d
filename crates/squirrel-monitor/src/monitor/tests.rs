//! What a user of the monitor sees: recordings, rates, alerts, start and stop.

use super::*;
use crate::{AlertKind, ExportConfig, ExportFormat, NetworkConfig, Quantity, alert_channel};

const SECOND: Duration = Duration::from_secs(1);

fn config() -> NetworkConfig {
    NetworkConfig { collection_interval: 1, ..NetworkConfig::default() }
}

fn monitor() -> NetworkMonitor {
    NetworkMonitor::new(config())
}

#[tokio::test]
async fn every_recording_is_in_what_is_told() {
    let monitor = monitor();
    monitor.record_connection_attempt(true, Duration::from_millis(10)).await;
    monitor.record_connection_attempt(true, Duration::from_millis(30)).await;
    monitor.record_connection_attempt(false, Duration::from_secs(30)).await;
    monitor.record_connection_attempt(false, Duration::MAX).await;
    monitor.update_active_connections(7).await;
    monitor.record_bytes_received(1_000).await;
    monitor.record_bytes_transmitted(500).await;
    monitor.record_message_received("command", 100).await;
    monitor.record_message_received("command", 50).await;
    monitor.record_message_sent("answer", 10).await;
    monitor.record_protocol_error("parse").await;
    monitor.record_message_latency("command", Duration::from_millis(2)).await;
    monitor.record_message_latency("command", Duration::from_millis(4)).await;
    monitor.recorder().set_protocol_version("2025-06-18");

    let expected = ConnectionMetrics {
        active_connections: 7,
        connection_attempts: 4,
        successful_connections: 2,
        failed_connections: 2,
        avg_connection_time: Duration::from_millis(20),
        error_rate: 50.0,
    };
    assert_eq!(monitor.get_connection_metrics().await, expected);
    let bandwidth = monitor.get_bandwidth_metrics().await;
    assert_eq!((bandwidth.bytes_received, bandwidth.bytes_transmitted), (1_000, 500));
    let protocol = monitor.get_protocol_metrics().await;
    let expected = ProtocolMetrics {
        messages_received: [("command".to_owned(), 2)].into(),
        messages_sent: [("answer".to_owned(), 1)].into(),
        protocol_errors: [("parse".to_owned(), 1)].into(),
        message_latency: [("command".to_owned(), Duration::from_millis(3))].into(),
        protocol_version: "2025-06-18".to_owned(),
    };
    assert_eq!(protocol, expected);
    let detail: Vec<_> =
        monitor.message_types().into_iter().map(|t| (t.message_type, t.received_bytes, t.sent_bytes)).collect();
    assert_eq!(detail, [("answer".to_owned(), 0, 10), ("command".to_owned(), 150, 0)]);
}

#[tokio::test]
async fn handles_and_names_count_the_same() {
    let monitor = monitor();
    monitor.message_received("a").record(5);
    monitor.message_sent("a").record(6);
    monitor.bytes_received().record(7);
    monitor.bytes_transmitted().record(8);
    monitor.protocol_error("e").record();
    monitor.message_latency("a").record(SECOND);
    monitor.record_message_received("a", 5).await;
    monitor.record_message_sent("a", 6).await;
    monitor.record_bytes_received(7).await;
    monitor.record_bytes_transmitted(8).await;
    monitor.record_protocol_error("e").await;
    monitor.record_message_latency("a", SECOND).await;
    monitor.recorder().record_message_failed("a");
    let all = monitor.recorder().message_type("a");
    all.received(5);
    all.sent(6);
    all.latency(SECOND);
    all.failed();
    let [only] = <[_; 1]>::try_from(monitor.message_types()).unwrap();
    assert_eq!((only.received, only.received_bytes, only.sent, only.sent_bytes), (3, 15, 3, 18));
    assert_eq!((only.latency.count(), only.failed, only.failed_inspected), (3, 2, 0));
    assert_eq!(monitor.get_protocol_metrics().await.protocol_errors["e"], 2);
    let bandwidth = monitor.get_bandwidth_metrics().await;
    assert_eq!((bandwidth.bytes_received, bandwidth.bytes_transmitted), (14, 16));
    let totals = monitor.recorder().totals();
    assert_eq!(totals.errors, 2);
}

#[tokio::test]
async fn without_protocol_tracking_only_connections_and_bytes_are_kept() {
    let monitor = NetworkMonitor::new(NetworkConfig { track_protocol: false, ..config() });
    monitor.record_message_received("a", 1).await;
    monitor.record_protocol_error("a").await;
    monitor.message_latency("a").record(SECOND);
    monitor.record_bytes_received(3).await;
    assert_eq!(monitor.get_protocol_metrics().await, ProtocolMetrics::default());
    assert_eq!(monitor.get_bandwidth_metrics().await.bytes_received, 3);
}

#[tokio::test(start_paused = true)]
async fn rates_follow_what_is_recorded_while_running() {
    let monitor = NetworkMonitor::builder(config()).average_over(4 * SECOND).build();
    monitor.start().await.unwrap();
    for second in 1..=8u64 {
        monitor.record_bytes_received(second * 1_000).await;
        monitor.record_bytes_transmitted(10).await;
        tokio::time::advance(SECOND).await;
        tokio::task::yield_now().await;
    }
    let bandwidth = monitor.get_bandwidth_metrics().await;
    assert_eq!((bandwidth.current_rx_rate, bandwidth.avg_rx_rate), (8_000, 6_500));
    assert_eq!((bandwidth.current_tx_rate, bandwidth.avg_tx_rate), (10, 10));
}

#[tokio::test(start_paused = true)]
async fn start_and_stop_come_twice_and_in_any_order() {
    let monitor = Arc::new(monitor());
    monitor.stop().await.unwrap();
    monitor.start().await.unwrap();
    monitor.start().await.unwrap();
    assert!(monitor.is_running());
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!(tasks, 1, "one task however often it is started");
    let others = [Arc::clone(&monitor), Arc::clone(&monitor)];
    let stops = others.map(|monitor| tokio::spawn(async move { monitor.stop().await }));
    for stop in stops {
        stop.await.unwrap().unwrap();
    }
    assert!(!monitor.is_running());
    monitor.record_bytes_received(9).await;
    assert_eq!(monitor.get_bandwidth_metrics().await.bytes_received, 9, "counting goes on");
    monitor.start().await.unwrap();
    assert!(monitor.is_running());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_monitor_ends_its_task() {
    let monitor = monitor();
    monitor.start().await.unwrap();
    let recorder = monitor.recorder().clone();
    let metrics = tokio::runtime::Handle::current().metrics();
    assert_eq!(metrics.num_alive_tasks(), 1);
    drop(monitor);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(metrics.num_alive_tasks(), 0);
    recorder.record_bytes_received(1);
    assert_eq!(recorder.totals().received, 1);
}

#[test]
fn a_monitor_outlives_its_runtime_and_starts_on_the_next() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let monitor = monitor();
    let first = runtime();
    first.block_on(monitor.start()).unwrap();
    drop(first);
    assert!(!monitor.is_running());
    let second = runtime();
    second.block_on(async {
        monitor.start().await.unwrap();
        assert!(monitor.is_running());
        monitor.stop().await.unwrap();
    });
}

#[tokio::test]
async fn an_interval_that_nobody_can_keep_is_an_error_and_counting_works() {
    let monitor = NetworkMonitor::new(NetworkConfig { collection_interval: 0, max_message_types: 0, ..config() });
    let error = monitor.start().await.unwrap_err();
    assert_eq!(error.to_string(), "collection_interval is 0 s: set it to a number from 1 to 86400");
    monitor.record_message_received("a", 1).await;
    assert_eq!(monitor.get_protocol_metrics().await.messages_received["other"], 1);
}

#[test]
fn starting_outside_a_runtime_is_an_error() {
    let monitor = monitor();
    let mut start = std::pin::pin!(monitor.start());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let answer = start.as_mut().poll(&mut context);
    assert!(matches!(answer, std::task::Poll::Ready(Err(MonitorError::NoRuntime))), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn thresholds_are_told_through_the_channel() {
    let (sender, mut alerts) = alert_channel(8);
    let builder = NetworkMonitor::builder(config()).alerts_to(sender);
    let monitor =
        builder.threshold(Quantity::ReceiveRate, 1_000.0).threshold(Quantity::ConnectionErrorRate, 20.0).build();
    monitor.start().await.unwrap();
    monitor.record_bytes_received(5_000).await;
    let (quantity, threshold) = (Quantity::ReceiveRate, 1_000.0);
    let raised = alerts.recv().await.unwrap();
    assert_eq!(raised.kind, AlertKind::Raised { quantity, value: 5_000.0, threshold });
    let cleared = alerts.recv().await.unwrap();
    assert_eq!(cleared.kind, AlertKind::Cleared { quantity, value: 0.0, threshold });
    (0..3).for_each(|i| monitor.recorder().record_connection_attempt(i != 0, SECOND));
    let failing = alerts.recv().await.unwrap();
    let AlertKind::Raised { quantity: Quantity::ConnectionErrorRate, value, .. } = failing.kind else {
        panic!("{failing:?}");
    };
    assert!((value - 100.0 / 3.0).abs() < 1e-9, "{value}");
}

#[tokio::test(start_paused = true)]
async fn too_many_types_and_a_missing_exporter_are_told_once() {
    let export = ExportConfig {
        format: ExportFormat::Prometheus,
        endpoint: "127.0.0.1:9000".to_owned(),
        interval: 5,
        auth_token: None,
        options: [].into(),
    };
    let config = NetworkConfig { max_message_types: 2, export: Some(export), ..config() };
    let monitor = NetworkMonitor::new(config.clone());
    for i in 0..5 {
        monitor.record_message_received(&i.to_string(), 1).await;
    }
    (0..10).for_each(|second| monitor.watch.tick_at(second * SECOND));
    let kinds: Vec<AlertKind> = monitor.recent_alerts().into_iter().map(|alert| alert.kind).collect();
    assert_eq!(kinds, [AlertKind::TypesFull { table: "message types", limit: 2 }, AlertKind::NothingExports]);
    assert_eq!(monitor.get_protocol_metrics().await.messages_received["other"], 3);
    let exported = NetworkMonitor::builder(config).exporter_attached().build();
    exported.watch.tick_at(SECOND);
    assert_eq!(exported.recent_alerts(), []);
}

#[test]
fn a_table_that_is_nearly_full_is_told_before_it_is_full() {
    let monitor = NetworkMonitor::new(NetworkConfig { max_message_types: 20, ..config() });
    let mut told = Vec::new();
    for i in 0..30u32 {
        monitor.recorder().record_protocol_error(&i.to_string());
        monitor.watch.tick_at(i * SECOND);
        told.push(monitor.recent_alerts().len());
    }
    let kinds: Vec<AlertKind> = monitor.recent_alerts().into_iter().map(|alert| alert.kind).collect();
    let table = "error types";
    let nearly = AlertKind::TypesNearlyFull { table, used: 18, limit: 20 };
    assert_eq!(kinds, [nearly, AlertKind::TypesFull { table, limit: 20 }]);
    assert_eq!((told[16], told[17], told[19], told[20]), (0, 1, 1, 2));
}

#[cfg(feature = "sockets")]
#[tokio::test]
async fn connections_are_listed_only_when_they_are_tracked() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let _near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    for track_per_connection in [false, true] {
        let monitor = NetworkMonitor::new(NetworkConfig { track_per_connection, ..config() });
        let stats = monitor.collect_socket_stats().await.unwrap();
        assert!(stats.listening >= 1 && stats.established >= 1, "{stats:?}");
        assert_eq!(stats.connections.is_empty(), !track_per_connection);
    }
}

#[cfg(feature = "sockets")]
#[tokio::test(start_paused = true)]
async fn tracked_connections_have_an_age_while_the_monitor_runs() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let monitor = NetworkMonitor::new(NetworkConfig { track_per_connection: true, ..config() });
    assert_eq!(monitor.connections(), []);
    monitor.start().await.unwrap();
    let ours =
        || monitor.connections().into_iter().find(|known| Some(known.connection.local) == near.local_addr().ok());
    let mut ticks = tokio::time::interval(SECOND / 2);
    for _ in 0..50 {
        ticks.tick().await;
        if ours().is_some_and(|known| known.known_for >= SECOND) {
            break;
        }
    }
    let known = ours().unwrap();
    assert_eq!(
        (known.connection.state, known.known_for >= SECOND),
        (crate::SocketState::Established, true),
        "{known:?}"
    );
    monitor.stop().await.unwrap();
}

#[test]
fn eight_threads_are_counted_exactly() {
    const ROUNDS: u64 = 20_000;
    let monitor = monitor();
    let kept = monitor.message_received("kept");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (recorder, kept) = (monitor.recorder().clone(), kept.clone());
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    kept.record(2);
                    recorder.record_message_received(["even", "odd"][(round % 2) as usize], 1);
                    recorder.record_message_latency("kept", Duration::from_nanos(round));
                    recorder.record_connection_attempt(thread != 0, SECOND);
                }
            });
        }
    });
    let counts: Vec<_> =
        monitor.message_types().into_iter().map(|t| (t.message_type, t.received, t.latency.count())).collect();
    let expected = [("even", 4 * ROUNDS, 0), ("kept", 8 * ROUNDS, 8 * ROUNDS), ("odd", 4 * ROUNDS, 0)];
    assert_eq!(counts, expected.map(|(name, received, latencies)| (name.to_owned(), received, latencies)));
    let connections = monitor.recorder().connection_metrics();
    assert_eq!((connections.successful_connections, connections.failed_connections), (7 * ROUNDS, ROUNDS));
    assert_eq!(connections.avg_connection_time, SECOND);
}
