//! A socket as sock_diag tells it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use squirrel_fuzz::show;

fuzz_target!(|octets: &[u8]| show(&squirrel_wire::sock_diag::InetSocket::parse(octets)));
