//! Times, durations and hosts as a request or a configuration gives them.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("api_parameters", octets));
