//! A queueing discipline as rtnetlink tells it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("netlink_qdisc", octets));
