//! Interfaces: `RTM_NEWLINK` messages.
//!
//! Source: `include/uapi/linux/if_link.h`, `rtnetlink(7)`.

use crate::netlink::{Attribute, Attributes};
use crate::{AF_UNSPEC, Fields, Malformed, Reader, Text};

/// `RTM_NEWLINK`: an interface.
pub const RTM_NEWLINK: u16 = 16;
/// `RTM_GETLINK`: the request for interfaces.
pub const RTM_GETLINK: u16 = 18;

/// The payload of a dump request for all interfaces: an `ifinfomsg` of zeroes.
pub const DUMP_LINKS: [u8; 16] = [AF_UNSPEC; 16];

/// The payload of a dump request for the interfaces without their counters (`IFLA_EXT_MASK` with
/// `RTEXT_FILTER_SKIP_STATS`, kernel 4.4 and later), for those who want to know their names.
pub const DUMP_LINKS_WITHOUT_STATISTICS: [u8; 24] = {
    let ([a, b], [c, d], [e, f, g, h]) = (8u16.to_ne_bytes(), 29u16.to_ne_bytes(), 8u32.to_ne_bytes());
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d, e, f, g, h]
};

/// Bits of [`Link::flags`], from `linux/if.h`.
pub mod flag {
    /// `IFF_UP`: switched on by the administrator.
    pub const UP: u32 = 1;
    /// `IFF_LOOPBACK`: the loopback interface.
    pub const LOOPBACK: u32 = 1 << 3;
    /// `IFF_POINTOPOINT`: a link with one other end.
    pub const POINT_TO_POINT: u32 = 1 << 4;
    /// `IFF_RUNNING`: operational as RFC 2863 means it.
    pub const RUNNING: u32 = 1 << 6;
    /// `IFF_PROMISC`: takes every frame that passes.
    pub const PROMISCUOUS: u32 = 1 << 8;
    /// `IFF_ALLMULTI`: takes every multicast frame.
    pub const ALL_MULTICAST: u32 = 1 << 9;
    /// `IFF_LOWER_UP`: the layer below has a signal (carrier).
    pub const LOWER_UP: u32 = 1 << 16;
    /// `IFF_DORMANT`: waits for an external event, such as authentication.
    pub const DORMANT: u32 = 1 << 17;
}

/// The operational state of RFC 2863.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OperState(pub u8);

impl OperState {
    /// Up: ready to pass packets.
    pub const UP: Self = Self(6);
    /// Dormant: waits for an external event.
    pub const DORMANT: Self = Self(5);

    /// The word that `/sys/class/net/<interface>/operstate` uses; `unknown` for a number that no
    /// standard names.
    pub fn word(self) -> &'static str {
        match self.0 {
            1 => "notpresent",
            2 => "down",
            3 => "lowerlayerdown",
            4 => "testing",
            5 => "dormant",
            6 => "up",
            _ => "unknown",
        }
    }
}

/// One interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link<'a> {
    /// The interface's number, unique in its network namespace as long as it lives.
    pub index: u32,
    /// `ARPHRD_…`: what is beneath, such as 1 for Ethernet and 772 for loopback.
    pub hardware_type: u16,
    /// `IFF_…` bits; see [`flag`].
    pub flags: u32,
    /// Its name.
    pub name: Text<'a>,
    /// A text given by the administrator; any octets.
    pub alias: Option<Text<'a>>,
    /// Hardware address.
    pub address: Option<&'a [u8]>,
    /// Hardware broadcast address.
    pub broadcast: Option<&'a [u8]>,
    /// Hardware address burned into the device (kernel 5.6 and later).
    pub permanent_address: Option<&'a [u8]>,
    /// Largest packet that it sends, in octets.
    pub mtu: Option<u32>,
    /// The interface that this one stands on (VLAN) or is wired to (veth); absent when it is itself.
    pub lower_index: Option<u32>,
    /// The namespace identifier in which [`Link::lower_index`] counts, if it is another one.
    pub lower_namespace: Option<u32>,
    /// The bridge, bond, team or VRF that it belongs to.
    pub master: Option<u32>,
    /// Operational state.
    pub oper_state: Option<OperState>,
    /// 0: ordinary; 1: stays dormant until user space says otherwise.
    pub link_mode: Option<u8>,
    /// Group number of the administrator.
    pub group: Option<u32>,
    /// Length of the transmit queue in packets.
    pub transmit_queue_len: Option<u32>,
    /// Whether there is a signal: 0 or 1.
    pub carrier: Option<u8>,
    /// How often the signal came or went.
    pub carrier_changes: Option<u32>,
    /// How often the signal came (kernel 4.16 and later).
    pub carrier_up_count: Option<u32>,
    /// How often the signal went (kernel 4.16 and later).
    pub carrier_down_count: Option<u32>,
    /// Number of transmit queues that were allocated.
    pub transmit_queues: Option<u32>,
    /// Number of receive queues that were allocated.
    pub receive_queues: Option<u32>,
    /// Whether user space holds the link down: 0 or 1.
    pub proto_down: Option<u8>,
    /// How many listeners asked for promiscuous mode.
    pub promiscuity: Option<u32>,
    /// How many listeners asked for all multicast frames (kernel 6.0 and later).
    pub all_multicast: Option<u32>,
    /// Name of the root queueing discipline.
    pub qdisc: Option<Text<'a>>,
    /// What made it: `bridge`, `veth`, `vlan`, `bond`; absent for a physical device.
    pub kind: Option<Text<'a>>,
    /// What it is a member of: `bridge`, `bond`, `team`, `vrf`.
    pub member_kind: Option<Text<'a>>,
    /// Its counters.
    pub statistics: Option<Statistics<'a>>,
}

impl<'a> Link<'a> {
    /// Reads the payload of an `RTM_NEWLINK` message.
    ///
    /// # Errors
    /// When the fixed part is cut short or an attribute contradicts the message's length.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("link", payload);
        reader.skip(2)?;
        let hardware_type = reader.u16()?;
        let index = reader.u32()?;
        let flags = reader.u32()?;
        reader.skip(4)?;
        let mut link = Self { index, hardware_type, flags, ..Self::default() };
        for attribute in Attributes::new(reader.rest()) {
            link.take(attribute?)?;
        }
        Ok(link)
    }

    fn take(&mut self, attribute: Attribute<'a>) -> Result<(), Malformed> {
        match attribute.kind {
            1 => self.address = Some(attribute.value),
            2 => self.broadcast = Some(attribute.value),
            3 => self.name = attribute.text(),
            4 => self.mtu = attribute.u32(),
            5 => self.lower_index = attribute.u32(),
            6 => self.qdisc = Some(attribute.text()),
            // The 32-bit counters serve only where a kernel sends no others.
            7 if self.statistics.is_none() => self.statistics = Some(Statistics::narrow(attribute.value)),
            10 => self.master = attribute.u32(),
            13 => self.transmit_queue_len = attribute.u32(),
            16 => self.oper_state = attribute.u8().map(OperState),
            17 => self.link_mode = attribute.u8(),
            18 => self.take_link_info(&attribute)?,
            20 => self.alias = Some(attribute.text()),
            23 => self.statistics = Some(Statistics::wide(attribute.value)),
            27 => self.group = attribute.u32(),
            30 => self.promiscuity = attribute.u32(),
            31 => self.transmit_queues = attribute.u32(),
            32 => self.receive_queues = attribute.u32(),
            33 => self.carrier = attribute.u8(),
            35 => self.carrier_changes = attribute.u32(),
            37 => self.lower_namespace = attribute.u32(),
            39 => self.proto_down = attribute.u8(),
            47 => self.carrier_up_count = attribute.u32(),
            48 => self.carrier_down_count = attribute.u32(),
            61 => self.all_multicast = attribute.u32(),
            54 => self.permanent_address = Some(attribute.value),
            _ => {}
        }
        Ok(())
    }

    fn take_link_info(&mut self, info: &Attribute<'a>) -> Result<(), Malformed> {
        for attribute in info.nested() {
            let attribute = attribute?;
            match attribute.kind {
                1 => self.kind = Some(attribute.text()),
                4 => self.member_kind = Some(attribute.text()),
                _ => {}
            }
        }
        Ok(())
    }

    /// The flags as `/sys/class/net/<interface>/flags` shows them: those that the device itself holds,
    /// without what the kernel works out for each answer, and with the modes that any listener asked
    /// for where [`Link::flags`] has only the administrator's.
    pub fn device_flags(&self) -> u32 {
        let worked_out = flag::RUNNING | flag::LOWER_UP | flag::DORMANT;
        let asked = |mode: u32, listeners: Option<u32>| match listeners {
            Some(0) => 0,
            Some(_) => mode,
            None => self.flags & mode,
        };
        let modes = flag::PROMISCUOUS | flag::ALL_MULTICAST;
        self.flags & !(worked_out | modes)
            | asked(flag::PROMISCUOUS, self.promiscuity)
            | asked(flag::ALL_MULTICAST, self.all_multicast)
    }

    /// Whether a bit of [`flag`] is set.
    pub fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

/// One of the counters of [`Statistics`]: its position in `struct rtnl_link_stats64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Counter(u8);

impl Counter {
    /// All counters, in the order of the structure.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=Self::RX_OTHERHOST_DROPPED.0).map(Self)
    }

    /// Its position in the structure, counted from zero.
    pub fn position(self) -> usize {
        usize::from(self.0)
    }

    /// Packets received, error free.
    pub const RX_PACKETS: Self = Self(0);
    /// Packets sent.
    pub const TX_PACKETS: Self = Self(1);
    /// Octets received, error free.
    pub const RX_BYTES: Self = Self(2);
    /// Octets sent.
    pub const TX_BYTES: Self = Self(3);
    /// All receive errors, the sum of the detailed ones and more.
    pub const RX_ERRORS: Self = Self(4);
    /// All transmit errors.
    pub const TX_ERRORS: Self = Self(5);
    /// Received without error but not kept, for lack of resources or of a taker.
    pub const RX_DROPPED: Self = Self(6);
    /// Dropped on the way to the wire.
    pub const TX_DROPPED: Self = Self(7);
    /// Multicast packets received.
    pub const MULTICAST: Self = Self(8);
    /// Collisions (half duplex).
    pub const COLLISIONS: Self = Self(9);
    /// Frames of a wrong length.
    pub const RX_LENGTH_ERRORS: Self = Self(10);
    /// The receiver's buffer overflowed.
    pub const RX_OVER_ERRORS: Self = Self(11);
    /// Frames with a wrong checksum.
    pub const RX_CRC_ERRORS: Self = Self(12);
    /// Frames not aligned to an octet.
    pub const RX_FRAME_ERRORS: Self = Self(13);
    /// The receiver's FIFO overflowed.
    pub const RX_FIFO_ERRORS: Self = Self(14);
    /// Frames that the host had no buffer for.
    pub const RX_MISSED_ERRORS: Self = Self(15);
    /// Transmissions aborted.
    pub const TX_ABORTED_ERRORS: Self = Self(16);
    /// Transmissions without a carrier.
    pub const TX_CARRIER_ERRORS: Self = Self(17);
    /// The transmitter's FIFO ran empty.
    pub const TX_FIFO_ERRORS: Self = Self(18);
    /// Heartbeat (signal quality) errors of old transceivers.
    pub const TX_HEARTBEAT_ERRORS: Self = Self(19);
    /// Late collisions.
    pub const TX_WINDOW_ERRORS: Self = Self(20);
    /// Compressed packets received (serial lines).
    pub const RX_COMPRESSED: Self = Self(21);
    /// Compressed packets sent (serial lines).
    pub const TX_COMPRESSED: Self = Self(22);
    /// Received on an inactive interface or without a protocol that takes them (kernel 4.6 and later).
    pub const RX_NOHANDLER: Self = Self(23);
    /// Dropped because the hardware address is another host's (kernel 5.19 and later).
    pub const RX_OTHERHOST_DROPPED: Self = Self(24);
}

/// The counters of an interface; older kernels have fewer, newer may have more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics<'a> {
    fields: Fields<'a>,
    wide: bool,
}

impl<'a> Statistics<'a> {
    /// Counters of 64 bits: `struct rtnl_link_stats64`.
    pub fn wide(octets: &'a [u8]) -> Self {
        Self { fields: Fields(octets), wide: true }
    }

    /// Counters of 32 bits: `struct rtnl_link_stats`.
    pub fn narrow(octets: &'a [u8]) -> Self {
        Self { fields: Fields(octets), wide: false }
    }

    /// A counter; `None` if the kernel that answered does not have it.
    pub fn counter(&self, counter: Counter) -> Option<u64> {
        let position = usize::from(counter.0);
        if self.wide { self.fields.u64(position * 8) } else { self.fields.u32(position * 4).map(u64::from) }
    }

    /// Whether the counters have 64 bits; those of 32 bits wrap within seconds on a fast link.
    pub fn is_wide(&self) -> bool {
        self.wide
    }
}

#[cfg(test)]
mod tests;
