//! The error that is promised, at every size of value; and hostile values.

use super::*;
use proptest::prelude::*;

fn filled(values: &[u64]) -> HistogramSnapshot {
    let histogram = Histogram::new();
    for value in values {
        histogram.record(Duration::from_nanos(*value));
    }
    histogram.snapshot()
}

#[test]
fn buckets_follow_each_other_without_gap() {
    let mut next = 0;
    for bucket in 0..BUCKETS {
        let (least, width) = bounds(bucket);
        assert_eq!(least, next, "bucket {bucket}");
        assert_eq!((bucket_of(least), bucket_of(least + width - 1)), (bucket, bucket));
        next = least + width;
    }
    assert_eq!(next, LARGEST + 1);
}

#[test]
fn nothing_recorded_is_no_number() {
    let empty = Histogram::new().snapshot();
    assert_eq!((empty.count(), empty.mean(), empty.quantile(0.5), empty.max()), (0, None, None, Duration::ZERO));
}

#[test]
fn zero_and_huge_durations_are_counted() {
    let histogram = Histogram::new();
    histogram.record(Duration::ZERO);
    histogram.record(Duration::MAX);
    let snapshot = histogram.snapshot();
    assert_eq!(snapshot.count(), 2);
    assert_eq!(snapshot.quantile(0.0), Some(Duration::ZERO));
    assert_eq!(snapshot.max(), Duration::from_nanos(LARGEST));
    assert_eq!(snapshot.mean(), Some(Duration::from_nanos(LARGEST / 2)));
}

#[test]
fn the_sum_stays_at_its_end_instead_of_beginning_again() {
    let histogram = Histogram::new();
    let shard = histogram.shards[slot::place(histogram.exclusive).line].get_or_init(Shard::new);
    shard.sum.store(u64::MAX - 5, Relaxed);
    histogram.record(Duration::from_nanos(100));
    assert_eq!(histogram.snapshot().sum(), Duration::from_nanos(u64::MAX));
}

#[test]
fn hostile_quantiles_stay_in_range() {
    let snapshot = filled(&[10, 20]);
    for (quantile, expected) in [(f64::NAN, 10), (-1.0, 10), (0.5, 10), (0.51, 20), (7.0, 20), (f64::INFINITY, 20)] {
        assert_eq!(snapshot.quantile(quantile), Some(Duration::from_nanos(expected)), "{quantile}");
    }
}

#[test]
fn eight_threads_lose_nothing() {
    let histogram = Histogram::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..10_000u64).for_each(|i| histogram.record(Duration::from_nanos(i))));
        }
    });
    let snapshot = histogram.snapshot();
    assert_eq!(snapshot.count(), 80_000);
    assert_eq!(snapshot.sum(), Duration::from_micros(399_960));
    assert_eq!(snapshot.buckets().map(|(_, count)| count).sum::<u64>(), 80_000);
}

proptest! {
    #[test]
    fn a_quantile_differs_from_the_true_one_by_at_most_one_part_in_64(
        mut values in prop::collection::vec((0u32..47).prop_flat_map(|bits| 0..=(1u64 << bits)), 1..200),
        quantile in 0.0f64..=1.0,
    ) {
        let snapshot = filled(&values);
        values.sort_unstable();
        let rank = ((quantile * values.len() as f64).ceil() as usize).max(1);
        let exact = values[rank - 1];
        let told = snapshot.quantile(quantile).unwrap().as_nanos() as u64;
        prop_assert!(told.abs_diff(exact) * 64 <= exact, "{told} for {exact}");
        let mean = values.iter().map(|v| u128::from(*v)).sum::<u128>() / values.len() as u128;
        prop_assert_eq!(snapshot.mean().unwrap().as_nanos(), mean);
    }
}
