//! Addresses of interfaces: `RTM_NEWADDR` messages.
//!
//! Source: `include/uapi/linux/if_addr.h`, `rtnetlink(7)`.

use core::net::IpAddr;

use crate::netlink::Attributes;
use crate::{AF_UNSPEC, Malformed, Reader, Text, ip_address};

/// `RTM_NEWADDR`: an address.
pub const RTM_NEWADDR: u16 = 20;
/// `RTM_GETADDR`: the request for addresses.
pub const RTM_GETADDR: u16 = 22;

/// The payload of a dump request for all addresses of both families: an `ifaddrmsg` of zeroes.
pub const DUMP_ADDRESSES: [u8; 8] = [AF_UNSPEC; 8];

/// How far an address reaches (`RT_SCOPE_…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scope(pub u8);

impl Scope {
    /// The word that `ip address` shows; `None` for a scope that the administrator made up.
    pub fn word(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "global",
            200 => "site",
            253 => "link",
            254 => "host",
            255 => "nowhere",
            _ => return None,
        })
    }
}

/// Bits of [`Address::flags`].
pub mod flag {
    /// `IFA_F_SECONDARY` for IPv4, `IFA_F_TEMPORARY` for IPv6.
    pub const SECONDARY: u32 = 0x01;
    /// `IFA_F_DADFAILED`: another host has this address.
    pub const DUPLICATE: u32 = 0x08;
    /// `IFA_F_DEPRECATED`: not to be used for new connections.
    pub const DEPRECATED: u32 = 0x20;
    /// `IFA_F_TENTATIVE`: duplicate detection has not finished.
    pub const TENTATIVE: u32 = 0x40;
    /// `IFA_F_PERMANENT`: has no end of life.
    pub const PERMANENT: u32 = 0x80;
}

/// One address of one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// `AF_INET` or `AF_INET6`.
    pub family: u8,
    /// Number of the interface.
    pub index: u32,
    /// The host's own address; `None` if the family is neither IPv4 nor IPv6.
    pub local: Option<IpAddr>,
    /// The other end of a point-to-point link, if it is one.
    pub peer: Option<IpAddr>,
    /// Bits of the network part.
    pub prefix_len: u8,
    /// How far it reaches.
    pub scope: Scope,
    /// `IFA_F_…` bits; see [`flag`].
    pub flags: u32,
    /// The label of an IPv4 address, such as `eth0:1`.
    pub label: Option<Text<'a>>,
}

impl<'a> Address<'a> {
    /// Reads the payload of an `RTM_NEWADDR` message.
    ///
    /// # Errors
    /// When the fixed part is cut short or an attribute contradicts the message's length.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("address", payload);
        let (family, prefix_len) = (reader.u8()?, reader.u8()?);
        let (flags, scope) = (reader.u8()?, Scope(reader.u8()?));
        let index = reader.u32()?;
        let (mut address, mut local) = (None, None);
        let mut found =
            Self { family, index, local: None, peer: None, prefix_len, scope, flags: u32::from(flags), label: None };
        for attribute in Attributes::new(reader.rest()) {
            let attribute = attribute?;
            match attribute.kind {
                1 => address = ip_address(attribute.value),
                2 => local = ip_address(attribute.value),
                3 => found.label = Some(attribute.text()),
                // The octet of the fixed part holds only the lower eight flags.
                8 => found.flags = attribute.u32().unwrap_or(found.flags),
                _ => {}
            }
        }
        // IFA_ADDRESS is the peer where there is one; IPv6 sends IFA_LOCAL only then.
        found.local = local.or(address);
        found.peer = address.filter(|peer| Some(*peer) != found.local);
        Ok(found)
    }

    /// Whether a bit of [`flag`] is set.
    pub fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{attribute, truncated_everywhere};
    use crate::{AF_INET, AF_INET6};
    use proptest::prelude::*;
    use std::vec::Vec;

    fn message(family: u8, prefix_len: u8, scope: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut octets = [family, prefix_len, 0x80, scope].to_vec();
        octets.extend_from_slice(&4u32.to_ne_bytes());
        octets.extend(attributes.concat());
        octets
    }

    #[test]
    fn both_families_and_the_peer_of_a_tunnel() {
        let v4 = message(
            AF_INET,
            24,
            0,
            &[attribute(1, &[10, 0, 0, 1]), attribute(2, &[10, 0, 0, 1]), attribute(3, b"eth0\0")],
        );
        let v4 = Address::parse(&v4).unwrap();
        assert_eq!((v4.local, v4.peer), (Some("10.0.0.1".parse().unwrap()), None));
        assert_eq!((v4.prefix_len, v4.scope.word(), v4.index), (24, Some("global"), 4));
        assert!(v4.has(flag::PERMANENT) && v4.label.unwrap() == "eth0");

        let tunnel = message(AF_INET, 32, 0, &[attribute(1, &[10, 0, 0, 2]), attribute(2, &[10, 0, 0, 1])]);
        let tunnel = Address::parse(&tunnel).unwrap();
        assert_eq!((tunnel.local, tunnel.peer), (Some("10.0.0.1".parse().unwrap()), Some("10.0.0.2".parse().unwrap())));

        let v6 = message(
            AF_INET6,
            64,
            253,
            &[
                attribute(1, &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
                attribute(8, &0x208u32.to_ne_bytes()),
            ],
        );
        let v6 = Address::parse(&v6).unwrap();
        assert_eq!((v6.local, v6.scope.word(), v6.flags), (Some("fe80::1".parse().unwrap()), Some("link"), 0x208));
        assert!(v6.has(flag::DUPLICATE));
    }

    #[test]
    fn an_address_of_an_odd_length_is_no_address() {
        let octets = message(AF_INET, 24, 17, &[attribute(2, &[10, 0, 0])]);
        let address = Address::parse(&octets).unwrap();
        assert_eq!((address.local, address.scope.word()), (None, None));
    }

    #[test]
    fn a_message_cut_anywhere_gives_an_error_or_fewer_attributes() {
        let octets = message(AF_INET, 24, 0, &[attribute(1, &[10, 0, 0, 1]), attribute(2, &[10, 0, 0, 1])]);
        // Accepted: after the fixed part, and after the first attribute.
        assert_eq!(truncated_everywhere(&octets, |cut| Address::parse(cut).map(|_| ())), 2);
    }

    proptest! {
        #[test]
        fn any_octets_are_survived_and_a_cut_fixed_part_is_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Address::parse(&octets).is_err() || octets.len() >= DUMP_ADDRESSES.len());
        }
    }
}
