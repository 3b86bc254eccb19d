//! Octets to meaning: the messages that the Linux kernel sends to those who ask about its network, and those that
//! hosts on the network answer probes and checks with.
//!
//! Each module knows one kind of message: where its fields lie, which of them may be missing, and
//! what the numbers are called. Structures that the kernel extends over the years (`tcp_info`,
//! `rtnl_link_stats64`) are read by offset, and a field that the running kernel does not have is
//! `None`, not zero. What a newer kernel appends is left alone.
//!
//! Absences: nothing here allocates, panics, indexes, opens a socket or knows a metric's name.
//! The crate has no access to an allocator at all (`no_std`), so the first of these cannot be broken
//! by accident.
#![forbid(unsafe_code)]
#![no_std]

#[cfg(test)]
extern crate std;

pub mod address;
mod der;
pub mod dns;
pub mod ethtool;
pub mod icmp;
pub mod ledger;
pub mod link;
pub mod neighbour;
pub mod netlink;
pub mod ntp;
pub mod packet_diag;
pub mod packets;
pub mod qdisc;
mod reader;
pub mod rsa;
pub mod sock_diag;
pub mod tcp;
#[cfg(test)]
mod testing;
mod text;
pub mod x509;

pub use reader::{Fields, Malformed, Reader};
pub use text::Text;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `AF_UNSPEC`: any family.
pub const AF_UNSPEC: u8 = 0;
/// `AF_INET`: IPv4.
pub const AF_INET: u8 = 2;
/// `AF_INET6`: IPv6.
pub const AF_INET6: u8 = 10;

/// An address in network byte order, as IPv4 if it has 4 octets and as IPv6 if it has 16.
pub(crate) fn ip_address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Some(IpAddr::V4(Ipv4Addr::from(v4)));
    }
    <[u8; 16]>::try_from(octets).ok().map(|v6| IpAddr::V6(Ipv6Addr::from(v6)))
}
