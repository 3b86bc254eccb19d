//! A chunk of the store: its head, and its samples.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("store_codec", octets));
