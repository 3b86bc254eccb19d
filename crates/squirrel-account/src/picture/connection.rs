//! Connections and other sockets as rows.

use std::net::SocketAddr;
use std::sync::Arc;

use squirrel_model::Timestamp;

use super::{Figures, ProcessSummary, Source};

/// What a socket is for: its transport protocol, or what it has instead of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// TCP, the paths of multipath sockets too.
    Tcp,
    /// Multipath TCP (RFC 8684), as its process sees it. Its paths have rows of their own, as TCP: their bytes are those
    /// of hosts and interfaces, while this row's are the process's.
    Mptcp,
    /// UDP and UDP-Lite.
    Udp,
    /// ICMP by a socket that gives no more than that (`ping` without privilege).
    Icmp,
    /// Packets of any protocol of IP, which the process makes and reads itself.
    Raw,
    /// Frames of an interface, which the process makes and reads itself.
    Packet,
    /// Another transport protocol, such as SCTP.
    Other,
}

impl Carrier {
    /// Whether its bytes travel as the socket says, so that hosts and interfaces have them: not those of a multipath
    /// socket, which its paths carry, and not those of raw sockets, which read copies.
    pub(crate) fn travels(self) -> bool {
        matches!(self, Self::Tcp | Self::Udp)
    }

    /// The word on screens and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Mptcp => "mptcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Raw => "raw",
            Self::Packet => "packet",
            Self::Other => "other",
        }
    }
}

/// What the kernel's `tcp_info` tells of a connection; a field that this kernel does not have is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TcpDetail {
    /// Smoothed round-trip time, microseconds.
    pub rtt_us: Option<u32>,
    /// Its mean deviation, microseconds.
    pub rtt_variation_us: Option<u32>,
    /// The smallest round-trip time seen, microseconds.
    pub min_rtt_us: Option<u32>,
    /// Bytes sent again.
    pub retransmitted_bytes: Option<u64>,
    /// Segments sent again.
    pub retransmits: Option<u32>,
    /// Congestion window, segments.
    pub congestion_window: Option<u32>,
    /// Congestion algorithm.
    pub congestion: Option<String>,
    /// The kernel's estimate of what reaches the receiver, bytes per second.
    pub delivery_rate: Option<u64>,
    /// Time with data to send, microseconds.
    pub busy_us: Option<u64>,
    /// Of that, held back by the receiver's window.
    pub receiver_limited_us: Option<u64>,
    /// Of that, held back by the send buffer.
    pub buffer_limited_us: Option<u64>,
    /// Whether the last delivery sample was limited by the application.
    pub application_limited: Option<bool>,
}

/// One socket that talks: a connection or listener of TCP, or a socket of another protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionRow {
    /// The kernel's socket cookie: names one socket until the next boot.
    pub cookie: u64,
    /// Inode number of its network namespace; 0 if unknown.
    pub namespace: u64,
    /// Transport protocol.
    pub carrier: Carrier,
    /// This side.
    pub local: SocketAddr,
    /// The other side; port 0 and the unspecified address when there is none.
    pub remote: SocketAddr,
    /// The state's word as `ss` writes it, such as `ESTAB`.
    pub state: &'static str,
    /// Its owner, if known.
    pub process: Option<Arc<ProcessSummary>>,
    /// Payload bytes.
    pub figures: Figures,
    /// Bytes not yet read by the application; for a listener the connections not yet accepted.
    pub receive_queue: u32,
    /// Bytes not yet acknowledged; for a listener its limit of connections not yet accepted.
    pub send_queue: u32,
    /// Datagrams or segments that this socket dropped.
    pub drops: Option<u32>,
    /// Details of TCP.
    pub tcp: Option<TcpDetail>,
    /// When it was first seen.
    pub opened: Timestamp,
    /// When it ended.
    pub closed: Option<Timestamp>,
    /// How its bytes are known.
    pub source: Source,
    /// Why they are not exact, in a sentence; `None` when they are.
    pub caveat: Option<&'static str>,
    /// How many connections this row stands for: one, or several that are half open.
    pub count: u64,
}
