//! The second process: what it keeps, what the first one has given up, and how they end.

use std::fs::read_to_string;

use squirrel_testkit::{Namespace, skip};

use crate::support::Daemon;

/// The processes that a process started, from the kernel's own lists.
fn children(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("/proc is there");
    let processes = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    processes.filter(|process| status(*process, "PPid:").is_some_and(|of| of == parent.to_string())).collect()
}

/// A line of `/proc/PID/status`; none when the process is gone.
fn status(process: u32, key: &str) -> Option<String> {
    let status = read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(key)).map(|rest| rest.trim().to_owned())
}

/// The keeper of a daemon; none where there is no privilege to keep.
fn keeper(daemon: &Daemon) -> Option<u32> {
    let found = children(daemon.pid());
    assert!(found.len() <= 1, "one process beside the daemon: {found:?}");
    found.first().copied()
}

#[test]
fn the_second_process_keeps_three_capabilities_and_the_first_none() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(dir.path(), &[]);
    let Some(keeper) = keeper(&daemon) else {
        return skip("the_second_process_keeps_three_capabilities_and_the_first_none", "no privilege to keep");
    };
    let command = read_to_string(format!("/proc/{keeper}/cmdline")).unwrap();
    assert!(command.ends_with("\0keeper\0"), "{command:?}");
    // CAP_DAC_READ_SEARCH 2, CAP_SYS_PTRACE 19, CAP_SYS_ADMIN 21.
    let allowed: u64 = 1 << 2 | 1 << 19 | 1 << 21;
    for key in ["CapPrm:", "CapEff:", "CapBnd:", "CapInh:", "CapAmb:"] {
        let held = u64::from_str_radix(&status(keeper, key).unwrap(), 16).unwrap();
        assert_eq!(held & !allowed, 0, "{key} {held:x}");
    }
    assert_eq!(status(keeper, "NoNewPrivs:").unwrap(), "1");
    assert_eq!(status(daemon.pid(), "CapEff:").unwrap(), "0000000000000000");
    // Nothing listens in it: its only way out is the connection to the daemon.
    let sockets = std::fs::read_dir(format!("/proc/{keeper}/fd")).unwrap();
    let sockets = sockets.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let sockets = sockets.filter(|target| target.to_string_lossy().starts_with("socket:")).count();
    assert!(sockets <= 5, "its standard input and a few of netlink, not {sockets}");
}

#[test]
fn it_ends_with_the_daemon_however_that_ends() {
    for signal in ["TERM", "KILL"] {
        let dir = tempfile::tempdir().unwrap();
        let daemon = Daemon::start(dir.path(), &[]);
        let Some(keeper) = keeper(&daemon) else {
            return skip("it_ends_with_the_daemon_however_that_ends", "no privilege to keep");
        };
        daemon.signal(signal);
        daemon.wait();
        let gone = (0..10_000_000).any(|_| {
            std::thread::yield_now();
            // A process that nobody has waited for yet is gone all the same.
            status(keeper, "State:").is_none_or(|state| state.starts_with('Z'))
        });
        assert!(gone, "the keeper {keeper} is still there after {signal}");
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
    let seen = (0..60).any(|_| {
        daemon.next_tick();
        daemon.text("/api/live/interfaces?limit=1000").contains("kept-later")
    });
    assert!(seen, "{}", daemon.text("/api/live/interfaces?limit=1000"));
}

#[test]
fn its_death_is_said_and_the_daemon_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(dir.path(), &[]);
    let Some(keeper) = keeper(&daemon) else {
        return skip("its_death_is_said_and_the_daemon_goes_on", "no privilege to keep");
    };
    let killed = std::process::Command::new("kill").args(["-KILL", &keeper.to_string()]).status().unwrap();
    assert!(killed.success());
    let line = daemon.wait_for("which kept the privileges, ended");
    assert!(line.contains(&keeper.to_string()) && line.contains("signal: 9") && line.contains("restart"), "{line}");
    daemon.next_tick();
    assert!(daemon.text("/api/collectors").contains("which kept the privileges"), "{}", daemon.text("/api/collectors"));
    assert!(status(keeper, "State:").is_none(), "nobody waits for it any more");
    assert_eq!(daemon.number("up"), 1.0);
}
