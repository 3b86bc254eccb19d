//! Packets that no socket tells of, and how many bytes of an interface's rest may be theirs.
//!
//! The kernel counts them by protocol, in packets and for the whole namespace. A packet of each kind has a least and a
//! most size; the rest of an interface is given to the kinds within these bounds, and nothing beyond.

use crate::books::Packets;
use crate::counters::Protocols;
use crate::links::Links;
use crate::picture::{BookPart, Traffic};

/// Why bytes stand where they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Why {
    pub(super) part: BookPart,
    pub(super) reason: &'static str,
    pub(super) meaning: &'static str,
}

pub(super) const PAYLOAD: Why = Why {
    part: BookPart::Attributed,
    reason: "payload",
    meaning: "Payload of sockets: the tables of processes and connections tell whose.",
};
pub(super) const HEADERS: Why = Why {
    part: BookPart::Headers,
    reason: "headers",
    meaning: "Headers of the packets of these sockets, and payload that was sent again.",
};
pub(super) const PASSED_THROUGH: Why = Why {
    part: BookPart::Forwarded,
    reason: "passed_through",
    meaning: "No address of this namespace is on the interface, or it is a port of a bridge or bond: what it carries is of others.",
};
pub(super) const ROUTED: Why = Why {
    part: BookPart::Forwarded,
    reason: "routed",
    meaning: "Packets that this host passed on from one interface to another.",
};
pub(super) const NOT_READ: Why = Why {
    part: BookPart::Kernel,
    reason: "not_read",
    meaning: "Arrived for a socket of this host, and no program has read it: it waits in a receive queue, or was dropped there.",
};
pub(super) const KERNEL_PACKETS: Why = Why {
    part: BookPart::Kernel,
    reason: "kernel_packets",
    meaning: "Packets of the kernel itself: ICMP, ARP, neighbour discovery, the outside of tunnels.",
};
pub(super) const UNKNOWN: Why = Why {
    part: BookPart::Unexplained,
    reason: "unknown",
    meaning: "No counter of the kernel tells what this was: other protocols than IP (ARP among them), raw packets, a part of a stream that came twice. Level `packets` counts each frame.",
};

const SEGMENTS: Why = Why {
    part: BookPart::Kernel,
    reason: "segments_without_connection",
    meaning: "Segments of TCP that no connection counts: resets, refused openings, and what follows the end of a connection.",
};
const CONTROL: Why =
    Why { part: BookPart::Kernel, reason: "icmp", meaning: "ICMP and ICMPv6: echoes, errors, neighbour discovery." };
const REFUSED: Why = Why {
    part: BookPart::Kernel,
    reason: "datagrams_refused",
    meaning: "Datagrams of UDP that the kernel let go of: nobody listens there, or the socket's receive buffer was full.",
};
const TO_MANY: Why = Why {
    part: BookPart::Kernel,
    reason: "multicast",
    meaning: "Multicast and broadcast that arrived, for the kernel itself or for nobody here.",
};
const OF_OTHERS: Why = Why {
    part: BookPart::Unexplained,
    reason: "udp_not_counted",
    meaning: "Datagrams of UDP that programs moved: at this level they are not counted by socket.",
};
pub(super) const OUTSIDE_OF_TUNNELS: Why = Why {
    part: BookPart::Kernel,
    reason: "tunnels",
    meaning: "The outside of tunnels: what their interfaces carry travels here once more, with further headers.",
};

/// One kind of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    why: Why,
    packets: u64,
    /// Octets of one packet, without the link's header.
    least: u64,
    most: u64,
    /// Only where packets come from elsewhere or go there.
    outside: bool,
}

/// Octets of IPv4 with each transport.
const BARE_TCP: u64 = 40;
/// IPv6, and all options that TCP has room for.
const LONGEST_TCP: u64 = 40 + 60;
const BARE_UDP: u64 = 28;
/// Of an IP packet, with its fragments together.
const LONGEST: u64 = 65_535;
/// Errors have at most 1280 octets (RFC 4443, 2.4 c), and hardly anybody sends longer echoes than Ethernet carries.
const LONGEST_CONTROL: u64 = 1_500;
/// Memory that even the shortest waiting datagram takes (`SKB_TRUESIZE` of `include/linux/skbuff.h`, and its data).
const LEAST_MEMORY: u64 = 768;
/// Of the header of Ethernet.
const LINK: u64 = 14;

/// What there is to explain the rest of the interfaces of a namespace with, received and transmitted.
pub(super) fn kinds(all: Protocols, told: Packets, waiting: u64) -> [Vec<Kind>; 2] {
    let kind = |why, packets, least, most| Kind { why, packets, least, most, outside: false };
    let each_to_many = all.octets_to_many.checked_div(all.to_many).unwrap_or(0);
    let routed = Kind { outside: true, ..kind(ROUTED, all.forwarded, BARE_UDP, LONGEST) };
    let receive = [
        kind(SEGMENTS, all.segments_in.saturating_sub(told.tcp.receive), BARE_TCP, LONGEST_TCP),
        kind(CONTROL, all.control_in, BARE_UDP, LONGEST_CONTROL),
        kind(REFUSED, all.refused, BARE_UDP, LONGEST),
        Kind { outside: true, ..kind(TO_MANY, all.to_many, each_to_many, each_to_many) },
        kind(NOT_READ, waiting.div_ceil(LEAST_MEMORY), BARE_UDP, LONGEST),
        kind(OF_OTHERS, all.datagrams_in.saturating_sub(told.udp.receive), BARE_UDP, LONGEST),
        routed,
    ];
    let transmit = [
        kind(SEGMENTS, all.segments_out.saturating_sub(told.tcp.transmit), BARE_TCP, LONGEST_TCP),
        kind(CONTROL, all.control_out, BARE_UDP, LONGEST_CONTROL),
        kind(OF_OTHERS, all.datagrams_out.saturating_sub(told.udp.transmit), BARE_UDP, LONGEST),
        routed,
    ];
    let there = |kind: &Kind| kind.packets > 0;
    [receive.into_iter().filter(there).collect(), transmit.into_iter().filter(there).collect()]
}

/// What the outside of tunnels can be of an interface that carried so many packets, in one direction. Where it carried
/// more than the tunnels did, large packets were divided, and each part has all headers.
pub(super) fn outside_of_tunnels(links: &Links, way: fn(Traffic) -> u64, packets: u64) -> u64 {
    let tunnels = links.tunnels().map(|(wire, inside, further)| {
        let each = further + LINK;
        let divided = packets.saturating_sub(way(inside)).saturating_mul(each + LINK + LONGEST_TCP);
        let whole = way(wire).saturating_add(way(inside).saturating_mul(each));
        if wire.is_zero() { 0 } else { whole.saturating_add(divided) }
    });
    tunnels.fold(0, u64::saturating_add)
}

/// How an interface's rest is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    /// Bytes of this one, and of all interfaces together: packets are counted for all of them.
    pub(super) bytes: u64,
    pub(super) of_all: u64,
    /// Octets of the link's header.
    pub(super) header: u64,
    pub(super) loopback: bool,
}

/// Gives the rest to the kinds: to each the least that so many packets have, then what is left by their number, to none
/// more than the most that they can have. What nobody can have had is not given.
pub(super) fn allot(kinds: &[Kind], rest: Rest) -> Vec<(Why, u64)> {
    let part = |number: u64| scale(number, rest.bytes, rest.of_all.into());
    let kinds: Vec<(Why, u64, u64, u64)> = kinds
        .iter()
        .filter(|kind| !(kind.outside && rest.loopback))
        .map(|kind| {
            let bytes = |size: u64| part(size.saturating_add(rest.header).saturating_mul(kind.packets));
            let (least, most) = (bytes(kind.least), bytes(kind.most));
            (kind.why, kind.packets, least.min(rest.bytes), most.max(least).min(rest.bytes))
        })
        .collect();
    let least: u128 = kinds.iter().map(|(_, _, least, _)| u128::from(*least)).sum();
    if least >= u128::from(rest.bytes) {
        return kinds.iter().map(|(why, _, own, _)| (*why, scale(rest.bytes, *own, least))).collect();
    }
    let mut given: Vec<u64> = kinds.iter().map(|(_, _, least, _)| *least).collect();
    let mut left = rest.bytes - given.iter().sum::<u64>();
    // Those that are full give what is beyond to the others: as many rounds as there may be full ones.
    for _ in 0..kinds.len() {
        let open = kinds.iter().zip(&given).filter(|((_, _, _, most), given)| *given < most);
        let packets_of_all: u128 = open.map(|((_, packets, _, _), _)| u128::from(*packets)).sum();
        if left == 0 || packets_of_all == 0 {
            break;
        }
        let share = left;
        for ((_, packets, _, most), own) in kinds.iter().zip(&mut given) {
            if *own < *most {
                let more = scale(share, *packets, packets_of_all).max(1).min(most - *own).min(left);
                *own += more;
                left -= more;
            }
        }
    }
    kinds.iter().zip(given).map(|((why, _, _, _), bytes)| (*why, bytes)).collect()
}

/// `number * part / whole`, without overflow; nothing of nothing.
pub(super) fn scale(number: u64, part: u64, whole: u128) -> u64 {
    let scaled = (u128::from(number) * u128::from(part)).checked_div(whole).unwrap_or(0);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kind(why: Why, packets: u64, least: u64, most: u64) -> Kind {
        Kind { why, packets, least, most, outside: false }
    }

    fn alone(bytes: u64) -> Rest {
        Rest { bytes, of_all: bytes, header: 14, loopback: false }
    }

    fn given(kinds: &[Kind], rest: Rest) -> Vec<u64> {
        allot(kinds, rest).into_iter().map(|(_, bytes)| bytes).collect()
    }

    #[test]
    fn nobody_gets_more_than_so_many_packets_can_have() {
        let resets = kind(SEGMENTS, 10, BARE_TCP, LONGEST_TCP);
        assert_eq!(given(&[resets], alone(700)), [700]);
        assert_eq!(given(&[resets], alone(100)), [100]);
        assert_eq!(given(&[resets], alone(100_000)), [10 * (LONGEST_TCP + 14)], "the others are unexplained");
        assert_eq!(given(&[], alone(5)), [0u64; 0]);
    }

    #[test]
    fn what_is_beyond_the_least_goes_by_the_number_of_packets() {
        let (echoes, lost) = (kind(CONTROL, 10, 28, 1_000), kind(REFUSED, 30, 28, 1_000));
        let least = 42 * 40;
        assert_eq!(given(&[echoes, lost], alone(least + 400)), [420 + 100, 1260 + 300]);
        // One that is full leaves the others what is beyond.
        let resets = kind(SEGMENTS, 10, BARE_TCP, LONGEST_TCP);
        assert_eq!(given(&[resets, lost], alone(20_000)), [1_140, 18_860]);
    }

    #[test]
    fn packets_that_pass_through_were_not_on_the_loopback() {
        let routed = Kind { outside: true, ..kind(ROUTED, 10, 28, 1_000) };
        assert_eq!(given(&[routed], Rest { loopback: true, ..alone(500) }), [0u64; 0]);
        assert_eq!(given(&[routed], alone(500)), [500]);
    }

    #[test]
    fn an_interface_has_its_part_of_the_packets() {
        let resets = kind(SEGMENTS, 10, BARE_TCP, LONGEST_TCP);
        let half = Rest { bytes: 50_000, of_all: 100_000, header: 14, loopback: false };
        assert_eq!(given(&[resets], half), [10 * (LONGEST_TCP + 14) / 2]);
    }

    proptest! {
        #[test]
        fn never_is_more_given_than_there_is(
            kinds in proptest::collection::vec((any::<u64>(), any::<u16>(), any::<u64>()), 0..6),
            bytes: u64, beside: u64, header in 0u64..100,
        ) {
            let kinds: Vec<Kind> =
                kinds.into_iter().map(|(packets, least, most)| kind(CONTROL, packets, least.into(), most)).collect();
            let rest = Rest { bytes, of_all: bytes.saturating_add(beside), header, loopback: false };
            let sum = given(&kinds, rest).into_iter().map(u128::from).sum::<u128>();
            prop_assert!(sum <= u128::from(bytes), "{sum} of {bytes}");
        }
    }
}
