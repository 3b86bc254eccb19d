//! Paths of fields, and messages in which they are looked for, cut somewhere.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("inspect_fields", octets));
