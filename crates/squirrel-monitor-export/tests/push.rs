//! What receivers get, whatever they answer.
#![forbid(unsafe_code)]

#[path = "push/receiver.rs"]
mod receiver;

use std::time::Duration;

use receiver::{Receiver, Reply, Seen};
use squirrel_api::application::{ApplicationReport, ApplicationValue};
use squirrel_exchange::Limits;
use squirrel_exchange::remote_write::{self, Version};
use squirrel_monitor::{
    AlertKind, EXPORT_STOP_LIMIT, ExportConfig, ExportFormat, NetworkConfig, NetworkMonitor, Quantity,
};
use squirrel_monitor_export::{HttpExporter, install, install_with};

const NO_CONTENT: Reply = Reply::Says("204 No Content", b"");
const RECEIPT: Reply = Reply::Says("200 OK", br#"{"taken":9,"refused":0}"#);

fn config(format: ExportFormat, endpoint: String, options: &[(&str, &str)]) -> ExportConfig {
    let named = [("service.name", "shop"), ("service.instance.id", "one")];
    let options = named.iter().chain(options).map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    ExportConfig { format, endpoint, interval: 1, auth_token: Some("open-sesame".to_owned()), options }
}

fn monitor(format: ExportFormat, receiver: &Receiver, options: &[(&str, &str)]) -> NetworkMonitor {
    let endpoint = format!("http://{}", receiver.address);
    monitor_at(config(format, endpoint, options))
}

fn monitor_at(export: ExportConfig) -> NetworkMonitor {
    let monitor = NetworkMonitor::new(NetworkConfig { export: Some(export), ..NetworkConfig::default() });
    monitor.recorder().record_message_received("query", 100);
    monitor.recorder().record_message_latency("query", Duration::from_millis(20));
    install(&monitor).expect("an export is configured");
    monitor
}

/// The value of a sample of remote write.
fn sample(seen: &Seen, version: Version, name: &str) -> Option<f64> {
    assert_eq!(seen.header("content-type"), Some(version.content_type()));
    assert_eq!(seen.header("x-prometheus-remote-write-version"), Some(version.header()));
    let received = remote_write::decode(version, &seen.body, &Limits::default()).expect("remote write");
    assert!(received.refused.is_none());
    let found = received.series.iter().find(|series| series.labels.metric_name() == name)?;
    assert_eq!((found.labels.get("job"), found.labels.get("instance")), (Some("shop"), Some("one")));
    found.samples.first().map(|sample| sample.value)
}

fn kinds(monitor: &NetworkMonitor) -> Vec<AlertKind> {
    monitor.recent_alerts().into_iter().map(|alert| alert.kind).collect()
}

#[tokio::test]
async fn remote_write_falls_back_when_a_receiver_keeps_nothing() {
    // The first answer is that of a receiver of 1.0, which passes over what it does not know.
    let mut receiver = Receiver::start(&[NO_CONTENT]).await;
    let monitor = monitor(ExportFormat::RemoteWrite, &receiver, &[]);
    monitor.start().await.unwrap();
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!(first.target(), "/api/v1/write");
    assert_eq!(first.header("authorization"), Some("Bearer open-sesame"));
    assert_eq!(first.header("content-encoding"), Some("snappy"));
    assert_eq!(sample(&first, Version::V2, "squirrel_messages_total"), Some(1.0));
    assert_eq!(sample(&second, Version::V1, "squirrel_messages_total"), Some(1.0));
    assert_eq!(sample(&second, Version::V1, "squirrel_message_duration_seconds_count"), Some(1.0));
    monitor.stop().await.unwrap();
    for later in receiver.rest() {
        assert_eq!(sample(&later, Version::V1, "squirrel_messages_total"), Some(1.0), "it remembers");
    }
    assert_eq!((monitor.lost_exports(), kinds(&monitor)), (0, vec![]));
}

#[tokio::test]
async fn remote_write_stays_with_2_0_where_it_is_understood() {
    let counted = Reply::Says("204 No Content\r\nX-Prometheus-Remote-Write-Samples-Written: 20", b"");
    let mut receiver = Receiver::start(&[counted]).await;
    let monitor = monitor(ExportFormat::RemoteWrite, &receiver, &[]);
    monitor.start().await.unwrap();
    for _ in 0..2 {
        assert_eq!(sample(&receiver.next().await, Version::V2, "squirrel_messages_total"), Some(1.0));
    }
    monitor.stop().await.unwrap();
    assert_eq!(monitor.lost_exports(), 0);
}

#[tokio::test]
async fn what_fails_for_a_while_arrives_in_the_end() {
    let later = Reply::Says("429 Too Many Requests\r\nRetry-After: 1", b"not now");
    let broken = Reply::Says("500 Internal Server Error", b"oh");
    let mut receiver = Receiver::start(&[later, broken, Reply::Cuts, NO_CONTENT]).await;
    let monitor = monitor(ExportFormat::RemoteWrite, &receiver, &[("protocol_version", "1.0")]);
    monitor.start().await.unwrap();
    let first = receiver.next().await;
    for _ in 0..3 {
        assert_eq!(receiver.next().await.body, first.body, "the same export again");
    }
    let after = receiver.next().await;
    assert_ne!(after.body, first.body, "then those that waited");
    monitor.stop().await.unwrap();
    assert_eq!(monitor.lost_exports(), 0);
    let told = kinds(&monitor);
    let [AlertKind::ExportFailing { reason }, AlertKind::ExportWorks] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(*reason, format!("{} answered 429: not now", receiver.address));
}

#[tokio::test]
async fn what_is_refused_is_counted_and_not_sent_again() {
    let mut receiver = Receiver::start(&[Reply::Says("401 Unauthorized", b"who are you?\x1b[2J")]).await;
    let monitor = monitor(ExportFormat::Otlp, &receiver, &[]);
    monitor.start().await.unwrap();
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!(first.target(), "/v1/metrics");
    assert_ne!(first.body, second.body);
    monitor.stop().await.unwrap();
    assert!(monitor.lost_exports() > 0);
    let told = kinds(&monitor);
    let [AlertKind::ExportFailing { reason }] = told.as_slice() else { panic!("{told:?}") };
    assert!(reason.ends_with("answered 401 (see auth_token): who are you?\\u{1b}[2J"), "{reason}");
    assert!(!format!("{told:?}{monitor:?}").contains("sesame"));
}

#[tokio::test]
async fn otlp_has_the_names_and_the_histogram() {
    let mut receiver = Receiver::start(&[Reply::Says("200 OK", b"")]).await;
    let options = [("protocol", "mcp.server"), ("histogram", "exponential")];
    let monitor = monitor(ExportFormat::Otlp, &receiver, &options);
    monitor.start().await.unwrap();
    let seen = receiver.next().await;
    monitor.stop().await.unwrap();
    let received = squirrel_exchange::otlp::decode(&seen.body, &Limits::default()).unwrap();
    let resource = &received.resources[0];
    assert_eq!((resource.attribute("service.name"), resource.instance()), ("shop", "one"));
    let duration = resource.families.iter().find(|family| family.name == "mcp.server.operation.duration").unwrap();
    let point = &duration.points[0];
    assert_eq!(point.attributes, [("mcp.method.name".to_owned(), "query".to_owned())]);
    assert!(matches!(&point.value, squirrel_exchange::Value::Exponential(histogram) if histogram.count() == 1));
    assert!(point.start.is_some() && point.start <= point.at);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_drops_the_oldest_and_counts_it() {
    // Nobody listens there any more; the clock runs ahead whenever all wait.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let monitor = monitor_at(config(ExportFormat::RemoteWrite, format!("http://{free}"), &[("queue", "3")]));
    monitor.start().await.unwrap();
    tokio::time::timeout(Duration::from_mins(2), std::future::pending::<()>()).await.unwrap_err();
    let before = monitor.lost_exports();
    assert!(before > 0);
    monitor.stop().await.unwrap();
    assert!(monitor.lost_exports() > before, "what waited is lost with the stop");
    assert!(matches!(kinds(&monitor).as_slice(), [AlertKind::ExportFailing { .. }]), "told once");
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_hangs_does_not_hold_the_stop() {
    let mut receiver = Receiver::start(&[Reply::Hangs]).await;
    let monitor = monitor(ExportFormat::Squirrel, &receiver, &[]);
    monitor.start().await.unwrap();
    // The clock stands while somebody works, so that nothing runs out before the request is there.
    while receiver.rest().is_empty() {
        tokio::task::yield_now().await;
    }
    let begin = tokio::time::Instant::now();
    monitor.stop().await.unwrap();
    assert!(begin.elapsed() < EXPORT_STOP_LIMIT, "{:?}", begin.elapsed());
    assert!(monitor.lost_exports() > 0);
}

#[tokio::test]
async fn the_daemon_gets_reports_with_the_alerts() {
    let mut receiver = Receiver::start(&[RECEIPT]).await;
    let monitor = NetworkMonitor::builder(NetworkConfig::default()).threshold(Quantity::ActiveConnections, 3.0).build();
    monitor.update_active_connections(7).await;
    // Beside whatever else exports: the ready way of alerts to the daemon.
    install_with(&monitor, config(ExportFormat::Squirrel, receiver.address.to_string(), &[])).unwrap();
    monitor.start().await.unwrap();
    let seen = receiver.next().await;
    let next = receiver.next().await;
    monitor.stop().await.unwrap();
    assert_eq!((seen.target(), seen.header("content-type")), ("/api/applications", Some("application/json")));
    let report: ApplicationReport = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(report.check(), Ok(()));
    assert_eq!((report.application.as_str(), report.instance.as_str(), report.interval_seconds), ("shop", "one", 1.0));
    let active = report.metrics.iter().find(|metric| metric.name == "squirrel_connections_active").unwrap();
    assert_eq!(active.value, ApplicationValue::Value(7.0));
    let alerts: Vec<_> = report.alerts.iter().map(|alert| (alert.number, alert.name.as_str())).collect();
    assert_eq!(alerts, [(1, "active_connections")]);
    let next: ApplicationReport = serde_json::from_slice(&next.body).unwrap();
    assert_eq!(next.alerts, [], "told once, since it was taken");
}

#[tokio::test]
async fn the_last_numbers_are_sent_at_the_stop() {
    let mut receiver = Receiver::start(&[NO_CONTENT]).await;
    let monitor = monitor(ExportFormat::RemoteWrite, &receiver, &[("protocol_version", "1.0")]);
    monitor.start().await.unwrap();
    receiver.next().await;
    monitor.recorder().record_message_received("query", 100);
    monitor.stop().await.unwrap();
    let last = receiver.rest().pop().unwrap();
    assert_eq!(sample(&last, Version::V1, "squirrel_messages_total"), Some(2.0));
}

#[tokio::test]
async fn what_cannot_be_is_said_at_the_start() {
    let at = |format, endpoint: &str, options: &[(&str, &str)]| config(format, endpoint.to_owned(), options);
    let cases = [
        (ExportConfig { interval: 0, ..at(ExportFormat::Otlp, "127.0.0.1", &[]) }, "export: interval is 0 s"),
        (at(ExportFormat::Otlp, "127.0.0.1", &[("bucket", "1")]), "export: option \"bucket\": it is not known"),
        (at(ExportFormat::Otlp, "not a url", &[]), "export: endpoint: it is not a URL"),
        (
            at(ExportFormat::Otlp, "collector.example:4318", &[]),
            "export: auth_token: it would cross the network in the clear",
        ),
        (
            ExportConfig { auth_token: Some("a\nb".to_owned()), ..at(ExportFormat::Otlp, "127.0.0.1", &[]) },
            "export: auth_token: it holds",
        ),
        (at(ExportFormat::Prometheus, "192.0.2.1:9464", &[]), "export: 192.0.2.1:9464 cannot be listened on"),
        (at(ExportFormat::Prometheus, "example.org:9464", &[]), "export: endpoint: to listen, write an address"),
    ];
    for (export, expected) in cases {
        let monitor = NetworkMonitor::new(NetworkConfig { export: Some(export), ..NetworkConfig::default() });
        install(&monitor).unwrap();
        let error = monitor.start().await.unwrap_err().to_string();
        assert!(error.starts_with(expected) && !error.contains("sesame"), "{error}");
    }
    assert!(install(&NetworkMonitor::new(NetworkConfig::default())).is_err());
    let nowhere = NetworkMonitor::builder(NetworkConfig::default()).exporter(HttpExporter::new()).build();
    assert!(nowhere.start().await.is_err());
}
