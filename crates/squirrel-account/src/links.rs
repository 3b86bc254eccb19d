//! The interfaces of one network namespace, their counters and addresses.

mod interface;

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};

use squirrel_sys::{Kernel, Netlink, SysError};
use squirrel_wire::address::{Address, DUMP_ADDRESSES, RTM_GETADDR, RTM_NEWADDR};
use squirrel_wire::link::{Counter, DUMP_LINKS, Link, RTM_GETLINK, RTM_NEWLINK};

use crate::Carrier;
use crate::books::{Estimate, PacketCount, Packets};
use crate::connection::Connection;
use crate::counters::{Counters, Protocols};
use crate::hash::NumberMap;
use crate::picture::Traffic;
pub(crate) use interface::Interface;
use interface::{ETHERNET, PacketByPacket, both, describe, outside, stands_on};

/// Steps between two readings of the addresses.
const ADDRESSES_EVERY: u64 = 5;
/// Most interfaces of a namespace.
const MAX_LINKS: usize = 10_000;

/// All of a namespace.
#[derive(Debug, Default)]
pub(crate) struct Links {
    rows: NumberMap<u32, Interface>,
    /// Which interface has an address.
    addresses: HashMap<IpAddr, u32>,
    loopback: u32,
    /// What sockets moved of which the interface is not known.
    pub(crate) unplaced: Estimate,
    /// In how many packets it came, whatever the interface.
    pub(crate) told: Packets,
    counters: Counters,
    /// Memory of datagrams that wait to be read.
    pub(crate) waiting: u64,
    /// Interfaces whose every frame is counted.
    watched: HashSet<u32>,
    readings: u64,
    pub(crate) failure: Option<String>,
}

impl Links {
    /// Forgets what waits to be read, before a step finds it anew.
    pub(crate) fn begin_step(&mut self) {
        self.waiting = 0;
        self.rows.values_mut().for_each(|row| row.unread = 0);
    }

    /// Whether it was read before.
    pub(crate) fn was_read(&self) -> bool {
        self.readings > 0
    }

    /// Reads the counters, and every few times the addresses.
    pub(crate) fn read(&mut self, kernel: &dyn Kernel) {
        let result = self.read_links(kernel).and_then(|changed| {
            let due = self.readings.is_multiple_of(ADDRESSES_EVERY);
            if changed || due { self.read_addresses(kernel) } else { Ok(()) }
        });
        self.readings += 1;
        self.failure = result.err().map(|error| error.to_string());
    }

    fn read_links(&mut self, kernel: &dyn Kernel) -> Result<bool, SysError> {
        let whole = self.readings > 0;
        let mut changed = false;
        for row in self.rows.values_mut() {
            row.seen = false;
        }
        let (rows, watched) = (&mut self.rows, &self.watched);
        kernel.dump(Netlink::Route, RTM_GETLINK, &DUMP_LINKS, &mut |kind, payload| {
            if kind != RTM_NEWLINK {
                return;
            }
            let Ok(link) = Link::parse(payload) else { return };
            if !rows.contains_key(&link.index) && rows.len() >= MAX_LINKS {
                return;
            }
            let row = rows.entry(link.index).or_insert_with(|| {
                changed = true;
                let now = watched.contains(&link.index);
                // One that came since the accountant began counts from its own begin, and may have carried something
                // before its frames were counted.
                let none = |statistics| both(statistics, Counter::RX_BYTES, Counter::TX_BYTES).is_zero();
                let always = now && (!whole || link.statistics.is_none_or(none));
                let packet_by_packet = PacketByPacket { now, always };
                Interface { index: link.index, packet_by_packet, ..Interface::default() }
            });
            describe(row, &link);
            let Some(statistics) = link.statistics else { return };
            row.wire.read(both(statistics, Counter::RX_BYTES, Counter::TX_BYTES), whole);
            row.packets.read(both(statistics, Counter::RX_PACKETS, Counter::TX_PACKETS), whole);
        })?;
        self.rows.retain(|_, row| row.seen);
        self.loopback = self.rows.values().find(|row| row.is_loopback()).map_or(0, |row| row.index);
        Ok(changed)
    }

    fn read_addresses(&mut self, kernel: &dyn Kernel) -> Result<(), SysError> {
        self.addresses.clear();
        let addresses = &mut self.addresses;
        kernel.dump(Netlink::Route, RTM_GETADDR, &DUMP_ADDRESSES, &mut |kind, payload| {
            if kind == RTM_NEWADDR
                && let Ok(address) = Address::parse(payload)
                && let Some(local) = address.local
            {
                addresses.insert(local, address.index);
            }
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Interface> {
        self.rows.values()
    }

    /// The interface that a connection's packets take; `None` when the socket does not tell.
    fn of(&mut self, local: SocketAddr, remote: SocketAddr, bound: u32) -> Option<&mut Interface> {
        let here = |address: IpAddr| address.is_loopback() || self.addresses.contains_key(&address);
        let index = if here(remote.ip()) || local.ip().is_loopback() {
            self.loopback
        } else if bound != 0 {
            bound
        } else {
            *self.addresses.get(&local.ip())?
        };
        self.rows.get_mut(&index)
    }

    /// Takes in what came of one connection; it counts `factor` times.
    pub(crate) fn estimate(&mut self, row: &mut Connection, new: Traffic, factor: u64) {
        let mut fresh = Estimate::default();
        let (local, remote, bound) = (row.local(), row.remote(), row.interface);
        if row.is_open() && row.carrier == Carrier::Udp {
            self.waiting = self.waiting.saturating_add(u64::from(row.receive_queue));
        }
        let packets = if let Some(link) = self.of(local, remote, bound) {
            link.unread = link.unread.saturating_add(row.unread());
            let packets = fresh.add(row, new, link);
            if link.is_estimated() {
                link.estimate = link.estimate.plus(fresh.times(factor));
            }
            packets
        } else {
            // As on Ethernet, which it will be most often.
            let usual = Interface { hardware: ETHERNET, mtu: 1500, ..Interface::default() };
            let packets = fresh.add(row, new, &usual);
            self.unplaced = self.unplaced.plus(fresh.times(factor));
            packets
        };
        self.told = self.told.plus(packets.times(factor));
    }

    /// Reads the counters of protocols of this namespace below a folder such as `/proc/net`.
    pub(crate) fn read_protocols(&mut self, kernel: &dyn Kernel, folder: &str, buffer: &mut Vec<u8>) {
        self.counters.read(kernel, folder, buffer);
    }

    /// What the kernel counted by protocol, if it can be read.
    pub(crate) fn protocols(&self) -> Option<Protocols> {
        self.counters.total()
    }

    /// The tunnels whose outside the kernel makes: their wire bytes and packets, and what each packet has further on
    /// the outside.
    pub(crate) fn tunnels(&self) -> impl Iterator<Item = (Traffic, Traffic, u64)> {
        self.iter().filter_map(|link| Some((link.wire.total, link.packets.total, outside(&link.kind)?)))
    }

    /// Takes in counts of packets.
    pub(crate) fn count(&mut self, count: &PacketCount) {
        if let Some(link) = self.rows.get_mut(&count.interface) {
            link.counted.add(count, link.header());
        }
    }

    /// Octets of the header of an interface's link.
    pub(crate) fn link_header(&self, interface: u32) -> u64 {
        self.rows.get(&interface).map_or(0, Interface::header)
    }

    /// Says of which interfaces each frame is counted from now on; of those that are to come, too.
    pub(crate) fn set_watched(&mut self, watched: impl Iterator<Item = u32>) {
        self.watched.clear();
        self.watched.extend(watched);
        for link in self.rows.values_mut() {
            link.packet_by_packet.now = self.watched.contains(&link.index);
            link.packet_by_packet.always &= link.packet_by_packet.now;
        }
    }

    /// What is known of an interface, together with what it carries for those that stand on it (VLANs and the like).
    pub(crate) fn carried(&self, link: &Interface) -> Estimate {
        if !link.is_estimated() {
            // Their frames are among those that are counted here.
            return link.estimate;
        }
        let upper = self.rows.values().filter(|upper| {
            upper.lower == link.index && upper.index != link.index && !upper.lower_elsewhere && stands_on(&upper.kind)
        });
        // One more layer is enough: a VLAN in a VLAN.
        upper.fold(link.estimate, |sum, upper| {
            let upmost = self
                .rows
                .values()
                .filter(|upmost| upmost.lower == upper.index && upmost.index != upper.index && stands_on(&upmost.kind));
            upmost.fold(sum.plus(upper.estimate), |sum, upmost| sum.plus(upmost.estimate))
        })
    }

    /// Whether all that goes over an interface goes to or comes from others: it is a port of a bridge or bond, or no
    /// address of this namespace is on it or on what stands on it.
    pub(crate) fn is_passed_through(&self, link: &Interface) -> bool {
        let has_address = |index: u32| self.addresses.values().any(|at| *at == index);
        let upper_has = || {
            self.rows
                .values()
                .any(|upper| upper.lower == link.index && stands_on(&upper.kind) && has_address(upper.index))
        };
        let port = link.master != 0 && link.member_of != "vrf";
        !link.is_loopback() && (port || !(has_address(link.index) || upper_has()))
    }

    /// Why an interface is left out of a total of the host's traffic. `uplink_elsewhere` tells that the host's way out
    /// is in another namespace that is watched too.
    pub(crate) fn counted_elsewhere(&self, link: &Interface, uplink_elsewhere: bool) -> Option<&'static str> {
        if link.is_loopback() {
            return Some("loopback: it never leaves this host");
        }
        match link.kind.as_str() {
            "" => None,
            "bridge" | "bond" | "team" | "vrf" => Some("made of other interfaces, which are counted"),
            kind if stands_on(kind) => Some("stands on another interface, which is counted"),
            "veth" if uplink_elsewhere || self.iter().any(|other| !other.is_virtual() && !other.is_loopback()) => {
                Some("wired to another namespace of this host; what leaves the host is counted where it leaves")
            }
            "veth" if !link.lower_elsewhere && link.lower > link.index => {
                Some("its other end is here too, and counted")
            }
            "gre" | "gretap" | "ip6gre" | "ip6gretap" | "erspan" | "ip6erspan" | "ipip" | "sit" | "ip6tnl" | "vti"
            | "vti6" | "xfrm" | "vxlan" | "geneve" | "wireguard" | "bareudp" | "gtp" | "tun" => {
                Some("a tunnel: its packets travel inside those of another interface, which is counted")
            }
            "dummy" | "ifb" | "nlmon" => Some("it leads nowhere"),
            _ => None,
        }
    }

    /// Whether there is an interface that is no software.
    pub(crate) fn has_uplink(&self) -> bool {
        self.iter().any(|link| !link.is_virtual() && !link.is_loopback())
    }
}
