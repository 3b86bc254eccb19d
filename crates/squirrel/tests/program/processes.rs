//! Processes as the kernel shows them.

use std::fs::read_to_string;
use std::process::Command;

/// A line of `/proc/PID/status`; none when the process is gone.
pub(crate) fn status(process: u32, key: &str) -> Option<String> {
    line(&read_to_string(format!("/proc/{process}/status")).ok()?, key)
}

fn line(status: &str, key: &str) -> Option<String> {
    status.lines().find_map(|line| line.strip_prefix(key)).map(|rest| rest.trim().to_owned())
}

/// The processes that a process started, from the kernel's own lists.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("/proc is there");
    let processes = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    processes.filter(|process| status(*process, "PPid:").is_some_and(|of| of == parent.to_string())).collect()
}

/// The process of this name among the descendants of another.
pub(crate) fn descendant(of: u32, name: &str) -> Option<u32> {
    let children = children(of);
    let found = children.iter().copied().find(|child| status(*child, "Name:").as_deref() == Some(name));
    found.or_else(|| children.into_iter().find_map(|child| descendant(child, name)))
}

/// A set of capabilities of each thread of a process, by the key that the kernel gives it.
pub(crate) fn capabilities(process: u32, key: &str) -> Vec<u64> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).expect("it lives").filter_map(Result::ok);
    let statuses = threads.filter_map(|thread| read_to_string(thread.path().join("status")).ok());
    statuses.map(|status| u64::from_str_radix(&line(&status, key).expect("a set"), 16).expect("a number")).collect()
}

/// Sends a signal by name.
pub(crate) fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(process.to_string()).status();
    assert!(sent.expect("kill runs").success());
}

/// Waits until a process has gone, or nobody but its parent can tell.
pub(crate) fn has_gone(process: u32) -> bool {
    (0..10_000_000).any(|_| {
        std::thread::yield_now();
        status(process, "State:").is_none_or(|state| state.starts_with('Z'))
    })
}
