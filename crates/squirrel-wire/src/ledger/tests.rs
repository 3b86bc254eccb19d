//! Rows of the ledger, read back as they are written inside the kernel.

use super::*;
use crate::testing::truncated_everywhere;
use proptest::prelude::*;
use std::vec::Vec;

/// Where the fields lie, as `record.h` says.
mod at {
    pub(super) const TRANSMITTED: usize = 8;
    pub(super) const CALLS: usize = 32;
    pub(super) const TGID: usize = 40;
    pub(super) const FLAGS: usize = 44;
    pub(super) const RECEIVED: usize = 88;
    pub(super) const SEGMENTS_IN: usize = 100;
    pub(super) const NAMESPACE: usize = 104;
    pub(super) const PATH_OF: usize = 112;
    pub(super) const LOCAL_PORT: usize = 120;
    pub(super) const PROTOCOL: usize = 124;
    pub(super) const FAMILY: usize = 126;
    pub(super) const TYPE: usize = 127;
    pub(super) const LOCAL: usize = 128;
    pub(super) const REMOTE: usize = 144;
    pub(super) const COMM: usize = 160;
}

fn row(family: u8, flags: u32, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut octets: Vec<u8> = (0..RECORD_LEN).map(|_| 0).collect();
    let mut put = |offset: usize, value: &[u8]| octets[offset..offset + value.len()].copy_from_slice(value);
    put(at::FAMILY, &[family]);
    put(at::FLAGS, &flags.to_ne_bytes());
    for (offset, value) in fields {
        put(*offset, value);
    }
    octets
}

#[test]
fn each_field_is_read_where_the_program_writes_it() {
    let octets = row(
        AF_INET,
        flag::HAS_TCP | flag::FIN | flag::SHARED,
        &[
            (0, &7_u64.to_ne_bytes()),
            (at::TRANSMITTED, &10_u64.to_ne_bytes()),
            (at::CALLS, &4_u64.to_ne_bytes()),
            (at::RECEIVED, &101_u64.to_ne_bytes()),
            (at::SEGMENTS_IN, &9_u32.to_ne_bytes()),
            (at::NAMESPACE, &4_026_531_840_u32.to_ne_bytes()),
            (at::TGID, &42_u32.to_ne_bytes()),
            (at::LOCAL_PORT, &[0x1F, 0x90, 0, 53]),
            (at::LOCAL, &[127, 0, 0, 1]),
            (at::COMM, b"sshd"),
            (at::PROTOCOL, &[6, 1]),
        ],
    );
    let record = SocketRecord::parse(&octets).unwrap();
    assert_eq!((record.cookie, record.transmit_bytes, record.receive_calls), (7, 10, 4));
    assert_eq!((record.namespace, record.tgid, &record.comm[..5]), (4_026_531_840, 42, b"sshd\0".as_slice()));
    assert_eq!((record.local_port, record.remote_port), (8080, 53));
    assert_eq!((record.local, record.protocol, record.state), (Ipv4Addr::LOCALHOST.into(), 6, 1));
    assert_eq!((record.shared, record.inherited, record.older, record.further), (true, false, false, false));
    let tcp = record.tcp.unwrap();
    assert_eq!((tcp.received_payload(), tcp.segments_in), (100, 9));
    assert_eq!(TcpCounters { bytes_sent: 9, bytes_retransmitted: 2, ..tcp }.transmitted_payload(), 7);
}

#[test]
fn the_kind_is_told_by_family_type_and_protocol() {
    let cases = [
        (AF_INET, 1, 6, 0, SocketKind::Tcp),
        (AF_INET6, 1, 6, flag::MULTIPATH, SocketKind::Multipath),
        (AF_INET, 2, 17, 0, SocketKind::Udp),
        (AF_INET6, 2, 136, 0, SocketKind::Udp),
        (AF_INET, 2, 1, 0, SocketKind::Ping),
        (AF_INET6, 2, 58, 0, SocketKind::Ping),
        // A raw socket may ask for the protocol of another kind.
        (AF_INET, SOCK_RAW, 6, 0, SocketKind::Raw),
        (AF_INET, SOCK_RAW, 1, 0, SocketKind::Raw),
        (AF_PACKET, SOCK_RAW, 0, 0, SocketKind::Packet),
        (AF_PACKET, 2, 0, 0, SocketKind::Packet),
        (AF_INET, 5, 132, 0, SocketKind::Other),
    ];
    for (family, kind, protocol, flags, expected) in cases {
        let fields: [(usize, &[u8]); 3] =
            [(at::PROTOCOL, &[protocol]), (at::TYPE, &[kind]), (at::PATH_OF, &9_u64.to_ne_bytes())];
        let record = SocketRecord::parse(&row(family, flags, &fields)).unwrap();
        assert_eq!((record.kind, record.path_of), (expected, Some(9)), "{family} {kind} {protocol}");
    }
}

#[test]
fn a_note_of_a_process_ends_where_it_says() {
    let mut octets = [0; PERSON_LEN];
    octets[..8].copy_from_slice(&77_u64.to_ne_bytes());
    octets[8..12].copy_from_slice(&12_u32.to_ne_bytes());
    octets[12..16].copy_from_slice(&7_u32.to_ne_bytes());
    octets[16..26].copy_from_slice(b"ls\0-la\0old");
    let person = Person::parse(&octets).unwrap();
    assert_eq!((person.started_ns, person.parent, person.command), (77, 12, b"ls\0-la\0".as_slice()));
    octets[12..16].copy_from_slice(&(PERSON_LEN as u32 - 15).to_ne_bytes());
    assert!(Person::parse(&octets).is_err(), "beyond the end");
    octets[12..16].fill(0);
    assert!(Person::parse(&octets[..15]).is_err(), "cut");
}

#[test]
fn an_ipv4_address_in_an_ipv6_socket_is_ipv4() {
    let mapped = Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped().octets();
    let record = SocketRecord::parse(&row(AF_INET6, 0, &[(at::LOCAL, &mapped), (at::REMOTE, &[0; 16])])).unwrap();
    assert_eq!(record.local, Ipv4Addr::new(192, 0, 2, 1));
    assert_eq!((record.remote, record.tcp), (Ipv6Addr::UNSPECIFIED.into(), None));
    assert_eq!(SocketRecord::parse(&row(1, 0, &[])).unwrap_err().offset, at::FAMILY);
}

#[test]
fn a_row_cut_anywhere_is_refused() {
    assert_eq!(truncated_everywhere(&row(AF_INET, 0, &[]), SocketRecord::parse), 0);
}

proptest! {
    #[test]
    fn any_octets_are_survived(octets in prop::collection::vec(any::<u8>(), 0..400), family in 0_u8..16) {
        prop_assert!(SocketRecord::parse(&octets).is_err() || octets.len() >= RECORD_LEN);
        let mut octets = octets;
        octets.resize(RECORD_LEN, 0);
        octets[at::FAMILY] = family;
        prop_assert_eq!(SocketRecord::parse(&octets).is_ok(), [AF_INET, AF_INET6].contains(&family));
        prop_assert!(Person::parse(&octets).is_err());
    }
}
