//! A daemon whose PromQL another server answers: Debian's prometheus.

use std::time::Duration;

use squirrel_exchange::remote_write::{Version, encode};
use squirrel_exchange::{Metadata, Sample, Series};
use squirrel_model::Labels;
use squirrel_outbound::{Client, Destination, Request};
use squirrel_testkit::{Peer, skip, until};

use super::support::{Daemon, squirrel};

/// Writes one sample of now to a server, once it takes some.
fn write(port: u16, name: &str, value: f64) {
    let sample = Sample { at: squirrel_sys::clock::wall(), value, start: None };
    let labels = Labels::new([("__name__", name)]).expect("labels");
    let series = Series { labels, metadata: Metadata::default(), samples: vec![sample] };
    let request = Request::post("application/x-protobuf", encode(Version::V1, &[series]).expect("encodes"))
        .with_header("Content-Encoding", "snappy")
        .with_header("X-Prometheus-Remote-Write-Version", "0.1.0");
    let to = Destination::parse(&format!("http://127.0.0.1:{port}/api/v1/write")).expect("a URL");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let taken = until(Duration::from_mins(1), || {
        runtime.block_on(Client::new().send(&to, request.clone())).is_ok_and(|answer| answer.is_success())
    });
    assert!(taken, "the server takes samples");
}

#[test]
fn queries_go_to_the_other_engine_and_the_verdict_needs_nobody() {
    let test = "queries_go_to_the_other_engine_and_the_verdict_needs_nobody";
    let peer = match Peer::prometheus() {
        Ok(peer) => peer,
        Err(reason) => return skip(test, &reason),
    };
    write(peer.port(), "only_there", 7.0);
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("squirrel.toml");
    let text = format!("[store]\nengine = \"prometheus\"\nurl = \"http://127.0.0.1:{}\"\n", peer.port());
    std::fs::write(&file, text).expect("written");
    let mut daemon = Daemon::start(&dir.path().join("data"), &["--config", file.to_str().expect("UTF-8")]);
    daemon.wait_until("only_there", |value| value == 7.0);
    assert!(!daemon.text("/api/verdict").contains("does not answer"), "it does");
    let names = daemon.text("/api/v1/label/__name__/values");
    assert!(names.contains("only_there") && !names.contains("squirrel_"), "the names are the other's: {names}");
    assert!(daemon.text("/api/v1/query?query=sum(only_there").contains("parse error"), "it is parsed here");
    drop(peer);
    let refused = daemon.get("/api/v1/query?query=only_there");
    let text = String::from_utf8_lossy(&refused.body).into_owned();
    assert!(refused.status == 503 && text.contains("cannot be asked"), "{} {text}", refused.status);
    daemon.wait_for("PromQL has no answer");
    let finding = |verdict: &str| verdict.contains("The engine that this host asks PromQL of does not answer");
    let found = (0..100).any(|_| {
        daemon.next_tick();
        finding(&daemon.text("/api/verdict"))
    });
    let verdict = daemon.text("/api/verdict");
    assert!(found && verdict.contains("\"level\":\"bad\""), "{verdict}");
    let (code, shown, _) = squirrel(&["status", "--server", &daemon.address]);
    assert!(code == 1 && finding(&shown) && shown.contains("squirrel query 1"), "{code} {shown}");
    assert!(daemon.text("/metrics").contains("squirrel_"), "collection goes on");
}

#[test]
fn rules_of_files_are_asked_of_the_other_engine_and_what_they_yield_comes_back_to_it() {
    let test = "rules_of_files_are_asked_of_the_other_engine_and_what_they_yield_comes_back_to_it";
    let peer = match Peer::prometheus() {
        Ok(peer) => peer,
        Err(reason) => return skip(test, &reason),
    };
    write(peer.port(), "only_there", 7.0);
    let dir = tempfile::tempdir().expect("a folder");
    let rules = "groups:\n- name: g\n  interval: 1s\n  rules:\n  - {record: doubled, expr: only_there * 2}\n  \
                 - {alert: DoubledSeen, expr: doubled > 13}\n  - {alert: OnlyThere, expr: only_there > 5}\n";
    std::fs::write(dir.path().join("rules.yml"), rules).expect("written");
    let url = format!("http://127.0.0.1:{}", peer.port());
    let text = format!(
        "[store]\nengine = \"prometheus\"\nurl = \"{url}\"\n[alerts]\nrule_files = [\"rules.yml\"]\n\
         [[remote_write]]\nname = \"there\"\nurl = \"{url}/api/v1/write\"\nflush = \"1s\"\n"
    );
    let file = dir.path().join("squirrel.toml");
    std::fs::write(&file, text).expect("written");
    let daemon = Daemon::start(&dir.path().join("data"), &["--config", file.to_str().expect("UTF-8")]);
    // Both answers are the other engine's: the rule's result went to the store here, and from there to it.
    daemon.wait_until("max(doubled) or vector(0)", |value| value == 14.0);
    daemon.wait_until("count(ALERTS{alertname=\"OnlyThere\",alertstate=\"firing\"}) or vector(0)", |n| n == 1.0);
    daemon.wait_until("count(ALERTS{alertname=\"DoubledSeen\",alertstate=\"firing\"}) or vector(0)", |n| n == 1.0);
    drop(peer);
    // Nobody is told that it is over because nobody answers, and the rule says why it knows nothing new.
    let failing = (0..100).any(|_| {
        daemon.next_tick();
        daemon.text("/api/v1/rules").contains("cannot be asked")
    });
    assert!(failing, "{}", daemon.text("/api/v1/rules"));
    let alerts = daemon.text("/api/v1/alerts");
    assert!(alerts.contains("OnlyThere") && alerts.contains("\"firing\""), "{alerts}");
    let built_in = serde_json::from_str::<serde_json::Value>(&daemon.text("/api/v1/rules")).expect("a document");
    let groups = built_in["data"]["groups"].as_array().expect("a list");
    let own = groups.iter().find(|group| group["file"] == "built-in").expect("Squirrel's own rules");
    let rules = own["rules"].as_array().expect("a list");
    assert!(rules.iter().all(|rule| rule["health"] != "err"), "they need nobody else: {own}");
}

/// The sum of a metric over the groups of Squirrel's own rules.
fn of_own_rules(daemon: &Daemon, metric: &str) -> f64 {
    let text = daemon.text("/metrics");
    let lines = text.lines().filter(|line| line.starts_with(metric) && line.contains("rule_group=\"built-in;"));
    lines.map(|line| line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok()).expect("a number")).sum()
}

#[test]
fn an_engine_that_hangs_delays_no_rule_of_squirrels_own_and_is_told() {
    // It takes connections, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let dir = tempfile::tempdir().expect("a folder");
    let rule = |n: usize| format!("  - {{alert: Far{n}, expr: only_there > {n}}}\n");
    let rules: String = (0..50).map(rule).collect();
    std::fs::write(dir.path().join("rules.yml"), format!("groups:\n- name: g\n  rules:\n{rules}")).expect("written");
    let text = format!(
        "[store]\nengine = \"prometheus\"\nurl = \"http://{address}\"\n\
         [alerts]\nrule_files = [\"rules.yml\"]\ninterval = \"1s\"\n"
    );
    let file = dir.path().join("squirrel.toml");
    std::fs::write(&file, text).expect("written");
    let daemon = Daemon::start(&dir.path().join("data"), &["--config", file.to_str().expect("UTF-8")]);
    let verdict = || daemon.text("/api/verdict");
    let is_told = |words: &str| {
        (0..100).any(|_| {
            daemon.next_tick();
            verdict().contains(words)
        })
    };
    assert!(is_told("rules.yml was not evaluated for") || verdict().contains("rules fail"), "{}", verdict());
    let before = of_own_rules(&daemon, "prometheus_rule_evaluations_total");
    assert!(is_told("rules fail, such as Far0"), "the time of a group is bounded: {}", verdict());
    let own = || of_own_rules(&daemon, "prometheus_rule_evaluations_total");
    let goes_on = (0..100).any(|_| {
        daemon.next_tick();
        own() > before
    });
    assert!(goes_on, "Squirrel's own rules are evaluated meanwhile: {before} {}", own());
    // Behind the others nine of ten would be missed: the engine is given ten seconds each time.
    let evaluations = own() / of_own_rules(&daemon, "prometheus_rule_group_rules");
    let missed = of_own_rules(&daemon, "prometheus_rule_group_iterations_missed_total");
    assert!(missed < 4.0 * evaluations, "and in time: {missed} were missed, {evaluations} were not");
    // From now on the engine is given two minutes, which nobody waits for who stops the daemon.
    let text = format!("groups:\n- name: g\n  interval: 2m\n  rules:\n{rules}");
    std::fs::write(dir.path().join("rules.yml"), text).expect("written");
    daemon.signal("HUP");
    let is_slow = || {
        let document: serde_json::Value = serde_json::from_str(&daemon.text("/api/v1/rules")).expect("a document");
        document["data"]["groups"].as_array().expect("a list").iter().any(|group| group["interval"] == 120.0)
    };
    let came = (0..100).any(|_| {
        daemon.next_tick();
        is_slow()
    });
    assert!(came, "{}", daemon.text("/api/v1/rules"));
    let asked = squirrel_sys::clock::wall();
    daemon.signal("TERM");
    let (status, log) = daemon.wait();
    let waited = squirrel_sys::clock::wall().seconds() - asked.seconds();
    assert!(status.success() && waited < 60.0, "a stop does not wait for the engine: {waited} s, {log}");
}
