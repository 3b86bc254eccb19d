//! How a socket that asks the network sends.

use std::io;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;

use squirrel_wire::icmp::Family;

use crate::linux::raw::probe_socket as raw;

/// How a socket shall send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// Time to live or hop limit; the system's default if none.
    pub ttl: Option<u8>,
    /// TOS or traffic class: DSCP in the upper six bits, ECN in the lower two.
    pub tos: Option<u8>,
    /// Send from this address.
    pub source: Option<IpAddr>,
    /// Send through this interface alone (`SO_BINDTODEVICE`).
    pub interface: Option<String>,
    /// The mark that policy routing looks at (`SO_MARK`); needs `CAP_NET_ADMIN`.
    pub mark: Option<u32>,
    /// Routers may not cut packets, and the kernel does not look at what it knows of the path
    /// (`IP_PMTUDISC_PROBE`).
    pub dont_fragment: bool,
}

impl SocketOptions {
    /// Sets what is the same for every kind of socket: how it sends, and that errors of hosts on the way are told. The
    /// source is for whoever binds it, the time to live for whoever sends.
    pub(crate) fn apply(&self, family: Family, socket: BorrowedFd<'_>) -> io::Result<()> {
        let set = |(level, name): (i32, i32), value: i32| raw::set(socket, level, name, value);
        let _ = set(by_family(family, libc::IP_RECVERR, libc::IPV6_RECVERR), 1);
        if let Some(tos) = self.tos {
            set(by_family(family, libc::IP_TOS, libc::IPV6_TCLASS), i32::from(tos))?;
        }
        if self.dont_fragment {
            set(by_family(family, libc::IP_MTU_DISCOVER, libc::IPV6_MTU_DISCOVER), libc::IP_PMTUDISC_PROBE)?;
        }
        if let Some(mark) = self.mark {
            set((libc::SOL_SOCKET, libc::SO_MARK), mark as i32)?;
        }
        if let Some(interface) = &self.interface {
            raw::set_octets(socket, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, interface.as_bytes())?;
        }
        Ok(())
    }
}

/// The level and the name of an option that each IP has of its own.
pub(crate) fn by_family(family: Family, v4: i32, v6: i32) -> (i32, i32) {
    match family {
        Family::V4 => (libc::IPPROTO_IP, v4),
        Family::V6 => (libc::IPPROTO_IPV6, v6),
    }
}
