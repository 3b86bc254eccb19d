//! A bounded sample of connections that stays the same from one collection to the next.
//!
//! Each connection has a rank by a hash of its inode, and those with the lowest ranks are kept. Every
//! set of that size is as likely as any other, nothing is forgotten but by a lower rank, and a
//! connection that was in the sample stays in it while no lower one comes.

use std::collections::BinaryHeap;

use super::SocketConnection;

pub(super) struct Sample {
    limit: usize,
    kept: BinaryHeap<Ranked>,
}

struct Ranked(u64, SocketConnection);

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl Sample {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, kept: BinaryHeap::new() }
    }

    /// Keeps the connection if its rank is among the lowest; `connection` is made only then.
    pub(super) fn offer(&mut self, inode: u64, connection: impl FnOnce() -> SocketConnection) {
        let rank = rank(inode);
        if self.kept.len() < self.limit {
            self.kept.push(Ranked(rank, connection()));
        } else if let Some(mut highest) = self.kept.peek_mut()
            && rank < highest.0
        {
            *highest = Ranked(rank, connection());
        }
    }

    /// What was kept, in the order of inodes, and so about the oldest first.
    pub(super) fn into_connections(self) -> Vec<SocketConnection> {
        let mut connections: Vec<SocketConnection> = self.kept.into_iter().map(|Ranked(_, kept)| kept).collect();
        connections.sort_unstable_by_key(|connection| connection.inode);
        connections
    }
}

/// The finishing steps of splitmix64: inodes follow each other, ranks must not.
fn rank(inode: u64) -> u64 {
    let mut x = inode.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}
