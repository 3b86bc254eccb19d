//! JSON-RPC, one message in a line, in both directions, cut somewhere.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("inspect_jsonrpc", octets));
