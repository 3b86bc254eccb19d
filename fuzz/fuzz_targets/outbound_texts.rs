//! What servers and configurations say to the door out.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("outbound_texts", octets));
