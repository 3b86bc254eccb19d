//! What the sockets of an interface tell of its bytes: payload, and headers by the number of segments.

use super::{IPV4, IPV6, Packets, Parts, UDP};
use crate::connection::Connection;
use crate::links::Interface;
use crate::picture::{Carrier, Traffic};

/// Options of a SYN that later segments do not have: segment size, selective acknowledgement, window scale.
const SYN: u64 = 8;

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

impl Estimate {
    /// Takes in what came of one connection since the last time, and answers in how many packets it came.
    pub(crate) fn add(&mut self, row: &mut Connection, new: Traffic, link: &Interface) -> Packets {
        let segments = Traffic::new(u64::from(row.tcp.segments_in), u64::from(row.tcp.segments_out));
        let fresh = segments.minus(row.tcp.booked);
        let again = row.tcp.retransmitted();
        let fresh_again = again.saturating_sub(row.tcp.booked_again);
        row.tcp.booked = row.tcp.booked.max(segments);
        row.tcp.booked_again = row.tcp.booked_again.max(again);
        let network = if row.remote().is_ipv4() { IPV4 } else { IPV6 };
        let mut packets = match row.carrier {
            Carrier::Tcp => Packets { tcp: fresh, ..Packets::default() },
            _ => Packets { udp: fresh, ..Packets::default() },
        };
        let (transport, extra) = match row.carrier {
            Carrier::Tcp => (u64::from(row.tcp.header), syns(fresh, segments, row.tcp.accepted == Some(true))),
            _ => (UDP, fragments(new, fresh, network, link)),
        };
        if row.tcp.accepted == Some(true) && !row.tcp.answer_booked {
            row.tcp.answer_booked = true;
            self.segments.transmit += 1;
            packets.tcp.transmit += 1;
            self.headers.transmit += link.header() + network + transport + SYN;
        }
        self.payload = self.payload.plus(new);
        self.segments = self.segments.plus(fresh);
        self.headers = self.headers.plus(fresh.times(link.header() + network + transport)).plus(extra);
        self.again = self.again.saturating_add(fresh_again);
        packets
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
    pub(super) fn parts(&self, packets: Traffic) -> Parts {
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
