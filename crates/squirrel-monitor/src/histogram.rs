//! Log-linear histograms of durations.
//!
//! A value in nanoseconds falls into a bucket by its highest bit and the five bits below it: up to 32
//! each value has a bucket of its own, and above it every power of two is cut into 32 equal parts. A
//! value that is read back is the middle of its bucket, so it differs from what was recorded by at
//! most **1/64 (1.6 %)**. Values above 2⁴⁷ ns (39 hours) are counted as that long. Sum, and so the mean,
//! are exact below that limit.

use std::time::Duration;

use crate::slot;
use crate::sync::OnceLock;
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bits below the highest one that tell buckets apart.
const BITS: u32 = 5;
/// Parts of each power of two.
const PARTS: u64 = 1 << BITS;
/// Values have so many bits; fewer in the models, where each bucket is costly.
const VALUE_BITS: u32 = if cfg!(squirrel_loom) { 6 } else { 47 };
/// The largest value that is told from larger ones, in nanoseconds.
const LARGEST: u64 = (1 << VALUE_BITS) - 1;
/// Number of buckets: those of single values, and 32 for each power of two from 2⁵ to 2⁴⁶.
const BUCKETS: usize = (PARTS + (VALUE_BITS - BITS) as u64 * PARTS) as usize;

/// The bucket of a value that is at most [`LARGEST`].
#[inline]
fn bucket_of(value: u64) -> usize {
    if value < PARTS {
        return value as usize;
    }
    let shift = value.ilog2() - BITS;
    // The highest bit itself counts as 32, hence the first part of each power follows the last one's.
    (u64::from(shift) * PARTS + (value >> shift)) as usize
}

/// The least value of a bucket, and how many values it holds.
fn bounds(bucket: usize) -> (u64, u64) {
    let bucket = bucket as u64;
    if bucket < 2 * PARTS {
        return (bucket, 1);
    }
    let shift = bucket / PARTS - 1;
    ((bucket % PARTS + PARTS) << shift, 1 << shift)
}

/// What the threads of one line recorded.
#[repr(align(128))]
struct Shard {
    sum: AtomicU64,
    max: AtomicU64,
    buckets: [AtomicU64; BUCKETS],
}

impl Shard {
    fn new() -> Box<Self> {
        let zero = || AtomicU64::new(0);
        Box::new(Self { sum: zero(), max: zero(), buckets: std::array::from_fn(|_| AtomicU64::new(0)) })
    }
}

/// Durations, recorded by many threads. A thread's first recording makes its part (11 KB); after that
/// nothing is allocated. All orders are relaxed, as in `counter`; that a part is whole when another
/// thread first sees it is `OnceLock`'s promise.
pub(crate) struct Histogram {
    shards: Box<[OnceLock<Box<Shard>>]>,
    exclusive: usize,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self::with_exclusive(slot::exclusive_lines())
    }

    pub(crate) fn with_exclusive(exclusive: usize) -> Self {
        Self { shards: (0..slot::all_lines(exclusive)).map(|_| OnceLock::new()).collect(), exclusive }
    }

    #[inline]
    pub(crate) fn record(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(LARGEST).min(LARGEST);
        let place = slot::place(self.exclusive);
        let Some(shard) = self.shards.get(place.line) else {
            return;
        };
        let shard = shard.get_or_init(Shard::new);
        let Some(bucket) = shard.buckets.get(bucket_of(nanoseconds)) else {
            return;
        };
        if place.exclusive {
            // One writer, see `slot`.
            bucket.store(bucket.load(Relaxed).wrapping_add(1), Relaxed);
            shard.sum.store(shard.sum.load(Relaxed).saturating_add(nanoseconds), Relaxed);
            if shard.max.load(Relaxed) < nanoseconds {
                shard.max.store(nanoseconds, Relaxed);
            }
        } else {
            bucket.fetch_add(1, Relaxed);
            // The closure always answers, so the update cannot fail.
            let _ = shard.sum.fetch_update(Relaxed, Relaxed, |sum| Some(sum.saturating_add(nanoseconds)));
            shard.max.fetch_max(nanoseconds, Relaxed);
        }
    }

    /// What was recorded so far. Recordings that happen meanwhile may be in part of it only.
    pub(crate) fn snapshot(&self) -> HistogramSnapshot {
        let mut whole = HistogramSnapshot::default();
        for shard in self.shards.iter().filter_map(OnceLock::get) {
            if whole.buckets.is_empty() {
                whole.buckets = vec![0; BUCKETS];
            }
            for (total, bucket) in whole.buckets.iter_mut().zip(&shard.buckets) {
                *total += bucket.load(Relaxed);
            }
            whole.sum += u128::from(shard.sum.load(Relaxed));
            whole.max = whole.max.max(shard.max.load(Relaxed));
        }
        whole.count = whole.buckets.iter().sum();
        whole
    }
}

/// A histogram as it was at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistogramSnapshot {
    buckets: Vec<u64>,
    count: u64,
    sum: u128,
    max: u64,
}

impl HistogramSnapshot {
    /// How many durations were recorded.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// All of them together. Each counts for at most 39 hours.
    pub fn sum(&self) -> Duration {
        duration(self.sum)
    }

    /// The longest, exactly; zero when there is none.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.max)
    }

    /// The mean, exactly; `None` when there is none.
    pub fn mean(&self) -> Option<Duration> {
        self.sum.checked_div(u128::from(self.count)).map(duration)
    }

    /// The duration that a share `quantile` (0 to 1; others are brought into that range, NaN is 0) of all
    /// recorded ones does not exceed, with an error of at most 1/64. `None` when there is none.
    ///
    /// The rank is the nearest one: of 100 recorded durations, quantile 0.99 is the 99th.
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        let rank = ((quantile.max(0.0) * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0u64;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                let (least, width) = bounds(bucket);
                return Some(Duration::from_nanos((least + width / 2).min(self.max)));
            }
        }
        None
    }

    /// Buckets that hold something, in order: each one's upper end (not included) and its count.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        let filled = self.buckets.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(bucket, count)| {
            let (least, width) = bounds(bucket);
            (Duration::from_nanos(least + width), *count)
        })
    }
}

/// The standard library has this only since Rust 1.93.
fn duration(nanoseconds: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    u64::try_from(nanoseconds / SECOND).map_or(Duration::MAX, |s| Duration::new(s, (nanoseconds % SECOND) as u32))
}

#[cfg(all(test, not(squirrel_loom)))]
mod tests;
