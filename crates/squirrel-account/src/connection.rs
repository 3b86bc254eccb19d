//! One socket, packed: there may be a hundred thousand.

mod tcp;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use squirrel_wire::sock_diag::{InetSocket, TcpState};

use crate::picture::{Carrier, Traffic};
use crate::slots::Slot;
use tcp::Tcp;

/// Bits of [`Connection::flags`].
pub(crate) mod flag {
    /// Both addresses are IPv4.
    pub(crate) const V4: u8 = 1;
    /// A path of a multipath socket: its bytes are that one's.
    pub(crate) const PATH: u8 = 1 << 1;
    /// The bytes cannot be known at this level.
    pub(crate) const UNKNOWN_BYTES: u8 = 1 << 2;
    /// A part of the bytes, or the owner, is inferred.
    pub(crate) const INFERRED: u8 = 1 << 3;
    /// All descriptors were looked at and none leads here.
    pub(crate) const SEARCHED: u8 = 1 << 4;
    /// What was left of its bytes has been booked: nothing more comes.
    pub(crate) const BOOKED: u8 = 1 << 5;
    /// The other side's FIN is among the received bytes.
    pub(crate) const FIN: u8 = 1 << 6;
    /// The ledger has told of it.
    pub(crate) const LEDGER: u8 = 1 << 7;
}

/// Bytes of one process on a socket that several use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// The process.
    pub(crate) process: Slot,
    /// What the ledger counted when it was first seen.
    pub(crate) base: Traffic,
    /// What the ledger counted last.
    pub(crate) last: Traffic,
    /// What it got beyond the ledger's count, as the owner that it no longer is.
    pub(crate) beyond: Traffic,
    /// What was booked to the process.
    pub(crate) booked: Traffic,
}

impl Share {
    pub(crate) fn new(process: Slot) -> Self {
        let none = Traffic::default();
        Self { process, base: none, last: none, beyond: none, booked: none }
    }

    /// What is its own, whoever owns the socket: the ledger's count since it was first seen, and what it got before as
    /// the owner.
    pub(crate) fn counted(&self) -> Traffic {
        self.last.minus(self.base).plus(self.beyond)
    }
}

/// One socket.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) cookie: u64,
    pub(crate) carrier: Carrier,
    local: [u8; 16],
    remote: [u8; 16],
    local_port: u16,
    remote_port: u16,
    /// The place of its network namespace.
    pub(crate) namespace: u16,
    pub(crate) state: TcpState,
    pub(crate) flags: u8,
    /// Whether it is open if the other side's FIN is among the received bytes.
    pub(crate) fin_is_open: bool,
    /// The number of its namespace's dump that showed it last.
    pub(crate) seen: u8,
    pub(crate) inode: u32,
    pub(crate) interface: u32,
    pub(crate) uid: u32,
    /// The cookie of the multipath socket that has this one's bytes, as the ledger tells; else zero.
    pub(crate) path_of: u64,
    /// The owner and its share.
    pub(crate) owner: Share,
    /// Further processes that use the socket.
    pub(crate) others: Vec<Share>,
    /// Wall clock, milliseconds.
    pub(crate) opened: i64,
    /// Wall clock, milliseconds; zero while it is open.
    pub(crate) closed: i64,
    /// The kernel's counters when it was first seen.
    pub(crate) base: Traffic,
    /// The kernel's counters last.
    pub(crate) kernel: Traffic,
    /// Payload since it was first seen.
    pub(crate) bytes: Traffic,
    /// Payload that stands in an interface's books.
    pub(crate) placed: Traffic,
    /// The same one step before.
    pub(crate) before: Traffic,
    pub(crate) receive_queue: u32,
    pub(crate) send_queue: u32,
    /// `u32::MAX` when the kernel does not tell.
    pub(crate) drops: u32,
    pub(crate) tcp: Tcp,
}

impl Connection {
    pub(crate) fn new(
        cookie: u64,
        namespace: u16,
        carrier: Carrier,
        local: SocketAddr,
        remote: SocketAddr,
        opened: i64,
    ) -> Self {
        let v4 = local.is_ipv4() && remote.is_ipv4();
        Self {
            cookie,
            carrier,
            local: octets(local.ip()),
            remote: octets(remote.ip()),
            local_port: local.port(),
            remote_port: remote.port(),
            namespace,
            state: TcpState::CLOSE,
            flags: if v4 { flag::V4 } else { 0 },
            fin_is_open: false,
            seen: 0,
            inode: 0,
            interface: 0,
            uid: 0,
            path_of: 0,
            owner: Share::new(Slot::NONE),
            others: Vec::new(),
            opened,
            closed: 0,
            base: Traffic::default(),
            kernel: Traffic::default(),
            bytes: Traffic::default(),
            placed: Traffic::default(),
            before: Traffic::default(),
            receive_queue: 0,
            send_queue: 0,
            drops: u32::MAX,
            tcp: Tcp::default(),
        }
    }

    pub(crate) fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn set(&mut self, flag: u8) {
        self.flags |= flag;
    }

    pub(crate) fn clear(&mut self, flag: u8) {
        self.flags &= !flag;
    }

    pub(crate) fn is_open(&self) -> bool {
        self.closed == 0
    }

    pub(crate) fn local(&self) -> SocketAddr {
        SocketAddr::new(self.address(self.local), self.local_port)
    }

    pub(crate) fn remote(&self) -> SocketAddr {
        SocketAddr::new(self.address(self.remote), self.remote_port)
    }

    /// A UDP socket may be connected, or learn its address, after it was first seen.
    pub(crate) fn readdress(&mut self, local: SocketAddr, remote: SocketAddr) {
        (self.local, self.local_port) = (octets(local.ip()), local.port());
        (self.remote, self.remote_port) = (octets(remote.ip()), remote.port());
        self.clear(flag::V4);
        self.set(if local.is_ipv4() && remote.is_ipv4() { flag::V4 } else { 0 });
    }

    fn address(&self, octets: [u8; 16]) -> IpAddr {
        let v6 = Ipv6Addr::from(octets);
        let v4 = self.is(flag::V4).then(|| v6.to_ipv4_mapped()).flatten();
        v4.map_or(IpAddr::V6(v6), IpAddr::V4)
    }

    /// The kernel's counters since the socket was first seen, without what is not payload.
    pub(crate) fn counted_by_kernel(&self) -> Traffic {
        let mut counted = self.kernel.minus(self.base);
        if self.is(flag::FIN) {
            counted.receive = counted.receive.saturating_sub(1);
        }
        counted
    }

    /// Payload that travelled and is a program's since the last call. Of TCP the kernel's own counters tell, since what a
    /// program wrote may wait to be sent; of UDP `new` is what programs sent and took.
    pub(crate) fn travelled(&mut self, new: Traffic) -> Traffic {
        let placed = match self.carrier {
            Carrier::Tcp => self.placed.max(self.counted_by_kernel().min(self.bytes)),
            _ => self.placed.plus(new),
        };
        let travelled = placed.minus(self.placed);
        self.placed = placed;
        travelled
    }

    /// Octets of TCP that arrived and that no program has read.
    pub(crate) fn unread(&self) -> u64 {
        if self.carrier != Carrier::Tcp || self.is_listener() {
            return 0;
        }
        self.counted_by_kernel().receive.saturating_sub(self.bytes.receive)
    }

    /// What is known to be of single processes.
    pub(crate) fn counted_by_process(&self) -> Traffic {
        self.others.iter().fold(self.owner.counted(), |sum, share| sum.plus(share.counted()))
    }

    /// Whether the socket waits for connections.
    pub(crate) fn is_listener(&self) -> bool {
        self.state == TcpState::LISTEN && self.is_stream()
    }

    /// Whether its bytes belong to the process by another row: that of the multipath socket whose path it is.
    pub(crate) fn is_booked_elsewhere(&self) -> bool {
        self.is(flag::PATH) && self.path_of != 0
    }

    /// Whether it has the states of TCP.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.carrier, Carrier::Tcp | Carrier::Mptcp)
    }

    /// Why its bytes are not exact.
    pub(crate) fn caveat(&self) -> Option<&'static str> {
        if self.is(flag::UNKNOWN_BYTES) && self.carrier == Carrier::Packet {
            return Some(
                "What a program takes from a ring that it shares with the kernel is counted by nobody, and what it takes \
                 by calls only by the kernel-side ledger of sockets.",
            );
        }
        if self.is(flag::UNKNOWN_BYTES) {
            return Some("The kernel counts no bytes of such a socket; its ledger of sockets would.");
        }
        if !self.is(flag::INFERRED) {
            return None;
        }
        Some(if self.is(flag::PATH) {
            "A path of a multipath connection, counted by what it carried: bytes that went again by another path are \
             counted with both. The kernel-side ledger of sockets would count what the process moved."
        } else {
            "Its owner, or the last of its bytes, is inferred: it was gone, or reset, before it could be asked."
        })
    }

    /// The state as `ss` writes it.
    pub(crate) fn state_word(&self) -> &'static str {
        match self.state {
            TcpState::ESTABLISHED => "ESTAB",
            TcpState::SYN_SENT => "SYN-SENT",
            TcpState::SYN_RECV | TcpState::NEW_SYN_RECV => "SYN-RECV",
            TcpState::FIN_WAIT1 => "FIN-WAIT-1",
            TcpState::FIN_WAIT2 => "FIN-WAIT-2",
            TcpState::TIME_WAIT => "TIME-WAIT",
            TcpState::CLOSE if !self.is_stream() && self.is_open() => "UNCONN",
            TcpState::CLOSE => "CLOSED",
            TcpState::CLOSE_WAIT => "CLOSE-WAIT",
            TcpState::LAST_ACK => "LAST-ACK",
            TcpState::LISTEN => "LISTEN",
            TcpState::CLOSING => "CLOSING",
            _ => "UNKNOWN",
        }
    }
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// Our end and the other end of a dumped socket. An IPv4 peer of an IPv6 socket is shown as IPv4, which is what
/// travels.
pub(crate) fn ends(socket: &InetSocket<'_>) -> (SocketAddr, SocketAddr) {
    plain_ends((socket.local, socket.local_port), (socket.remote, socket.remote_port))
}

pub(crate) fn plain_ends(local: (IpAddr, u16), remote: (IpAddr, u16)) -> (SocketAddr, SocketAddr) {
    let (here, there) = (local.0.to_canonical(), remote.0.to_canonical());
    // The other end of a socket that has none is `::` also when ours is a mapped address.
    let there = if here.is_ipv4() && there == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    } else {
        there
    };
    (SocketAddr::new(here, local.1), SocketAddr::new(there, remote.1))
}
