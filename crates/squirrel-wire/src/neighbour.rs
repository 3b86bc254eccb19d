//! Neighbours (ARP and neighbour discovery): `RTM_NEWNEIGH` messages.
//!
//! Source: `include/uapi/linux/neighbour.h`, RFC 4861 section 7.3.2 for the states.

use core::net::IpAddr;

use crate::netlink::Attributes;
use crate::{Malformed, Reader, ip_address};

/// `RTM_NEWNEIGH`: a neighbour.
pub const RTM_NEWNEIGH: u16 = 28;
/// `RTM_GETNEIGH`: the request for neighbours.
pub const RTM_GETNEIGH: u16 = 30;

/// The payload of a dump request for the neighbours of one family (`AF_INET`, `AF_INET6`, or
/// `AF_UNSPEC` for both): an `ndmsg`.
pub const fn dump_neighbours(family: u8) -> [u8; 12] {
    [family, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// The payload of a dump request for the proxy entries of a family: addresses for which this host answers
/// although they are others' (`NTF_PROXY`). They are not among the ordinary neighbours.
pub const fn dump_proxies(family: u8) -> [u8; 12] {
    [family, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0]
}

/// What the kernel knows of a neighbour (`NUD_…`). Exactly one bit is set, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State(pub u16);

impl State {
    /// Nothing has been tried.
    pub const NONE: Self = Self(0);
    /// Asked, not answered yet.
    pub const INCOMPLETE: Self = Self(0x01);
    /// Known to answer.
    pub const REACHABLE: Self = Self(0x02);
    /// Known, not confirmed lately.
    pub const STALE: Self = Self(0x04);
    /// Used while stale; a probe follows unless traffic confirms it.
    pub const DELAY: Self = Self(0x08);
    /// Being asked again.
    pub const PROBE: Self = Self(0x10);
    /// Does not answer.
    pub const FAILED: Self = Self(0x20);
    /// Needs no resolution (loopback, multicast, tunnels).
    pub const NOARP: Self = Self(0x40);
    /// Entered by the administrator.
    pub const PERMANENT: Self = Self(0x80);

    /// The word that `ip neighbour` shows, in lower case.
    pub fn word(self) -> Option<&'static str> {
        Some(match self {
            Self::NONE => "none",
            Self::INCOMPLETE => "incomplete",
            Self::REACHABLE => "reachable",
            Self::STALE => "stale",
            Self::DELAY => "delay",
            Self::PROBE => "probe",
            Self::FAILED => "failed",
            Self::NOARP => "noarp",
            Self::PERMANENT => "permanent",
            _ => return None,
        })
    }
}

/// One neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour<'a> {
    /// `AF_INET` or `AF_INET6`; `AF_BRIDGE` entries are forwarding tables and have another meaning.
    pub family: u8,
    /// Number of the interface behind which it lives.
    pub index: u32,
    /// What is known of it.
    pub state: State,
    /// `NTF_…` bits.
    pub flags: u8,
    /// Its address.
    pub address: Option<IpAddr>,
    /// Its hardware address, once known.
    pub link_address: Option<&'a [u8]>,
}

impl<'a> Neighbour<'a> {
    /// Reads the payload of an `RTM_NEWNEIGH` message.
    ///
    /// # Errors
    /// When the fixed part is cut short or an attribute contradicts the message's length.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("neighbour", payload);
        let family = reader.u8()?;
        reader.skip(3)?;
        let index = reader.u32()?;
        let state = State(reader.u16()?);
        let flags = reader.u8()?;
        reader.skip(1)?;
        let mut neighbour = Self { family, index, state, flags, address: None, link_address: None };
        for attribute in Attributes::new(reader.rest()) {
            let attribute = attribute?;
            match attribute.kind {
                1 => neighbour.address = ip_address(attribute.value),
                2 => neighbour.link_address = Some(attribute.value),
                _ => {}
            }
        }
        Ok(neighbour)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AF_INET;
    use crate::testing::{attribute, truncated_everywhere};
    use proptest::prelude::*;
    use std::vec::Vec;

    fn a_neighbour(state: u16) -> Vec<u8> {
        let mut octets = [AF_INET, 0, 0, 0].to_vec();
        octets.extend_from_slice(&9u32.to_ne_bytes());
        octets.extend_from_slice(&state.to_ne_bytes());
        octets.extend_from_slice(&[0, 1]);
        octets.extend(attribute(1, &[192, 0, 2, 1]));
        octets.extend(attribute(2, &[2, 0, 0, 0, 0, 7]));
        octets
    }

    #[test]
    fn a_neighbour_is_read() {
        let octets = a_neighbour(0x02);
        let neighbour = Neighbour::parse(&octets).unwrap();
        assert_eq!((neighbour.index, neighbour.state), (9, State::REACHABLE));
        assert_eq!(neighbour.address, Some("192.0.2.1".parse().unwrap()));
        assert_eq!(neighbour.link_address, Some([2, 0, 0, 0, 0, 7].as_slice()));
    }

    #[test]
    fn each_state_has_its_word_and_a_mixture_has_none() {
        let words: Vec<_> = [0, 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 3].map(|n| State(n).word()).to_vec();
        let expected = ["none", "incomplete", "reachable", "stale", "delay", "probe", "failed", "noarp", "permanent"];
        assert_eq!(words[..9], expected.map(Some));
        assert_eq!(words[9], None);
    }

    #[test]
    fn a_message_cut_anywhere_gives_an_error_or_fewer_attributes() {
        // Accepted: after the fixed part, after the first attribute, and the last without its padding.
        assert_eq!(truncated_everywhere(&a_neighbour(2), |cut| Neighbour::parse(cut).map(|_| ())), 4);
    }

    proptest! {
        #[test]
        fn any_octets_are_survived_and_a_cut_fixed_part_is_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Neighbour::parse(&octets).is_err() || octets.len() >= dump_neighbours(0).len());
        }
    }
}
