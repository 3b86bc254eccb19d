//! What hosts on the way answer by ICMP, with what they quote and add.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("icmp", octets));
