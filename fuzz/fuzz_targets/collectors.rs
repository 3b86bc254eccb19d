//! All collectors in front of a kernel that answers everything with the same octets.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("collectors", octets));
