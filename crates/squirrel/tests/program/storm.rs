//! Ten thousand alerts at once: a daemon that receives, evaluates, groups and tells them.

use std::collections::BTreeMap;
use std::path::Path;

use squirrel_exchange::remote_write::{Version, encode};
use squirrel_exchange::{Metadata, Sample, Series};
use squirrel_model::Labels;
use squirrel_outbound::{Client, Destination, Request, Secret};

use crate::alerts::{Hook, Setup, receiver};
use crate::support::{Daemon, PATIENCE};

const ALERTS: usize = 10_000;
const GROUPS: usize = 20;
/// A daemon that just runs has about 40 MB; what comes beside it are the alerts, their messages and their samples.
const MOST_MEMORY_KB: u64 = 400_000;
const TOKEN: &str = "a-token-of-the-sender-of-a-storm";

const RULE: &str = "groups:\n- name: g\n  rules:\n  - alert: Storm\n    expr: storm > 0\n    \
                    annotations: {summary: '{{ $labels.n }} is {{ $value }}'}\n";

/// All samples in one body, so that one evaluation sees either none or all of them.
fn body() -> Vec<u8> {
    let at = squirrel_sys::clock::wall();
    let series = (0..ALERTS).map(|n| {
        let pairs = [("__name__", "storm".to_owned()), ("n", n.to_string()), ("site", format!("s{}", n % GROUPS))];
        let labels = Labels::new(pairs).expect("labels");
        Series { labels, metadata: Metadata::default(), samples: vec![Sample { at, value: 1.0, start: None }] }
    });
    encode(Version::V1, &series.collect::<Vec<_>>()).expect("it encodes")
}

fn send(daemon: &Daemon) {
    let to = Destination::parse(&format!("http://{}/api/v1/write", daemon.address)).expect("a URL");
    let to = to.with_bearer(&Secret::new(TOKEN)).expect("a token");
    let request = Request::post("application/x-protobuf", body())
        .with_header("Content-Encoding", "snappy")
        .with_header("X-Prometheus-Remote-Write-Version", "0.1.0");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answer = runtime.block_on(Client::new().send(&to, request)).expect("the daemon answers");
    assert!(answer.is_success(), "{}", answer.first_line());
}

fn resident_kb(pid: u32) -> u64 {
    let text = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).expect("it runs");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says so");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

/// A daemon's configuration with one webhook, and its rule.
fn setup(hook: &str, token: &Path) -> Setup {
    std::fs::write(token, TOKEN).expect("written");
    Setup::new(
        &format!(
            "by = [\"alertname\", \"site\"]\nmax_alerts = 1000\n[[notify.webhook]]\nname = \"hook\"\n{hook}\n\
             [[receive]]\nname = \"sender\"\nbearer_token_file = \"{}\"\n",
            token.display()
        ),
        RULE,
    )
}

/// How often each alert was told.
type Told = BTreeMap<String, usize>;

/// Takes one message: a whole group that fires.
fn take(receiver: &Hook, told: &mut Told) {
    let message = receiver.next();
    let alerts = message["alerts"].as_array().expect("a list");
    assert_eq!((message["status"].as_str(), alerts.len()), (Some("firing"), ALERTS / GROUPS));
    for alert in alerts {
        *told.entry(alert["labels"]["n"].as_str().expect("a label").to_owned()).or_default() += 1;
    }
}

/// All of them are known, and nothing is left to be told.
fn wait_until_quiet(daemon: &Daemon) {
    daemon.wait_until("count(ALERTS{alertname=\"Storm\",alertstate=\"firing\"}) or vector(0)", |n| n == ALERTS as f64);
    daemon.wait_until("sum(squirrel_notify_waiting) or vector(0)", |n| n == 0.0);
}

#[test]
fn ten_thousand_alerts_at_once_are_grouped_and_each_is_told_once() {
    let (receiver, folder) = (receiver(), tempfile::tempdir().expect("a folder"));
    let setup = setup(&format!("url = \"http://{}/\"", receiver.address), &folder.path().join("token"));
    let daemon = setup.start();
    send(&daemon);
    let mut told = Told::new();
    (0..GROUPS).for_each(|_| take(&receiver, &mut told));
    assert!(told.len() == ALERTS && told.values().all(|times| *times == 1));
    // The daemon reads on meanwhile, and knows all of them.
    wait_until_quiet(&daemon);
    let resident = resident_kb(daemon.pid());
    assert!(resident < MOST_MEMORY_KB, "{resident} kB");
}

#[test]
fn a_kill_in_the_middle_of_ten_thousand_alerts_loses_none_and_repeats_only_what_was_not_answered() {
    let (receiver, folder) = (receiver(), tempfile::tempdir().expect("a folder"));
    // A few messages a second, so that there is a middle.
    let setup = setup(&format!("url = \"http://{}/\"\nrate = \"2/s\"", receiver.address), &folder.path().join("token"));
    let daemon = setup.start();
    send(&daemon);
    let mut told = Told::new();
    (0..GROUPS / 4).for_each(|_| take(&receiver, &mut told));
    // Until it is on disk who was decided to be told, a kill would have it decided, and told, again.
    let state = setup.path("data/alerts/notifier.json");
    let decided = || std::fs::read_to_string(&state).is_ok_and(|text| text.contains("Storm"));
    assert!(squirrel_testkit::until(PATIENCE, decided), "{} has no alert", state.display());
    daemon.signal("KILL");
    assert!(!daemon.wait().0.success());
    assert!(told.len() < ALERTS, "the kill came when all had been told");

    let daemon = setup.start();
    while told.len() < ALERTS {
        take(&receiver, &mut told);
    }
    wait_until_quiet(&daemon);
    let late = receiver.waiting();
    // The daemon could not know that the message was taken whose answer it had not read, or not written down, yet.
    let again = told.values().filter(|times| **times > 1).count();
    assert!(again + late * ALERTS / GROUPS <= ALERTS / GROUPS, "{again} alerts were told twice, {late} messages more");
}
