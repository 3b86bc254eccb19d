//! A received netlink datagram: its messages, and their payloads as attributes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_fuzz::show;
use squirrel_wire::netlink::{Attributes, Messages};

fuzz_target!(|octets: &[u8]| {
    for message in Messages::new(octets).flatten() {
        show(&(&message, message.errno(), Attributes::new(message.payload).collect::<Vec<_>>()));
    }
});
