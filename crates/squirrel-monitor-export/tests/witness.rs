//! What others make of the exports: promtool, Prometheus and VictoriaMetrics.
#![forbid(unsafe_code)]

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::time::Duration;

use squirrel_api::client::Client;
use squirrel_api::reply::QueryData;
use squirrel_exchange::Limits;
use squirrel_exchange::text::{Format, parse};
use squirrel_model::Timestamp;
use squirrel_monitor::{ConnectPhase, ExportConfig, ExportFormat, NetworkConfig, NetworkMonitor};
use squirrel_monitor_export::{HttpExporter, install};
use squirrel_testkit::{Peer, skip};
use tokio::process::Command;

fn is_installed(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).exists()))
}

fn monitor(format: ExportFormat, endpoint: &str) -> (NetworkMonitor, HttpExporter) {
    let options = [("service.name", "shop"), ("service.instance.id", "one"), ("protocol", "mcp.server")];
    let options = options.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let export = ExportConfig { format, endpoint: endpoint.to_owned(), interval: 1, auth_token: None, options };
    let monitor = NetworkMonitor::new(NetworkConfig { export: Some(export), ..NetworkConfig::default() });
    let recorder = monitor.recorder();
    recorder.record_connection_attempt(true, Duration::from_millis(3));
    recorder.record_bytes_received(5_000);
    recorder.record_message_received("tools/call(s\"e\\arch)", 100);
    recorder.record_message_failed("tools/call(s\"e\\arch)");
    recorder.record_connect_phase(ConnectPhase::Dns, true, Duration::from_millis(3));
    recorder.record_connect_phase(ConnectPhase::Tls, false, Duration::from_millis(3));
    recorder.record_io_error(std::io::ErrorKind::ConnectionReset);
    drop(recorder.begin_request());
    recorder.open_connection().received(1);
    recorder.record_protocol_error("parse");
    recorder.set_protocol_version("2025-06-18");
    for ms in [3, 20, 21, 4_000] {
        recorder.record_message_latency("tools/call(s\"e\\arch)", Duration::from_millis(ms));
    }
    let exporter = install(&monitor).expect("an export is configured");
    (monitor, exporter)
}

/// A GET by the standard library, in a thread that may wait.
async fn get(address: String, path: &'static str, headers: &'static str) -> String {
    let ask = move || {
        let mut stream = std::net::TcpStream::connect(address)?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    tokio::task::spawn_blocking(ask).await.expect("it ends").expect("an answer")
}

/// A server that is started on a thread that may wait, and its address.
async fn started(start: impl FnOnce() -> Result<Peer, String> + Send + 'static) -> Result<(Peer, String), String> {
    let peer = tokio::task::spawn_blocking(start).await.expect("no panic")?;
    let address = format!("127.0.0.1:{}", peer.port());
    Ok((peer, address))
}

/// Debian's Prometheus with this configuration, once it is ready: it listens before.
async fn prometheus(config: String) -> Result<(Peer, String), String> {
    let (peer, address) = started(move || Peer::prometheus_with(&config)).await?;
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let mut said = String::new();
    for _ in 0..600 {
        ticks.tick().await;
        said = get(address.clone(), "/-/ready", "").await;
        if said.starts_with("HTTP/1.1 200") {
            return Ok((peer, address));
        }
    }
    panic!("it is not ready after a minute: {said}");
}

/// The value of a query that gives one series, once it does.
async fn value(address: &str, query: &str) -> f64 {
    let client = Client::new(address);
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..600 {
        ticks.tick().await;
        let queried = client.query(query, None).await.expect("an answer");
        if let QueryData::Vector(samples) = queried.data
            && let [sample] = samples.as_slice()
        {
            return sample.value.1;
        }
    }
    panic!("{query} has no value after a minute");
}

/// All that was recorded is there, under the names that the documentation says.
async fn check_all(address: &str) {
    let tool = r#"gen_ai_tool_name="s\"e\\arch""#;
    let cases = [
        (
            r#"process_network_io_bytes_total{job="shop",instance="one",network_io_direction="receive"}"#.to_owned(),
            5_001.0,
        ),
        (r#"squirrel_connection_attempts_total{outcome="success"}"#.to_owned(), 1.0),
        (format!(r#"squirrel_message_failures_total{{role="server",failure_class="application",{tool}}}"#), 1.0),
        (r#"squirrel_connection_phase_duration_seconds_count{phase="dns"}"#.to_owned(), 1.0),
        (r#"squirrel_connection_phase_failures_total{phase="tls"}"#.to_owned(), 1.0),
        (r#"squirrel_io_errors_total{error_type="connection_reset"}"#.to_owned(), 1.0),
        ("squirrel_connection_time_to_first_byte_seconds_count".to_owned(), 1.0),
        (r#"squirrel_protocol_errors_total{error_type="parse"}"#.to_owned(), 1.0),
        (r#"squirrel_protocol_info{version="2025-06-18"}"#.to_owned(), 1.0),
        (format!(r#"mcp_server_operation_duration_seconds_count{{mcp_method_name="tools/call",{tool}}}"#), 4.0),
        (r#"mcp_server_operation_duration_seconds_bucket{le="0.025"}"#.to_owned(), 3.0),
        (r#"mcp_server_operation_duration_seconds_bucket{le="+Inf"}"#.to_owned(), 4.0),
        ("histogram_quantile(0.5, mcp_server_operation_duration_seconds_bucket) > 0.01 < bool 0.025".to_owned(), 1.0),
    ];
    for (query, expected) in cases {
        assert_eq!(value(address, &query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn promtool_has_nothing_to_say_of_the_page() {
    if !is_installed("promtool") {
        skip("promtool_has_nothing_to_say_of_the_page", "promtool is not installed");
        return;
    }
    let (monitor, exporter) = monitor(ExportFormat::Prometheus, "127.0.0.1:0");
    monitor.start().await.unwrap();
    let answer = get(exporter.listening().unwrap().to_string(), "/metrics", "").await;
    monitor.stop().await.unwrap();
    let (head, page) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/plain; version=0.0.4"), "{head}");
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().unwrap();
    let mut stdin = promtool.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stdin, page.as_bytes()).await.unwrap();
    drop(stdin);
    let told = promtool.wait_with_output().await.unwrap();
    let said = [told.stdout, told.stderr].concat();
    assert!(told.status.success() && said.is_empty(), "{}\n{page}", String::from_utf8_lossy(&said));
}

#[tokio::test]
async fn prometheus_scrapes_the_listener() {
    let (monitor, exporter) = monitor(ExportFormat::Prometheus, "127.0.0.1:0");
    monitor.start().await.unwrap();
    let config = format!(
        "scrape_configs:\n- job_name: shop\n  scrape_interval: 1s\n  static_configs:\n  - targets: ['{}']\n    labels: {{instance: one}}\n",
        exporter.listening().unwrap()
    );
    let (_prometheus, address) = match prometheus(config).await {
        Ok(ready) => ready,
        Err(reason) => return skip("prometheus_scrapes_the_listener", &reason),
    };
    // Debian's Prometheus asks for OpenMetrics, which is stricter than its own format.
    check_all(&address).await;
    monitor.stop().await.unwrap();
}

#[tokio::test]
async fn prometheus_takes_remote_write() {
    let (_prometheus, address) = match prometheus("global: {}\n".to_owned()).await {
        Ok(ready) => ready,
        Err(reason) => return skip("prometheus_takes_remote_write", &reason),
    };
    let (monitor, _) = monitor(ExportFormat::RemoteWrite, &format!("http://{address}/api/v1/write"));
    monitor.start().await.unwrap();
    monitor.stop().await.unwrap();
    check_all(&address).await;
    assert_eq!((monitor.lost_exports(), monitor.recent_alerts()), (0, vec![]));
}

#[tokio::test]
async fn victoria_metrics_takes_remote_write() {
    let (_server, address) = match started(Peer::victoria_metrics).await {
        Ok(ready) => ready,
        Err(reason) => return skip("victoria_metrics_takes_remote_write", &reason),
    };
    let (monitor, _) = monitor(ExportFormat::RemoteWrite, &format!("http://{address}/api/v1/write"));
    monitor.start().await.unwrap();
    monitor.stop().await.unwrap();
    let flushed = get(address.clone(), "/internal/force_flush", "").await;
    assert!(flushed.starts_with("HTTP/1.1 200"), "{flushed}");
    check_all(&address).await;
    assert_eq!((monitor.lost_exports(), monitor.recent_alerts()), (0, vec![]));
}

#[tokio::test]
async fn the_listener_guards_its_page() {
    let options = [("service.name".to_owned(), "shop".to_owned())].into();
    let export = ExportConfig {
        format: ExportFormat::Prometheus,
        endpoint: "127.0.0.1:0/secret/metrics".to_owned(),
        interval: 1,
        auth_token: Some("open-sesame".to_owned()),
        options,
    };
    let monitor = NetworkMonitor::new(NetworkConfig { export: Some(export), ..NetworkConfig::default() });
    let exporter = install(&monitor).unwrap();
    for _ in 0..2 {
        monitor.start().await.unwrap();
        let address = exporter.listening().unwrap().to_string();
        let status = |answer: String| answer.split(' ').nth(1).map(str::to_owned).unwrap_or_default();
        let known = "Authorization: Bearer open-sesame\r\nAccept: application/openmetrics-text; version=1.0.0\r\n";
        assert_eq!(status(get(address.clone(), "/metrics", known).await), "404");
        assert_eq!(status(get(address.clone(), "/secret/metrics", "").await), "401");
        assert_eq!(
            status(get(address.clone(), "/secret/metrics", "Authorization: Bearer open-sesamf\r\n").await),
            "401"
        );
        let answer = get(address.clone(), "/secret/metrics", known).await;
        let (head, page) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("application/openmetrics-text"), "{head}");
        assert!(parse(page, Format::OpenMetrics, Timestamp(0), &Limits::default()).is_ok(), "{page}");
        monitor.stop().await.unwrap();
        assert!(std::net::TcpStream::connect(&address).is_err(), "it has stopped");
    }
}
