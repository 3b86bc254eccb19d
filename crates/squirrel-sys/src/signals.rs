//! What a signal does before the program listens to it.

use crate::linux::raw;

/// From now on `SIGHUP` does nothing, until something is set to listen to it.
///
/// By default it ends a program. One that takes it as "read the configuration again" must not end
/// because it was told so while it was still opening its files.
pub fn ignore_hangup() {
    raw::ignore_hangup();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hangup_is_ignored_afterwards() {
        ignore_hangup();
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
        let ignored = u64::from_str_radix(ignored.trim(), 16).unwrap();
        assert_eq!(ignored & 1, 1, "SIGHUP is signal 1: {ignored:x}");
    }
}
