//! An expression of PromQL, evaluated over a few series.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("promql_evaluate", octets));
