//! Samples to real engines and to another Squirrel: through outages, and through the daemon's sudden end.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use squirrel_api::client::Client;
use squirrel_api::reply::{Point, QueryData};
use squirrel_model::Timestamp;

use crate::support::{Daemon, squirrel};

/// A program that takes remote write and answers PromQL; killed when dropped.
struct Engine {
    child: Child,
    address: String,
}

/// A port from this one on that nobody listens on. Below those that the kernel gives to whoever asks for any, it stays
/// free until it is used.
fn free_port(from: u16) -> u16 {
    (from..from + 5_000).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}

impl Engine {
    fn prometheus(data: &Path, port: u16) -> Self {
        let settings = data.join("prometheus.yml");
        std::fs::write(&settings, "global: {scrape_interval: 1h}\n").expect("a file can be written");
        let address = format!("127.0.0.1:{port}");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", settings.display()))
            .arg(format!("--storage.tsdb.path={}", data.join("tsdb").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--web.enable-remote-write-receiver")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus starts");
        Self { child, address }
    }

    fn victoria_metrics(data: &Path, port: u16) -> Self {
        let address = format!("127.0.0.1:{port}");
        let child = Command::new("victoria-metrics")
            .arg(format!("-storageDataPath={}", data.join("vm").display()))
            .arg(format!("-httpListenAddr={address}"))
            // What has just come is shown at once.
            .arg("-search.latencyOffset=0s")
            // A sender that was killed sends its last request again: of the same moment one sample is kept.
            .arg("-dedup.minScrapeInterval=1ms")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("victoria-metrics starts");
        Self { child, address }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Times of the samples of each series, without its label `site`; nothing when the engine does not answer yet.
fn held(address: &str, selector: &str, at: f64) -> BTreeMap<String, Vec<i64>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let at = Timestamp::from_seconds(at);
    let answer = runtime.block_on(Client::new(address).query(&format!("{selector}[10m]"), Some(at)));
    let Ok(QueryData::Matrix(series)) = answer.map(|answer| answer.data) else { return BTreeMap::new() };
    let times = |values: &[Point]| {
        // An engine may show the end of a series, as a value that is none.
        let real = values.iter().filter(|Point(_, value)| !value.is_nan());
        real.map(|Point(time, _)| Timestamp::from_seconds(*time).millis()).collect::<Vec<_>>()
    };
    let mut all = BTreeMap::new();
    for one in &series {
        let labels: Vec<_> = one.metric.iter().filter(|(name, _)| *name != "site").collect();
        let found = times(&one.values);
        assert!(found.is_sorted_by(|a, b| a < b), "{address}: {labels:?} is out of order");
        all.insert(format!("{labels:?}"), found);
    }
    all
}

fn agent_settings(folder: &Path, targets: &[(&str, &str)]) -> String {
    let path = folder.join("agent.toml");
    let mut text = String::new();
    for (name, url) in targets {
        text += &format!(
            "[[remote_write]]\nname = \"{name}\"\nurl = \"{url}\"\nflush = \"1s\"\n\
             external_labels = {{ site = \"test\" }}\nbearer_token_file = \"{}\"\n",
            folder.join("token").display()
        );
    }
    std::fs::write(&path, text).expect("a file can be written");
    path.display().to_string()
}

#[test]
fn nothing_is_lost_when_receivers_are_away_and_when_the_daemon_is_killed() {
    const NAME: &str = "nothing_is_lost_when_receivers_are_away_and_when_the_daemon_is_killed";
    if !is_installed("prometheus") || !is_installed("victoria-metrics") {
        squirrel_testkit::skip(NAME, "prometheus and victoria-metrics are not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "a-token-of-some-length\n").unwrap();
    let hub_settings = folder.path().join("hub.toml");
    let token = folder.path().join("token");
    std::fs::write(&hub_settings, format!("[[receive]]\nname = \"agent\"\nbearer_token_file = {token:?}\n")).unwrap();
    let hub_settings = hub_settings.display().to_string();
    let hub_data = folder.path().join("hub");
    let hub = Daemon::start(&hub_data, &["--config", &hub_settings]);
    let (prometheus_port, vm_port) = (free_port(20_000), free_port(25_000));
    let settings = agent_settings(
        folder.path(),
        &[
            ("prometheus", &format!("http://127.0.0.1:{prometheus_port}/api/v1/write")),
            ("vm", &format!("http://127.0.0.1:{vm_port}/api/v1/write")),
            ("hub", &format!("http://{}/api/v1/write", hub.address)),
        ],
    );
    let data = folder.path().join("agent");
    let arguments = ["--config", settings.as_str()];

    // Nobody but the hub is there at first.
    let agent = Daemon::start(&data, &arguments);
    agent.wait_until("sum(squirrel_remote_write_failures_total{target!=\"hub\"})", |failures| failures >= 2.0);
    agent.wait_until("squirrel_remote_write_samples_total{target=\"hub\"}", |samples| samples > 0.0);
    agent.signal("KILL");
    agent.wait();
    let prometheus = Engine::prometheus(folder.path(), prometheus_port);
    let vm = Engine::victoria_metrics(folder.path(), vm_port);

    // Killed while it catches up, some times, at whatever point that is.
    for _ in 0..3 {
        let agent = Daemon::start(&data, &arguments);
        agent.wait_until("sum(squirrel_remote_write_samples_total)", |samples| samples > 0.0);
        agent.signal("KILL");
        agent.wait();
    }
    let agent = Daemon::start(&data, &arguments);
    agent.wait_until("min(squirrel_remote_write_samples_total)", |samples| samples > 0.0);
    agent.wait_until("max(squirrel_remote_write_behind_seconds)", |behind| behind < 4.0);
    agent.wait_until("sum(count_over_time(up{job=\"squirrel\"}[10m]))", |seconds| seconds >= 12.0);
    let at = agent.number("time()").floor() - 1.0;
    // A reading that is slow, or a rule, may still bring something of that second.
    (0..3).for_each(|_| agent.next_tick());
    let expected = held(&agent.address, "{job=\"squirrel\"}", at);
    assert!(expected.len() > 100, "{} series", expected.len());
    let mut ticks = 0;
    for address in [&hub.address, &prometheus.address, &vm.address] {
        let selector = "{job=\"squirrel\",site=\"test\"}";
        while held(address, selector, at) != expected {
            ticks += 1;
            let count = |all: &BTreeMap<String, Vec<i64>>| all.values().map(Vec::len).sum::<usize>();
            let there = count(&held(address, selector, at));
            assert!(ticks < 300, "{address} has {there} samples, not {}", count(&expected));
            agent.next_tick();
        }
    }
    assert_eq!(agent.number("sum(squirrel_remote_write_expired_seconds_total)"), 0.0);
}

#[test]
fn senders_without_credentials_are_refused_and_a_check_of_the_store_finds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "a-token-of-some-length\n").unwrap();
    let settings = agent_settings(folder.path(), &[("nobody", "http://127.0.0.1:9/api/v1/write")]);
    let daemon = Daemon::start(&folder.path().join("data"), &["--config", &settings]);
    daemon.wait_until("squirrel_remote_write_failures_total", |failures| failures > 0.0);
    let posted = Command::new("curl")
        .args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST"])
        .arg(format!("http://{}/api/v1/write", daemon.address))
        .output();
    assert_eq!(String::from_utf8_lossy(&posted.unwrap().stdout), "404", "off unless it is configured");
    let federated = daemon.text("/federate?match[]=up");
    assert!(federated.starts_with("# TYPE up gauge\nup{instance=\"") && federated.contains("job=\"squirrel\"} 1 1"));
    daemon.signal("TERM");
    let (status, log) = daemon.wait();
    assert!(status.success(), "{log}");
    assert!(!log.contains("a-token-of-some-length"));
    let data = folder.path().join("data").display().to_string();
    let (code, out, complaints) = squirrel(&["store", "check", "--data-dir", &data]);
    assert_eq!(code, 0, "{out}{complaints}");
}

#[test]
fn targets_and_senders_come_and_go_with_a_reload_and_no_sample_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "a-token-of-some-length\n").unwrap();
    let token = folder.path().join("token");
    let hub_settings = folder.path().join("hub.toml");
    std::fs::write(&hub_settings, "").unwrap();
    let mut hub = Daemon::start(&folder.path().join("hub"), &["--config", hub_settings.to_str().unwrap()]);
    let agent_path = agent_settings(folder.path(), &[]);
    let mut agent = Daemon::start(&folder.path().join("agent"), &["--config", &agent_path]);
    agent_settings(folder.path(), &[("hub", &format!("http://{}/api/v1/write", hub.address))]);
    agent.signal("HUP");
    agent.wait_for("configuration reloaded");
    agent.wait_until("sum(squirrel_remote_write_failures_total) or vector(0)", |failures| failures > 0.0);
    // Nobody may send to the hub yet.
    std::fs::write(&hub_settings, format!("[[receive]]\nname = \"agent\"\nbearer_token_file = {token:?}\n")).unwrap();
    hub.signal("HUP");
    hub.wait_for("configuration reloaded");
    agent.wait_until("squirrel_remote_write_samples_total", |samples| samples > 0.0);
    // What is as it was is left alone.
    agent.signal("HUP");
    agent.wait_for("configuration reloaded");
    assert!(!agent.log.contains("what ran has ended"), "{}", agent.log);
    hub.wait_until("sum(count_over_time(up{site=\"test\"}[10m]))", |samples| samples > 2.0);
    let text = std::fs::read_to_string(&agent_path).unwrap();
    std::fs::write(&agent_path, text.replace("flush = \"1s\"", "flush = \"2s\"")).unwrap();
    agent.signal("HUP");
    agent.wait_for("what ran has ended, as the configuration changed");
    let at = agent.number("time()").floor();
    hub.wait_until("max(timestamp(up{site=\"test\"})) or vector(0)", |newest| newest >= at);
    let (there, here) = (held(&hub.address, "up{site=\"test\"}", at), held(&agent.address, "up", at));
    let times = there.values().next().expect("one series");
    // A machine that is busy may have missed a reading itself.
    let own: Vec<i64> = here.values().flatten().copied().filter(|time| times.first() <= Some(time)).collect();
    assert!(times.len() > 2 && *times == own, "none is missing: {times:?} of {own:?}");
    // A target that is gone sends no more, and its series end.
    agent_settings(folder.path(), &[]);
    agent.signal("HUP");
    agent.wait_until("count(squirrel_remote_write_samples_total) or vector(0)", |targets| targets == 0.0);
    std::fs::write(&hub_settings, "").unwrap();
    hub.signal("HUP");
    hub.wait_until("count(squirrel_receive_samples_total) or vector(0)", |senders| senders == 0.0);
}
