//! A filter of rows, in Squirrel's grammar and in that of ss: understood, or refused at a place in the text.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("filter", octets));
