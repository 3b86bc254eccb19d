//! Messages written out by hand from RFC 1035, hostile ones, and any octets at all.

use std::format;
use std::string::{String, ToString as _};
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::testing::truncated_everywhere;

fn query(name: &str, record_type: &str) -> Vec<u8> {
    let mut out = [0; LONGEST_QUERY];
    let record_type = RecordType::from_name(record_type).unwrap();
    let len = write_query(0xBEEF, name, record_type, Class(1), true, &mut out).unwrap();
    out[..len].to_vec()
}

/// An answer to a question about `example.org.`, whose name stands at octet 12: records are (type, data).
fn answer(records: &[(u16, &[u8])]) -> Vec<u8> {
    let mut octets = query("example.org", "ANY");
    octets[2] |= 0x84;
    octets[3] |= 0x80;
    octets[7] = u8::try_from(records.len()).unwrap();
    for (record_type, data) in records {
        octets.extend([0xc0, 12]);
        octets.extend(record_type.to_be_bytes());
        octets.extend([0, 1, 0, 0, 0x0e, 0x10]);
        octets.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        octets.extend(*data);
    }
    octets
}

fn lines(octets: &[u8]) -> Vec<String> {
    let message = Message::parse(octets).unwrap();
    message.records().map(|record| record.map_or_else(|error| error.to_string(), |record| record.to_string())).collect()
}

#[test]
fn a_question_is_read_as_it_was_written() {
    let octets = query("mail.Example.org.", "MX");
    assert_eq!(octets[..12], [0xbe, 0xef, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let message = Message::parse(&octets).unwrap();
    let question = message.question.unwrap();
    assert_eq!(
        (question.name.to_string().as_str(), question.record_type, question.class.to_string().as_str()),
        ("mail.Example.org.", RecordType(15), "IN")
    );
    assert!(!message.header.is_answer && message.records().next().is_none());
    let other = query("MAIL.example.ORG", "MX");
    assert!(question.name.is_same(&Message::parse(&other).unwrap().question.unwrap().name));
    assert!(!question.name.is_same(&Message::parse(&query("ample.org", "MX")).unwrap().question.unwrap().name));
}

#[test]
fn names_that_are_none_are_not_asked_about() {
    let mut out = [0; 600];
    let mut len = |name: &str| write_query(1, name, RecordType(1), Class(1), true, &mut out);
    let long = "a".repeat(63);
    assert_eq!(len("."), Some(HEADER + 1 + 4));
    assert_eq!(len(&format!("{long}.b")), Some(HEADER + 67 + 4));
    assert_eq!(len("a\\.b\\032"), Some(HEADER + 6 + 4));
    let longest = format!("{long}.{long}.{long}.{}", "a".repeat(61));
    assert_eq!(len(&longest), Some(LONGEST_QUERY));
    let too_long = format!("{longest}a");
    for name in ["", "..", ".a", "a..b", "a b", "ä", "a\\", "a\\2", "a\\256", "a\n", &"a".repeat(64), &too_long] {
        assert_eq!(len(name), None, "{name:?}");
    }
    let mut short = [0; HEADER + 4];
    assert_eq!(write_query(1, "a", RecordType(1), Class(1), true, &mut short), None);
}

#[test]
fn the_common_types_are_read() {
    let soa: Vec<u8> = [&[2, b'n', b's', 0xc0, 12, 0][..], &[0; 20]].concat();
    let mut soa_of_root = soa;
    soa_of_root[9] = 7;
    let octets = answer(&[
        (1, &[192, 0, 2, 1]),
        (28, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        (5, &[3, b'w', b'w', b'w', 0xc0, 12]),
        (15, &[0, 10, 4, b'm', b'a', b'i', b'l', 0xc0, 12]),
        (16, b"\x03v=1\x02\"\xff"),
        (6, &soa_of_root),
        (33, &[0, 1, 0, 2, 0, 80, 0xc0, 12]),
        (12, &[0]),
        (65_000, &[1, 0xab]),
    ]);
    let before = "example.org.\t3600\tIN";
    assert_eq!(
        lines(&octets),
        [
            format!("{before}\tA\t192.0.2.1"),
            format!("{before}\tAAAA\t2001:db8::1"),
            format!("{before}\tCNAME\twww.example.org."),
            format!("{before}\tMX\t10 mail.example.org."),
            format!("{before}\tTXT\t\"v=1\" \"\\\"\\255\""),
            format!("{before}\tSOA\tns.example.org. . 7 0 0 0 0"),
            format!("{before}\tSRV\t1 2 80 example.org."),
            format!("{before}\tPTR\t."),
            format!("{before}\tTYPE65000\t\\# 2 01ab"),
        ]
    );
    let header = Message::parse(&octets).unwrap().header;
    assert!(header.is_answer && header.is_authoritative && header.recursion_available && !header.is_truncated);
    // Cut anywhere, it yields fewer records and says that one is malformed, or none at all.
    let whole = |octets: &[u8]| Message::parse(octets)?.records().collect::<Result<Vec<_>, _>>().map(|_| ());
    assert_eq!(truncated_everywhere(&octets, whole), 0);
}

#[test]
fn sections_are_told_apart() {
    let mut octets = answer(&[(1, &[192, 0, 2, 1]), (1, &[192, 0, 2, 2]), (1, &[192, 0, 2, 3])]);
    (octets[7], octets[9], octets[11]) = (1, 1, 1);
    let sections: Vec<_> = Message::parse(&octets).unwrap().records().map(|record| record.unwrap().section).collect();
    assert_eq!(sections, Section::ALL);
}

#[test]
fn pointers_lead_backwards_only() {
    // To itself, forwards, to one that leads back to it, beyond the end, and a kind of label that is none.
    for data in [&[0xc0_u8, 41][..], &[0xc0, 43, 0], &[1, b'a', 0xc0, 41], &[0xff, 0xff], &[0x40, 0], &[0x80]] {
        let octets = answer(&[(5, data)]);
        assert_eq!(octets.len() - data.len(), 41);
        assert!(lines(&octets)[0].contains("malformed"), "{data:?}");
    }
    // Each of these leads to the one before; a name longer than 255 octets is none.
    let mut chain: Vec<u8> = Vec::new();
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut at = 41_u16;
    let mut target = 12_u16;
    for _ in 0..40 {
        let mut data = std::vec![9];
        data.extend(b"abcdefghi");
        data.extend((0xc000 | target).to_be_bytes());
        target = at;
        at += u16::try_from(data.len()).unwrap() + 12;
        chain.extend(&data);
        names.push(data);
    }
    let records: Vec<(u16, &[u8])> = names.iter().map(|data| (5, data.as_slice())).collect();
    let lines = lines(&answer(&records));
    assert_eq!(lines.len(), 25, "255 octets have room for 24 labels of ten and the root's name");
    assert!(lines[23].ends_with("abcdefghi.example.org.") && lines[24].contains("malformed"));
}

#[test]
fn data_that_does_not_fill_its_length_is_malformed() {
    for (record_type, data) in [
        (1, &[192, 0, 2][..]),
        (28, &[0; 15]),
        (5, &[0, 0]),
        (15, &[0, 1]),
        (16, &[2, b'a']),
        (6, &[0, 0, 0, 0]),
        (33, &[0, 0, 0, 0, 0]),
    ] {
        let octets = answer(&[(record_type, data)]);
        assert!(lines(&octets)[0].contains("malformed"), "{record_type}");
    }
}

#[test]
fn hostile_octets_in_names_are_shown_not_obeyed() {
    let octets = answer(&[(5, b"\x04a\x1b[2\x02.\xff\x00")]);
    assert!(lines(&octets)[0].ends_with("CNAME\ta\\027[2.\\.\\255."), "{}", lines(&octets)[0]);
}

#[test]
fn names_of_codes_lead_back_to_them() {
    for number in 0..=u16::MAX {
        if let Some(name) = RecordType(number).name() {
            assert_eq!(RecordType::from_name(name), Some(RecordType(number)));
        }
    }
    assert_eq!((Rcode::from_name("NXDOMAIN"), Rcode(11).to_string()), (Some(Rcode(3)), "RCODE11".to_string()));
    assert_eq!(Class::from_name("in"), None);
}

proptest! {
    #[test]
    fn any_octets_are_survived(mut octets in proptest::collection::vec(any::<u8>(), 0..300), counts in 0_u8..4) {
        if let Some(count) = octets.get_mut(5) {
            *count = counts;
        }
        if let Ok(message) = Message::parse(&octets) {
            let records = message.records().filter(|record| record.as_ref().map_or(true, |record| !record.to_string().is_empty())).count();
            prop_assert!(records <= octets.len() / 11 + 1);
        }
    }

    #[test]
    fn any_name_is_read_as_it_was_written(labels in proptest::collection::vec("[a-zA-Z0-9_-]{1,40}", 1..6)) {
        let name = labels.join(".");
        let octets = query(&name, "A");
        let read = Message::parse(&octets).unwrap().question.unwrap().name.to_string();
        prop_assert_eq!(read, name + ".");
    }

    #[test]
    fn any_text_is_a_name_or_none(text in ".{0,80}") {
        let mut out = [0; LONGEST_QUERY];
        if let Some(len) = write_query(1, &text, RecordType(1), Class(1), false, &mut out) {
            let shown = Message::parse(&out[..len]).unwrap().question.unwrap().name.to_string();
            let mut again = [0; LONGEST_QUERY];
            prop_assert_eq!(write_query(1, &shown, RecordType(1), Class(1), false, &mut again), Some(len));
            prop_assert_eq!(out, again);
        }
    }
}
