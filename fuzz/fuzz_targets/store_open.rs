//! A store's folder in which one file was damaged: it opens, or says why not, and what is left is read.
//!
//! The first octet chooses the file, the next two a place in it; the rest is written there.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("store_open", octets));
