//! Memory that queries used is given back. Alone in its process: other tests would move the figures.

use squirrel_sys::memory::{Trimmer, resident_bytes};

#[test]
fn a_peak_of_memory_is_given_back() {
    if !cfg!(target_env = "gnu") {
        squirrel_testkit::skip("a_peak_of_memory_is_given_back", "this C library has no malloc_trim");
        return;
    }
    let mut trimmer = Trimmer::start();
    let before = resident_bytes().expect("/proc");
    // Blocks of a kilobyte come from the heap; the last one pins its end.
    let mut blocks: Vec<Box<[u8]>> = (0..64 * 1024).map(|_| vec![1_u8; 1024].into_boxed_slice()).collect();
    let pin = blocks.pop();
    let peak = resident_bytes().expect("/proc");
    assert!(peak > before + (60 << 20), "{before} {peak}");
    drop(blocks);
    assert!(trimmer.run());
    let after = resident_bytes().expect("/proc");
    assert!(after < before + (16 << 20), "{before} {peak} {after}");
    assert!(!trimmer.run(), "nothing came since");
    drop(pin);
}
