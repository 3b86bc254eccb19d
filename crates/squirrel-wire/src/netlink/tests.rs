//! Streams of netlink messages, whole, cut and damaged.

use super::*;
use crate::testing::{attribute, message};
use proptest::prelude::*;
use std::vec::Vec;

#[test]
fn a_request_reads_back_as_what_was_asked() {
    let request = Request::<32>::new(&[9; 16]).attribute(29, &8u32.to_ne_bytes()).attribute(1, b"abc");
    let payload = request.payload().unwrap();
    assert_eq!(payload.len(), 32);
    let read: Vec<_> = Attributes::new(&payload[16..]).map(Result::unwrap).collect();
    assert_eq!((read[0].kind, read[0].u32()), (29, Some(8)));
    assert_eq!((read[1].kind, read[1].value), (1, b"abc".as_slice()));

    let mut datagram = request_header(18, NLM_F_REQUEST | NLM_F_DUMP, 77, payload.len()).to_vec();
    datagram.extend_from_slice(payload);
    let read = Messages::new(&datagram).next().unwrap().unwrap();
    assert_eq!((read.message_type, read.flags, read.sequence, read.payload), (18, 0x301, 77, payload));
}

#[test]
fn a_request_that_does_not_fit_is_refused() {
    assert_eq!(Request::<8>::new(&[0; 16]).payload(), None);
    assert_eq!(Request::<20>::new(&[0; 16]).attribute(1, &[0; 4]).payload(), None);
    assert_eq!(Request::<20>::new(&[0; 4]).attribute(1, &std::vec![0; 70_000]).payload(), None);
}

#[test]
fn the_nested_flag_is_not_part_of_the_type() {
    let octets = attribute(0xC007, &attribute(1, &[5]));
    let outer = Attributes::new(&octets).next().unwrap().unwrap();
    assert_eq!(outer.kind, 7);
    assert_eq!(outer.nested().next().unwrap().unwrap().u8(), Some(5));
}

#[test]
fn errors_and_the_end_of_a_dump_carry_an_errno() {
    let errno = |kind, payload: &[u8]| {
        let octets = message(kind, 0, payload);
        Messages::new(&octets).next().unwrap().unwrap().errno()
    };
    assert_eq!(errno(NLMSG_ERROR, &(-95i32).to_ne_bytes()), Some(95));
    assert_eq!(errno(NLMSG_ERROR, &i32::MIN.to_ne_bytes()), Some(i32::MAX));
    assert_eq!(errno(NLMSG_ERROR, &[]), None);
    assert_eq!(errno(NLMSG_DONE, &(-12i32).to_ne_bytes()), Some(12));
    assert_eq!(errno(NLMSG_DONE, &5i32.to_ne_bytes()), Some(0));
    assert_eq!(errno(NLMSG_DONE, &[]), Some(0));
    assert_eq!(errno(16, &[0; 4]), None);
}

#[test]
fn a_length_below_the_header_ends_the_list_once() {
    let mut short = attribute(1, b"x");
    short.extend_from_slice(&[3, 0, 1, 0]);
    short.extend_from_slice(&attribute(2, b"y"));
    let read: Vec<_> = Attributes::new(&short).collect();
    assert_eq!(read.len(), 2);
    assert_eq!(read[1], Err(Malformed { layer: "netlink attribute", offset: 8 }));
    assert_eq!(Messages::new(&[1; 20]).collect::<Vec<_>>().len(), 1);
}

#[test]
fn the_last_attribute_may_lack_its_padding() {
    let mut octets = attribute(1, b"abcde");
    octets.truncate(9);
    assert_eq!(Attributes::new(&octets).collect::<Vec<_>>(), [Ok(Attribute { kind: 1, value: b"abcde" })]);
}

proptest! {
    #[test]
    fn any_octets_end_the_iterators(octets in prop::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(Attributes::new(&octets).count() <= octets.len() / 4 + 1);
        prop_assert!(Messages::new(&octets).count() <= octets.len() / 16 + 1);
    }

    #[test]
    fn what_is_built_is_read(attributes in prop::collection::vec((0u16..0x3fff, prop::collection::vec(any::<u8>(), 0..40)), 0..12)) {
        let mut request = Request::<1024>::new(&[]);
        for (kind, value) in &attributes {
            request = request.attribute(*kind, value);
        }
        let read: Vec<_> = Attributes::new(request.payload().unwrap())
            .map(|a| a.map(|a| (a.kind, a.value.to_vec())))
            .collect::<Result<_, _>>()
            .unwrap();
        prop_assert_eq!(read, attributes);
    }
}
