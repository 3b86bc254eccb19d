//! Interfaces as rows: the kernel's counters, and the books that add up to them.

use super::{Figures, Source, Traffic};

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
