//! What a signal does before the program listens to it.

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

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(number: i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
        u64::from_str_radix(ignored.trim(), 16).unwrap() & (1 << (number - 1)) != 0
    }

    #[test]
    fn what_is_ignored_does_nothing_afterwards() {
        ignore_hangup();
        assert!(ignored(1) && !ignored(15), "SIGHUP is signal 1");
        ignore_stops();
        assert!([1, 2, 15].into_iter().all(ignored));
    }
}
