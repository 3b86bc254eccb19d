//! Connections that are gone: the last of them, and how many there were.

use std::collections::VecDeque;
use std::time::Duration;

use super::packed::{Packed, nanoseconds};
use super::{ClosedConnection, TrackedConnection};

struct Closed {
    row: Packed,
    /// Nanoseconds since the monitor was made.
    at: u64,
}

/// The closed connections, the oldest first.
#[derive(Default)]
pub(super) struct History {
    closed: VecDeque<Closed>,
    total: u64,
    pruned: u64,
}

impl History {
    /// Keeps one more, and so forgets the oldest when there are more than `limit`.
    pub(super) fn push(&mut self, row: &Packed, now: Duration, limit: usize) {
        self.total += 1;
        if limit > 0 {
            self.prune_to(limit - 1);
            self.closed.push_back(Closed { row: *row, at: nanoseconds(now) });
        } else {
            self.pruned += 1;
        }
    }

    /// Forgets the oldest until at most `limit` are left.
    pub(super) fn prune_to(&mut self, limit: usize) {
        let over = self.closed.len().saturating_sub(limit);
        self.closed.drain(..over);
        self.pruned += over as u64;
    }

    /// Forgets the oldest until at most this many bytes are taken.
    pub(super) fn prune_to_bytes(&mut self, bytes: usize) {
        if self.bytes() > bytes {
            self.prune_to(bytes / size_of::<Closed>());
            self.closed.shrink_to(bytes / size_of::<Closed>());
        }
    }

    /// What it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.closed.capacity() * size_of::<Closed>()
    }

    /// How many were seen to close.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// How many of these are forgotten.
    pub(super) fn pruned(&self) -> u64 {
        self.pruned
    }

    pub(super) fn list(&self) -> Vec<ClosedConnection> {
        let told = |closed: &Closed| {
            let gone_at = Duration::from_nanos(closed.at);
            ClosedConnection { last: TrackedConnection::told(&closed.row, gone_at), gone_at }
        };
        self.closed.iter().map(told).collect()
    }
}
