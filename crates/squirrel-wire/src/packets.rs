//! A row of the packet ledger: all frames of one conversation on one interface, as the eBPF programs count them.
//!
//! Source: `struct row_key` and `struct row_value` in `crates/squirrel-bpf/bpf/packets.bpf.c`.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Malformed, Reader};

/// Octets of one row.
pub const RECORD_LEN: usize = 88;

/// Ethernet type of IPv4.
pub const ETHERTYPE_IPV4: u16 = 0x0800;
/// Ethernet type of ARP.
pub const ETHERTYPE_ARP: u16 = 0x0806;
/// Ethernet type of IPv6.
pub const ETHERTYPE_IPV6: u16 = 0x86DD;

/// Which way a frame goes, seen from the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// It comes in: the interface counts it as received.
    Receive,
    /// It goes out: the interface counts it as transmitted.
    Transmit,
}

/// Why a frame was on the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A socket of this network namespace sent it or takes it.
    Socket,
    /// It passes through, from one interface to another.
    Forwarded,
    /// The kernel itself sent it or takes it: ARP, ICMP, resets, and what no socket waits for.
    Kernel,
    /// It is addressed to another host: seen because the interface is bridged or promiscuous.
    OtherHost,
    /// The table was full. One such row for each interface and direction holds all that found no place of its own:
    /// nothing is lost but the detail.
    Crowded,
}

/// All frames of one conversation, in one direction, on one interface. Each frame of an interface is in exactly
/// one row, so the rows of an interface add up to its own counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketRecord {
    /// Inode number of the interface's network namespace.
    pub namespace: u32,
    /// The interface's index.
    pub interface: u32,
    /// Which way.
    pub direction: Direction,
    /// Why.
    pub class: Class,
    /// The cookie of the socket; 0 without one, and for one whose cookie nobody has asked for yet.
    pub cookie: u64,
    /// The Ethernet type, such as [`ETHERTYPE_ARP`].
    pub ethertype: u16,
    /// The IP protocol; 0 when it is not IP. After IPv6's extension headers nobody looks.
    pub protocol: u8,
    /// Who sent it; `None` when it is not IP.
    pub source: Option<IpAddr>,
    /// The sender's port; 0 when there is none, as in a datagram's later fragments.
    pub source_port: u16,
    /// Whom it is for; `None` when it is not IP.
    pub destination: Option<IpAddr>,
    /// The receiver's port; 0 when there is none.
    pub destination_port: u16,
    /// Frames as the kernel hands them over, of which one may stand for many segments: what loopback, veth and
    /// other virtual devices count.
    pub frames: u64,
    /// Octets of those as the interface counts them: with the link's header, but on the loopback without.
    pub bytes: u64,
    /// Frames with each segment by itself: what travels on a wire, and what network cards count.
    pub wire_frames: u64,
    /// Octets of those, with the headers that each segment repeats; without checksum, preamble and gap.
    pub wire_bytes: u64,
}

impl PacketRecord {
    /// Reads one row of interfaces of `namespace`; what follows it is left alone.
    ///
    /// # Errors
    /// Fewer octets than [`RECORD_LEN`], or a class that is not known.
    pub fn parse(namespace: u32, octets: &[u8]) -> Result<Self, Malformed> {
        let mut row = Reader::new("packet record", octets);
        let cookie = row.u64()?;
        let interface = row.u32()?;
        let ethertype = row.be_u16()?;
        let protocol = row.u8()?;
        let bad_class = row.malformed();
        let class = match row.u8()? {
            0 => Class::Socket,
            1 => Class::Forwarded,
            2 => Class::Kernel,
            3 => Class::OtherHost,
            4 => Class::Crowded,
            _ => return Err(bad_class),
        };
        let (source, destination) = (row.array()?, row.array()?);
        let (source_port, destination_port) = (row.be_u16()?, row.be_u16()?);
        let direction = if row.u8()? & 1 == 0 { Direction::Receive } else { Direction::Transmit };
        row.skip(3)?;
        Ok(Self {
            namespace,
            interface,
            direction,
            class,
            cookie,
            ethertype,
            protocol,
            source: address(ethertype, source),
            source_port,
            destination: address(ethertype, destination),
            destination_port,
            frames: row.u64()?,
            bytes: row.u64()?,
            wire_frames: row.u64()?,
            wire_bytes: row.u64()?,
        })
    }
}

fn address(ethertype: u16, octets: [u8; 16]) -> Option<IpAddr> {
    let [a, b, c, d, ..] = octets;
    match ethertype {
        ETHERTYPE_IPV4 => Some(IpAddr::V4(Ipv4Addr::new(a, b, c, d))),
        ETHERTYPE_IPV6 => Some(IpAddr::V6(Ipv6Addr::from(octets))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::truncated_everywhere;
    use proptest::prelude::*;
    use std::vec::Vec;

    const CLASS: usize = 15;

    fn row(fields: &[(usize, &[u8])]) -> Vec<u8> {
        let mut octets: Vec<u8> = (0..RECORD_LEN).map(|_| 0).collect();
        for (offset, value) in fields {
            octets[*offset..*offset + value.len()].copy_from_slice(value);
        }
        octets
    }

    #[test]
    fn each_field_is_read_where_the_program_writes_it() {
        let octets = row(&[
            (0, &7_u64.to_ne_bytes()),
            (8, &3_u32.to_ne_bytes()),
            (12, &[0x08, 0x00, 17, 1]),
            (16, &[192, 0, 2, 1]),
            (32, &[192, 0, 2, 2]),
            (48, &[0, 53, 0x1F, 0x90, 1]),
            (56, &2_u64.to_ne_bytes()),
            (80, &300_u64.to_ne_bytes()),
        ]);
        let record = PacketRecord::parse(9, &octets).unwrap();
        assert_eq!((record.namespace, record.cookie, record.interface), (9, 7, 3));
        assert_eq!((record.direction, record.class), (Direction::Transmit, Class::Forwarded));
        assert_eq!((record.ethertype, record.protocol), (ETHERTYPE_IPV4, 17));
        assert_eq!(record.source, Some(Ipv4Addr::new(192, 0, 2, 1).into()));
        assert_eq!((record.source_port, record.destination_port), (53, 8080));
        assert_eq!((record.frames, record.bytes, record.wire_bytes), (2, 0, 300));
    }

    #[test]
    fn what_is_not_ip_has_no_addresses() {
        let arp = PacketRecord::parse(0, &row(&[(12, &[0x08, 0x06, 0, 2])])).unwrap();
        assert_eq!((arp.ethertype, arp.class, arp.source, arp.destination), (ETHERTYPE_ARP, Class::Kernel, None, None));
        assert_eq!(PacketRecord::parse(0, &row(&[(CLASS, &[5])])).unwrap_err().offset, CLASS);
    }

    #[test]
    fn a_row_cut_anywhere_is_refused() {
        assert_eq!(truncated_everywhere(&row(&[]), |cut| PacketRecord::parse(0, cut)), 0);
    }

    proptest! {
        #[test]
        fn any_octets_are_survived(octets in prop::collection::vec(any::<u8>(), 0..200), class: u8) {
            prop_assert!(PacketRecord::parse(1, &octets).is_err() || octets.len() >= RECORD_LEN);
            let mut octets = octets;
            octets.resize(RECORD_LEN, 0);
            octets[CLASS] = class;
            prop_assert_eq!(PacketRecord::parse(1, &octets).is_ok(), class < 5);
        }
    }
}
