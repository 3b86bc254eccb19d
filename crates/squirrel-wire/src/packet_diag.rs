//! Packet sockets: the request and the answers of `NETLINK_SOCK_DIAG` for `AF_PACKET`.
//!
//! Source: `include/uapi/linux/packet_diag.h` and `net/packet/diag.c`. Both have the type
//! [`SOCK_DIAG_BY_FAMILY`](crate::sock_diag::SOCK_DIAG_BY_FAMILY), and the family stands first.

use crate::netlink::Attributes;
use crate::sock_diag::SocketMemory;
use crate::{Fields, Malformed, Reader};

/// `AF_PACKET`, `include/linux/socket.h`.
pub const AF_PACKET: u8 = 17;

/// `PACKET_SHOW_INFO` (interface and user), `PACKET_SHOW_RING_CFG` and `PACKET_SHOW_MEMINFO`.
const SHOWN: u32 = 0x01 | 0x04 | 0x10;

/// The payload of a request for all packet sockets of a network namespace: `struct packet_diag_req`.
pub fn request() -> [u8; 20] {
    let mut octets = [0; 20];
    let fields = [[AF_PACKET, 0, 0, 0], [0; 4], SHOWN.to_ne_bytes()];
    for (place, value) in octets.chunks_exact_mut(4).zip(fields) {
        place.copy_from_slice(&value);
    }
    octets
}

/// One packet socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketSocket<'a> {
    /// The inode of its file.
    pub inode: u32,
    /// Its cookie, as in [`InetSocket`](crate::sock_diag::InetSocket).
    pub cookie: u64,
    /// The protocol of the frames that it takes (`ETH_P_ALL` is 3); 0 while it takes none.
    pub protocol: u16,
    /// The interface that it is bound to; 0 for all.
    pub interface: u32,
    /// The user.
    pub uid: u32,
    /// Whether frames pass through a ring in memory that the program shares with the kernel, so that no call moves them.
    pub has_ring: bool,
    /// Its memory.
    pub memory: Option<SocketMemory<'a>>,
}

impl<'a> PacketSocket<'a> {
    /// Reads an answer: `struct packet_diag_msg` and its attributes.
    ///
    /// # Errors
    /// A message that ends too early, or is about a socket of another family.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("packet socket", payload);
        if reader.u8()? != AF_PACKET {
            return Err(reader.malformed());
        }
        let (_kind, protocol) = (reader.u8()?, reader.u16()?);
        let inode = reader.u32()?;
        let (low, high) = (reader.u32()?, reader.u32()?);
        let cookie = u64::from(low) | u64::from(high) << 32;
        let mut socket = Self { inode, cookie, protocol, interface: 0, uid: 0, has_ring: false, memory: None };
        for attribute in Attributes::new(reader.rest()) {
            let attribute = attribute?;
            match attribute.kind {
                // The first field of `struct packet_diag_info`.
                0 => socket.interface = Fields(attribute.value).u32(0).unwrap_or(0),
                2 | 3 => socket.has_ring = true,
                5 => socket.uid = Fields(attribute.value).u32(0).unwrap_or(0),
                6 => socket.memory = Some(SocketMemory::new(attribute.value)),
                _ => {}
            }
        }
        Ok(socket)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::vec::Vec;

    use super::*;
    use crate::testing::{attribute, truncated_everywhere};

    fn message(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut octets = Vec::from([AF_PACKET, 3]);
        octets.extend(3_u16.to_ne_bytes());
        for word in [77_u32, 5, 9] {
            octets.extend(word.to_ne_bytes());
        }
        for (kind, value) in attributes {
            octets.extend(attribute(*kind, value));
        }
        octets
    }

    #[test]
    fn the_request_names_the_family_and_what_is_to_be_shown() {
        let octets = request();
        assert_eq!((octets[0], u32::from_ne_bytes([octets[8], octets[9], octets[10], octets[11]])), (17, 0x15));
    }

    #[test]
    fn a_socket_is_read_with_its_interface_user_and_ring() {
        let mut info = [0; 24];
        info[..4].copy_from_slice(&4_u32.to_ne_bytes());
        let uid = 1000_u32.to_ne_bytes();
        let mut memory = [0; 36];
        memory[32..].copy_from_slice(&6_u32.to_ne_bytes());
        let octets = message(&[(0, &info), (5, &uid), (6, &memory), (2, &[0; 28]), (99, &[1])]);
        let socket = PacketSocket::parse(&octets).unwrap();
        assert_eq!((socket.inode, socket.cookie, socket.protocol), (77, 9 << 32 | 5, 3));
        assert_eq!((socket.interface, socket.uid, socket.has_ring), (4, 1000, true));
        assert_eq!(socket.memory.unwrap().drops(), Some(6));
        assert!(!PacketSocket::parse(&message(&[])).unwrap().has_ring);
        let mut other = octets;
        other[0] = 2;
        assert!(PacketSocket::parse(&other).is_err(), "another family");
    }

    #[test]
    fn a_message_cut_anywhere_gives_an_error_or_fewer_attributes() {
        let octets = message(&[(5, &7_u32.to_ne_bytes())]);
        assert_eq!(
            truncated_everywhere(&octets, |octets| PacketSocket::parse(octets).map(drop)),
            1,
            "before the attribute"
        );
    }

    proptest! {
        #[test]
        fn any_octets_are_survived(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = PacketSocket::parse(&octets);
            let _ = PacketSocket::parse(&message(&[(0, &octets)]));
        }
    }
}
