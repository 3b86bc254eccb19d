//! What a signal does before the program listens to it, and signals to others.

use std::io;

use crate::linux::raw;

/// From now on `SIGHUP` does nothing, until something is set to listen to it.
///
/// By default it ends a program. One that takes it as "read the configuration again" must not end
/// because it was told so while it was still opening its files.
pub fn ignore_hangup() {
    raw::ignore_signal(libc::SIGHUP);
}

/// From now on `SIGINT`, `SIGTERM` and `SIGHUP` do nothing: for a process that serves another and ends with it.
/// A terminal's interrupt and a service manager's stop reach both, and the served one needs it to the last.
pub fn ignore_stops() {
    for number in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        raw::ignore_signal(number);
    }
}

/// The signals that this process ignores: bit 0 for signal 1. None when `/proc` does not tell.
pub fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Whether this process is in the foreground of its terminal, whose Ctrl-C then reaches it and its children
/// alike.
pub fn is_foreground() -> bool {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // proc_pid_stat(5): after the name, which may hold anything, come state, parent, group, session, terminal
    // and the terminal's foreground group.
    let mut fields = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().skip(2);
    let (group, foreground) = (fields.next(), fields.nth(2));
    group.is_some() && group == foreground
}

/// Sends a signal to one process.
///
/// # Errors
/// When there is no such process, or it is another user's.
pub fn send(process: u32, signal: i32) -> io::Result<()> {
    // Zero and negative numbers mean groups.
    let process = i32::try_from(process).ok().filter(|process| *process > 0);
    raw::kill(process.ok_or(io::ErrorKind::InvalidInput)?, signal)
}

/// Sends a signal to all processes of a group, which is called by its leader's number.
///
/// # Errors
/// When there is no such group, or it is another user's.
pub fn send_to_group(leader: u32, signal: i32) -> io::Result<()> {
    // kill(2): 0 would be the caller's own group, and -1 everybody.
    let leader = i32::try_from(leader).ok().filter(|leader| *leader > 1);
    raw::kill(-leader.ok_or(io::ErrorKind::InvalidInput)?, signal)
}

/// Ends this process by a signal, as if nobody had ever listened to it, and without a core dump. Returns when
/// the signal is one that ends nothing.
pub fn end_by(signal: i32) {
    // Whose core it would be is of no use to anybody: it is not the program that failed.
    let _ = raw::prctl(raw::Prctl::NotDumpable);
    raw::default_action(signal);
    let _ = send(std::process::id(), signal);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_does_nothing_afterwards() {
        let ignores = |number: i32| ignored() & (1 << (number - 1)) != 0;
        ignore_hangup();
        assert!(ignores(1) && !ignores(15), "SIGHUP is signal 1");
        ignore_stops();
        assert!([1, 2, 15].into_iter().all(ignores));
    }
}
