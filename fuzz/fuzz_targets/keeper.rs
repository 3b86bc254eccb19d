//! The words between the daemon and the processes that keep privileges.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("keeper", octets));
