//! The files in which the kernel counts what protocols did, for the accountant.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("account_counters", octets));
