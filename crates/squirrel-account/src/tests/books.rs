//! The books of interfaces, from kernels in memory.

use std::net::IpAddr;
use std::sync::Arc;

use squirrel_testkit::DiagSocket;

use super::world::{HOST, Watch, World};
use crate::Options;
use crate::picture::{BookPart, InterfaceRow, Picture, Source, Traffic};

/// An interface as `RTM_NEWLINK` describes it.
#[derive(Clone, Default)]
pub(super) struct Nic {
    pub(super) index: u32,
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) master: u32,
    pub(super) lower: u32,
    pub(super) loopback: bool,
    /// Packets and bytes received, packets and bytes sent.
    pub(super) counters: [u64; 4],
}

fn attribute(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend((value.len() as u16 + 4).to_ne_bytes());
    out.extend(kind.to_ne_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

impl Nic {
    fn encode(&self) -> Vec<u8> {
        let hardware: u16 = if self.loopback { 772 } else { 1 };
        let mut out = vec![0, 0];
        out.extend(hardware.to_ne_bytes());
        out.extend(self.index.to_ne_bytes());
        out.extend([0; 8]);
        attribute(&mut out, 3, self.name.as_bytes());
        attribute(&mut out, 4, &1500u32.to_ne_bytes());
        if self.master != 0 {
            attribute(&mut out, 10, &self.master.to_ne_bytes());
        }
        if self.lower != 0 {
            attribute(&mut out, 5, &self.lower.to_ne_bytes());
        }
        if !self.kind.is_empty() {
            let mut info = Vec::new();
            attribute(&mut info, 1, self.kind.as_bytes());
            attribute(&mut out, 18, &info);
        }
        let [in_packets, in_bytes, out_packets, out_bytes] = self.counters;
        let numbers = [in_packets, out_packets, in_bytes, out_bytes].map(u64::to_ne_bytes);
        attribute(&mut out, 23, &numbers.concat());
        out
    }
}

pub(super) fn address(index: u32, address: &str) -> Vec<u8> {
    let octets = match address.parse().unwrap() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let mut out = vec![if octets.len() == 4 { 2 } else { 10 }, 24, 0, 0];
    out.extend(index.to_ne_bytes());
    attribute(&mut out, 2, &octets);
    out
}

/// A host with a card, its address on it, and its loopback.
pub(super) fn host() -> (World, Watch) {
    let world = World::default();
    set(&world, &[nic(0, 0), LOOPBACK]);
    world.state().addresses.extend([address(2, "10.0.0.1"), address(1, "127.0.0.1")]);
    world.state().sockets.push(DiagSocket::tcp(1, "10.0.0.1:4000", "10.0.0.2:80"));
    let mut watch = world.watch(Options::default(), false);
    watch.step();
    (world, watch)
}

pub(super) const LOOPBACK: Nic =
    Nic { index: 1, name: "lo", kind: "", master: 0, lower: 0, loopback: true, counters: [0; 4] };

pub(super) fn nic(packets: u64, bytes: u64) -> Nic {
    Nic { index: 2, name: "eth0", counters: [packets, bytes, packets, bytes], ..Nic::default() }
}

pub(super) fn set(world: &World, nics: &[Nic]) {
    world.state().links = nics.iter().map(Nic::encode).collect();
}

pub(super) fn book(picture: &Picture, name: &str) -> InterfaceRow {
    let row = picture.interfaces.iter().find(|row| row.name == name).expect("the interface has books").clone();
    let sum = row.attributed.plus(row.headers).plus(row.forwarded).plus(row.kernel);
    assert_eq!(row.wire.bytes, sum.plus(row.unexplained), "{row:?}");
    // The entries say the same once more, with the reason of each.
    let entries = |part: Option<BookPart>| {
        let chosen = row.entries.iter().filter(|entry| part.is_none_or(|part| part == entry.part));
        chosen.fold(Traffic::default(), |sum, entry| sum.plus(entry.bytes))
    };
    assert_eq!(entries(None), row.wire.bytes, "{row:?}");
    assert_eq!((entries(Some(BookPart::Kernel)), entries(Some(BookPart::Forwarded))), (row.kernel, row.forwarded));
    assert_eq!((entries(Some(BookPart::Attributed)), entries(Some(BookPart::Headers))), (row.attributed, row.headers));
    row
}

/// Ethernet, IPv4, and TCP with time stamps.
const HEADERS: u64 = 14 + 20 + 32;

fn moved(world: &World, bytes: u64, segments: u32) {
    world.change(1, |socket| {
        socket.sent += bytes;
        socket.segments_out += segments;
    });
}

#[test]
fn payload_and_headers_explain_the_wire() {
    let (world, mut watch) = host();
    moved(&world, 10_000, 10);
    set(&world, &[nic(10, 10_000 + 10 * HEADERS + 100), LOOPBACK]);
    let row = book(&watch.step(), "eth0");
    assert_eq!((row.attributed.transmit, row.headers.transmit, row.unexplained.transmit), (10_000, 10 * HEADERS, 100));
    assert_eq!((row.source, row.counted_elsewhere, row.namespace), (Source::Sampled, None, HOST));
    assert_eq!(row.wire.transmit_rate, (10_000 + 10 * HEADERS + 100) as f64);
}

#[test]
fn an_interface_that_counts_large_packets_has_fewer_headers() {
    let (world, mut watch) = host();
    moved(&world, 60_000, 40);
    set(&world, &[nic(4, 60_000 + 4 * HEADERS), LOOPBACK]);
    let row = book(&watch.step(), "eth0");
    assert_eq!((row.headers.transmit, row.unexplained.transmit), (4 * HEADERS, 0));
}

#[test]
fn payload_sent_again_stands_with_the_headers() {
    let (world, mut watch) = host();
    moved(&world, 10_000, 10);
    world.change(1, |socket| (socket.sent, socket.retransmitted) = (socket.sent + 500, 500));
    set(&world, &[nic(10, 10_500 + 10 * HEADERS), LOOPBACK]);
    let row = book(&watch.step(), "eth0");
    assert_eq!((row.attributed.transmit, row.headers.transmit), (10_000, 500 + 10 * HEADERS));
    assert_eq!(row.unexplained.transmit, 0);
}

#[test]
fn what_goes_to_an_address_of_this_host_goes_over_the_loopback() {
    let (world, mut watch) = host();
    world.state().sockets.push(DiagSocket {
        sent: 1000,
        segments_out: 2,
        ..DiagSocket::tcp(2, "10.0.0.1:5", "10.0.0.1:6")
    });
    set(&world, &[nic(0, 0), Nic { counters: [2, 1_104, 2, 1_104], ..LOOPBACK }]);
    let picture = watch.step();
    assert_eq!((book(&picture, "lo").attributed.transmit, book(&picture, "eth0").attributed.transmit), (1000, 0));
    assert!(book(&picture, "lo").counted_elsewhere.unwrap().contains("loopback"));
}

#[test]
fn a_counter_that_begins_anew_is_no_giant_step() {
    let (world, mut watch) = host();
    set(&world, &[nic(10, 5_000), LOOPBACK]);
    watch.step();
    set(&world, &[nic(1, 200), LOOPBACK]);
    assert_eq!(book(&watch.step(), "eth0").wire.bytes, Traffic::new(5_200, 5_200));
}

#[test]
fn an_interface_that_comes_later_counts_from_its_beginning() {
    let (world, mut watch) = host();
    let late = Nic { index: 9, name: "late", counters: [1, 70, 1, 80], ..Nic::default() };
    set(&world, &[nic(0, 0), LOOPBACK, late]);
    let row = book(&watch.step(), "late");
    assert_eq!(row.wire.bytes, Traffic::new(70, 80));
    assert_eq!(row.forwarded, Traffic::new(70, 80), "no address is on it");
    set(&world, &[nic(0, 0), LOOPBACK]);
    assert!(watch.step().interfaces.iter().all(|row| row.name != "late"));
}

#[test]
fn what_is_stacked_is_counted_once() {
    let (world, mut watch) = host();
    let part = |index, name, kind, master, lower| Nic { index, name, kind, master, lower, ..Nic::default() };
    set(
        &world,
        &[
            nic(0, 0),
            LOOPBACK,
            part(3, "br0", "bridge", 0, 0),
            part(4, "port", "", 3, 0),
            part(5, "vlan", "vlan", 0, 2),
            part(6, "pair", "veth", 3, 0),
            part(7, "wg0", "wireguard", 0, 0),
            part(8, "bond0", "bond", 0, 0),
            part(9, "hole", "dummy", 0, 0),
        ],
    );
    let picture: Arc<Picture> = watch.step();
    let mut counted: Vec<_> = picture.interfaces.iter().filter(|row| row.counted_elsewhere.is_none()).collect();
    counted.sort_by_key(|row| row.index);
    assert_eq!(counted.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["eth0", "port"]);
}

#[test]
fn every_kind_that_is_made_of_others_is_left_out_of_the_total() {
    let (world, mut watch) = host();
    let kinds = [
        "bridge",
        "bond",
        "team",
        "vrf",
        "vlan",
        "macvlan",
        "macvtap",
        "ipvlan",
        "ipvtap",
        "macsec",
        "veth",
        "gre",
        "gretap",
        "ip6gre",
        "ip6gretap",
        "erspan",
        "ip6erspan",
        "ipip",
        "sit",
        "ip6tnl",
        "vti",
        "vti6",
        "xfrm",
        "vxlan",
        "geneve",
        "wireguard",
        "bareudp",
        "gtp",
        "tun",
        "dummy",
        "ifb",
        "nlmon",
    ];
    let stacked = kinds.into_iter().zip(10..);
    let nics = stacked.map(|(kind, index)| Nic { index, name: kind, kind, lower: 2, ..Nic::default() });
    set(&world, &[nic(0, 0), LOOPBACK].into_iter().chain(nics).collect::<Vec<_>>());
    let picture = watch.step();
    for kind in kinds {
        let row = book(&picture, kind);
        assert!(row.counted_elsewhere.is_some(), "{kind} would be counted twice");
    }
    assert_eq!(book(&picture, "eth0").counted_elsewhere, None);
}

#[test]
fn what_stands_on_an_interface_is_in_its_books_too() {
    let (world, mut watch) = host();
    let vlan = Nic { index: 5, name: "vlan", kind: "vlan", lower: 2, ..Nic::default() };
    set(&world, &[nic(0, 0), LOOPBACK, vlan.clone()]);
    world.state().addresses.push(address(5, "10.5.0.1"));
    watch.step();
    world.state().sockets.push(DiagSocket {
        sent: 1000,
        segments_out: 2,
        ..DiagSocket::tcp(2, "10.5.0.1:5", "10.5.0.2:6")
    });
    set(&world, &[nic(2, 1200), LOOPBACK, Nic { counters: [2, 1100, 2, 1100], ..vlan }]);
    let picture = watch.step();
    for name in ["vlan", "eth0"] {
        assert_eq!(book(&picture, name).attributed.transmit, 1000, "{name}");
    }
}
