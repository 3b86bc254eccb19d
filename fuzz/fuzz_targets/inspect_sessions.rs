//! MCP over two connections that share sessions, with any headers.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("inspect_sessions", octets));
