//! Files of bodies of remote write.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("remote_bodies", octets));
