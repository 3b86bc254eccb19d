//! A received netlink datagram: its messages, and their payloads as attributes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| squirrel_fuzzing::run("netlink_messages", octets));
