//! Ten thousand alerts at once: a daemon that receives, evaluates, groups and tells them.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex};

use serde_json::Value;
use squirrel_exchange::remote_write::{Version, encode};
use squirrel_exchange::{Metadata, Sample, Series};
use squirrel_model::Labels;
use squirrel_outbound::{Client, Destination, Request, Secret};
use squirrel_testkit::until;

use crate::alerts::{Setup, accept, page, receiver, request};
use crate::support::{Daemon, PATIENCE};

const ALERTS: usize = 10_000;
/// A daemon that just runs has about 40 MB; what comes beside it are the alerts, their messages and their samples.
const MOST_MEMORY_KB: u64 = 400_000;
const TOKEN: &str = "a-token-of-the-sender-of-a-storm";

const RULE: &str = "groups:\n- name: g\n  rules:\n  - alert: Storm\n    expr: storm > 0\n    \
                    annotations: {summary: '{{ $labels.n }} is {{ $value }}'}\n";

/// All samples in one body, so that one evaluation sees either none or all of them.
fn body(groups: usize) -> Vec<u8> {
    let at = squirrel_sys::clock::wall();
    let series = (0..ALERTS).map(|n| {
        let pairs = [("__name__", "storm".to_owned()), ("n", n.to_string()), ("site", format!("s{}", n % groups))];
        let labels = Labels::new(pairs).expect("labels");
        Series { labels, metadata: Metadata::default(), samples: vec![Sample { at, value: 1.0, start: None }] }
    });
    encode(Version::V1, &series.collect::<Vec<_>>()).expect("it encodes")
}

fn send(daemon: &Daemon, groups: usize) {
    let to = Destination::parse(&format!("http://{}/api/v1/write", daemon.address)).expect("a URL");
    let to = to.with_bearer(&Secret::new(TOKEN)).expect("a token");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let request = Request::post("application/x-protobuf", body(groups))
        .with_header("Content-Encoding", "snappy")
        .with_header("X-Prometheus-Remote-Write-Version", "0.1.0");
    let answer = runtime.block_on(Client::new().send(&to, request)).expect("the daemon answers");
    assert!(answer.is_success(), "{}", answer.first_line());
}

fn resident_kb(pid: u32) -> u64 {
    let text = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).expect("it runs");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says so");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

/// A daemon's configuration that takes a storm and tells one receiver.
fn setup(folder: &Path, address: &str) -> Setup {
    let token = folder.join("token");
    std::fs::write(&token, TOKEN).expect("written");
    Setup::new(
        &format!(
            "by = [\"alertname\", \"site\"]\nmax_alerts = 1000\n\
             [[notify.webhook]]\nname = \"hook\"\nurl = \"http://{address}/\"\nrate = \"1000/s\"\n\
             [[receive]]\nname = \"sender\"\nbearer_token_file = \"{}\"\n",
            token.display()
        ),
        RULE,
    )
}

/// The alerts of a message, by the label that tells them apart.
fn names(message: &Value) -> Vec<String> {
    let alerts = message["alerts"].as_array().expect("a list");
    alerts.iter().map(|alert| alert["labels"]["n"].as_str().expect("a label").to_owned()).collect()
}

/// What a daemon says of its readings: how many were missed, and the longest in seconds.
fn readings(daemon: &Daemon) -> (f64, f64) {
    let longest = daemon.number("max_over_time(squirrel_tick_duration_seconds[10m])");
    (daemon.number("squirrel_ticks_missed_total"), longest)
}

#[test]
fn ten_thousand_alerts_at_once_are_grouped_and_each_is_told_once() {
    const GROUPS: usize = 10;
    let receiver = receiver();
    let folder = tempfile::tempdir().expect("a folder");
    let setup = setup(folder.path(), &receiver.address);
    let daemon = setup.start();
    // What the machine does to a daemon that has no storm.
    let calm = Daemon::start(&folder.path().join("calm"), &[]);
    let began = squirrel_sys::clock::wall().seconds();
    send(&daemon, GROUPS);
    let mut told = BTreeMap::<String, usize>::new();
    for _ in 0..GROUPS {
        let message = receiver.next();
        assert_eq!((message["status"].as_str(), names(&message).len()), (Some("firing"), ALERTS / GROUPS));
        for name in names(&message) {
            *told.entry(name).or_default() += 1;
        }
    }
    assert_eq!(told.len(), ALERTS);
    assert!(told.values().all(|times| *times == 1));
    // The daemon reads on meanwhile, and knows all of them.
    daemon.wait_until("count(ALERTS{alertname=\"Storm\",alertstate=\"firing\"}) or vector(0)", |n| n == ALERTS as f64);
    let storm = squirrel_sys::clock::wall().seconds() - began;
    (0..10).for_each(|_| daemon.next_tick());
    let resident = resident_kb(daemon.pid());
    assert!(resident < MOST_MEMORY_KB, "{resident} kB");
    let ((missed, longest), (usual_missed, usual_longest)) = (readings(&daemon), readings(&calm));
    // A machine that is busy takes longer for both: what counts is that no reading waits for all of the storm.
    let more = 2.0 + storm / 2.0;
    assert!(missed <= usual_missed + more, "{missed} readings of {storm} s were missed, else {usual_missed}");
    assert!(longest <= usual_longest + more, "a reading took {longest} of {storm} s, else {usual_longest} s");
}

/// A receiver that answers so many messages and lets the others wait.
struct Gate {
    address: String,
    messages: Receiver<(Value, bool)>,
    answers: Arc<(Mutex<usize>, Condvar)>,
}

impl Gate {
    fn new(answers: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (send, messages) = sync_channel(10_000);
        let answers = Arc::new((Mutex::new(answers), Condvar::new()));
        let gate = Arc::clone(&answers);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (send, gate) = (send.clone(), Arc::clone(&gate));
                std::thread::spawn(move || {
                    while let Some((_, message)) = request(&stream) {
                        let mut left = gate.0.lock().expect("no panic");
                        let is_answered = *left > 0;
                        if send.send((message, is_answered)).is_err() {
                            return;
                        }
                        while *left == 0 {
                            left = gate.1.wait(left).expect("no panic");
                        }
                        *left -= 1;
                        drop(left);
                        if !is_answered || accept(&stream).is_none() {
                            // Who asked is gone.
                            return;
                        }
                    }
                });
            }
        });
        Self { address, messages, answers }
    }

    fn next(&self) -> (Value, bool) {
        self.messages.recv_timeout(PATIENCE).expect("a message in time")
    }

    /// Answers everything from now on.
    fn open(&self) {
        *self.answers.0.lock().expect("no panic") = 1_000_000;
        self.answers.1.notify_all();
    }
}

#[test]
fn a_daemon_that_is_killed_amid_a_storm_loses_nothing_and_tells_again_only_what_was_not_answered() {
    const GROUPS: usize = 100;
    const ANSWERED: usize = 30;
    let gate = Gate::new(ANSWERED);
    let folder = tempfile::tempdir().expect("a folder");
    let setup = setup(folder.path(), &gate.address);
    let daemon = setup.start();
    send(&daemon, GROUPS);
    let (mut answered, mut open) = (Vec::new(), Vec::new());
    while answered.len() < ANSWERED || open.is_empty() {
        let (message, is_answered) = gate.next();
        if is_answered { answered.push(message) } else { open.push(message) }
    }
    // What the queue shows as delivered is on disk.
    let delivered = || {
        let page = page(&daemon);
        page["deliveries"].as_array().expect("a list").iter().filter(|one| one["state"] == "delivered").count()
    };
    assert!(until(PATIENCE, || delivered() == ANSWERED), "{} of {ANSWERED}", delivered());
    daemon.signal("KILL");
    daemon.wait();
    while let Ok((message, _)) = gate.messages.try_recv() {
        open.push(message);
    }
    gate.open();
    let daemon = setup.start();
    let mut told = BTreeMap::<String, usize>::new();
    answered.iter().flat_map(names).for_each(|name| *told.entry(name).or_default() += 1);
    while told.len() < ALERTS {
        let (message, _) = gate.next();
        assert_eq!(message["status"], "firing");
        for name in names(&message) {
            *told.entry(name).or_default() += 1;
        }
    }
    let waiting = || page(&daemon)["channels"][0]["waiting"].as_u64();
    assert!(until(PATIENCE, || waiting() == Some(0)), "{:?}", waiting());
    assert!(gate.messages.try_recv().is_err(), "nothing is told again");
    let twice: Vec<_> = told.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "told twice although it was answered: {twice:?}");
}
