//! The books of the interfaces: whose each wire byte is.
//!
//! `wire = attributed + headers + forwarded + kernel + unexplained`, each way.
//!
//! **Without counts of packets** the parts are worked out from what sockets tell, and marked as sampled:
//! payload goes to the interface that has the socket's local address, or to the loopback when the other end is here
//! too. TCP's headers are its segments (`tcp_info`, `segs_in` and `segs_out`) by the length of a header with or without
//! time stamps; for UDP a call is taken for a datagram. An interface that hands large packets to its driver or to the
//! other end of a pair counts fewer packets than segments travelled, so the headers are scaled down to the number of
//! packets that the interface counted. Payload sent again stands with the headers. What sockets do not tell (ICMP, ARP,
//! what is routed through, the last segments of a closed connection) is in the unexplained rest.
//!
//! **With counts of packets** ([`PacketCount`]) for an interface, these take the place of the estimate from then on.

use std::net::IpAddr;
use std::time::Duration;

use squirrel_wire::sock_diag::{IPPROTO_TCP, IPPROTO_UDP};

use crate::connection::Connection;
use crate::links::{Interface, Links};
use crate::picture::{Carrier, InterfaceRow, Source, Traffic};

/// What a packet is to this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PacketClass {
    /// A socket sent it or received it.
    Socket,
    /// It passes through from one interface to another.
    Forwarded,
    /// It is the kernel's own: ICMP, ARP, neighbour discovery, the outside of a tunnel.
    Kernel,
    /// Not known: the table of whoever counts was full. It stays unexplained.
    Untold,
}

/// Packets in one direction, counted in two ways: an interface counts in one of them, and its own counter shows in
/// which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frames {
    /// Packets as the kernel hands them over, of which one may stand for many segments.
    pub(crate) packets: u64,
    /// Their bytes, with the link's header as the interface counts it.
    pub(crate) bytes: u64,
    /// Packets with each segment by itself, as a network card counts them.
    pub(crate) wire_packets: u64,
    /// Their bytes.
    pub(crate) wire_bytes: u64,
}

impl Frames {
    /// Bytes in both ways to count.
    fn bytes(self) -> [u64; 2] {
        [self.bytes, self.wire_bytes]
    }

    /// What is left without headers of this length, in both ways.
    fn without(self, header: u64) -> [u64; 2] {
        let less = |bytes: u64, packets: u64| bytes.saturating_sub(packets.saturating_mul(header));
        [less(self.bytes, self.packets), less(self.wire_bytes, self.wire_packets)]
    }
}

/// New packets of one interface, socket, pair of addresses and class since the last count.
///
/// [`PacketReader`](crate::packets::PacketReader) makes them of a ledger's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PacketCount {
    /// The interface's index.
    pub(crate) interface: u32,
    /// What they are.
    pub(crate) class: PacketClass,
    /// The IP protocol; 0 when it is none.
    pub(crate) protocol: u8,
    /// The receiver's address; `None` when it is not IP.
    pub(crate) destination: Option<IpAddr>,
    /// Packets received.
    pub(crate) receive: Frames,
    /// Packets transmitted.
    pub(crate) transmit: Frames,
}

impl PacketCount {
    /// Octets of the headers of one packet, near enough: TCP's with time stamps.
    fn header(&self, link: u64) -> u64 {
        let network = if self.destination.is_some_and(|destination| destination.is_ipv6()) { IPV6 } else { IPV4 };
        let transport = match self.protocol {
            IPPROTO_TCP => u64::from(TCP),
            IPPROTO_UDP => UDP,
            _ => 0,
        };
        link + network + transport
    }
}

/// The parts of one interface's wire bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) attributed: Traffic,
    pub(crate) headers: Traffic,
    pub(crate) forwarded: Traffic,
    pub(crate) kernel: Traffic,
}

impl Parts {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            attributed: self.attributed.plus(other.attributed),
            headers: self.headers.plus(other.headers),
            forwarded: self.forwarded.plus(other.forwarded),
            kernel: self.kernel.plus(other.kernel),
        }
    }

    /// These, with the way out of others.
    fn with_transmit(self, other: Self) -> Self {
        let both = |way_in: Traffic, way_out: Traffic| Traffic::new(way_in.receive, way_out.transmit);
        Self {
            attributed: both(self.attributed, other.attributed),
            headers: both(self.headers, other.headers),
            forwarded: both(self.forwarded, other.forwarded),
            kernel: both(self.kernel, other.kernel),
        }
    }

    pub(crate) fn sum(self) -> Traffic {
        self.attributed.plus(self.headers).plus(self.forwarded).plus(self.kernel)
    }

    fn add(&mut self, class: PacketClass, bytes: Traffic, payload: Traffic) {
        match class {
            PacketClass::Forwarded => self.forwarded = self.forwarded.plus(bytes),
            PacketClass::Kernel => self.kernel = self.kernel.plus(bytes),
            PacketClass::Untold => {}
            PacketClass::Socket => {
                self.attributed = self.attributed.plus(payload);
                self.headers = self.headers.plus(bytes.minus(payload));
            }
        }
    }
}

/// Parts by counts of packets, in both ways to count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted([Parts; 2]);

impl Counted {
    /// Takes in a count; `link` is the length of the link's header as the interface counts it. What of a packet is
    /// payload is reckoned by the usual length of its headers, so that a part of the payload may stand with the headers
    /// or the other way round; the sum is exact.
    pub(crate) fn add(&mut self, count: &PacketCount, link: u64) {
        let header = count.header(link);
        let bytes = count.receive.bytes().into_iter().zip(count.transmit.bytes());
        let payload = count.receive.without(header).into_iter().zip(count.transmit.without(header));
        for ((parts, bytes), payload) in self.0.iter_mut().zip(bytes).zip(payload) {
            parts.add(count.class, Traffic::new(bytes.0, bytes.1), Traffic::new(payload.0, payload.1));
        }
    }

    /// The parts in that way to count which comes nearer to the interface's own counter, with what was estimated
    /// besides. Each direction by itself: there are drivers that count segments on the way in and large packets on the
    /// way out.
    fn nearest(&self, estimated: Parts, wire: Traffic) -> Parts {
        let [packets, segments] = self.0.map(|parts| parts.plus(estimated));
        let nearer = |way: fn(Traffic) -> u64| {
            let off = |parts: Parts| way(parts.sum()).abs_diff(way(wire));
            if off(segments) < off(packets) { segments } else { packets }
        };
        nearer(|traffic| traffic.receive).with_transmit(nearer(|traffic| traffic.transmit))
    }
}

/// What sockets tell of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Estimate {
    pub(crate) payload: Traffic,
    /// Headers of all segments, not yet scaled.
    headers: Traffic,
    segments: Traffic,
    /// Payload sent again.
    again: u64,
}

/// Octets of headers.
const IPV4: u64 = 20;
const IPV6: u64 = 40;
const UDP: u64 = 8;
/// With time stamps.
const TCP: u8 = 32;
/// Options of a SYN that later segments do not have: segment size, selective acknowledgement, window scale.
const SYN: u64 = 8;

impl Estimate {
    /// Takes in what came of one connection since the last time.
    pub(crate) fn add(&mut self, row: &mut Connection, new: Traffic, link: &Interface) {
        let segments = Traffic::new(u64::from(row.tcp.segments_in), u64::from(row.tcp.segments_out));
        let fresh = segments.minus(row.tcp.booked);
        let again = row.tcp.retransmitted();
        let fresh_again = again.saturating_sub(row.tcp.booked_again);
        row.tcp.booked = row.tcp.booked.max(segments);
        row.tcp.booked_again = row.tcp.booked_again.max(again);
        let network = if row.remote().is_ipv4() { IPV4 } else { IPV6 };
        let (transport, extra) = match row.carrier {
            Carrier::Tcp => (u64::from(row.tcp.header), syns(fresh, segments, row.tcp.accepted)),
            _ => (UDP, fragments(new, fresh, network, link)),
        };
        if row.tcp.accepted && !row.tcp.answer_booked {
            row.tcp.answer_booked = true;
            self.segments.transmit += 1;
            self.headers.transmit += link.header() + network + transport + SYN;
        }
        self.payload = self.payload.plus(new);
        self.segments = self.segments.plus(fresh);
        self.headers = self.headers.plus(fresh.times(link.header() + network + transport)).plus(extra);
        self.again = self.again.saturating_add(fresh_again);
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            payload: self.payload.plus(other.payload),
            headers: self.headers.plus(other.headers),
            segments: self.segments.plus(other.segments),
            again: self.again.saturating_add(other.again),
        }
    }

    pub(crate) fn times(self, factor: u64) -> Self {
        Self {
            payload: self.payload.times(factor),
            headers: self.headers.times(factor),
            segments: self.segments.times(factor),
            again: self.again.saturating_mul(factor),
        }
    }

    /// The parts, with headers for as many packets as the interface counted.
    fn parts(&self, packets: Traffic) -> Parts {
        let scaled = |headers: u64, segments: u64, packets: u64| {
            if segments <= packets || segments == 0 {
                headers
            } else {
                (u128::from(headers) * u128::from(packets) / u128::from(segments)) as u64
            }
        };
        let receive = scaled(self.headers.receive, self.segments.receive, packets.receive);
        let transmit = scaled(self.headers.transmit, self.segments.transmit, packets.transmit);
        let headers = Traffic::new(receive, transmit.saturating_add(self.again));
        Parts { attributed: self.payload, headers, ..Parts::default() }
    }
}

/// The longer headers of a connection's first segment each way, when it is among the new ones. The answer to an opening
/// by the other side is not among them.
fn syns(fresh: Traffic, segments: Traffic, accepted: bool) -> Traffic {
    let first = |fresh: u64, all: u64| if fresh > 0 && fresh == all { SYN } else { 0 };
    let transmit = if accepted { 0 } else { first(fresh.transmit, segments.transmit) };
    Traffic::new(first(fresh.receive, segments.receive), transmit)
}

/// The further headers of datagrams that do not fit into one packet.
fn fragments(new: Traffic, datagrams: Traffic, network: u64, link: &Interface) -> Traffic {
    let room = u64::from(link.mtu).saturating_sub(network).max(8);
    let further = |bytes: u64, datagrams: u64| {
        let size = bytes.checked_div(datagrams).unwrap_or(0).saturating_add(UDP);
        datagrams.saturating_mul(size.div_ceil(room).saturating_sub(1)).saturating_mul(network + link.header())
    };
    Traffic::new(further(new.receive, datagrams.receive), further(new.transmit, datagrams.transmit))
}

/// The books of one namespace.
pub(crate) fn rows(links: &Links, namespace: u64, uplink_elsewhere: bool, span: Duration) -> Vec<InterfaceRow> {
    let mut rows: Vec<InterfaceRow> =
        links.iter().map(|link| row(links, link, namespace, uplink_elsewhere, span)).collect();
    rows.sort_by_key(|row| row.index);
    rows
}

fn row(links: &Links, link: &Interface, namespace: u64, uplink_elsewhere: bool, span: Duration) -> InterfaceRow {
    let wire = link.wire.total;
    let estimate = links.carried(link);
    let mut parts = link.counted.nearest(estimate.parts(link.packets.total), wire);
    let exact = link.exact_since_start();
    if !exact && links.is_passed_through(link) {
        // Nothing here has an address on it, so all that is not this host's own is others'.
        parts.forwarded = parts.forwarded.plus(wire.minus(parts.sum()));
    } else if !exact {
        spread_unplaced(links, &mut parts, wire);
    }
    let left = |wire: u64, parts: u64| (i128::from(wire) - i128::from(parts)) as i64;
    let sum = parts.sum();
    InterfaceRow {
        namespace,
        index: link.index,
        name: link.name.clone(),
        wire: wire.figures(link.wire.before, span),
        attributed: parts.attributed,
        headers: parts.headers,
        forwarded: parts.forwarded,
        kernel: parts.kernel,
        unexplained_receive: left(wire.receive, sum.receive),
        unexplained_transmit: left(wire.transmit, sum.transmit),
        counted_elsewhere: links.counted_elsewhere(link, uplink_elsewhere),
        source: if exact { Source::Exact } else { Source::Sampled },
    }
}

/// Unconnected UDP sockets do not tell by which interface their datagrams went. Their bytes are spread over those with
/// an unexplained rest, by its size, and never beyond it.
fn spread_unplaced(links: &Links, parts: &mut Parts, wire: Traffic) {
    let unplaced = links.unplaced.parts(Traffic::new(u64::MAX, u64::MAX));
    if unplaced.sum().is_zero() {
        return;
    }
    let rest = wire.minus(parts.sum());
    let all = links.rest();
    let share = |bytes: u64, rest: u64, all: u64| {
        if all == 0 { 0 } else { (u128::from(bytes) * u128::from(rest.min(all)) / u128::from(all)) as u64 }
    };
    let of = |bytes: Traffic| {
        Traffic::new(
            share(bytes.receive, rest.receive, all.receive),
            share(bytes.transmit, rest.transmit, all.transmit),
        )
    };
    let mut more = Parts { attributed: of(unplaced.attributed), headers: of(unplaced.headers), ..Parts::default() };
    // What is more than the rest was moved elsewhere (or is still on its way).
    let beyond = more.sum().minus(rest);
    more.attributed = more.attributed.minus(beyond);
    *parts = parts.plus(more);
}

impl Links {
    /// What all interfaces carried beyond what is known of them.
    fn rest(&self) -> Traffic {
        let open = self.iter().filter(|link| !link.exact_since_start() && !self.is_passed_through(link));
        open.map(|link| {
            let parts = link.counted.nearest(self.carried(link).parts(link.packets.total), link.wire.total);
            link.wire.total.minus(parts.sum())
        })
        .fold(Traffic::default(), Traffic::plus)
    }
}
