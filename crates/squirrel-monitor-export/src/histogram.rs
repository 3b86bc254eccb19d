//! The library's log-linear histograms in the shapes of others.
//!
//! Each of the library's buckets is at most 1/32 wide and goes as a whole to where its middle lies, so a
//! value may be counted on the other side of a bound that is less than 1/64 (1.6 %) away. Counts, sums and
//! maxima are exact.

use std::time::Duration;

use squirrel_exchange::{Buckets, ExponentialHistogram, Histogram};
use squirrel_monitor::HistogramSnapshot;

/// The scale at which a power of two has 32 buckets, as many as the library's own.
const SCALE: i32 = 5;

/// Most buckets of an exponential histogram; OpenTelemetry's own libraries keep as many.
const MAX_EXPONENTIAL: usize = 160;

/// Each filled bucket of the library: its end, which tells it from others, its middle in seconds, which is at
/// most 1/64 from what was recorded, and how often.
pub fn middles(snapshot: &HistogramSnapshot) -> impl Iterator<Item = (Duration, f64, u64)> + '_ {
    let longest = snapshot.max().as_nanos();
    snapshot.buckets().map(move |(bucket, count)| {
        let end = bucket.as_nanos();
        // 32 parts to a power of two; the smallest are a nanosecond wide. The end itself belongs to the next.
        let width = (end.saturating_sub(1)).checked_ilog2().map_or(1, |power| 1u128 << power.saturating_sub(5));
        let middle = end.saturating_sub(width).saturating_add(width / 2).min(longest);
        (bucket, middle as f64 / 1e9, count)
    })
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

/// By these bounds in seconds.
pub(crate) fn classic(snapshot: &HistogramSnapshot, bounds: &[f64]) -> Histogram {
    let mut counts = vec![0u64; bounds.len() + 1];
    for (_, middle, count) in middles(snapshot) {
        let place = bounds.partition_point(|bound| *bound < middle);
        if let Some(bucket) = counts.get_mut(place) {
            *bucket += count;
        }
    }
    let max = (snapshot.count() > 0).then(|| seconds(snapshot.max()));
    Histogram { bounds: bounds.to_vec(), counts, sum: Some(seconds(snapshot.sum())), min: None, max }
}

/// By powers of two and their roots, as fine as 160 buckets allow.
pub(crate) fn exponential(snapshot: &HistogramSnapshot) -> ExponentialHistogram {
    let max = (snapshot.count() > 0).then(|| seconds(snapshot.max()));
    let mut histogram = ExponentialHistogram {
        scale: SCALE,
        sum: Some(seconds(snapshot.sum())),
        max,
        ..ExponentialHistogram::default()
    };
    let mut filled: Vec<(i32, u64)> = Vec::new();
    for (_, middle, count) in middles(snapshot) {
        if middle > 0.0 {
            // A value on a bound belongs to the bucket below it.
            let index = (middle.log2() * f64::from(1 << SCALE)).ceil() as i32 - 1;
            filled.push((index, count));
        } else {
            histogram.zero_count += count;
        }
    }
    if let (Some((first, _)), Some((last, _))) = (filled.first(), filled.last()) {
        // Durations of the library span 47 powers of two, so this is at most 1,505 long.
        let mut counts = vec![0; usize::try_from(last - first).unwrap_or(0) + 1];
        for (index, count) in &filled {
            if let Some(bucket) = usize::try_from(index - first).ok().and_then(|place| counts.get_mut(place)) {
                *bucket += count;
            }
        }
        histogram.positive = Buckets { offset: *first, counts };
    }
    while histogram.positive.counts.len() > MAX_EXPONENTIAL {
        histogram = histogram.halved();
    }
    histogram
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use squirrel_monitor::{NetworkConfig, NetworkMonitor};

    fn snapshot(nanoseconds: &[u64]) -> HistogramSnapshot {
        let monitor = NetworkMonitor::new(NetworkConfig::default());
        let latency = monitor.message_latency("a");
        for ns in nanoseconds {
            latency.record(Duration::from_nanos(*ns));
        }
        monitor.recorder().latency_of("a").unwrap_or_default()
    }

    #[test]
    fn values_fall_between_the_bounds_that_hold_them() {
        let told = classic(&snapshot(&[500_000, 20_000_000, 21_000_000, 5_000_000_000]), &[0.001, 0.01, 0.1, 1.0]);
        assert_eq!(told.counts, [1, 0, 2, 0, 1]);
        assert_eq!((told.sum, told.max), (Some(5.0415), Some(5.0)));
        assert_eq!(classic(&snapshot(&[]), &[1.0]).counts, [0, 0]);
    }

    #[test]
    fn a_wide_spread_becomes_coarser_and_zero_has_its_own() {
        let told = exponential(&snapshot(&[0, 1, 1_000, 1_000_000_000_000]));
        assert_eq!((told.zero_count, told.count()), (1, 4));
        assert!(told.positive.counts.len() <= MAX_EXPONENTIAL && told.scale < SCALE, "{}", told.scale);
        assert_eq!(exponential(&snapshot(&[1_000, 1_001])).scale, SCALE);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_strays(ns in prop::collection::vec(0u64..10_000_000_000_000, 1..60), bound in 1e-6f64..1e3) {
            let snapshot = snapshot(&ns);
            let below = |bound: f64| ns.iter().filter(|ns| **ns as f64 / 1e9 <= bound).count() as u64;
            let told = classic(&snapshot, &[bound]);
            prop_assert_eq!(told.count(), ns.len() as u64);
            let within = below(bound * (1.0 - 1.0 / 60.0))..=below(bound * (1.0 + 1.0 / 60.0));
            prop_assert!(within.contains(&told.counts[0]), "{} in {:?}", told.counts[0], within);
            prop_assert_eq!(exponential(&snapshot).count(), ns.len() as u64);
        }

        #[test]
        fn an_exponential_bucket_holds_its_value(ns in 1u64..10_000_000_000_000) {
            let told = exponential(&snapshot(&[ns]));
            let upper = ExponentialHistogram::upper_bound(told.scale, told.positive.offset);
            let value = ns as f64 / 1e9;
            prop_assert!(value <= upper * 1.04 && value >= upper / 1.04 / 1.04, "{} {}", value, upper);
        }
    }
}
