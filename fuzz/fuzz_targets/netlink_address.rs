//! An address of an interface as rtnetlink tells it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_fuzz::show;

fuzz_target!(|octets: &[u8]| show(&squirrel_wire::address::Address::parse(octets)));
