//! Keys of RSA as files have them.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("rsa_key", octets));
