//! Rows of the ledgers that eBPF programs keep.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_fuzz::show;

fuzz_target!(|octets: &[u8]| {
    show(&squirrel_wire::ledger::SocketRecord::parse(octets));
    show(&squirrel_wire::ledger::Person::parse(octets));
    show(&squirrel_wire::packets::PacketRecord::parse(1, octets));
});
