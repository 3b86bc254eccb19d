//! Messages of interfaces: those that the kernel sent, those cut short, and any octets.

use super::*;
use crate::testing::{attribute, truncated_everywhere};
use proptest::prelude::*;
use std::vec::Vec;

fn ifinfomsg(index: u32, flags: u32) -> Vec<u8> {
    [
        vec_of(&[0, 0]),
        1u16.to_ne_bytes().to_vec(),
        index.to_ne_bytes().to_vec(),
        flags.to_ne_bytes().to_vec(),
        vec_of(&[0; 4]),
    ]
    .concat()
}

fn vec_of(octets: &[u8]) -> Vec<u8> {
    octets.to_vec()
}

fn counters(count: u64) -> Vec<u8> {
    (0..count).flat_map(|i| (i + 100).to_ne_bytes()).collect()
}

fn a_link() -> Vec<u8> {
    let info = [attribute(1, b"veth\0"), attribute(0x8002, &[0; 8]), attribute(4, b"bridge\0")].concat();
    [
        ifinfomsg(7, flag::UP | flag::LOWER_UP),
        attribute(3, b"v0\0"),
        attribute(20, b"up\x1blink"),
        attribute(1, &[2, 0, 0, 0, 0, 1]),
        attribute(4, &1500u32.to_ne_bytes()),
        attribute(16, &[6]),
        attribute(7, &[0; 96]),
        attribute(23, &counters(25)),
        attribute(0x8012, &info),
        attribute(10, &3u32.to_ne_bytes()),
    ]
    .concat()
}

#[test]
fn a_link_is_read_with_its_kind_and_counters() {
    let octets = a_link();
    let link = Link::parse(&octets).unwrap();
    assert_eq!((link.index, link.hardware_type, link.name), (7, 1, Text::until_nul(b"v0")));
    assert_eq!(link.alias.unwrap().as_bytes(), b"up\x1blink");
    assert_eq!((link.mtu, link.master), (Some(1500), Some(3)));
    assert_eq!((link.kind.unwrap().as_str(), link.member_kind.unwrap().as_str()), (Some("veth"), Some("bridge")));
    assert_eq!(link.oper_state.map(OperState::word), Some("up"));
    assert!(link.has(flag::LOWER_UP) && !link.has(flag::DORMANT));
    let statistics = link.statistics.unwrap();
    assert!(statistics.is_wide());
    assert_eq!(statistics.counter(Counter::RX_PACKETS), Some(100));
    assert_eq!(statistics.counter(Counter::RX_OTHERHOST_DROPPED), Some(124));
    assert_eq!((link.carrier, link.permanent_address), (None, None));
}

#[test]
fn the_flags_of_the_device_are_those_of_sysfs() {
    let link = Link { flags: flag::UP | flag::RUNNING | flag::LOWER_UP, promiscuity: Some(2), ..Link::default() };
    assert_eq!(link.device_flags(), flag::UP | flag::PROMISCUOUS);
    let link = Link { flags: flag::UP | flag::PROMISCUOUS, promiscuity: Some(0), ..Link::default() };
    assert_eq!(link.device_flags(), flag::UP);
    let link = Link { flags: flag::ALL_MULTICAST, ..Link::default() };
    assert_eq!(link.device_flags(), flag::ALL_MULTICAST);
}

#[test]
fn statistics_of_other_kernels_are_shorter_longer_or_narrow() {
    let short = counters(23);
    assert_eq!(Statistics::wide(&short).counter(Counter::TX_COMPRESSED), Some(122));
    assert_eq!(Statistics::wide(&short).counter(Counter::RX_NOHANDLER), None);
    assert_eq!(Statistics::wide(&counters(30)).counter(Counter::RX_PACKETS), Some(100));
    let narrow: Vec<u8> = (0..24u32).flat_map(u32::to_ne_bytes).collect();
    let octets = [ifinfomsg(1, 0), attribute(7, &narrow)].concat();
    let statistics = Link::parse(&octets).unwrap().statistics.unwrap();
    assert!(!statistics.is_wide());
    assert_eq!(statistics.counter(Counter::RX_NOHANDLER), Some(23));
    assert_eq!(statistics.counter(Counter::RX_OTHERHOST_DROPPED), None);
}

#[test]
fn a_message_cut_anywhere_gives_an_error_or_fewer_attributes() {
    let octets = a_link();
    let accepted = truncated_everywhere(&octets, |cut| Link::parse(cut).map(|_| ()));
    assert!(accepted > 0 && accepted < octets.len() / 2, "{accepted} of {}", octets.len());
}

#[test]
fn every_operational_state_has_the_word_of_sysfs() {
    let words: Vec<_> = (0..=7).map(|n| OperState(n).word()).collect();
    assert_eq!(words, ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up", "unknown"]);
}

proptest! {
    #[test]
    fn any_octets_are_survived(octets in prop::collection::vec(any::<u8>(), 0..600), at in 0usize..300, with: u8) {
        prop_assert!(Link::parse(&octets).is_err() || octets.len() >= DUMP_LINKS.len());
        let mut bent = a_link();
        let place = at % bent.len();
        bent[place] = with;
        if let Ok(Link { statistics: Some(statistics), .. }) = Link::parse(&bent) {
            let counters = Counter::all().filter(|counter| statistics.counter(*counter).is_some()).count();
            prop_assert!(counters * 4 <= bent.len());
        }
    }
}
