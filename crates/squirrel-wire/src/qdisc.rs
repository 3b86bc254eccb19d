//! Queueing disciplines: `RTM_NEWQDISC` messages.
//!
//! Source: `include/uapi/linux/rtnetlink.h`, `gen_stats.h`, `pkt_sched.h`.

use core::fmt;

use crate::netlink::{Attribute, Attributes};
use crate::{AF_UNSPEC, Fields, Malformed, Reader, Text};

/// `RTM_NEWQDISC`: a queueing discipline.
pub const RTM_NEWQDISC: u16 = 36;
/// `RTM_GETQDISC`: the request for queueing disciplines.
pub const RTM_GETQDISC: u16 = 38;

/// The payload of a dump request for the disciplines of all interfaces: a `tcmsg` of zeroes.
pub const DUMP_QDISCS: [u8; 20] = [AF_UNSPEC; 20];

/// A handle of traffic control: 16 bits of major and 16 bits of minor number, shown as `tc` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub u32);

impl Handle {
    /// Where packets leave: the parent of a root discipline.
    pub const ROOT: Self = Self(0xFFFF_FFFF);
    /// Where packets arrive: the parent of `ingress`.
    pub const INGRESS: Self = Self(0xFFFF_FFF1);
}

/// `1:2`, `8001:`, `:1`, or the words `root` and `ingress`; numbers are hexadecimal.
impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = (self.0 >> 16, self.0 & 0xFFFF);
        match (*self, major, minor) {
            (Self::ROOT, ..) => f.write_str("root"),
            (Self::INGRESS, ..) => f.write_str("ingress"),
            (_, 0, minor) if minor != 0 => write!(f, ":{minor:x}"),
            (_, major, 0) => write!(f, "{major:x}:"),
            (_, major, minor) => write!(f, "{major:x}:{minor:x}"),
        }
    }
}

/// What a discipline counted. A part that the kernel did not send is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Octets that left it.
    pub bytes: Option<u64>,
    /// Packets that left it. Kernels before 5.5 count in 32 bits.
    pub packets: Option<u64>,
    /// Packets waiting now.
    pub queue_len: Option<u32>,
    /// Octets waiting now.
    pub backlog: Option<u32>,
    /// Packets dropped.
    pub drops: Option<u32>,
    /// Packets put back because the driver was busy.
    pub requeues: Option<u32>,
    /// Times that sending had to wait for a rate limit.
    pub overlimits: Option<u32>,
}

impl Statistics {
    /// `TCA_STATS`: `struct tc_stats`, which old kernels send alone.
    fn old(octets: &[u8]) -> Self {
        let fields = Fields(octets);
        Self {
            bytes: fields.u64(0),
            packets: fields.u32(8).map(u64::from),
            drops: fields.u32(12),
            overlimits: fields.u32(16),
            queue_len: fields.u32(28),
            backlog: fields.u32(32),
            requeues: None,
        }
    }

    /// `TCA_STATS2`: nested structures.
    fn nested(attributes: Attributes<'_>) -> Result<Self, Malformed> {
        let (mut found, mut wide_packets) = (Self::default(), None);
        for attribute in attributes {
            let attribute = attribute?;
            let fields = Fields(attribute.value);
            match attribute.kind {
                1 => (found.bytes, found.packets) = (fields.u64(0), fields.u32(8).map(u64::from)),
                3 => {
                    (found.queue_len, found.backlog) = (fields.u32(0), fields.u32(4));
                    (found.drops, found.requeues, found.overlimits) = (fields.u32(8), fields.u32(12), fields.u32(16));
                }
                8 => wide_packets = fields.u64(0),
                _ => {}
            }
        }
        found.packets = wide_packets.or(found.packets);
        Ok(found)
    }
}

/// One queueing discipline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Qdisc<'a> {
    /// Number of the interface.
    pub index: u32,
    /// Its own handle; `0:` for those that the kernel made.
    pub handle: Handle,
    /// What it is attached to.
    pub parent: Handle,
    /// Its name: `fq_codel`, `mq`, `noqueue`, …
    pub kind: Text<'a>,
    /// What it counted.
    pub statistics: Statistics,
}

impl<'a> Qdisc<'a> {
    /// Reads the payload of an `RTM_NEWQDISC` message.
    ///
    /// # Errors
    /// When the fixed part is cut short or an attribute contradicts the message's length.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("qdisc", payload);
        reader.skip(4)?;
        let index = reader.u32()?;
        let (handle, parent) = (Handle(reader.u32()?), Handle(reader.u32()?));
        reader.skip(4)?;
        let mut qdisc = Self { index, handle, parent, kind: Text::default(), statistics: Statistics::default() };
        let (mut old, mut new) = (None, None);
        for attribute in Attributes::new(reader.rest()) {
            let attribute: Attribute<'a> = attribute?;
            match attribute.kind {
                1 => qdisc.kind = attribute.text(),
                3 => old = Some(Statistics::old(attribute.value)),
                7 => new = Some(Statistics::nested(attribute.nested())?),
                _ => {}
            }
        }
        qdisc.statistics = new.or(old).unwrap_or_default();
        Ok(qdisc)
    }

    /// Whether it is the outermost discipline of what its interface sends.
    pub fn is_root(&self) -> bool {
        self.parent == Handle::ROOT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{attribute, truncated_everywhere};
    use proptest::prelude::*;
    use std::string::ToString as _;
    use std::vec::Vec;

    fn tcmsg(handle: u32, parent: u32) -> Vec<u8> {
        [0u32, 5, handle, parent, 0].iter().flat_map(|n| n.to_ne_bytes()).collect()
    }

    fn old_statistics() -> Vec<u8> {
        let mut octets = 1000u64.to_ne_bytes().to_vec();
        octets.extend([10u32, 1, 2, 0, 0, 3, 400].iter().flat_map(|n| n.to_ne_bytes()));
        octets
    }

    fn new_statistics(wide: bool) -> Vec<u8> {
        let mut basic = 2000u64.to_ne_bytes().to_vec();
        basic.extend(20u32.to_ne_bytes());
        let queue: Vec<u8> = [3u32, 400, 5, 6, 7].iter().flat_map(|n| n.to_ne_bytes()).collect();
        let mut nested = [attribute(1, &basic), attribute(3, &queue)].concat();
        if wide {
            nested.extend(attribute(8, &(1u64 << 40).to_ne_bytes()));
        }
        attribute(7, &nested)
    }

    #[test]
    fn the_nested_statistics_win_over_the_old_ones() {
        let octets = [
            tcmsg(0x8001_0000, u32::MAX),
            attribute(1, b"fq_codel\0"),
            attribute(3, &old_statistics()),
            new_statistics(true),
        ]
        .concat();
        let qdisc = Qdisc::parse(&octets).unwrap();
        assert!(qdisc.is_root() && qdisc.kind == "fq_codel" && qdisc.index == 5);
        let expected = Statistics {
            bytes: Some(2000),
            packets: Some(1 << 40),
            queue_len: Some(3),
            backlog: Some(400),
            drops: Some(5),
            requeues: Some(6),
            overlimits: Some(7),
        };
        assert_eq!(qdisc.statistics, expected);
    }

    #[test]
    fn an_old_kernel_sends_narrow_packets_or_only_the_old_structure() {
        let narrow = [tcmsg(0, 1), new_statistics(false)].concat();
        assert_eq!(Qdisc::parse(&narrow).unwrap().statistics.packets, Some(20));
        let old = [tcmsg(0, 1), attribute(3, &old_statistics())].concat();
        let old = Qdisc::parse(&old).unwrap();
        assert!(!old.is_root());
        assert_eq!(
            (old.statistics.bytes, old.statistics.drops, old.statistics.backlog),
            (Some(1000), Some(1), Some(400))
        );
        assert_eq!((old.statistics.queue_len, old.statistics.requeues), (Some(3), None));
    }

    #[test]
    fn handles_are_shown_as_tc_shows_them() {
        let shown = [0xFFFF_FFFF, 0xFFFF_FFF1, 0x8001_0000, 0x0001_000a, 0x0000_0001, 0].map(|n| Handle(n).to_string());
        assert_eq!(shown, ["root", "ingress", "8001:", "1:a", ":1", "0:"]);
    }

    #[test]
    fn a_message_cut_anywhere_gives_an_error_or_fewer_attributes() {
        let octets = [tcmsg(0, 1), attribute(1, b"mq\0"), new_statistics(true)].concat();
        // Accepted: after the fixed part, after the kind with and without its padding.
        assert_eq!(truncated_everywhere(&octets, |cut| Qdisc::parse(cut).map(|_| ())), 3);
    }

    proptest! {
        #[test]
        fn any_octets_are_survived_and_a_cut_fixed_part_is_refused(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Qdisc::parse(&octets).is_err() || octets.len() >= DUMP_QDISCS.len());
        }
    }
}
