//! Rows of the ledgers that eBPF programs keep.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("ledger_rows", octets));
