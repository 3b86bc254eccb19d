//! One interface: its counters, and what it is made of.

use squirrel_wire::link::{Counter, Link, Statistics};

use crate::books::{Counted, Estimate};
use crate::picture::Traffic;

/// `ARPHRD_ETHER`.
pub(super) const ETHERNET: u16 = 1;
/// `ARPHRD_LOOPBACK`. Its counters leave the link header out (`loopback_xmit` in `drivers/net/loopback.c`).
const LOOPBACK: u16 = 772;
/// Octets of an Ethernet header, which interfaces count.
const ETHERNET_HEADER: u64 = 14;

/// A counter of the kernel that may begin anew.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Running {
    last: Option<Traffic>,
    /// Since it was first read.
    pub(crate) total: Traffic,
    pub(crate) before: Traffic,
}

impl Running {
    /// Takes a reading. `whole` tells that all of the first one counts: the interface was made since the accountant
    /// began.
    pub(super) fn read(&mut self, now: Traffic, whole: bool) {
        self.before = self.total;
        let new = match self.last {
            None if whole => now,
            None => Traffic::default(),
            Some(last) => {
                let step = |now: u64, last: u64| now.checked_sub(last).unwrap_or(now);
                Traffic::new(step(now.receive, last.receive), step(now.transmit, last.transmit))
            }
        };
        self.last = Some(now);
        self.total = self.total.plus(new);
    }
}

/// Whether packets are counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PacketByPacket {
    pub(super) now: bool,
    /// At no time they were not.
    pub(super) always: bool,
}

/// One interface.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interface {
    pub(crate) index: u32,
    pub(crate) name: String,
    pub(crate) mtu: u32,
    pub(super) hardware: u16,
    pub(super) kind: String,
    pub(super) member_of: String,
    pub(super) master: u32,
    pub(super) lower: u32,
    /// Whether the lower or other end is in another namespace.
    pub(super) lower_elsewhere: bool,
    pub(crate) wire: Running,
    pub(crate) packets: Running,
    pub(crate) estimate: Estimate,
    /// Octets of TCP that arrived by it and wait to be read.
    pub(crate) unread: u64,
    /// What counts of packets said.
    pub(crate) counted: Counted,
    pub(super) packet_by_packet: PacketByPacket,
    pub(super) seen: bool,
}

impl Interface {
    /// Octets of the link header that the interface counts with each packet.
    pub(crate) fn header(&self) -> u64 {
        if self.hardware == ETHERNET { ETHERNET_HEADER } else { 0 }
    }

    pub(crate) fn exact_since_start(&self) -> bool {
        self.packet_by_packet.now && self.packet_by_packet.always
    }

    /// Whether sockets' own words still count towards its books.
    pub(crate) fn is_estimated(&self) -> bool {
        !self.packet_by_packet.now
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.hardware == LOOPBACK
    }

    /// Whether its packets travel inside those of another one, by the kernel's doing.
    pub(crate) fn is_tunnel(&self) -> bool {
        outside(&self.kind).is_some()
    }

    /// Whether it is made of software on top of others.
    pub(super) fn is_virtual(&self) -> bool {
        !self.kind.is_empty()
    }
}

/// Octets of the headers that a packet of a tunnel of this kind gets for its way outside, over IPv4. Those of an inner
/// Ethernet frame stand in the tunnel's own counters.
pub(super) fn outside(kind: &str) -> Option<u64> {
    const IPV4: u64 = 20;
    const UDP: u64 = 8;
    Some(match kind {
        "ipip" | "sit" => IPV4,
        "ip6tnl" => 40,
        "gre" | "gretap" => IPV4 + 4,
        "ip6gre" | "ip6gretap" => 40 + 4,
        "erspan" => IPV4 + 16,
        "vxlan" | "geneve" | "gtp" => IPV4 + UDP + 8,
        "bareudp" => IPV4 + UDP,
        // Type, receiver, counter, authentication; and half of the most that fills up to sixteen.
        "wireguard" => IPV4 + UDP + 32 + 8,
        // ESP: index, sequence, initial vector, authentication.
        "vti" | "vti6" | "xfrm" => IPV4 + 8 + 8 + 16,
        _ => return None,
    })
}

/// Kinds whose packets are those of the interface below.
pub(super) fn stands_on(kind: &str) -> bool {
    matches!(kind, "vlan" | "macvlan" | "macvtap" | "ipvlan" | "ipvtap" | "macsec")
}

pub(super) fn describe(row: &mut Interface, link: &Link<'_>) {
    row.seen = true;
    if row.name.as_bytes() != link.name.as_bytes() {
        row.name = shown(link.name.as_bytes());
    }
    let text = |text: Option<squirrel_wire::Text<'_>>| text.map(|text| text.to_string()).unwrap_or_default();
    row.hardware = link.hardware_type;
    row.mtu = link.mtu.unwrap_or(1500);
    row.master = link.master.unwrap_or(0);
    row.lower = link.lower_index.unwrap_or(0);
    row.lower_elsewhere = link.lower_namespace.is_some();
    (row.kind, row.member_of) = (text(link.kind), text(link.member_kind));
}

pub(super) fn both(statistics: Statistics<'_>, receive: Counter, transmit: Counter) -> Traffic {
    Traffic::new(statistics.counter(receive).unwrap_or(0), statistics.counter(transmit).unwrap_or(0))
}

/// A name that is not UTF-8 is written with escapes, as the collectors write it, so that two of them stay two.
fn shown(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(name) => name.to_owned(),
        Err(_) => name.escape_ascii().to_string(),
    }
}
