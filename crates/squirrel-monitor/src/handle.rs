//! Names looked up once: what the hottest paths keep.
//!
//! Each handle is cheap to clone and may be used from any thread at once. It keeps counting for its
//! monitor for as long as either lives. When `track_protocol` is off, it does nothing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::counter::Sharded;
use crate::histogram::Histogram;
use crate::recorder::MessageRow;

/// Counts bytes of one direction.
#[derive(Clone)]
#[must_use = "a counter that is not kept counts nothing"]
pub struct ByteCounter(pub(crate) Arc<Sharded<1>>);

impl ByteCounter {
    /// Adds bytes.
    #[inline]
    pub fn record(&self, bytes: u64) {
        self.0.add([bytes]);
    }
}

/// Counts messages of one type and direction, and their bytes.
#[derive(Clone)]
#[must_use = "a counter that is not kept counts nothing"]
pub struct MessageCounter(pub(crate) Option<Arc<Sharded<2>>>);

impl MessageCounter {
    /// Adds one message of a size in bytes.
    #[inline]
    pub fn record(&self, size: u64) {
        if let Some(counter) = &self.0 {
            counter.add([1, size]);
        }
    }
}

/// Counts protocol errors of one type.
#[derive(Clone)]
#[must_use = "a counter that is not kept counts nothing"]
pub struct ErrorCounter(pub(crate) Option<(Arc<Sharded<1>>, Arc<Sharded<1>>)>);

impl ErrorCounter {
    /// Adds one error.
    #[inline]
    pub fn record(&self) {
        if let Some((own, all)) = &self.0 {
            own.add([1]);
            all.add([1]);
        }
    }
}

/// Records latencies of one message type.
#[derive(Clone)]
#[must_use = "a recorder that is not kept records nothing"]
pub struct LatencyRecorder(pub(crate) Option<Arc<Histogram>>);

impl LatencyRecorder {
    /// Adds one latency.
    #[inline]
    pub fn record(&self, latency: Duration) {
        if let Some(histogram) = &self.0 {
            histogram.record(latency);
        }
    }
}

/// Records all that is known of one message type.
#[derive(Clone)]
#[must_use = "a recorder that is not kept records nothing"]
pub struct MessageRecorder(pub(crate) Option<Arc<MessageRow>>);

impl MessageRecorder {
    /// Adds one message received of a size in bytes.
    #[inline]
    pub fn received(&self, size: u64) {
        if let Some(row) = &self.0 {
            row.received.get().add([1, size]);
        }
    }

    /// Adds one message sent of a size in bytes.
    #[inline]
    pub fn sent(&self, size: u64) {
        if let Some(row) = &self.0 {
            row.sent.get().add([1, size]);
        }
    }

    /// Adds one latency.
    #[inline]
    pub fn latency(&self, latency: Duration) {
        if let Some(row) = &self.0 {
            row.latency.get().record(latency);
        }
    }

    /// Adds one that failed.
    #[inline]
    pub fn failed(&self) {
        if let Some(row) = &self.0 {
            row.failed.get().add([1, 0]);
        }
    }
}

macro_rules! debug_by_name {
    ($($name:ident),*) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        })*
    };
}
debug_by_name!(ByteCounter, MessageCounter, ErrorCounter, LatencyRecorder, MessageRecorder);
