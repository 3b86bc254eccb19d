//! Connections from one collection to the next: how old each is and how fast it goes.
//!
//! What is kept is what the last collection listed, so its size is bounded by the limit of that list, and
//! a connection that is gone is forgotten.

use std::collections::HashMap;
use std::time::Duration;

use super::SocketConnection;

/// A connection of this process, watched from one collection interval to the next.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TrackedConnection {
    /// The connection at the last collection.
    pub connection: SocketConnection,
    /// How long the monitor has known it.
    pub known_for: Duration,
    /// Bytes of data received per second since the collection before; `None` when the connection is new,
    /// the source knows no bytes, or the collection before is more than four intervals ago.
    pub receive_rate: Option<f64>,
    /// Bytes of data sent per second, likewise.
    pub send_rate: Option<f64>,
}

struct Tracked {
    first_seen: Duration,
    told: TrackedConnection,
}

/// All tracked connections, by inode.
pub(super) struct Tracker {
    longest_gap: Duration,
    last: Duration,
    known: HashMap<u64, Tracked>,
}

impl Tracker {
    /// A tracker whose rates need two collections at most this long apart.
    pub(super) fn new(longest_gap: Duration) -> Self {
        Self { longest_gap, last: Duration::ZERO, known: HashMap::new() }
    }

    /// Takes what was collected at a moment.
    pub(super) fn update(&mut self, now: Duration, connections: Vec<SocketConnection>) {
        let since = now.saturating_sub(self.last);
        let seconds = (!since.is_zero() && since <= self.longest_gap).then_some(since.as_secs_f64());
        let rate = |before: Option<u64>, after: Option<u64>| Some(after?.checked_sub(before?)? as f64 / seconds?);
        let mut before = std::mem::take(&mut self.known);
        self.last = now;
        for connection in connections {
            // Inodes are used again: another pair of addresses, or fewer bytes than before, is another connection.
            let known = before.remove(&connection.inode).filter(|known| continues(&known.told.connection, &connection));
            let first_seen = known.as_ref().map_or(now, |known| known.first_seen);
            let old = known.map(|known| known.told.connection);
            let old = |bytes: fn(&SocketConnection) -> Option<u64>| old.as_ref().and_then(bytes);
            let told = TrackedConnection {
                known_for: now.saturating_sub(first_seen),
                receive_rate: rate(old(|old| old.bytes_received), connection.bytes_received),
                send_rate: rate(old(|old| old.bytes_sent), connection.bytes_sent),
                connection,
            };
            self.known.insert(told.connection.inode, Tracked { first_seen, told });
        }
    }

    /// The connections as last collected, those known longest first.
    pub(super) fn connections(&self) -> Vec<TrackedConnection> {
        let mut all: Vec<TrackedConnection> = self.known.values().map(|known| known.told.clone()).collect();
        all.sort_unstable_by_key(|tracked| (std::cmp::Reverse(tracked.known_for), tracked.connection.inode));
        all
    }
}

fn continues(before: &SocketConnection, after: &SocketConnection) -> bool {
    let grew = |before: Option<u64>, after: Option<u64>| after.unwrap_or(0) >= before.unwrap_or(0);
    (before.local, before.remote) == (after.local, after.remote)
        && (after.bytes_received.is_none() || grew(before.bytes_received, after.bytes_received))
        && (after.bytes_sent.is_none() || grew(before.bytes_sent, after.bytes_sent))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn connection(inode: u64, port: u16, received: u64) -> SocketConnection {
        SocketConnection {
            inode,
            local: ([127, 0, 0, 1], 80).into(),
            remote: ([127, 0, 0, 1], port).into(),
            state: "established",
            receive_queue: 0,
            send_queue: 0,
            bytes_received: Some(received),
            bytes_sent: None,
            retransmitted_segments: None,
            round_trip: None,
        }
    }

    fn told(tracker: &Tracker) -> Vec<(u64, u64, Option<f64>)> {
        tracker.connections().iter().map(|t| (t.connection.inode, t.known_for.as_secs(), t.receive_rate)).collect()
    }

    #[test]
    fn rates_and_ages_grow_and_what_is_gone_is_forgotten() {
        let mut tracker = Tracker::new(4 * SECOND);
        tracker.update(10 * SECOND, vec![connection(1, 1, 100), connection(2, 2, 0)]);
        assert_eq!(told(&tracker), [(1, 0, None), (2, 0, None)]);
        tracker.update(12 * SECOND, vec![connection(1, 1, 500), connection(3, 3, 9)]);
        assert_eq!(told(&tracker), [(1, 2, Some(200.0)), (3, 0, None)]);
        assert_eq!(tracker.connections()[0].send_rate, None, "a source that knows no bytes has no rate");
    }

    #[test]
    fn a_tracked_connection_takes_less_than_600_bytes() {
        // A map of the standard library is filled to 7/16 at least, just after it has grown.
        let entry = size_of::<(u64, Tracked)>() + 1;
        assert!(entry * 16 / 7 < 600, "{entry}");
    }

    #[test]
    fn an_inode_that_is_used_again_is_another_connection() {
        let mut tracker = Tracker::new(4 * SECOND);
        tracker.update(SECOND, vec![connection(1, 1, 100), connection(2, 2, 100)]);
        tracker.update(2 * SECOND, vec![connection(1, 9, 200), connection(2, 2, 50)]);
        assert_eq!(told(&tracker), [(1, 0, None), (2, 0, None)]);
    }

    #[test]
    fn after_a_gap_there_is_no_rate_and_the_age_goes_on() {
        let mut tracker = Tracker::new(4 * SECOND);
        tracker.update(SECOND, vec![connection(1, 1, 100)]);
        tracker.update(100 * SECOND, vec![connection(1, 1, 200)]);
        assert_eq!(told(&tracker), [(1, 99, None)]);
        tracker.update(100 * SECOND, vec![connection(1, 1, 300)]);
        assert_eq!(told(&tracker), [(1, 99, None)], "no time has passed");
    }
}
