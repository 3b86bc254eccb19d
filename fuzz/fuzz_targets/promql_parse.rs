//! An expression of PromQL: what is understood is printed, and the print means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("promql_parse", octets));
