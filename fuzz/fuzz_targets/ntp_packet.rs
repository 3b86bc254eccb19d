//! A packet of NTP as time servers answer.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("ntp_packet", octets));
