//! What a process has used so far, by `/proc` (proc_pid_stat(5), proc_pid_status(5)).

use anyhow::{Context as _, Result};

/// `USER_HZ`: the unit of times in `/proc/PID/stat` on every architecture of Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time of a process with all its threads, in user and kernel mode.
pub(super) fn cpu_seconds(process: u32) -> Result<f64> {
    let path = format!("/proc/{process}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    cpu_of(&text).with_context(|| format!("{path} has another form than proc_pid_stat(5) says"))
}

/// Seconds of processor time of all children of this process that have ended and were waited for.
pub(super) fn children_cpu_seconds() -> Result<f64> {
    let path = "/proc/self/stat";
    let text = std::fs::read_to_string(path).with_context(|| format!("{path} cannot be read"))?;
    children_of(&text).with_context(|| format!("{path} has another form than proc_pid_stat(5) says"))
}

fn children_of(stat: &str) -> Option<f64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let user: f64 = fields.get(13)?.parse().ok()?;
    let system: f64 = fields.get(14)?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn cpu_of(stat: &str) -> Option<f64> {
    // The program's name stands in parentheses and may contain spaces and parentheses.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let user: f64 = fields.get(11)?.parse().ok()?;
    let system: f64 = fields.get(12)?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

/// Resident memory of a process, in millions of octets.
pub(super) fn resident_megabytes(process: u32) -> Result<f64> {
    let path = format!("/proc/{process}/status");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    resident_of(&text).with_context(|| format!("{path} has no VmRSS"))
}

fn resident_of(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_a_hostile_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 5 0 0";
        assert_eq!(cpu_of(stat), Some(3.0));
        assert_eq!(cpu_of("7 (a) S 1"), None);
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 30 70 20 0 1 0 5 0 0";
        assert_eq!(children_of(stat), Some(1.0));
    }

    #[test]
    fn memory_is_told_in_megabytes() {
        assert_eq!(resident_of("VmPeak:\t 9 kB\nVmRSS:\t   10000 kB\n"), Some(10.24));
        assert_eq!(resident_of("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_can_be_asked() {
        assert!(cpu_seconds(std::process::id()).expect("reads") >= 0.0);
        assert!(resident_megabytes(std::process::id()).expect("reads") > 0.1);
    }
}
