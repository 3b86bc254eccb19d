//! Bytes that belong to no process, and why.

use crate::picture::{Traffic, UnattributedRow};

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It ended before its owner was found.
    OwnerGone,
    /// Its owner's descriptors may not be seen.
    NotPermitted,
    /// No process has it open.
    NoProcess,
    /// Its owner has not been found yet.
    NotFound,
    /// The ledger could not note whose they were.
    NoMemory,
}

const ALL: [(Reason, &str, &str); 5] = [
    (
        Reason::OwnerGone,
        "owner_gone",
        "The connection ended before its owner could be looked up. The kernel-side ledger of sockets would know it.",
    ),
    (
        Reason::NotPermitted,
        "not_permitted",
        "The socket belongs to another user's process, and the privilege to look at its descriptors (CAP_SYS_PTRACE) is missing.",
    ),
    (
        Reason::NoProcess,
        "no_process",
        "No process has the socket open: it waits to be accepted, sends the rest of what a program left behind, or is the kernel's own.",
    ),
    (
        Reason::NotFound,
        "not_found",
        "The socket's owner has not been found among the processes yet, or lives where they cannot be seen.",
    ),
    (
        Reason::NoMemory,
        "no_memory",
        "The kernel had no memory to note whose bytes they were. Those of TCP may be counted with their connection all the same.",
    ),
];

/// The sums.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unattributed([Traffic; ALL.len()]);

impl Unattributed {
    pub(crate) fn add(&mut self, reason: Reason, bytes: Traffic) {
        if let Some(sum) = self.0.get_mut(reason as usize) {
            *sum = sum.plus(bytes);
        }
    }

    /// Each reason's code and bytes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, Traffic)> {
        ALL.iter().zip(self.0).map(|((_, code, _), bytes)| (*code, bytes))
    }

    /// The rows that have bytes.
    pub(crate) fn rows(&self) -> Vec<UnattributedRow> {
        let all = ALL.iter().zip(self.0).filter(|(_, bytes)| !bytes.is_zero());
        all.map(|((_, reason, meaning), bytes)| UnattributedRow { reason, meaning, bytes }).collect()
    }
}
