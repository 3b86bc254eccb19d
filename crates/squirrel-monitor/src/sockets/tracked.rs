//! What a user sees of connections that are followed.

use std::time::Duration;

use super::packed::Packed;
use super::{SocketConnection, TrackingDetail};

/// A connection of this process, watched from one collection to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TrackedConnection {
    /// The connection at the last collection.
    pub connection: SocketConnection,
    /// How long the monitor has known it.
    pub known_for: Duration,
    /// Bytes of data received per second since the collection before; `None` when the connection is new,
    /// the source knows no bytes, or more than four collections were missed.
    pub receive_rate: Option<f64>,
    /// Bytes of data sent per second, likewise.
    pub send_rate: Option<f64>,
}

impl TrackedConnection {
    /// What a row says at a moment.
    pub(super) fn told(row: &Packed, now: Duration) -> Self {
        Self {
            connection: row.connection(),
            known_for: now.saturating_sub(row.first_seen()),
            receive_rate: row.receive_rate(),
            send_rate: row.send_rate(),
        }
    }
}

/// A connection that was there at one collection and not at the next.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClosedConnection {
    /// The connection as it was last seen; what it did after that is not known.
    pub last: TrackedConnection,
    /// When it was found to be gone, as time since the monitor was made.
    pub gone_at: Duration,
}

/// How far a list of connections can be believed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Precision {
    /// All connections are listed.
    Exact,
    /// A sample is listed.
    Sampled {
        /// How wrong a share that is counted in the sample may be as a share of all: half the width of its
        /// 95 % confidence interval at its worst, 0 to 1.
        error: f64,
    },
    /// None is listed: connections are not tracked, or could not be read.
    #[default]
    Unavailable,
}

impl Precision {
    pub(super) fn of(listed: u64, total: u64) -> Self {
        match (listed, total) {
            (listed, total) if listed >= total => Self::Exact,
            (0, _) => Self::Unavailable,
            _ => Self::Sampled { error: sampling_error(listed, total) },
        }
    }
}

/// How the tracking of connections fares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ConnectionTracking {
    /// How far the list can be believed.
    pub precision: Precision,
    /// How closely connections are followed at present.
    pub detail: TrackingDetail,
    /// Connections in the list.
    pub listed: u64,
    /// Connections that the last collection found.
    pub total: u64,
    /// How many can be listed: the lower of what `max_connections` and `tracking_memory` allow.
    pub limit: u64,
    /// Collections that succeeded.
    pub collections: u64,
    /// Collections that failed.
    pub failures: u64,
    /// How long the last collection took, by the clock on the wall.
    pub last_cost: Duration,
    /// Connections that were listed and are gone.
    pub closed: u64,
    /// Of these: no longer in the list of closed connections.
    pub closed_pruned: u64,
    /// What list and history take, in bytes.
    pub memory: u64,
}

/// See [`SocketStats::sampling_error`](super::SocketStats::sampling_error).
pub(super) fn sampling_error(listed: u64, total: u64) -> f64 {
    let (listed, total) = (listed as f64, total as f64);
    if listed >= total || total < 2.0 {
        return 0.0;
    }
    if listed < 1.0 {
        return 1.0;
    }
    // Drawn without putting back: the finite population correction.
    (1.96 * (0.25 / listed * (total - listed) / (total - 1.0)).sqrt()).min(1.0)
}
