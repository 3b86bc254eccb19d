//! The state of a notifier as a file holds it, and conditions on labels.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("notify_restore", octets));
