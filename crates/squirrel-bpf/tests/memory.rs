//! What stays in memory once the ledger is open. Alone in its process: other tests would move the figures.
#![forbid(unsafe_code)]

use squirrel_bpf::{Ledger, Options};
use squirrel_sys::memory::resident_bytes;
use squirrel_testkit::skip;

/// Beside the ring: the buffers, and the code that was run once.
const ALLOWANCE: u64 = 6 << 20;

#[test]
fn the_kernels_type_information_does_not_stay_in_memory() {
    if !cfg!(target_env = "gnu") {
        return skip("the_kernels_type_information_does_not_stay_in_memory", "this C library has no malloc_trim");
    }
    let options = Options::default();
    let before = resident_bytes().expect("/proc");
    let ledger = match Ledger::open(&options) {
        Ok(ledger) => ledger,
        Err(error) => return skip("the_kernels_type_information_does_not_stay_in_memory", &error.to_string()),
    };
    let after = resident_bytes().expect("/proc");
    // The ring is mapped twice.
    let limit = before + 2 * u64::from(options.ring_bytes) + ALLOWANCE;
    assert!(after < limit, "{before} before, {after} after, with {ledger:?}");
}
