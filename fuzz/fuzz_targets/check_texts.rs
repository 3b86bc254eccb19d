//! What plugins of Nagios say in their first line.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("check_texts", octets));
