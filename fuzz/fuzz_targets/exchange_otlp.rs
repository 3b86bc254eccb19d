//! A request of OTLP metrics, what its families become, and an answer to one.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("exchange_otlp", octets));
