//! Both versions of remote write, as they come and behind snappy.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("exchange_remote_write", octets));
