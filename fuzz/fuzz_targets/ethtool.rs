//! The answers of a driver to ethtool requests.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("ethtool", octets));
