//! Certificates put together octet by octet, and any octets at all. Those of a real authority are read in the tests of
//! the checks.

use std::string::ToString as _;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::testing::truncated_everywhere;

fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut octets = std::vec![tag];
    match u8::try_from(content.len()) {
        Ok(len @ 0..=0x7f) => octets.push(len),
        Ok(len) => octets.extend([0x81, len]),
        Err(_) => {
            octets.push(0x82);
            octets.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        }
    }
    octets.extend(content);
    octets
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    value(0x30, &parts.concat())
}

fn name(attributes: &[(u8, &str)]) -> Vec<u8> {
    let sets: Vec<Vec<u8>> = attributes
        .iter()
        .map(|(kind, text)| {
            value(0x31, &sequence(&[&value(0x06, &[0x55, 0x04, *kind]), &value(0x0c, text.as_bytes())]))
        })
        .collect();
    value(0x30, &sets.concat())
}

fn certificate(not_after: (u8, &str)) -> Vec<u8> {
    let names = sequence(&[
        &value(0x82, b"example.org"),
        &value(0x87, &[192, 0, 2, 1]),
        &value(0x82, b"\xff"),
        &value(0x82, b"*.example.org"),
    ]);
    let usage = sequence(&[&value(0x06, &[0x55, 0x1d, 0x0f]), &value(0x01, &[0xff]), &value(0x04, &[3, 2, 5, 0xa0])]);
    let alternative = sequence(&[&value(0x06, SUBJECT_ALT_NAME), &value(0x04, &names)]);
    let fields = sequence(&[
        &value(0xa0, &value(0x02, &[2])),
        &value(0x02, &[0, 0xde, 0xad, 0]),
        &sequence(&[&value(0x06, &[0x2a])]),
        &name(&[(10, "Trust"), (3, "Root")]),
        &sequence(&[&value(0x17, b"691231235959Z"), &value(not_after.0, not_after.1.as_bytes())]),
        &name(&[(6, "DE"), (3, "ä\u{1b}")]),
        &sequence(&[]),
        &value(0xa3, &sequence(&[&usage, &alternative])),
    ]);
    sequence(&[&fields, &sequence(&[]), &value(0x03, &[0])])
}

#[test]
fn a_certificate_is_read() {
    let octets = certificate((0x17, "490101000000Z"));
    let read = Certificate::parse(&octets).unwrap();
    assert_eq!((read.serial, read.not_before, read.not_after), (&[0xde, 0xad, 0][..], -1, 2_493_072_000));
    let subject: Vec<_> = read.subject.attributes().map(|one| (one.kind[2], one.value.to_string())).collect();
    assert_eq!(subject, [(6, "DE".to_string()), (3, "ä\u{1b}".to_string())]);
    assert_eq!(read.issuer.attributes().map(|one| one.value.to_string()).collect::<Vec<_>>(), ["Trust", "Root"]);
    assert_eq!(read.dns_names().collect::<Vec<_>>(), ["example.org", "*.example.org"]);
    assert_eq!(truncated_everywhere(&octets, |octets| Certificate::parse(octets).map(|_| ())), 0);
}

#[test]
fn moments_are_those_of_the_calendar() {
    for (tag, text, seconds) in [
        (0x17, "700101000000Z", Some(0)),
        (0x17, "691231235959Z", Some(-1)),
        (0x17, "500101000000Z", Some(-631_152_000)),
        (0x18, "20000229000000Z", Some(951_782_400)),
        (0x18, "21000301000000Z", Some(4_107_542_400)),
        (0x18, "99991231235959Z", Some(253_402_300_799)),
        (0x17, "701301000000Z", None),
        (0x17, "700100000000Z", None),
        (0x17, "700101240000Z", None),
        (0x17, "70010100000Z", None),
        (0x17, "7001010000000", None),
        (0x17, "70-1-1000000Z", None),
        (0x18, "700101000000Z", None),
        (0x04, "700101000000Z", None),
    ] {
        assert_eq!(Certificate::parse(&certificate((tag, text))).ok().map(|read| read.not_after), seconds, "{text}");
    }
}

#[test]
fn lengths_that_lie_are_refused() {
    for octets in [&[0x30, 0x80, 0, 0][..], &[0x30, 0x84, 0, 0, 0, 1], &[0x30, 0x83, 0xff, 0xff, 0xff], &[0x30], &[]] {
        assert!(Certificate::parse(octets).is_err(), "{octets:?}");
    }
}

proptest! {
    #[test]
    fn any_change_of_a_certificate_is_survived(at in 0_usize..300, octet: u8, cut in 0_usize..300) {
        let mut octets = certificate((0x17, "490101000000Z"));
        let len = octets.len();
        octets[at % len] = octet;
        octets.truncate(len - cut % 3);
        if let Ok(read) = Certificate::parse(&octets) {
            prop_assert!(read.subject.attributes().count() + read.dns_names().count() <= len);
        }
    }
}
