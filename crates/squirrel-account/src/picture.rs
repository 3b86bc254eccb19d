//! What the accountant knows at one moment, as plain data for every view.
//!
//! Bytes of processes, connections and hosts are payload: what the application moved. Bytes of
//! interfaces are wire bytes: what the kernel's interface counter says.

mod connection;
mod interface;

use std::net::IpAddr;
use std::sync::Arc;

use squirrel_model::Timestamp;

pub use connection::{Carrier, ConnectionRow, TcpDetail};
pub use interface::{BookEntry, BookPart, InterfaceRow};

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
