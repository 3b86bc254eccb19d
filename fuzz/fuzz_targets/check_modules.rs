//! A file of modules for service checks.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("check_modules", octets));
