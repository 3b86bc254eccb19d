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
mod tests {
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
}
