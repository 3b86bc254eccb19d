//! Applications of the library report to a real daemon, fall silent, come back, flood and lie.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use squirrel_monitor::{ExportConfig, ExportFormat, MessageDirection, NetworkConfig, NetworkMonitor, Quantity};

use crate::hostile_names::assert_inert;
use crate::support::{Daemon, PATIENCE, squirrel};

/// Set for the part of the test that is an application: the daemon's address and the name of the instance.
const INSIDE: &str = "SQUIRREL_TEST_APPLICATION";
const TEST: &str = "applications::an_application_is_shown_from_its_first_report_to_its_end";

/// An application in a process of its own; killed when dropped.
struct Application(Child);

impl Application {
    fn start(daemon: &Daemon, instance: &str) -> Self {
        let this = std::env::current_exe().expect("a test knows its own file");
        let child = Command::new(this)
            .args(["--exact", TEST, "--nocapture"])
            .env(INSIDE, format!("{} {instance}", daemon.address))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        Self(child.expect("the test starts as an application"))
    }

    fn kill(&mut self) {
        // It may have ended already; nothing to do then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The application: works until it is killed, or whoever started it is gone.
fn work(address: &str, instance: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let options = [("service.name", "shop"), ("service.instance.id", instance)];
        let export = ExportConfig {
            format: ExportFormat::Squirrel,
            endpoint: address.to_owned(),
            interval: 1,
            auth_token: None,
            options: options.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        };
        let config = NetworkConfig { collection_interval: 1, export: Some(export), ..NetworkConfig::default() };
        let monitor = NetworkMonitor::builder(config).threshold(Quantity::ActiveConnections, 3.0).build();
        squirrel_monitor_export::install(&monitor).expect("the exporter fits");
        monitor.start().await.expect("it starts");
        monitor.update_active_connections(5).await;
        let end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        let mut turns = tokio::time::interval(Duration::from_millis(20));
        let working = async {
            loop {
                turns.tick().await;
                monitor.record_message_received("order", 100).await;
                monitor.record_message_latency("order", Duration::from_millis(20)).await;
                monitor.record_bytes_received(1_000).await;
                call_a_tool_that_fails(&monitor);
            }
        };
        tokio::select! {
            () = working => {}
            _ = end => {}
        }
    });
}

/// The protocol is in order; the tool's answer says that it failed.
fn call_a_tool_that_fails(monitor: &NetworkMonitor) {
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search"}}"#;
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}"#;
    let now = tokio::time::Instant::now().into_std();
    for (message, direction, at) in
        [(call, MessageDirection::Received, now), (answer, MessageDirection::Sent, now + Duration::from_millis(20))]
    {
        monitor.inspect_message(message.as_bytes(), direction, at).expect("MCP is known");
    }
}

fn of_instance(state: &Value, instance: &str) -> Value {
    let instances = state["instances"].as_array().expect("instances");
    instances.iter().find(|one| one["instance"] == instance).unwrap_or_else(|| panic!("{instance} in {state}")).clone()
}

fn shop(daemon: &Daemon) -> Value {
    serde_json::from_str(&daemon.text("/api/applications/shop")).expect("JSON")
}

/// What is told of the application, once it is as it should be: one that gets no turn falls silent for a moment.
fn wait_for_shop(daemon: &Daemon, fits: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..100 {
        let state = shop(daemon);
        if fits(&state) {
            return state;
        }
        daemon.next_tick();
    }
    panic!("it does not become what it should be: {}", shop(daemon));
}

#[test]
fn an_application_is_shown_from_its_first_report_to_its_end() {
    if let Ok(inside) = std::env::var(INSIDE) {
        let (address, instance) = inside.split_once(' ').expect("an address and a name");
        return work(address, instance);
    }
    let dir = tempfile::tempdir().expect("a folder can be made");
    let mut daemon = Daemon::start(dir.path(), &[]);
    let mut first = Application::start(&daemon, "a");
    let second = Application::start(&daemon, "b");
    let live =
        "count(squirrel_messages_total{job=\"application\",application=\"shop\",message_type=\"order\"}) or vector(0)";
    daemon.wait_until(live, |live| live == 2.0);
    daemon.wait_until("sum(rate(process_network_io_bytes_total{application=\"shop\"}[10s])) or vector(0)", |rate| {
        rate > 1_000.0
    });
    let p95 = "histogram_quantile(0.95, sum by (le) (rate(squirrel_message_duration_seconds_bucket{application=\"shop\"}[30s])))";
    daemon.wait_until(&format!("{p95} or vector(0)"), |p95| p95 > 0.005 && p95 < 0.1);
    let failed = "squirrel_message_failures_total{application=\"shop\",message_type=\"tools/call search\",failure_class=\"tool\",error_type=\"tool_error\"}";
    daemon.wait_until(&format!("count({failed} > 0) or vector(0)"), |instances| instances == 2.0);
    daemon.wait_until("squirrel_application_alerts", |alerts| alerts == 2.0);
    let state = wait_for_shop(&daemon, |state| state["state"] == "live" && state["level"] == "warning");
    assert_eq!(of_instance(&state, "a")["alerts"][0]["name"], "active_connections", "{state}");
    assert!(of_instance(&state, "a")["pid"] != of_instance(&state, "b")["pid"], "{state}");
    assert_eq!(daemon.number("sum(up)"), 1.0, "the host's own series are its own");

    first.kill();
    daemon.wait_until(live, |live| live == 1.0);
    wait_for_shop(&daemon, |state| {
        let is_silent = of_instance(state, "a")["silent_since"].is_number();
        is_silent && state["state"] == "live" && of_instance(state, "b")["state"] == "live"
    });

    // The daemon dies without warning; its next life knows who spoke last, and who ended before.
    daemon.signal("KILL");
    daemon.wait();
    drop(second);
    daemon = Daemon::start(dir.path(), &[]);
    let state = shop(&daemon);
    assert_eq!(state["instances"].as_array().map(Vec::len), Some(1), "{state}");
    assert_eq!((&state["state"], &of_instance(&state, "b")["state"]), (&json!("silent"), &json!("silent")), "{state}");
    assert_eq!(post(&daemon, &report("shop", "b", squirrel_sys::clock::wall().seconds())).0, 200);
    daemon.wait_until("sum(sold_total{instance=\"b\"}) or vector(-1)", |sold| sold == 7.0);
    daemon.wait_until(live, |live| live == 0.0);
    assert_eq!(shop(&daemon)["state"], "live");

    // A clean stop ends the series at once.
    assert_eq!(post(&daemon, &report("shop", "b", squirrel_sys::clock::wall().seconds())).0, 200);
    daemon.signal("TERM");
    let (status, log) = daemon.wait();
    assert!(status.success(), "{log}");
    let daemon = Daemon::start(dir.path(), &[]);
    daemon.wait_until("count({job=\"application\"}) or vector(0)", |left| left == 0.0);
    assert_eq!(daemon.get("/api/applications/shop").status, 404, "nobody speaks, and nobody is waited for");
}

fn report(application: &str, instance: &str, started: f64) -> Value {
    json!({
        "schema": 1, "application": application, "instance": instance, "pid": 1, "started": started, "sent_at": started,
        "interval_seconds": 60.0,
        "metrics": [{"name": "sold_total", "kind": "counter", "unit": "", "help": "", "labels": {"kind": application}, "value": 7}],
    })
}

/// Posts a report: the status and the body of the answer.
fn post(daemon: &Daemon, report: &Value) -> (u16, String) {
    let body = report.to_string();
    let mut stream = TcpStream::connect(&daemon.address).expect("the daemon listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    let request = format!(
        "POST /api/applications HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        daemon.address,
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("the report is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, answer.split_once("\r\n\r\n").expect("a body").1.to_owned())
}

#[test]
fn a_flood_of_hostile_reports_costs_the_daemon_nothing_and_stays_data() {
    let dir = tempfile::tempdir().expect("a folder can be made");
    let config = dir.path().join("squirrel.toml");
    std::fs::write(&config, "[applications]\nmax_instances = 20\nmax_series = 5\n").unwrap();
    let mut daemon = Daemon::start(&dir.path().join("data"), &["--config", config.to_str().unwrap()]);
    let names = ["<b>x</b>", "\u{1b}[2J\u{202e}x", "a\"};x\\", "\n# HELP up\nup 0", "$application {{x}}", "__proto__"];
    for name in names {
        assert_eq!(post(&daemon, &report(name, name, 1e9)).0, 200, "{name:?}");
    }
    let mut many = report("many", "m", 1e9);
    many["metrics"] = (0..100)
        .map(|i| json!({"name": format!("m{i}"), "kind": "gauge", "unit": "", "help": "", "value": i}))
        .collect();
    let (_, receipt) = post(&daemon, &many);
    assert!(receipt.starts_with(r#"{"taken":5,"refused":95,"#), "{receipt}");
    let statuses: Vec<u16> =
        (0..600).map(|i| post(&daemon, &report(&format!("flood{}", i % 50), "f", 1e9)).0).collect();
    let of = |status: u16| statuses.iter().filter(|one| **one == status).count();
    assert!(of(200) >= 13 && of(429) + of(503) > 100 && of(200) + of(429) + of(503) == 600, "{statuses:?}");

    daemon.wait_until("count(sold_total{job=\"application\"}) or vector(0)", |kept| kept == 19.0);
    daemon.wait_until("squirrel_application_series", |series| series == 24.0);
    daemon.wait_until("sum(squirrel_application_reports_total{outcome=~\"rate|full\"})", |refused| refused > 100.0);
    assert_eq!(daemon.number("squirrel_application_metrics_refused_total{reason=\"series_limit\"}"), 95.0);
    assert_eq!(daemon.number("count(up)"), 1.0);
    let list: Value = serde_json::from_str(&daemon.text("/api/applications")).expect("JSON");
    let listed: Vec<&str> =
        list["applications"].as_array().unwrap().iter().filter_map(|one| one["application"].as_str()).collect();
    assert!(names.iter().all(|name| listed.contains(name)), "{listed:?}");
    let (code, out, err) = squirrel(&["query", "--server", &daemon.address, "sold_total"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains(r#"application="\x1b[2J\u202ex""#), "{out}");
    assert_inert(&out);
    let metrics = daemon.text("/metrics");
    assert!(!metrics.contains("sold_total"), "/metrics is of this host");
    daemon.signal("TERM");
    daemon.wait_for("stopped");
    assert_inert(&daemon.log);
}
