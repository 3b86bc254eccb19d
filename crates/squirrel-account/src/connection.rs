//! One socket, packed: there may be a hundred thousand.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use squirrel_wire::sock_diag::{InetSocket, TcpInfo, TcpState};

use crate::picture::{Carrier, TcpDetail, Traffic};
use crate::slots::Slot;

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

/// Details of TCP, packed. A number that this kernel does not have is the largest of its kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tcp {
    pub(crate) known: bool,
    application_limited: u8,
    /// The place of the congestion algorithm's name.
    pub(crate) congestion: u8,
    /// Octets of its headers: time stamps make each longer.
    pub(crate) header: u8,
    /// Whether the other side opened the connection; `None` as long as that cannot be told.
    pub(crate) accepted: Option<bool>,
    /// Whether the answer to its opening, which is not among the socket's segments, stands in the books.
    pub(crate) answer_booked: bool,
    rtt_us: u32,
    rtt_variation_us: u32,
    min_rtt_us: u32,
    retransmits: u32,
    window: u32,
    pub(crate) segments_out: u32,
    pub(crate) segments_in: u32,
    retransmitted_bytes: u64,
    /// Segments and payload sent again that stand in an interface's books.
    pub(crate) booked: Traffic,
    pub(crate) booked_again: u64,
    delivery_rate: u64,
    busy_us: u64,
    receiver_limited_us: u64,
    buffer_limited_us: u64,
}

const NO: u32 = u32::MAX;
const NONE: u64 = u64::MAX;
/// Octets of a TCP header, and of time stamps in it.
const HEADER: u8 = 20;
const HEADER_STAMPS: u8 = 12;
/// `TCPI_OPT_TIMESTAMPS`.
const STAMPS: u8 = 1;

impl Default for Tcp {
    fn default() -> Self {
        Self {
            known: false,
            application_limited: 2,
            congestion: u8::MAX,
            header: HEADER + HEADER_STAMPS,
            accepted: None,
            answer_booked: false,
            rtt_us: NO,
            rtt_variation_us: NO,
            min_rtt_us: NO,
            retransmits: NO,
            window: NO,
            segments_out: 0,
            segments_in: 0,
            retransmitted_bytes: NONE,
            booked: Traffic::default(),
            booked_again: 0,
            delivery_rate: NONE,
            busy_us: NONE,
            receiver_limited_us: NONE,
            buffer_limited_us: NONE,
        }
    }
}

impl Tcp {
    /// Takes over what a dump or an announcement says. Segments never go back: a connection that was reset has lost
    /// its counters when its end is announced.
    pub(crate) fn take(&mut self, info: &TcpInfo<'_>) {
        let (out, into) = (info.segs_out().unwrap_or(0), info.segs_in().unwrap_or(0));
        if self.known && out < self.segments_out {
            return;
        }
        *self = Self {
            known: true,
            application_limited: info.delivery_rate_limited().map_or(2, u8::from),
            congestion: self.congestion,
            header: HEADER + if info.options().is_none_or(|options| options & STAMPS != 0) { HEADER_STAMPS } else { 0 },
            accepted: accepted(info).or(self.accepted),
            answer_booked: self.answer_booked,
            rtt_us: info.rtt_us().filter(|us| *us > 0).unwrap_or(NO),
            rtt_variation_us: info.rttvar_us().filter(|us| *us > 0).unwrap_or(NO),
            min_rtt_us: info.min_rtt_us().unwrap_or(NO),
            retransmits: info.total_retrans().unwrap_or(NO),
            window: info.send_cwnd().unwrap_or(NO),
            segments_out: out,
            segments_in: into.max(self.segments_in),
            retransmitted_bytes: info.bytes_retrans().unwrap_or(NONE),
            booked: self.booked,
            booked_again: self.booked_again,
            delivery_rate: info.delivery_rate().unwrap_or(NONE),
            busy_us: info.busy_us().unwrap_or(NONE),
            receiver_limited_us: info.receive_window_limited_us().unwrap_or(NONE),
            buffer_limited_us: info.send_buffer_limited_us().unwrap_or(NONE),
        };
    }

    /// Payload sent again.
    pub(crate) fn retransmitted(&self) -> u64 {
        if self.retransmitted_bytes == NONE { 0 } else { self.retransmitted_bytes }
    }

    /// What was before is in nobody's books.
    pub(crate) fn skip(&mut self) {
        self.booked = Traffic::new(u64::from(self.segments_in), u64::from(self.segments_out));
        self.booked_again = self.retransmitted();
        self.answer_booked = true;
    }

    pub(crate) fn detail(&self, congestion: Option<&String>) -> TcpDetail {
        let small = |number: u32| (number != NO).then_some(number);
        let large = |number: u64| (number != NONE).then_some(number);
        TcpDetail {
            rtt_us: small(self.rtt_us),
            rtt_variation_us: small(self.rtt_variation_us),
            min_rtt_us: small(self.min_rtt_us),
            retransmitted_bytes: large(self.retransmitted_bytes),
            retransmits: small(self.retransmits),
            congestion_window: small(self.window),
            congestion: congestion.cloned(),
            delivery_rate: large(self.delivery_rate),
            busy_us: large(self.busy_us),
            receiver_limited_us: large(self.receiver_limited_us),
            buffer_limited_us: large(self.buffer_limited_us),
            application_limited: (self.application_limited < 2).then_some(self.application_limited == 1),
        }
    }
}

/// Whether the other side opened a connection: then no SYN of ours is among the acknowledged bytes. It shows when all
/// that was sent is acknowledged. A FIN of ours counts too, once it is acknowledged: after one a single octet beyond may
/// be either, and says nothing.
fn accepted(info: &TcpInfo<'_>) -> Option<bool> {
    const AFTER_FIN: [u8; 5] = [4, 5, 7, 9, 11];
    if info.unacked()? > 0 {
        return None;
    }
    let beyond = info.bytes_acked()?.checked_sub(info.payload_sent()?)?;
    let ambiguous = beyond == 1 && AFTER_FIN.contains(&info.state()?);
    (!ambiguous).then_some(beyond == 0)
}
