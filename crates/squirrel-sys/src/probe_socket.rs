//! Sockets that ask the network: echoes of ICMP without privilege where the kernel allows, with the kernel's own
//! time stamps, and with the errors that hosts on the way send.
//!
//! Source: `Documentation/networking/timestamping.rst`, `net/ipv4/ping.c`, ip(7), ipv6(7).

mod options;
mod wait;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use squirrel_wire::icmp::Family;

use crate::linux::raw::probe_socket as raw;
pub use options::SocketOptions;
pub(crate) use options::by_family;
pub use wait::{Readiness, wait, wait_each};

/// What carries a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// Echoes of ICMP on a socket that needs no privilege; `net.ipv4.ping_group_range` decides who may. The kernel
    /// chooses the identifier, and delivers answers to it alone.
    Ping,
    /// Raw ICMP: needs `CAP_NET_RAW`. It receives everybody's messages; of IPv4 with the IP header.
    RawIcmp,
    /// Datagrams of UDP; errors come back on the queue of errors, without privilege.
    Udp,
    /// Raw TCP: needs `CAP_NET_RAW`. It receives every segment from the host that it is connected to; of IPv4 with the
    /// IP header. The kernel itself refuses what answers to segments that no connection of its own sent.
    RawTcp,
    /// Connections that the kernel opens ([`crate::connect_probe`]), which need no privilege.
    Connect,
}

/// Who says that something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// This host.
    Local,
    /// A host on the way, by ICMP.
    Icmp,
    /// A host on the way, by ICMPv6.
    Icmp6,
    /// Nobody: it is the time at which a datagram was sent.
    TimeStamp,
}

/// An entry of the queue of errors (`struct sock_extended_err`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The number of the error, as the kernel maps it.
    pub errno: i32,
    /// Who says so.
    pub origin: Origin,
    /// Type of the ICMP message.
    pub icmp_type: u8,
    /// Its code.
    pub code: u8,
    /// The largest packet of the next link, for messages about that; for a time stamp its kind.
    pub info: u32,
    /// For a time stamp: which datagram of this socket, counted from 0.
    pub data: u32,
    /// The host that sent the message.
    pub offender: Option<IpAddr>,
}

/// What the kernel told beside a datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// When the kernel took it from or gave it to the device: nanoseconds of the wall clock.
    pub stamp_ns: Option<u64>,
    /// Time to live with which it arrived.
    pub ttl: Option<u8>,
    /// TOS or traffic class with which it arrived.
    pub tos: Option<u8>,
    /// What went wrong, on the queue of errors.
    pub error: Option<Error>,
}

/// A datagram, or an entry of the queue of errors with the datagram that it answers.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// Its octets, the first thousand.
    pub octets: &'a [u8],
    /// How long it was on the wire.
    pub len: usize,
    /// Who sent it; on the queue of errors, to whom the datagram went.
    pub from: Option<SocketAddr>,
    /// What the kernel told beside it.
    pub beside: Beside,
}

/// Room for what one call receives. Reuse it.
pub struct Inbox(pub(crate) raw::Room);

impl Inbox {
    /// An empty one.
    pub fn new() -> Self {
        Self(raw::Room::new())
    }
}

impl Default for Inbox {
    fn default() -> Self {
        Self::new()
    }
}

/// Which queue of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// What others sent.
    Data,
    /// Errors, and the times at which datagrams were sent.
    Errors,
}

/// A socket that asks the network. It never blocks.
#[derive(Debug)]
pub struct ProbeSocket {
    socket: OwnedFd,
    family: Family,
    carrier: Carrier,
    ttl: Option<u8>,
}

impl ProbeSocket {
    /// Opens a socket.
    ///
    /// # Errors
    /// A missing privilege (`PermissionDenied`), an address or interface that this host does not have.
    pub fn open(family: Family, carrier: Carrier, options: &SocketOptions) -> io::Result<Self> {
        let (domain, icmp) = match family {
            Family::V4 => (libc::AF_INET, libc::IPPROTO_ICMP),
            Family::V6 => (libc::AF_INET6, libc::IPPROTO_ICMPV6),
        };
        let socket = match carrier {
            Carrier::Ping => raw::open(domain, libc::SOCK_DGRAM, icmp),
            Carrier::RawIcmp => raw::open(domain, libc::SOCK_RAW, icmp),
            Carrier::Udp => raw::open(domain, libc::SOCK_DGRAM, libc::IPPROTO_UDP),
            Carrier::RawTcp => raw::open(domain, libc::SOCK_RAW, libc::IPPROTO_TCP),
            // Its questions have a socket each.
            Carrier::Connect => return Err(io::ErrorKind::Unsupported.into()),
        }?;
        let mut socket = Self { socket, family, carrier, ttl: None };
        socket.prepare(options)?;
        Ok(socket)
    }

    fn prepare(&mut self, options: &SocketOptions) -> io::Result<()> {
        let set = |(level, name): (i32, i32), value: i32| raw::set(self.as_fd(), level, name, value);
        // What is told beside datagrams is a help; a kernel that refuses one still answers.
        for (v4, v6) in [(libc::IP_RECVTTL, libc::IPV6_RECVHOPLIMIT), (libc::IP_RECVTOS, libc::IPV6_RECVTCLASS)] {
            let _ = set(by_family(self.family, v4, v6), 1);
        }
        let stamps = libc::SOF_TIMESTAMPING_TX_SOFTWARE
            | libc::SOF_TIMESTAMPING_RX_SOFTWARE
            | libc::SOF_TIMESTAMPING_SOFTWARE
            | libc::SOF_TIMESTAMPING_OPT_ID
            | libc::SOF_TIMESTAMPING_OPT_TSONLY;
        let _ = set((libc::SOL_SOCKET, libc::SO_TIMESTAMPING), stamps as i32);
        // Answers of many targets may come at once.
        let _ = set((libc::SOL_SOCKET, libc::SO_RCVBUF), 4 << 20);
        options.apply(self.family, self.as_fd())?;
        if let Some(source) = options.source {
            raw::bind(self.as_fd(), SocketAddr::new(source, 0))?;
        }
        options.ttl.map_or(Ok(()), |ttl| self.set_ttl(ttl))
    }

    /// Sets the time to live or hop limit of what is sent from now on.
    ///
    /// # Errors
    /// What the kernel refuses; 0, for one.
    pub fn set_ttl(&mut self, ttl: u8) -> io::Result<()> {
        if self.ttl != Some(ttl) {
            let (level, name) = by_family(self.family, libc::IP_TTL, libc::IPV6_UNICAST_HOPS);
            raw::set(self.as_fd(), level, name, i32::from(ttl))?;
            self.ttl = Some(ttl);
        }
        Ok(())
    }

    /// Sends one datagram. Of ICMP the port of `to` means nothing.
    ///
    /// # Errors
    /// What the kernel refuses at once: no route, a packet that is too large, full queues (`WouldBlock`); also an
    /// error that a host on the way sent for an earlier datagram, after which the datagram was not sent.
    pub fn send(&self, octets: &[u8], to: SocketAddr) -> io::Result<()> {
        let to = match self.carrier {
            Carrier::Udp => to,
            _ => without_port(to),
        };
        raw::send(self.as_fd(), octets, to).map(|_| ())
    }

    /// Receives from this host alone from now on, and finds out which address it is spoken to from.
    ///
    /// # Errors
    /// No route to it.
    pub fn connect(&self, to: IpAddr) -> io::Result<IpAddr> {
        raw::connect(self.as_fd(), SocketAddr::new(to, 0))?;
        Ok(raw::local_address(self.as_fd())?.ip())
    }

    /// Receives what there is, as much as the inbox holds, and hands each to `each`. Gives how many there were;
    /// a full inbox may mean that there is more.
    ///
    /// # Errors
    /// An error of the socket itself; what hosts on the way say is on the queue of errors.
    pub fn receive(&self, queue: Queue, inbox: &mut Inbox, each: &mut dyn FnMut(Received<'_>)) -> io::Result<usize> {
        let count = self.fill(queue, inbox)?;
        for index in 0..count {
            let (octets, len) = inbox.0.octets(index);
            each(Received { octets, len, from: inbox.0.from(index), beside: inbox.0.beside(index) });
        }
        Ok(count)
    }

    /// What a host on the way said is also the answer to the next call on the socket, once: whoever asks for data then
    /// asks again, since the queue of errors tells it in full.
    fn fill(&self, queue: Queue, inbox: &mut Inbox) -> io::Result<usize> {
        let mut told = 0;
        loop {
            match inbox.0.receive(self.as_fd(), queue == Queue::Errors) {
                Err(error) if told < MOST_TOLD && !is_own(&error) => told += 1,
                other => return other,
            }
        }
    }

    /// Datagrams that one call of [`ProbeSocket::receive`] takes at most.
    pub const BATCH: usize = raw::BATCH;

    /// Which IP it speaks.
    pub fn family(&self) -> Family {
        self.family
    }

    /// What carries its probes.
    pub fn carrier(&self) -> Carrier {
        self.carrier
    }
}

impl AsFd for ProbeSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Errors of hosts on the way that one call passes over. They come as fast as packets do.
const MOST_TOLD: u32 = 1000;

/// Whether an error is the socket's or the call's own, and not one that came for an earlier packet.
fn is_own(error: &io::Error) -> bool {
    let own = [libc::EBADF, libc::ENOTSOCK, libc::EFAULT, libc::EINVAL, libc::ENOMEM];
    error.raw_os_error().is_none_or(|number| own.contains(&number))
}

/// The kernel wants no port with ICMP.
fn without_port(address: SocketAddr) -> SocketAddr {
    let mut address = address;
    address.set_port(0);
    address
}

/// The address of the family that means "any".
pub fn unspecified(family: Family) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
        Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
    }
}
