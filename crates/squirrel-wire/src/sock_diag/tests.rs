//! Sockets read, cut short, and of other kernels.

use super::*;
use crate::testing::{attribute, truncated_everywhere};
use proptest::prelude::*;
use std::vec::Vec;

fn inet_diag_msg(family: u8) -> Vec<u8> {
    let mut octets = [family, 1, 2, 3].to_vec();
    octets.extend(22u16.to_be_bytes());
    octets.extend(54_321u16.to_be_bytes());
    octets.extend([127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    octets.extend([192, 0, 2, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    for number in [3u32, 0x1111_1111, 0x2222_2222, 1500, 10, 20, 1000, 4242] {
        octets.extend(number.to_ne_bytes());
    }
    octets
}

/// A `tcp_info` in which each field holds its own offset.
fn tcp_info(len: usize) -> Vec<u8> {
    let mut octets = std::vec![0u8; len];
    for (_, offset, width) in tcp_info::LAYOUT {
        if let Some(place) = octets.get_mut(*offset..offset + width) {
            let value = (*offset as u64).to_le_bytes();
            let mut value = value[..*width].to_vec();
            if cfg!(target_endian = "big") {
                value.reverse();
            }
            place.copy_from_slice(&value);
        }
    }
    octets
}

#[test]
fn a_request_about_one_socket_has_its_identity_where_the_answer_had_it() {
    for family in [AF_INET, AF_INET6] {
        let message = inet_diag_msg(family);
        let socket = InetSocket::parse(&message).unwrap();
        let request = socket.request(IPPROTO_TCP);
        assert_eq!(request[..2], [family, IPPROTO_TCP]);
        let mut identity = message[4..52].to_vec();
        if family == AF_INET {
            // Of an IPv4 address the last twelve octets mean nothing.
            identity[8..20].fill(0);
            identity[24..36].fill(0);
        }
        assert_eq!(request[8..], identity);
    }
}

fn a_socket() -> Vec<u8> {
    let memory: Vec<u8> = (0..9u32).flat_map(|n| (n + 50).to_ne_bytes()).collect();
    [
        inet_diag_msg(AF_INET),
        attribute(2, &tcp_info(280)),
        attribute(4, b"cubic\0"),
        attribute(7, &memory),
        attribute(21, &99u64.to_ne_bytes()),
        attribute(8, &[3]),
    ]
    .concat()
}

#[test]
fn a_socket_is_read() {
    let octets = a_socket();
    let socket = InetSocket::parse(&octets).unwrap();
    assert_eq!((socket.family, socket.state, socket.timer, socket.retransmits), (AF_INET, TcpState::ESTABLISHED, 2, 3));
    assert_eq!((socket.local, socket.local_port), ("127.0.0.1".parse().unwrap(), 22));
    assert_eq!((socket.remote, socket.remote_port), ("192.0.2.9".parse().unwrap(), 54_321));
    assert_eq!((socket.interface, socket.cookie), (3, 0x2222_2222_1111_1111));
    assert_eq!((socket.expires_ms, socket.receive_queue, socket.send_queue), (1500, 10, 20));
    assert_eq!((socket.uid, socket.inode, socket.cgroup, socket.shutdown), (1000, 4242, Some(99), Some(3)));
    assert_eq!(socket.congestion.unwrap().as_str(), Some("cubic"));
    let memory = socket.memory.unwrap();
    assert_eq!((memory.receive_allocated(), memory.receive_buffer()), (Some(50), Some(51)));
    assert_eq!((memory.send_allocated(), memory.send_buffer(), memory.drops()), (Some(52), Some(53), Some(58)));
    let tcp = socket.tcp.unwrap();
    assert_eq!((tcp.rtt_us(), tcp.rttvar_us(), tcp.min_rtt_us()), (Some(68), Some(72), Some(148)));
    assert_eq!((tcp.bytes_acked(), tcp.delivery_rate(), tcp.total_retrans()), (Some(120), Some(160), Some(100)));
    assert_eq!((tcp.total_rto(), tcp.payload_sent()), (Some(240), Some(0)));
}

#[test]
fn a_path_of_a_multipath_socket_is_told_by_the_protocol_above_it() {
    let above =
        |name: &[u8]| [inet_diag_msg(2), attribute(18, &[attribute(2, b"?"), attribute(1, name)].concat())].concat();
    for (name, is_path) in [(b"mptcp\0".as_slice(), true), (b"mptcp", true), (b"tls\0", false), (b"", false)] {
        let message = above(name);
        assert_eq!(InetSocket::parse(&message).unwrap().multipath, is_path, "{name:?}");
    }
    assert!(!InetSocket::parse(&a_socket()).unwrap().multipath);
    // What stands inside must fit in.
    let torn = [inet_diag_msg(2), attribute(18, &[9, 0, 1, 0, b'm'])].concat();
    assert!(InetSocket::parse(&torn).is_err());
}

#[test]
fn the_tcp_info_of_an_older_kernel_lacks_its_end_only() {
    // Linux 4.9 ends after delivery_rate: 168 octets.
    let octets = tcp_info(168);
    let tcp = TcpInfo::new(&octets);
    assert_eq!(
        (tcp.delivery_rate(), tcp.busy_us(), tcp.bytes_sent(), tcp.payload_sent()),
        (Some(160), None, None, None)
    );
    // A length that cuts a field in two does not give half of it.
    assert_eq!(TcpInfo::new(&octets[..71]).rtt_us(), None);
}

#[test]
fn the_layout_has_no_overlap() {
    for pair in tcp_info::LAYOUT.windows(2) {
        let ((_, offset, width), (name, next, next_width)) = (pair[0], pair[1]);
        assert!(offset + width <= next, "{name} begins inside the field before it");
        assert_eq!(next % next_width, 0, "{name} is not aligned");
    }
}

#[test]
fn a_request_names_no_particular_socket() {
    let request = InetRequest {
        family: AF_INET6,
        protocol: IPPROTO_TCP,
        extensions: extension::INFO | extension::CONGESTION | extension::MEMORY,
        states: TcpState::ESTABLISHED.bit() | TcpState::LISTEN.bit(),
    };
    let payload = request.payload();
    assert_eq!(payload[..4], [10, 6, 0x4a, 0]);
    assert_eq!(payload[4..8], 0x402u32.to_ne_bytes());
    assert_eq!(payload[8..48], [0; 40]);
    assert_eq!(payload[48..], [0xFF; 8]);
}

#[test]
fn a_v6_socket_has_v6_addresses_and_another_family_is_refused() {
    let octets = inet_diag_msg(AF_INET6);
    assert_eq!(InetSocket::parse(&octets).unwrap().remote, "c000:209::1".parse::<IpAddr>().unwrap());
    assert!(InetSocket::parse(&inet_diag_msg(1)).is_err());
}

#[test]
fn every_state_has_a_word() {
    let words: Vec<_> = (1..=12).filter_map(|n| TcpState(n).word()).collect();
    assert_eq!(words.len(), 12);
    assert_eq!((TcpState(0).word(), TcpState(13).word()), (None, None));
    assert_eq!((TcpState(255).bit(), TcpState::TIME_WAIT.bit()), (1 << 31, 0x40));
}

#[test]
fn a_message_cut_anywhere_gives_an_error_or_fewer_attributes() {
    let octets = a_socket();
    // Accepted: after the fixed part and after each of the first four attributes, where padding may be
    // missing (cubic\0 has two octets of it, the last attribute three).
    assert_eq!(truncated_everywhere(&octets, |cut| InetSocket::parse(cut).map(|_| ())), 1 + 1 + 3 + 1 + 1 + 3);
}

proptest! {
    #[test]
    fn any_octets_are_survived(octets in prop::collection::vec(any::<u8>(), 0..600), family in prop::sample::select(std::vec![2u8, 10])) {
        let mut octets = octets;
        if let Some(first) = octets.first_mut() {
            *first = family;
        }
        if let Ok(socket) = InetSocket::parse(&octets) {
            prop_assert!(octets.len() >= 72);
            let has_all = socket.tcp.is_some_and(|tcp| tcp.total_rto_time_ms().is_some());
            prop_assert!(!has_all || octets.len() >= 72 + 4 + 248);
            let has_drops = socket.memory.is_some_and(|memory| memory.drops().is_some());
            prop_assert!(!has_drops || octets.len() >= 72 + 4 + 36);
        }
    }
}

#[test]
fn the_older_request_has_its_fields_where_the_kernel_reads_them() {
    let octets = TcpRequest { extensions: extension::INFO | extension::MEMORY, states: 0x0FFE }.payload();
    assert_eq!(octets[..4], [0, 0, 0, 0x42]);
    assert!(octets[4..44].iter().all(|octet| *octet == 0), "no particular socket");
    assert_eq!(octets[44..52], [0xFF; 8], "no particular cookie");
    assert_eq!((&octets[52..56], &octets[56..]), (&0x0FFEu32.to_ne_bytes()[..], &[0; 4][..]));
}
