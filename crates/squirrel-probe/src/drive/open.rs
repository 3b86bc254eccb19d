//! What a driver is opened with, and what is in the way.

use std::io;

use squirrel_sys::probe_socket::SocketOptions;
use squirrel_wire::icmp::Family;

/// How to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How the sockets send.
    pub socket: SocketOptions,
    /// Octets of payload.
    pub size: usize,
    /// Tells this run's echoes from others'; random.
    pub run: u64,
}

/// Why nothing can be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Neither an unprivileged nor a raw socket is permitted.
    #[error(
        "this user may not send echoes of {0}.\n\
         Either let all groups: sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"\n\
         or give the program the right: setcap cap_net_raw+p $(command -v squirrel)"
    )]
    NotPermitted(&'static str),
    /// The kernel has no such IP.
    #[error("this host does not speak {0}")]
    NoSuchFamily(&'static str),
    /// The address to send from is not this host's.
    #[error("cannot send from this address: this host does not have it; `ip addr` lists its addresses")]
    ForeignSource,
    /// There is no such interface.
    #[error("there is no such interface here; `ip link` lists them")]
    NoSuchInterface,
    /// The mark of a packet is the administrator's.
    #[error("a mark (--fwmark) needs CAP_NET_ADMIN: setcap cap_net_raw,cap_net_admin+p $(command -v squirrel)")]
    MarkNotPermitted,
    /// Something else.
    #[error("cannot open a socket for {family}: {}", .error.kind())]
    Other {
        /// Which IP.
        family: &'static str,
        /// What the kernel answered.
        error: io::Error,
    },
}

impl OpenError {
    pub(crate) fn of(family: Family, options: &SocketOptions, error: io::Error) -> Self {
        let name = name(family);
        match error.kind() {
            io::ErrorKind::PermissionDenied if options.mark.is_some() => Self::MarkNotPermitted,
            io::ErrorKind::PermissionDenied => Self::NotPermitted(name),
            io::ErrorKind::AddrNotAvailable => Self::ForeignSource,
            io::ErrorKind::Unsupported => Self::NoSuchFamily(name),
            // ENODEV and EAFNOSUPPORT have no kind of their own.
            _ if error.raw_os_error() == Some(19) => Self::NoSuchInterface,
            _ if error.raw_os_error() == Some(97) => Self::NoSuchFamily(name),
            _ => Self::Other { family: name, error },
        }
    }
}

fn name(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}
