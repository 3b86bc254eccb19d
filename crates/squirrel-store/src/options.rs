//! How a store is to behave.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use squirrel_model::{Elapsed, Labels};

/// When appended samples are made to outlast a loss of power. (A crash of the program alone never
/// loses what was acknowledged, whatever the policy.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncPolicy {
    /// With each append: at most the last tick is lost. The default.
    EveryTick,
    /// When this much time has passed since the last sync: kinder to flash memory.
    Every {
        /// Milliseconds between syncs; as much may be lost.
        ms: i64,
    },
    /// Only when segments and blocks are finished: up to a segment (15 minutes) may be lost.
    Never,
}

/// A monotonic clock that the store may ask how long a sync took.
#[derive(Clone)]
pub struct Stopwatch(Arc<dyn Fn() -> Elapsed + Send + Sync>);

impl Stopwatch {
    /// A stopwatch that asks `elapsed`.
    pub fn new(elapsed: impl Fn() -> Elapsed + Send + Sync + 'static) -> Self {
        Self(Arc::new(elapsed))
    }

    /// A stopwatch that stands still: durations are reported as zero.
    pub fn stopped() -> Self {
        Self::new(|| Elapsed(Duration::ZERO))
    }

    pub(crate) fn now(&self) -> Duration {
        (self.0)().0
    }
}

impl fmt::Debug for Stopwatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stopwatch")
    }
}

/// How long a coarse copy is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoarseLimit {
    /// Age in milliseconds at which its blocks are deleted.
    pub retention_ms: i64,
    /// Bytes of its blocks above which the oldest are deleted; 0 for no limit.
    pub retention_bytes: u64,
}

/// How a store is to behave.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Labels that every row of a batch gets, as if it had been scraped: `job` and `instance`.
    /// A row's own label of such a name is kept as `exported_…`.
    pub target: Labels,
    /// Milliseconds between ticks; a tick is kept under the multiple of it that is not later.
    pub step_ms: i64,
    /// When samples are made to outlast a loss of power.
    pub sync: SyncPolicy,
    /// Age in milliseconds at which blocks are deleted.
    pub retention_ms: i64,
    /// Bytes of the blocks of full resolution above which the oldest are deleted; 0 for no limit.
    pub retention_bytes: u64,
    /// How long minutes and hours are kept. They are written only if `block_ms` is a multiple of an hour.
    pub coarse: [CoarseLimit; 2],
    /// Milliseconds of data that the blocks of a finished day are put together to; not above `block_ms` for never.
    pub compact_ms: i64,
    /// Milliseconds of data in one block.
    pub block_ms: i64,
    /// How long after its end a block is written, so that late samples find their way into it.
    pub grace_ms: i64,
    /// Age in milliseconds at which the log begins a new segment.
    pub segment_ms: i64,
    /// Size in bytes at which the log begins a new segment.
    pub segment_bytes: u64,
    /// Size in bytes of a file that is given up when the disk is full, so that blocks can be
    /// finished. 0 for none.
    pub reserve_bytes: u64,
    /// Times syncs, for `squirrel_store_sync_seconds_total`.
    pub stopwatch: Stopwatch,
}

impl StoreOptions {
    /// The usual behaviour for a target: ticks of a second, a sync with each, blocks of two hours,
    /// fourteen days; minutes for ninety days, hours for five years.
    pub fn new(target: Labels) -> Self {
        const MINUTE: i64 = 60_000;
        Self {
            target,
            step_ms: 1000,
            sync: SyncPolicy::EveryTick,
            retention_ms: 14 * 24 * 60 * MINUTE,
            retention_bytes: 0,
            coarse: [90, 5 * 365].map(|days| CoarseLimit { retention_ms: days * 24 * 60 * MINUTE, retention_bytes: 0 }),
            compact_ms: 24 * 60 * MINUTE,
            block_ms: 120 * MINUTE,
            grace_ms: 5 * MINUTE,
            segment_ms: 15 * MINUTE,
            segment_bytes: 64 << 20,
            reserve_bytes: 16 << 20,
            stopwatch: Stopwatch::stopped(),
        }
    }
}
