//! The books of the interfaces: whose each wire byte is.
//!
//! `wire = attributed + headers + forwarded + kernel + unexplained`, each way.
//!
//! **Without counts of packets** the parts are worked out from what sockets tell, and marked as sampled:
//! payload goes to the interface that has the socket's local address, or to the loopback when the other end is here
//! too. TCP's headers are its segments (`tcp_info`, `segs_in` and `segs_out`) by the length of a header with or without
//! time stamps; for UDP a call is taken for a datagram. An interface that hands large packets to its driver or to the
//! other end of a pair counts fewer packets than segments travelled, so the headers are scaled down to the number of
//! packets that the interface counted. Payload sent again stands with the headers. What sockets do not tell (ICMP,
//! datagrams that no program took, what is routed through, the last segments of a closed connection) is told by the
//! kernel's counters of protocols, in packets: [`evidence`] gives it the rest of the bytes as far as these may be of so
//! many packets, and what is beyond is unexplained.
//!
//! **With counts of packets** ([`PacketCount`]) for an interface, these take the place of the estimate from then on.
//!
//! The interfaces' own counters are read after the sockets (but for the first time), so that what was attributed has
//! travelled: no row is below zero, and their sum is the interface's counter.

mod estimate;
mod evidence;
mod rows;

use std::net::IpAddr;

use squirrel_wire::sock_diag::{IPPROTO_TCP, IPPROTO_UDP};

use crate::picture::Traffic;

pub(crate) use estimate::Estimate;
pub(crate) use rows::rows;

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
    /// The cookie of the socket, if one sent or received them.
    pub(crate) cookie: u64,
    /// The IP protocol; 0 when it is none.
    pub(crate) protocol: u8,
    /// The sender's address; `None` when it is not IP.
    pub(crate) source: Option<IpAddr>,
    /// The receiver's address; `None` when it is not IP.
    pub(crate) destination: Option<IpAddr>,
    /// Packets received.
    pub(crate) receive: Frames,
    /// Packets transmitted.
    pub(crate) transmit: Frames,
}

impl PacketCount {
    /// The other end of datagrams of a socket of this host, and their payload; `link` is the length of the link's header.
    pub(crate) fn datagrams(&self, link: u64) -> Option<(IpAddr, Traffic)> {
        if self.class != PacketClass::Socket || self.protocol != IPPROTO_UDP || self.cookie == 0 {
            return None;
        }
        let header = self.header(link);
        // Large packets have one header each, as they are handed over.
        let payload = |frames: Frames| frames.without(header)[0];
        let peer = if self.receive.packets > 0 { self.source } else { self.destination };
        Some((peer?, Traffic::new(payload(self.receive), payload(self.transmit))))
    }

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

/// Packets that sockets tell of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Packets {
    pub(crate) tcp: Traffic,
    pub(crate) udp: Traffic,
}

impl Packets {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { tcp: self.tcp.plus(other.tcp), udp: self.udp.plus(other.udp) }
    }

    pub(crate) fn times(self, factor: u64) -> Self {
        Self { tcp: self.tcp.times(factor), udp: self.udp.times(factor) }
    }
}

/// Octets of headers.
const IPV4: u64 = 20;
const IPV6: u64 = 40;
const UDP: u64 = 8;
/// With time stamps.
const TCP: u8 = 32;
