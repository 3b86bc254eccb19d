//! Sockets: the requests and answers of `NETLINK_SOCK_DIAG`.
//!
//! Source: `sock_diag(7)`, `include/uapi/linux/inet_diag.h` and `tcp.h`. One dump request asks for one
//! family and one protocol. Tables change while they are dumped: a socket may come twice or not at
//! all; its cookie tells.

mod memory;
mod state;
mod tcp_info;

pub use memory::SocketMemory;
pub use state::TcpState;
pub use tcp_info::TcpInfo;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::netlink::Attributes;
use crate::{AF_INET, AF_INET6, Malformed, Reader, Text};

/// `SOCK_DIAG_BY_FAMILY`: the type of requests and answers.
pub const SOCK_DIAG_BY_FAMILY: u16 = 20;

/// `IPPROTO_TCP`.
pub const IPPROTO_TCP: u8 = 6;
/// `IPPROTO_UDP`.
pub const IPPROTO_UDP: u8 = 17;

/// Bits of [`InetRequest::extensions`]: which attributes to send.
pub mod extension {
    /// `INET_DIAG_INFO`: `tcp_info`.
    pub const INFO: u8 = 1 << 1;
    /// `INET_DIAG_CONG`: the congestion control's name.
    pub const CONGESTION: u8 = 1 << 3;
    /// `INET_DIAG_SKMEMINFO`: memory and drops.
    pub const MEMORY: u8 = 1 << 6;
}

/// A request for all sockets of one family and protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InetRequest {
    /// `AF_INET` or `AF_INET6`.
    pub family: u8,
    /// [`IPPROTO_TCP`] or [`IPPROTO_UDP`].
    pub protocol: u8,
    /// Bits of [`extension`].
    pub extensions: u8,
    /// The states to send: bits of [`TcpState::bit`]. This mask decides what a dump costs.
    pub states: u32,
}

impl InetRequest {
    /// All states.
    pub const ALL_STATES: u32 = 0xFFF;

    /// The payload: `struct inet_diag_req_v2` without any particular socket.
    pub fn payload(&self) -> [u8; 56] {
        let mut octets = [0; 56];
        let head = [self.family, self.protocol, self.extensions, 0];
        // The last eight octets are the cookie; all ones mean "no particular one".
        let words = octets.chunks_exact_mut(4);
        let values = [head, self.states.to_ne_bytes()].into_iter().chain([[0; 4]; 10]).chain([[0xFF; 4]; 2]);
        for (place, value) in words.zip(values) {
            place.copy_from_slice(&value);
        }
        octets
    }
}

/// `SOCK_DESTROY`: the type of the request to close a socket on behalf of its owner, who then reads `ECONNABORTED`.
pub const SOCK_DESTROY: u16 = 21;

/// What is put behind a request so that only sockets come whose local port the kernel chose: the attribute
/// `INET_DIAG_REQ_BYTECODE` with the one operation `INET_DIAG_BC_AUTO`, which goes on to the end (4 octets) when it
/// is so and leaves the program (8 octets) when it is not.
pub const ONLY_AUTOBOUND: [u8; 8] = {
    let ([a, b], [c, d], [e, f]) = (8u16.to_ne_bytes(), 1u16.to_ne_bytes(), 8u16.to_ne_bytes());
    [a, b, c, d, 6, 4, e, f]
};

/// `TCPDIAG_GETSOCK`: the type of the older request for TCP sockets, and of its answers.
pub const TCPDIAG_GETSOCK: u16 = 18;

/// The older request for TCP sockets: `struct inet_diag_req`. It is the only one that both address
/// families answer at once, and so the kernel walks its tables once instead of twice. The answers are
/// the same [`InetSocket`] messages, under type [`TCPDIAG_GETSOCK`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpRequest {
    /// Bits of [`extension`].
    pub extensions: u8,
    /// The states to send: bits of [`TcpState::bit`].
    pub states: u32,
}

impl TcpRequest {
    /// The payload.
    pub fn payload(&self) -> [u8; 60] {
        let mut octets = [0; 60];
        let words = octets.chunks_exact_mut(4);
        // Family and address lengths are not read; then come the socket identity and its cookie.
        let head = [[0, 0, 0, self.extensions]].into_iter().chain([[0; 4]; 10]).chain([[0xFF; 4]; 2]);
        for (place, value) in words.zip(head.chain([self.states.to_ne_bytes()])) {
            place.copy_from_slice(&value);
        }
        octets
    }
}

/// One socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InetSocket<'a> {
    /// `AF_INET` or `AF_INET6`.
    pub family: u8,
    /// Its state.
    pub state: TcpState,
    /// Which timer runs: 0 none, 1 retransmission, 2 keep-alive, 3 TIME_WAIT, 4 zero window probe.
    pub timer: u8,
    /// How often that timer has fired in a row.
    pub retransmits: u8,
    /// Milliseconds until the timer fires.
    pub expires_ms: u32,
    /// Our port.
    pub local_port: u16,
    /// Their port.
    pub remote_port: u16,
    /// Our address. An IPv4 peer of an IPv6 socket has a mapped address (`::ffff:a.b.c.d`).
    pub local: IpAddr,
    /// Their address.
    pub remote: IpAddr,
    /// The interface that the socket is bound to, or zero.
    pub interface: u32,
    /// The kernel's own identity of the socket; never used twice while the host runs.
    pub cookie: u64,
    /// Octets received and not yet read by the program; for a listener the connections waiting to be
    /// accepted.
    pub receive_queue: u32,
    /// Octets sent and not yet acknowledged; for a listener the limit of connections that may wait.
    pub send_queue: u32,
    /// The owner's user number.
    pub uid: u32,
    /// The inode of the socket's file; zero when no program has it open.
    pub inode: u32,
    /// `tcp_info`, if asked for and known.
    pub tcp: Option<TcpInfo<'a>>,
    /// The congestion control's name.
    pub congestion: Option<Text<'a>>,
    /// Memory and drops, if asked for.
    pub memory: Option<SocketMemory<'a>>,
    /// The cgroup (v2) identifier.
    pub cgroup: Option<u64>,
    /// Bits of the directions that were shut down: 1 receive, 2 send.
    pub shutdown: Option<u8>,
    /// Whether a TCP socket is a path of a multipath one (its upper layer protocol is `mptcp`).
    pub multipath: bool,
}

impl<'a> InetSocket<'a> {
    /// Reads the payload of an answer: `struct inet_diag_msg` and its attributes.
    ///
    /// # Errors
    /// When the fixed part is cut short, the family is not an internet one, or an attribute
    /// contradicts the message's length.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("inet_diag", payload);
        let at = reader.malformed();
        let (family, state) = (reader.u8()?, TcpState(reader.u8()?));
        let (timer, retransmits) = (reader.u8()?, reader.u8()?);
        let (local_port, remote_port) = (reader.be_u16()?, reader.be_u16()?);
        let local = socket_address(family, reader.array()?).ok_or(at)?;
        let remote = socket_address(family, reader.array()?).ok_or(at)?;
        let interface = reader.u32()?;
        let cookie = u64::from(reader.u32()?) | u64::from(reader.u32()?) << 32;
        let (expires_ms, receive_queue, send_queue) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let (uid, inode) = (reader.u32()?, reader.u32()?);
        let mut socket = Self {
            family,
            state,
            timer,
            retransmits,
            expires_ms,
            local_port,
            remote_port,
            local,
            remote,
            interface,
            cookie,
            receive_queue,
            send_queue,
            uid,
            inode,
            tcp: None,
            congestion: None,
            memory: None,
            cgroup: None,
            shutdown: None,
            multipath: false,
        };
        socket.take(Attributes::new(reader.rest()))?;
        Ok(socket)
    }

    /// The payload of a request about this very socket: `struct inet_diag_req_v2` with its identity and cookie.
    pub fn request(&self, protocol: u8) -> [u8; 56] {
        let mut octets = [0; 56];
        let ([a, b], [c, d]) = (self.local_port.to_be_bytes(), self.remote_port.to_be_bytes());
        let (local, remote) = (address_words(self.local), address_words(self.remote));
        let [low, high] = [self.cookie as u32, (self.cookie >> 32) as u32].map(u32::to_ne_bytes);
        let states = InetRequest::ALL_STATES.to_ne_bytes();
        let head = [[self.family, protocol, 0, 0], states, [a, b, c, d]].into_iter();
        let tail = [self.interface.to_ne_bytes(), low, high];
        for (place, value) in octets.chunks_exact_mut(4).zip(head.chain(local).chain(remote).chain(tail)) {
            place.copy_from_slice(&value);
        }
        octets
    }

    fn take(&mut self, attributes: Attributes<'a>) -> Result<(), Malformed> {
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                // A listener or a TIME_WAIT row may carry an empty one.
                2 if !attribute.value.is_empty() => self.tcp = Some(TcpInfo::new(attribute.value)),
                4 => self.congestion = Some(attribute.text()),
                7 => self.memory = Some(SocketMemory::new(attribute.value)),
                8 => self.shutdown = attribute.u8(),
                18 => self.multipath = upper_protocol(attribute.value)? == Some(b"mptcp"),
                21 => self.cgroup = attribute.u64(),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The name of the protocol that stands on TCP (`INET_ULP_INFO_NAME` in `INET_DIAG_ULP_INFO`), without its zero.
fn upper_protocol(nested: &[u8]) -> Result<Option<&[u8]>, Malformed> {
    for attribute in Attributes::new(nested) {
        let attribute = attribute?;
        if attribute.kind == 1 {
            return Ok(attribute.value.split(|octet| *octet == 0).next());
        }
    }
    Ok(None)
}

/// An address as the four words of a socket identity.
fn address_words(address: IpAddr) -> [[u8; 4]; 4] {
    match address {
        IpAddr::V4(v4) => [v4.octets(), [0; 4], [0; 4], [0; 4]],
        IpAddr::V6(v6) => {
            let mut words = [[0; 4]; 4];
            for (word, octets) in words.iter_mut().zip(v6.octets().chunks_exact(4)) {
                word.copy_from_slice(octets);
            }
            words
        }
    }
}

/// The 16 octets of an address in a socket identity; IPv4 uses the first four.
fn socket_address(family: u8, octets: [u8; 16]) -> Option<IpAddr> {
    match family {
        AF_INET => octets.first_chunk::<4>().map(|v4| IpAddr::V4(Ipv4Addr::from(*v4))),
        AF_INET6 => Some(IpAddr::V6(Ipv6Addr::from(octets))),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
