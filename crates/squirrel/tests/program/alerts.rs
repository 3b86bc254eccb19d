//! Alerts in a real daemon: rules, people who are told, silences, restarts.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};

use serde_json::{Value, json};
use squirrel_testkit::until;

use crate::support::{Daemon, PATIENCE, squirrel};

/// A secret that must be seen nowhere but by the receiver.
const CANARY: &str = "canary-7f3a9c-secret";

/// A receiver of webhooks; each body goes into the queue, with the head of its request before.
pub(crate) struct Hook {
    pub(crate) address: String,
    bodies: Receiver<(String, Value)>,
}

/// Answers every request with 200.
pub(crate) fn receiver() -> Hook {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let (send, bodies) = sync_channel(10_000);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let send = send.clone();
            std::thread::spawn(move || {
                while let Some(told) = exchange(&stream) {
                    if send.send(told).is_err() {
                        return;
                    }
                }
            });
        }
    });
    Hook { address, bodies }
}

/// One request and its answer; none at the end of the connection.
fn exchange(stream: &TcpStream) -> Option<(String, Value)> {
    let request = request(stream)?;
    accept(stream)?;
    Some(request)
}

/// Answers with 200.
pub(crate) fn accept(mut stream: &TcpStream) -> Option<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").ok()
}

/// One request: its head, and its body.
pub(crate) fn request(stream: &TcpStream) -> Option<(String, Value)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = vec![0; length?];
    reader.read_exact(&mut body).ok()?;
    Some((head, serde_json::from_slice(&body).ok()?))
}

impl Hook {
    /// The next message.
    pub(crate) fn next(&self) -> Value {
        self.next_whole().1
    }

    /// The next message, with the head of its request before.
    pub(crate) fn next_whole(&self) -> (String, Value) {
        match self.bodies.recv_timeout(PATIENCE) {
            Ok(message) => message,
            Err(error) => panic!("no message within {PATIENCE:?}: {error}"),
        }
    }

    /// The next message of this status that has this alert.
    fn wait_for(&self, status: &str, alert: &str) -> Value {
        loop {
            let body = self.next();
            let alerts = body["alerts"].as_array().expect("a list of alerts");
            if body["status"] == status && alerts.iter().any(|one| one["labels"]["alertname"] == alert) {
                return body;
            }
        }
    }
}

/// A folder with a configuration, rules and a data directory.
pub(crate) struct Setup {
    folder: tempfile::TempDir,
}

impl Setup {
    pub(crate) fn new(config: &str, rules: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let setup = Self { folder };
        std::fs::write(setup.path("rules.yml"), rules).expect("rules are written");
        let text = format!(
            "[alerts]\nrule_files = [\"rules.yml\"]\nbuilt_in = false\ninterval = \"1s\"\n[grouping]\ninterval = \"1s\"\n{config}"
        );
        std::fs::write(setup.path("squirrel.toml"), text).expect("a configuration is written");
        setup
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn start(&self) -> Daemon {
        Daemon::start(&self.data(), &["--config", &self.path("squirrel.toml").display().to_string()])
    }

    /// A command against the daemon, with its data directory.
    fn ask(&self, daemon: &Daemon, args: &[&str]) -> (i32, String, String) {
        let data = self.data().display().to_string();
        let args: Vec<&str> = args.iter().copied().chain(["--server", &daemon.address, "--data-dir", &data]).collect();
        squirrel(&args)
    }
}

/// The table of a channel that has a secret in its address and one in a header.
fn webhook(address: &str) -> String {
    format!(
        "[[notify.webhook]]\nname = \"hook\"\nurl = \"http://{address}/hook?key={CANARY}\"\nheaders = {{ Authorization = \"Bearer {CANARY}\" }}\n"
    )
}

/// A rule that fires from the first sample on.
pub(crate) const UP: &str = "groups:\n- name: g\n  rules:\n  - alert: Up\n    expr: up > 0\n    labels: {severity: critical}\n    \
                  annotations: {summary: '{{ $labels.instance }} is up'}\n";

pub(crate) fn page(daemon: &Daemon) -> Value {
    serde_json::from_str(&daemon.text("/api/alerts")).expect("a document")
}

fn milliseconds(text: &Value) -> i64 {
    let text = text.as_str().expect("a time");
    squirrel_api::params::parse_time(text).expect("RFC 3339").millis()
}

#[test]
fn an_alert_is_told_after_the_sample_that_crossed_and_so_is_its_end() {
    let receiver = receiver();
    let setup = Setup::new(&webhook(&receiver.address), UP);
    let mut daemon = setup.start();
    let told = receiver.wait_for("firing", "Up");
    let one = &told["alerts"][0];
    assert_eq!(one["annotations"]["summary"], json!(format!("{} is up", one["labels"]["instance"].as_str().unwrap())));
    // Of the sample that crossed, by its own time, and of the message, by the record of deliveries.
    let starts = milliseconds(&one["startsAt"]);
    let first = 1000.0 * daemon.number("min_over_time(timestamp(up)[5m:1s])");
    let delivered = delivered(&daemon, "new");
    assert!(first <= starts as f64 && starts as f64 <= delivered, "{first} {starts} {delivered}");
    assert!(delivered - first < 60_000.0, "{delivered} is long after {first}");
    // Who is told does not wait for the store.
    daemon.wait_until("count(ALERTS{alertname=\"Up\",alertstate=\"firing\"}) or vector(0)", |firing| firing == 1.0);

    // A file that is broken replaces nothing, and says where.
    std::fs::write(setup.path("rules.yml"), UP.replace("up > 0", "up >")).unwrap();
    daemon.signal("HUP");
    daemon.wait_for("rules.yml:5:");
    daemon.wait_for("stay in force");
    // It is in the log a moment before it is on the page.
    let problems = wait_for_page(&daemon, |page| page["problems"].as_array().is_some_and(|all| !all.is_empty()));
    assert!(problems["problems"][0].as_str().unwrap().contains("rules.yml:5:"), "{problems}");
    assert_eq!(problems["alerts"][0]["state"], "firing");

    std::fs::write(setup.path("rules.yml"), UP.replace("up > 0", "up > 5")).unwrap();
    daemon.signal("HUP");
    let over = receiver.wait_for("resolved", "Up");
    assert_eq!(over["groupKey"], told["groupKey"]);
    wait_for_page(&daemon, |page| page["problems"] == json!([]));
    assert_no_secret(&daemon, &setup);
}

/// When the message of this reason was taken, in milliseconds since the epoch.
fn delivered(daemon: &Daemon, reason: &str) -> f64 {
    let at = |page: &Value| {
        let deliveries = page["deliveries"].as_array().expect("a list");
        let one = deliveries.iter().find(|one| one["reason"] == reason && one["state"] == "delivered")?;
        Some(1000.0 * one["at"].as_f64().expect("a time"))
    };
    at(&wait_for_page(daemon, |page| at(page).is_some())).expect("it was waited for")
}

/// The page, once it is as it should be.
fn wait_for_page(daemon: &Daemon, fits: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..100 {
        let page = page(daemon);
        if fits(&page) {
            return page;
        }
        daemon.next_tick();
    }
    panic!("the page does not become what it should be: {}", page(daemon));
}

/// The secret of the channel is in no page, log, process list or file but the configuration and the queue.
fn assert_no_secret(daemon: &Daemon, setup: &Setup) {
    for path in ["/api/alerts", "/api/v1/rules", "/api/v1/alerts", "/api/v2/status", "/api/v2/receivers", "/metrics"] {
        assert!(!daemon.text(path).contains(CANARY), "{path}");
    }
    assert!(!daemon.log.contains(CANARY), "{}", daemon.log);
    let arguments = std::fs::read_to_string(format!("/proc/{}/cmdline", daemon.pid())).expect("it runs");
    assert!(!arguments.contains(CANARY));
    let config = setup.path("squirrel.toml").display().to_string();
    let (_, shown, said) = squirrel(&["config", "show", "--config", &config]);
    assert!(!shown.contains(CANARY) && !said.contains(CANARY), "{shown}{said}");
}

#[test]
fn what_was_decided_before_a_kill_is_told_after_it_and_once() {
    let receiver = receiver();
    let setup = Setup::new(&webhook(&receiver.address), &UP.replace("up > 0", "up > 5"));
    let stopped = |daemon: Daemon| {
        daemon.signal("TERM");
        assert!(daemon.wait().0.success());
    };
    stopped(setup.start());
    // As a kill leaves it behind between the state's writing and the queue's.
    let file = setup.data().join("alerts/notifier.json");
    let state = std::fs::read_to_string(&file).unwrap_or_else(|_| "{\"version\":1}".to_owned());
    let mut state: Value = serde_json::from_str(&state).expect("JSON");
    state["outbox"] = json!([{
        "id": 7, "channel": "hook", "group_key": "g", "reason": "new", "at_ms": 5, "group_labels": {}, "common_labels": {},
        "common_annotations": {}, "alerts": [], "more": 0, "external_url": "", "chart": null
    }]);
    std::fs::write(&file, state.to_string()).unwrap();
    let daemon = setup.start();
    assert_eq!(receiver.next()["groupKey"], "g");
    delivered(&daemon, "new");
    // It is delivered a moment before the file is written again.
    let is_kept = || std::fs::read_to_string(&file).unwrap().contains("outbox");
    assert!(until(PATIENCE, || !is_kept()), "what was told stays in the file");
    stopped(daemon);
    // The same once more: a kill between the queue's writing and the state's.
    std::fs::write(&file, state.to_string()).unwrap();
    let daemon = setup.start();
    (0..3).for_each(|_| daemon.next_tick());
    assert!(until(PATIENCE, || !is_kept()), "what was told stays in the file");
    let deliveries = page(&daemon)["deliveries"].as_array().expect("a list").len();
    assert_eq!(deliveries, 1);
}

#[test]
fn silences_and_acknowledgements_are_kept_over_a_kill_and_nothing_is_lost() {
    let receiver = receiver();
    // Without the instance, which names the port: it is the same alert after the start.
    let rule = UP.replace("up > 0", "max(up) > 0");
    let setup = Setup::new(&webhook(&receiver.address), &rule);
    let daemon = setup.start();
    receiver.wait_for("firing", "Up");
    let (code, id, said) =
        setup.ask(&daemon, &["silence", "add", "alertname=Up", "--for", "1h", "--author", "ada", "--comment", "tests"]);
    assert_eq!(code, 0, "{said}");
    let (code, done, said) = setup.ask(&daemon, &["ack", "alertname=Up", "--author", "ada", "--comment", "mine"]);
    assert_eq!((code, done.as_str()), (0, "1 alert acknowledged\n"), "{said}");
    daemon.signal("KILL");
    let (status, _) = daemon.wait();
    assert!(!status.success());

    let daemon = setup.start();
    daemon.wait_until("count(ALERTS{alertname=\"Up\",alertstate=\"firing\"}) or vector(0)", |firing| firing == 1.0);
    let page = page(&daemon);
    assert_eq!(page["silences"][0]["id"], json!(id.trim()), "{page}");
    assert_eq!(page["alerts"][0]["acknowledgement"]["who"], "ada", "{page}");
    let (code, listed, _) = squirrel(&["alerts", "--server", &daemon.address]);
    assert!(
        code == 0 && listed.lines().any(|line| line.starts_with("silenced") && line.contains(" is up")),
        "{listed}"
    );
    // The end is told although the beginning was told by a program that was killed.
    std::fs::write(setup.path("rules.yml"), rule.replace("> 0", "> 5")).unwrap();
    let (code, _, said) = setup.ask(&daemon, &["silence", "expire", id.trim()]);
    assert_eq!(code, 0, "{said}");
    daemon.signal("HUP");
    receiver.wait_for("resolved", "Up");
}

#[test]
fn a_backup_knows_silences_and_who_was_told_and_has_no_token() {
    let receiver = receiver();
    let setup = Setup::new(&webhook(&receiver.address), UP);
    let daemon = setup.start();
    receiver.wait_for("firing", "Up");
    let (code, id, said) =
        setup.ask(&daemon, &["silence", "add", "job=other", "--for", "1h", "--author", "ada", "--comment", "tests"]);
    assert_eq!(code, 0, "{said}");
    let copy = setup.path("copy");
    let (data, target) = (setup.data().display().to_string(), copy.display().to_string());
    let (code, done, said) = squirrel(&["store", "backup", &target, "--data-dir", &data]);
    assert_eq!(code, 0, "{done}{said}");
    assert!(!copy.join("token").exists(), "whoever reads the copy is not let in by it");
    let told = std::fs::read_to_string(copy.join("alerts/notifier.json")).expect("what was told is in the copy");
    assert!(told.contains(id.trim()), "{told}");
    let messages = std::fs::read_dir(copy.join("alerts/messages")).expect("the queue is in the copy").count();
    assert_eq!(messages, 1);
    drop(daemon);
    let restored = Daemon::start(&copy, &["--config", &setup.path("squirrel.toml").display().to_string()]);
    assert_eq!(page(&restored)["silences"][0]["id"], json!(id.trim()));
}

#[test]
fn whoever_changes_something_shows_the_token() {
    let setup = Setup::new("", UP);
    let daemon = setup.start();
    let other = tempfile::tempdir().unwrap();
    let other_dir = other.path().display().to_string();
    let ask = |data: &str| {
        squirrel(&[
            "silence",
            "add",
            "a=b",
            "--for",
            "1h",
            "--author",
            "x",
            "--server",
            &daemon.address,
            "--data-dir",
            data,
        ])
    };
    let (code, _, said) = ask(&other_dir);
    assert!(code == 3 && said.contains("--data-dir"), "{code} {said}");
    std::fs::write(other.path().join("token"), "a-wrong-token-of-some-length\n").unwrap();
    let (code, _, said) = ask(&other_dir);
    assert!(code == 3 && said.contains("token"), "{code} {said}");
    let (code, _, said) = setup.ask(&daemon, &["silence", "add", "a!=b", "--for", "1h", "--author", "x"]);
    assert!(code == 1 && said.contains("at least one condition"), "{code} {said}");
    let (code, _, said) = setup.ask(&daemon, &["notify", "test", "nobody"]);
    assert!(code == 1 && said.contains("[[notify.webhook]]"), "{code} {said}");
    let (code, _, said) = setup.ask(&daemon, &["ack", "alertname=Nothing", "--author", "x"]);
    assert!(code == 1 && said.contains("squirrel alerts"), "{code} {said}");
}

#[test]
fn a_channel_is_tried_and_says_what_the_other_side_answered() {
    let receiver = receiver();
    let setup = Setup::new(&webhook(&receiver.address), "groups: []\n");
    let daemon = setup.start();
    let (code, done, said) = setup.ask(&daemon, &["notify", "test", "hook"]);
    assert!(code == 0 && done.starts_with("delivered"), "{code} {done} {said}");
    match receiver.bodies.recv_timeout(PATIENCE) {
        Ok((head, body)) => {
            assert_eq!(body["alerts"][0]["labels"]["alertname"], "SquirrelTest");
            assert!(head.contains(CANARY), "the receiver gets its secret");
        }
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => panic!("nothing came"),
    }
    assert_no_secret(&daemon, &setup);
}

#[test]
fn amtool_sees_alerts_and_makes_silences() {
    let Ok(_) = Command::new("amtool").arg("--version").output() else {
        squirrel_testkit::skip("amtool_sees_alerts_and_makes_silences", "amtool is not installed");
        return;
    };
    let receiver = receiver();
    let setup = Setup::new(&webhook(&receiver.address), UP);
    let daemon = setup.start();
    receiver.wait_for("firing", "Up");
    let config = setup.path("http.yml");
    let token = setup.data().join("token");
    let credentials = format!("authorization:\n  type: Bearer\n  credentials_file: {}\n", token.display());
    std::fs::write(&config, credentials).unwrap();
    let amtool = |args: &[&str]| run_amtool(&daemon, &config, args);
    let listed = amtool(&["alert", "query", "-o", "json", "alertname=Up"]);
    let alerts: Value = serde_json::from_str(&listed).unwrap_or_else(|error| panic!("{error}: {listed}"));
    assert_eq!((&alerts[0]["labels"]["alertname"], &alerts[0]["status"]["state"]), (&json!("Up"), &json!("active")));
    let id = amtool(&["silence", "add", "alertname=Up", "--duration=1h", "--author=ada", "--comment=by amtool"]);
    let silences = amtool(&["silence", "query", "-o", "json"]);
    assert!(silences.contains(id.trim()) && silences.contains("by amtool"), "{silences}");
    daemon.wait_until("time()", |_| page(&daemon)["alerts"][0]["silenced_by"] == json!([id.trim()]));
    assert_eq!(amtool(&["alert", "query", "-o", "json"]).trim(), "[]", "silenced ones are left out");
    amtool(&["silence", "expire", id.trim()]);
    assert_eq!(page(&daemon)["silences"][0]["state"], "expired");
}

fn run_amtool(daemon: &Daemon, config: &Path, args: &[&str]) -> String {
    let url = format!("--alertmanager.url=http://{}", daemon.address);
    let http = format!("--http.config.file={}", config.display());
    let output = Command::new("amtool").args([&url, &http]).args(args).output().expect("amtool runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What `promtool` says of a file: whether it is content; none when it is not installed.
fn promtool(folder: &Path, args: &[&str]) -> Option<bool> {
    let output = Command::new("promtool").args(args).current_dir(folder).output().ok()?;
    Some(output.status.success())
}

#[test]
fn files_are_judged_and_tested_as_promtool_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("it is written");
    write("good.yml", UP);
    write("bad.yml", &UP.replace("up > 0", "up >"));
    let tests = "rule_files: [good.yml]\ntests:\n- interval: 1m\n  input_series: [{series: 'up{instance=\"a\"}', values: 1x9}]\n  \
                 alert_rule_test:\n  - {eval_time: 5m, alertname: Up, exp_alerts: [{exp_labels: {severity: critical, instance: a}, \
                 exp_annotations: {summary: a is up}}]}\n";
    write("tests.yml", tests);
    write("failing.yml", &tests.replace("a is up", "b is up"));
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (verb, ours, theirs, wanted) in [
        ("check", "good.yml", ["check", "rules", "good.yml"], 0),
        ("check", "bad.yml", ["check", "rules", "bad.yml"], 1),
        ("test", "tests.yml", ["test", "rules", "tests.yml"], 0),
        ("test", "failing.yml", ["test", "rules", "failing.yml"], 1),
    ] {
        let (code, out, said) = squirrel(&["alerts", verb, &path(ours)]);
        assert_eq!(code, wanted, "{ours}: {out}{said}");
        match promtool(folder.path(), &theirs) {
            Some(content) => assert_eq!(content, wanted == 0, "{ours}"),
            None => squirrel_testkit::skip("files_are_judged_and_tested_as_promtool_does", "promtool is not installed"),
        }
    }
    let (code, out, _) = squirrel(&["alerts", "check", "--json", &path("*d.yml")]);
    let document: Value = serde_json::from_str(&out).expect("a document");
    assert_eq!((code, &document["good"]), (1, &json!(false)));
    assert_eq!(document["files"][0]["problems"][0]["line"], 5);
    assert_eq!(document["files"][1]["rules"], 1);
    let (code, _, said) = squirrel(&["alerts", "check", &path("none*.yml")]);
    assert!(code == 2 && said.contains("matches no file"), "{said}");
}

#[test]
fn a_rule_file_is_tried_on_the_past_while_the_daemon_writes() {
    let setup = Setup::new("", "groups: []\n");
    let daemon = setup.start();
    daemon.next_tick();
    std::fs::write(setup.path("tried.yml"), UP).unwrap();
    let (data, file) = (setup.data().display().to_string(), setup.path("tried.yml").display().to_string());
    let (code, out, said) =
        squirrel(&["alerts", "backtest", &file, "--since", "1m", "--step", "1s", "--data-dir", &data, "--json"]);
    assert_eq!(code, 0, "{said}");
    let document: Value = serde_json::from_str(&out).expect("a document");
    assert_eq!(document["alerts"][0]["alert"], "Up", "{document}");
    assert_eq!(document["alerts"][0]["resolved_at"], Value::Null);
    assert_eq!(document["evaluations"], 61);
}
