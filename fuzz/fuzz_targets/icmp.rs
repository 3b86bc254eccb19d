//! Messages of ICMP, what they quote and what was added to them.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("icmp", octets));
