//! Messages written out by hand from the RFCs, and any octets at all.

use std::vec::Vec;

use core::net::IpAddr;
use proptest::prelude::*;

use super::*;

/// An IPv4 packet of ICMP from 192.0.2.1 to 198.51.100.7, TTL 1, TOS 0xb8.
fn quoted_v4() -> Vec<u8> {
    let mut packet = std::vec![0x45, 0xb8, 0, 28, 0x12, 0x34, 0, 0, 1, 1, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7];
    packet.extend([8, 0, 0xaa, 0xbb, 0x01, 0x02, 0x03, 0x04]);
    packet
}

/// A time exceeded whose quotation is filled up to 128 octets, with two labels of MPLS.
fn time_exceeded_with_labels(stated_words: u8) -> Vec<u8> {
    let mut message = std::vec![11, 0, 0, 0, 0, stated_words, 0, 0];
    let mut quoted = quoted_v4();
    quoted.resize(128, 0);
    message.extend(quoted);
    // Version 2, then an object of 12 octets: 24001 (class 0, not last, TTL 1), 16 (class 5, last, TTL 255).
    let mut extension = std::vec![0x20, 0, 0, 0, 0, 12, 1, 1];
    extension.extend((24_001_u32 << 12 | 1).to_be_bytes());
    extension.extend((16_u32 << 12 | 5 << 9 | 1 << 8 | 255).to_be_bytes());
    let sum = checksum(&extension).to_be_bytes();
    extension[2..4].copy_from_slice(&sum);
    message.extend(extension);
    message
}

#[test]
fn a_request_is_written_as_its_answer_is_read() {
    let echo = Echo { identifier: 0xBEEF, sequence: 7, payload: b"squirrel" };
    let mut out = [0; 64];
    let len = write_echo_request(Family::V4, echo, &mut out).expect("there is room");
    assert_eq!(len, 16);
    assert_eq!(checksum(&out[..len]), 0, "a right checksum makes the sum zero");
    assert_eq!(Message::parse(Family::V4, &out[..len]), Ok(Message::EchoRequest(echo)));
    out[0] = 0;
    assert_eq!(Message::parse(Family::V4, &out[..len]), Ok(Message::EchoReply(echo)));
    assert_eq!(write_echo_request(Family::V6, echo, &mut out[..15]), None, "one octet short");
}

#[test]
fn the_checksum_is_that_of_the_example_in_rfc_1071() {
    assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    assert_eq!(checksum(&[0xff]), !0xff00, "an odd octet is the higher half of its word");
}

#[test]
fn a_hop_tells_the_packet_and_the_labels_it_came_with() {
    for stated in [0, 32] {
        let message = time_exceeded_with_labels(stated);
        let Ok(Message::Error(error)) = Message::parse(Family::V4, &message) else { panic!("no error: {message:?}") };
        assert_eq!(error.kind, ErrorKind::TimeExceeded);
        let quoted = Quoted::parse(Family::V4, error.quoted).expect("a whole header");
        assert_eq!(quoted.destination, IpAddr::from([198, 51, 100, 7]));
        assert_eq!((quoted.protocol, quoted.tos, quoted.ttl, quoted.identification), (1, 0xb8, 1, 0x1234));
        assert_eq!(quoted.transport[..8], [8, 0, 0xaa, 0xbb, 1, 2, 3, 4]);
        let labels: Vec<_> = Extensions::new(error.extensions).collect();
        let outer = MplsLabel { label: 24_001, traffic_class: 0, bottom: false, ttl: 1 };
        let inner = MplsLabel { label: 16, traffic_class: 5, bottom: true, ttl: 255 };
        assert_eq!(labels, [Extension::Mpls(outer), Extension::Mpls(inner)], "length stated as {stated}");
    }
}

#[test]
fn octets_after_a_quotation_are_no_extension_unless_their_checksum_says_so() {
    let mut message = time_exceeded_with_labels(0);
    let last = message.len() - 1;
    message[last] ^= 1;
    let Ok(Message::Error(error)) = Message::parse(Family::V4, &message) else { panic!("no error") };
    assert_eq!((error.extensions, error.quoted.len()), (&[][..], message.len() - 8));
}

#[test]
fn the_largest_packet_of_the_next_link_is_told() {
    let v4 = [3, 4, 0, 0, 0, 0, 0x05, 0xdc];
    let v6 = [2, 0, 0, 0, 0, 0, 0x05, 0x00];
    for (family, octets, mtu) in [(Family::V4, v4, 1500), (Family::V6, v6, 1280)] {
        let Ok(Message::Error(error)) = Message::parse(family, &octets) else { panic!("no error") };
        assert_eq!((error.kind, error.mtu), (ErrorKind::TooBig, Some(mtu)));
    }
    let Ok(Message::Error(old)) = Message::parse(Family::V4, &[3, 4, 0, 0, 0, 0, 0, 0]) else { panic!("no error") };
    assert_eq!(old.mtu, None, "routers from before RFC 1191 say nothing");
}

#[test]
fn unreachables_say_whether_the_datagram_arrived() {
    let kind = |family, icmp_type, code| match Message::parse(family, &[icmp_type, code, 0, 0, 0, 0, 0, 0]) {
        Ok(Message::Error(error)) => error.kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(kind(Family::V4, 3, 3), ErrorKind::PortUnreachable);
    assert_eq!(kind(Family::V6, 1, 4), ErrorKind::PortUnreachable);
    assert_eq!(kind(Family::V4, 3, 13), ErrorKind::Prohibited);
    assert_eq!(kind(Family::V6, 1, 1), ErrorKind::Prohibited);
    assert_eq!(kind(Family::V4, 3, 1), ErrorKind::HostUnreachable);
    assert_eq!(kind(Family::V6, 1, 3), ErrorKind::HostUnreachable);
}

proptest! {
    #[test]
    fn any_octets_are_read_without_a_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        for family in [Family::V4, Family::V6] {
            if let Ok(Message::Error(error)) = Message::parse(family, &octets) {
                prop_assert!(error.quoted.len() + error.extensions.len() <= octets.len());
                prop_assert!(Extensions::new(error.extensions).count() <= octets.len());
                let _ = Quoted::parse(family, error.quoted);
            }
        }
        let _ = ipv4_payload(&octets);
    }

    #[test]
    fn labels_are_read_as_often_as_they_were_written(count in 0_usize..40) {
        let mut octets = std::vec![0x20, 0, 0, 0];
        octets.extend((4 + 4 * count as u16).to_be_bytes());
        octets.extend([1, 1]);
        octets.extend(std::iter::repeat_n(0, 4 * count));
        prop_assert_eq!(Extensions::new(&octets).count(), count);
    }
}

#[test]
fn extensions_are_found_where_the_kernel_kept_the_transport_only() {
    let message = time_exceeded_with_labels(32);
    let transport = &message[ECHO_HEADER + 20..];
    let labels = |octets| Extensions::new(octets).filter(|one| matches!(one, Extension::Mpls(_))).count();
    assert_eq!(labels(extensions_after(transport, 20)), 2);
    assert_eq!(extensions_after(transport, 28), &[] as &[u8]);
    assert_eq!(extensions_after(transport, 200), &[] as &[u8]);
    assert_eq!(extensions_after(&transport[..108], 20), &[] as &[u8]);
}
