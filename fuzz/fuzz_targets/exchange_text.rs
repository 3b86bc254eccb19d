//! A page that a scrape brings, in both formats.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("exchange_text", octets));
