//! How much memory this program holds, and giving back what it no longer needs.
//!
//! Source: `mallopt(3)`, `malloc_trim(3)`, `proc_pid_statm(5)`.

use crate::linux::raw;

/// Growth since the last look from which on it is worth to walk the heap.
const WORTH_A_WALK: u64 = 16 << 20;

/// Gives memory back after a peak. A query may need some hundred megabytes for a second; a program
/// that is to cost little must not keep them for a year.
#[derive(Debug)]
pub struct Trimmer {
    settled: u64,
}

impl Trimmer {
    /// Sets the heap up so that memory can be given back. To be called once, before threads start.
    pub fn start() -> Self {
        raw::keep_heap_small();
        Self { settled: resident_bytes().unwrap_or(0) }
    }

    /// Gives free memory back if much came since the last time. Answers whether it did.
    pub fn run(&mut self) -> bool {
        let Some(now) = resident_bytes() else { return false };
        if now < self.settled.saturating_add(WORTH_A_WALK) {
            return false;
        }
        raw::trim_heap();
        self.settled = resident_bytes().unwrap_or(now);
        true
    }
}

/// Gives all free memory back at once: for after something large that is done once, such as reading the kernel's
/// type information.
pub fn release_free() {
    raw::trim_heap();
}

/// Memory of this program that is in RAM, in bytes. `None` when `/proc` does not tell.
pub fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
