//! What the accountant knows at one moment, as plain data for every view.
//!
//! Bytes of processes, connections and hosts are payload: what the application moved. Bytes of
//! interfaces are wire bytes: what the kernel's interface counter says.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use squirrel_model::Timestamp;

/// How far a figure can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Counted, each byte.
    #[default]
    Exact,
    /// Estimated from a part; the picture's level says how.
    Sampled,
    /// Not known at this level; the figure beside it is zero and means nothing.
    Unavailable,
}

impl Source {
    /// The word on screens and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Sampled => "sampled",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Bytes in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Traffic {
    /// Bytes received.
    pub receive: u64,
    /// Bytes transmitted.
    pub transmit: u64,
}

/// Bytes since the accountant began (or since the entity began, if later) and their rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Bytes so far.
    pub bytes: Traffic,
    /// Received bytes per second over the last step.
    pub receive_rate: f64,
    /// Transmitted bytes per second over the last step.
    pub transmit_rate: f64,
}

/// A container that a process lives in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Container {
    /// The runtime, such as `docker`, `podman`, `lxc`, `kubernetes`.
    pub runtime: &'static str,
    /// The name if it could be learned, else the short id.
    pub name: String,
    /// The runtime's id, whole.
    pub id: String,
}

/// Who a process is, learned once.
///
/// Text is as the kernel gave it, hostile; screens clean it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessSummary {
    /// The process id in the initial namespace as seen from here.
    pub pid: u32,
    /// Start time in clock ticks since boot (field 22 of `/proc/PID/stat`): with the pid it names one process for good.
    pub started: u64,
    /// The leader's `comm`.
    pub name: String,
    /// The command line, arguments joined by blanks; `None` when it could not be read, and of threads of the kernel.
    pub command: Option<String>,
    /// The user id.
    pub uid: u32,
    /// The user's name, or the number as text.
    pub user: String,
    /// The systemd unit.
    pub unit: Option<String>,
    /// The path in the unified control group tree.
    pub cgroup: Option<String>,
    /// The container.
    pub container: Option<Container>,
    /// The parent's process id, unless the process was gone before it could be asked for.
    pub parent: Option<u32>,
}

/// One process and its bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProcessRow {
    /// Who it is.
    pub process: Arc<ProcessSummary>,
    /// Its payload bytes.
    pub figures: Figures,
    /// Connections open now.
    pub connections: u32,
    /// When it was found to have ended.
    pub ended: Option<Timestamp>,
    /// How its bytes are known.
    pub source: Source,
}

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

/// A remote address and what was exchanged with it.
#[derive(Clone, Debug, PartialEq)]
pub struct HostRow {
    /// The address; the unspecified one for what cannot be told apart by address.
    pub address: IpAddr,
    /// What the row is when it is no host, in a sentence.
    pub note: Option<&'static str>,
    /// Payload bytes, seen from this host.
    pub figures: Figures,
    /// Connections open now.
    pub connections: u32,
    /// How the bytes are known.
    pub source: Source,
}

/// A part of an interface's books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BookPart {
    /// Payload that belongs to processes.
    Attributed,
    /// Headers and retransmissions of that.
    Headers,
    /// Of others.
    Forwarded,
    /// The kernel's.
    Kernel,
    /// Nobody knows.
    Unexplained,
}

impl BookPart {
    /// The word on screens and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Attributed => "attributed",
            Self::Headers => "headers",
            Self::Forwarded => "forwarded",
            Self::Kernel => "kernel",
            Self::Unexplained => "unexplained",
        }
    }
}

/// Wire bytes of an interface with the reason why they stand in their part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookEntry {
    /// The part that they are in.
    pub part: BookPart,
    /// A short code for scripts, such as `icmp`.
    pub reason: &'static str,
    /// A sentence for people.
    pub meaning: &'static str,
    /// The bytes.
    pub bytes: Traffic,
}

/// The books of one interface: `wire = attributed + headers + forwarded + kernel + unexplained`, each way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InterfaceRow {
    /// Inode number of its network namespace; 0 if unknown.
    pub namespace: u64,
    /// The name of that namespace, of its container, or `net:[INODE]`; none for the program's own.
    pub namespace_name: Option<String>,
    /// Its index there.
    pub index: u32,
    /// Its name, hostile.
    pub name: String,
    /// The kernel's counter since the accountant began, with its rate.
    pub wire: Figures,
    /// Payload that belongs to processes.
    pub attributed: Traffic,
    /// Headers of those packets, and retransmissions.
    pub headers: Traffic,
    /// Packets of others that passed through.
    pub forwarded: Traffic,
    /// ICMP, ARP, neighbour discovery, tunnels, the kernel's own sockets.
    pub kernel: Traffic,
    /// What is left.
    pub unexplained: Traffic,
    /// What the parts are made of: their sum is the counter, to the byte.
    pub entries: Vec<BookEntry>,
    /// Why this interface is left out of the host's total (a bridge's port, a tunnel's carrier …), if it is.
    pub counted_elsewhere: Option<&'static str>,
    /// How the parts are known.
    pub source: Source,
}

/// Bytes that belong to no process, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnattributedRow {
    /// A short code for scripts, such as `owner_gone`.
    pub reason: &'static str,
    /// A sentence for people.
    pub meaning: &'static str,
    /// The bytes.
    pub bytes: Traffic,
}

/// Whether one part of a level could be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartStatus {
    /// The part, such as `sock_send_length`.
    pub part: String,
    /// Why it is not there; `None` when it works.
    pub missing: Option<String>,
}

/// How the accountant gets its figures here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// A word for scripts: `packets`, `sockets`, `counters`, `own`.
    pub name: &'static str,
    /// What this level gives, in a sentence.
    pub meaning: String,
    /// What the next level would need, if there is one.
    pub next: Option<String>,
    /// Its parts.
    pub parts: Vec<PartStatus>,
}

/// A network namespace that is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceRow {
    /// The inode number of its file, as in the other rows.
    pub inode: u64,
    /// Its name below `/run/netns`, hostile.
    pub name: Option<String>,
    /// The container whose namespace it is.
    pub container: Option<Container>,
    /// Why its sockets could not be read in the last step.
    pub failure: Option<String>,
}

/// Everything at one moment. Cheap to hand on: views share it.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// When it was taken.
    pub at: Timestamp,
    /// Since when bytes are counted.
    pub since: Timestamp,
    /// How the figures were got.
    pub level: Level,
    /// Processes with traffic or connections, in no order.
    pub processes: Vec<ProcessRow>,
    /// Sockets, open and lately closed.
    pub connections: Vec<ConnectionRow>,
    /// Remote hosts.
    pub hosts: Vec<HostRow>,
    /// Interfaces.
    pub interfaces: Vec<InterfaceRow>,
    /// Network namespaces, the program's own first.
    pub namespaces: Vec<NamespaceRow>,
    /// What belongs to nobody.
    pub unattributed: Vec<UnattributedRow>,
    /// Events of the kernel that never arrived: the tables may lack what they told.
    pub lost_events: u64,
    /// Rows that were dropped from memory to keep the bound; their bytes stay in the sums of their process.
    pub pruned: u64,
    /// One connection in so many is looked at in detail; 1 means all.
    pub sampling: u32,
}
