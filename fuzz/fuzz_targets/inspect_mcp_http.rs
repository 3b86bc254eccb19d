//! MCP over streamable HTTP, in both directions, cut somewhere.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("inspect_mcp_http", octets));
