//! HTTP/1.1, and WebSocket after it, in both directions, cut somewhere.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("inspect_http", octets));
