//! A rule file, and a file of unit tests of rules.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("alert_rules", octets));
