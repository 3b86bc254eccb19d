//! The processes that keep privileges: what each holds, what the first one has given up, and how they end.

use std::fs::read_to_string;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use squirrel_testkit::{Namespace, skip};

use crate::inside::Inside;
use crate::processes::{capabilities, children, descendant, has_gone, signal, status};
use crate::support::Daemon;

/// `CAP_DAC_READ_SEARCH`, `CAP_SYS_PTRACE`, `CAP_SYS_ADMIN`.
const KEPT: u64 = 1 << 2 | 1 << 19 | 1 << 21;
/// These, `CAP_NET_ADMIN`, `CAP_PERFMON` and `CAP_BPF`.
const COUNTS: u64 = KEPT | 1 << 12 | 1 << 38 | 1 << 39;
/// These, and `CAP_SETPCAP`.
const STARTED_WITH: u64 = COUNTS | 1 << 8;

/// The keeper of a daemon; none where there is no privilege to keep.
fn keeper(daemon: &Daemon) -> Option<u32> {
    descendant(daemon.pid(), "squirrel-keeper")
}

/// What each thread of a process holds at most, by the sets that matter.
fn check_holds(process: u32, permitted: u64, effective: u64) {
    for (key, allowed) in [
        ("CapPrm:", permitted),
        ("CapBnd:", permitted),
        ("CapEff:", effective),
        ("CapInh:", permitted),
        ("CapAmb:", permitted),
    ] {
        let held = capabilities(process, key);
        assert!(!held.is_empty() && held.iter().all(|set| set & !allowed == 0), "{key} {held:x?} of {process}");
    }
    assert_eq!(status(process, "NoNewPrivs:").as_deref(), Some("1"), "{process}");
}

#[test]
fn sockets_are_listed_without_a_privilege_and_looked_at_by_a_process_that_ends_with_the_command() {
    let name = "sockets_are_listed_without_a_privilege_and_looked_at_by_a_process_that_ends_with_the_command";
    let arguments = ["sockets", "-p", "--namespaces", "--watch=100ms", "--json-lines"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_squirrel"));
    let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut line = String::new();
    // Open until the end: without a reader the command would end at its next print.
    let mut printed = BufReader::new(child.stdout.take().expect("a pipe"));
    printed.read_line(&mut line).expect("it is read");
    assert!(line.contains("squirrel.sockets/1"), "{line}");
    check_holds(child.id(), 0, 0);
    let looker = descendant(child.id(), "squirrel-looker");
    if let Some(looker) = looker {
        check_holds(looker, KEPT, KEPT);
    }
    child.kill().expect("it lives");
    child.wait().expect("it ends");
    match looker {
        Some(looker) => assert!(has_gone(looker), "the process that looked goes on"),
        None => skip(name, "no privilege to keep"),
    }
}

#[test]
fn each_thread_of_each_process_holds_what_it_needs_and_nothing_else() {
    let name = "each_thread_of_each_process_holds_what_it_needs_and_nothing_else";
    let (dir, beside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = beside.path().join("squirrel.toml");
    std::fs::write(&config, "[accounting]\nlevel = \"packets\"\n").unwrap();
    let mut daemon = Daemon::start(dir.path(), &["--config", config.to_str().unwrap()]);
    let Some(keeper) = keeper(&daemon) else { return skip(name, "no privilege to keep") };
    // By then the process that counts them has its name, and has given up what it does not need.
    daemon.wait_for("accounting by packets");
    let starter = descendant(daemon.pid(), "squirrel-start").expect("it started the keeper");
    let frames = descendant(daemon.pid(), "squirrel-frames").expect("packets are counted");
    assert_eq!((children(daemon.pid()), children(starter).len()), (vec![starter], 2));
    check_holds(daemon.pid(), 0, 0);
    // What the starter holds is in force in none of its threads.
    check_holds(starter, STARTED_WITH, 0);
    check_holds(keeper, KEPT, KEPT);
    check_holds(frames, COUNTS, COUNTS);
    for (process, called) in [(starter, "squirrel-start"), (keeper, "squirrel-keeper"), (frames, "squirrel-frames")] {
        let command = read_to_string(format!("/proc/{process}/cmdline")).unwrap();
        assert!(command.starts_with(&format!("{called}\0keeper\0")), "{command:?}");
        // Nothing listens in them: their only way out are the connections to each other.
        let sockets = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap();
        let sockets = sockets.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        let sockets = sockets.filter(|target| target.to_string_lossy().starts_with("socket:")).count();
        assert!(sockets <= 5, "its standard input and a few of netlink, not {sockets}");
    }
}

#[test]
fn a_measurement_by_hand_has_no_privilege_either() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_squirrel"));
    command.args(["top", "--for", "10m", "--json", "--no-daemon"]);
    let measuring = Inside::spawn(command);
    measuring.wait_for("measuring for 600 s");
    check_holds(measuring.pid(), 0, 0);
    let keeper = descendant(measuring.pid(), "squirrel-keeper");
    let (_, text) = measuring.interrupt();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let Some(keeper) = keeper else {
        return skip("a_measurement_by_hand_has_no_privilege_either", "no privilege to keep");
    };
    assert!(has_gone(keeper), "the keeper {keeper} is still there");
    let missing = document["level"]["missing"].to_string();
    assert!(!missing.contains("descriptors of"), "every process is seen by way of the keeper: {missing}");
}

#[test]
fn they_end_with_the_daemon_however_that_ends() {
    for how in ["TERM", "KILL"] {
        let dir = tempfile::tempdir().unwrap();
        let daemon = Daemon::start(dir.path(), &[]);
        let Some(keeper) = keeper(&daemon) else {
            return skip("they_end_with_the_daemon_however_that_ends", "no privilege to keep");
        };
        let starter = descendant(daemon.pid(), "squirrel-start").unwrap();
        daemon.signal(how);
        daemon.wait();
        for process in [keeper, starter] {
            assert!(has_gone(process), "the process {process} is still there after {how}");
        }
    }
}

#[test]
fn a_network_namespace_that_comes_later_is_seen_by_a_daemon_without_privileges() {
    let name = "a_network_namespace_that_comes_later_is_seen_by_a_daemon_without_privileges";
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(dir.path(), &[]);
    if keeper(&daemon).is_none() {
        return skip(name, "no privilege to keep");
    }
    let namespace = match Namespace::create("later") {
        Ok(namespace) => namespace,
        Err(reason) => return skip(name, &reason),
    };
    namespace.ip(&["link", "add", "kept-later", "type", "veth", "peer", "name", "kept-other"]).unwrap();
    let seen = (0..100).any(|_| {
        daemon.next_tick();
        daemon.text("/api/live/interfaces?limit=1000").contains("kept-later")
    });
    assert!(seen, "{}", daemon.text("/api/live/interfaces?limit=1000"));
}

#[test]
fn a_keeper_that_dies_is_started_again_and_the_gap_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(dir.path(), &[]);
    let Some(first) = keeper(&daemon) else {
        return skip("a_keeper_that_dies_is_started_again_and_the_gap_is_told", "no privilege to keep");
    };
    daemon.wait_until("squirrel_keeper_up", |up| up == 1.0);
    assert_eq!(daemon.number("squirrel_keeper_restarts_total"), 0.0);
    signal(first, "KILL");
    let line = daemon.wait_for("the keeper died");
    assert!(line.contains("signal: 9") && line.contains("UDP is not counted"), "{line}");
    daemon.wait_for("started again and answers");
    assert!(status(first, "State:").is_none(), "somebody has waited for it");
    let next = keeper(&daemon).expect("a new one");
    assert!(next != first);
    check_holds(next, KEPT, KEPT);
    daemon.wait_until("squirrel_keeper_restarts_total", |restarts| restarts == 1.0);
    daemon.wait_until("squirrel_keeper_up", |up| up == 1.0);
    // A tick is in the store a moment before it is shown.
    daemon.next_tick();
    assert!(daemon.text("/api/collectors").contains("the keeper did not answer for"), "the gap is shown");
    // The new ledger is read, and the accounting is as good as before.
    let missing = || {
        let top: serde_json::Value = serde_json::from_str(&daemon.text("/api/live/top")).unwrap();
        top["level"]["missing"].to_string()
    };
    let is_whole = (0..100).any(|_| {
        daemon.next_tick();
        !missing().contains("ask the keeper")
    });
    assert!(is_whole, "{}", missing());
    assert_eq!(daemon.number("up"), 1.0);
}

#[test]
fn a_keeper_that_hangs_holds_nobody_for_long_and_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(dir.path(), &[]);
    let Some(first) = keeper(&daemon) else {
        return skip("a_keeper_that_hangs_holds_nobody_for_long_and_is_replaced", "no privilege to keep");
    };
    // A machine that is busy may have let it be late before.
    daemon.wait_until("squirrel_keeper_up", |up| up == 1.0);
    let well = daemon.number("squirrel_keeper_timeouts_total");
    signal(first, "STOP");
    daemon.wait_until("squirrel_keeper_up", |up| up == 0.0);
    // One question waited, a second at most, and none after it. The count is told when nobody asks at that moment.
    daemon.wait_until("squirrel_keeper_timeouts_total", |timeouts| timeouts > well);
    let before = daemon.number("squirrel_keeper_timeouts_total");
    // It is replaced after 15 s, and then no longer told of so.
    let mut told = (String::new(), String::new());
    let is_told = (0..100).any(|_| {
        told = (daemon.text("/api/collectors"), daemon.text("/api/verdict"));
        let is_told = told.0.contains("the keeper has not answered for") && told.1.contains("The keeper");
        if !is_told {
            daemon.next_tick();
        }
        is_told
    });
    assert!(is_told, "{told:?}");
    for _ in 0..5 {
        daemon.next_tick();
        assert!(daemon.text("/api/live/processes").contains("\"processes\""), "{}", daemon.text("/api/live/processes"));
    }
    assert!((1.0..=2.0).contains(&(before - well)), "{well} {before}");
    assert!(daemon.number("squirrel_keeper_timeouts_total") <= before + 1.0);
    daemon.wait_for("the keeper did not answer for 15 s");
    daemon.wait_for("started again and answers");
    assert!(has_gone(first) && keeper(&daemon).is_some_and(|next| next != first));
}

#[test]
fn without_the_starter_the_keeper_goes_on_and_its_death_asks_for_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(dir.path(), &[]);
    let Some(keeper) = keeper(&daemon) else {
        return skip("without_the_starter_the_keeper_goes_on_and_its_death_asks_for_a_restart", "no privilege to keep");
    };
    assert_eq!(daemon.number("squirrel_starter_up"), 1.0);
    signal(descendant(daemon.pid(), "squirrel-start").unwrap(), "KILL");
    let line = daemon.wait_for("the process that starts the keeper has ended");
    assert!(line.contains("restart squirrel"), "it is said at once, and what helps: {line}");
    daemon.wait_until("squirrel_starter_up", |up| up == 0.0);
    // A tick is in the store a moment before it is shown.
    let found = (0..100).find_map(|_| {
        daemon.next_tick();
        let verdict: serde_json::Value = serde_json::from_str(&daemon.text("/api/verdict")).unwrap();
        verdict["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "starter").cloned()
    });
    let found = found.unwrap_or_else(|| panic!("{}", daemon.text("/api/verdict")));
    assert!(found["check_first"].to_string().contains("Restart squirrel"), "{found}");
    assert!(daemon.text("/api/collectors").contains("the process that starts the keeper has ended"));
    // It does not need the one that started it.
    daemon.wait_until("squirrel_keeper_up", |up| up == 1.0);
    signal(keeper, "KILL");
    let line = daemon.wait_for("the keeper died");
    assert!(line.contains("restart squirrel"), "{line}");
    daemon.wait_until("squirrel_keeper_up", |up| up == 0.0);
}
