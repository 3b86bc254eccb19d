//! Quantiles and fractions out of cumulative buckets.
//! <https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile>

use std::cmp::Ordering;

/// How many observations were at most `bound`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bucket {
    pub(super) bound: f64,
    pub(super) count: f64,
}

/// Counts that differ by less than this share are taken as equal: rounding, not data.
const TOLERANCE: f64 = 1e-12;

fn nearly_equal(a: f64, b: f64) -> bool {
    let sum = (a.abs() + b.abs()).min(f64::MAX);
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return (a - b).abs() < TOLERANCE * f64::MIN_POSITIVE;
    }
    (a - b).abs() / sum < TOLERANCE
}

/// Adds up buckets of the same bound. They are sorted.
fn merge_bounds(buckets: &mut Vec<Bucket>) {
    buckets.dedup_by(|next, kept| {
        let same = next.bound == kept.bound;
        if same {
            kept.count += next.count;
        }
        same
    });
}

/// Makes the counts rise with the bounds, and says whether one really fell: a scrape in parts or
/// a careless recording rule does that.
fn make_rise(buckets: &mut [Bucket]) -> bool {
    let mut repaired = false;
    let mut highest = buckets.first().map_or(0.0, |b| b.count);
    for bucket in buckets.iter_mut().skip(1) {
        if nearly_equal(highest, bucket.count) {
            bucket.count = highest;
        } else if bucket.count < highest {
            bucket.count = highest;
            repaired = true;
        } else if bucket.count != highest {
            highest = bucket.count;
        }
    }
    repaired
}

/// The value below which a share `q` of the observations lies, and whether counts were repaired.
/// Within a bucket observations are taken as spread evenly; the lowest begins at 0 if its bound is
/// above, and nothing is known above the highest finite bound.
pub(super) fn quantile_of(q: f64, buckets: &mut Vec<Bucket>) -> (f64, bool) {
    if q.is_nan() {
        return (f64::NAN, false);
    }
    if !(0.0..=1.0).contains(&q) {
        return (if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY }, false);
    }
    if buckets.last().is_none_or(|b| b.bound != f64::INFINITY) {
        return (f64::NAN, false);
    }
    merge_bounds(buckets);
    let repaired = make_rise(buckets);
    (interpolated(q, buckets), repaired)
}

fn interpolated(q: f64, buckets: &[Bucket]) -> f64 {
    let [finite @ .., all] = buckets else { return f64::NAN };
    let Some(highest) = finite.last() else { return f64::NAN };
    // NaN counts as "no observations" here, and so gives NaN below.
    if all.count == 0.0 {
        return f64::NAN;
    }
    let rank = q * all.count;
    let place = finite.partition_point(|b| b.count.partial_cmp(&rank).is_none_or(Ordering::is_lt));
    let Some(bucket) = finite.get(place) else { return highest.bound };
    let Some(below) = place.checked_sub(1).and_then(|i| finite.get(i)) else {
        if bucket.bound <= 0.0 {
            return bucket.bound;
        }
        return bucket.bound * (rank / bucket.count);
    };
    below.bound + (bucket.bound - below.bound) * ((rank - below.count) / (bucket.count - below.count))
}

/// The share of observations between two values.
pub(super) fn fraction_of(lower: f64, upper: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if buckets.last().is_none_or(|b| b.bound != f64::INFINITY) {
        return f64::NAN;
    }
    merge_bounds(buckets);
    let all = buckets.last().map_or(0.0, |b| b.count);
    if all == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_of(upper, buckets, all) - rank_of(lower, buckets, all)) / all
}

/// How many observations are below `value`, interpolated within its bucket where both its ends are
/// known.
fn rank_of(value: f64, buckets: &[Bucket], all: f64) -> f64 {
    let lowest = buckets.first().map_or(0.0, |b| b.bound);
    let mut below = Bucket { bound: if lowest <= 0.0 { f64::NEG_INFINITY } else { 0.0 }, count: 0.0 };
    for bucket in buckets {
        if below.bound >= value {
            return below.count.min(all);
        }
        if bucket.bound > value {
            if below.bound == f64::NEG_INFINITY {
                return bucket.count.min(all);
            }
            let share = (value - below.bound) / (bucket.bound - below.bound);
            return (below.count + (bucket.count - below.count) * share).min(all);
        }
        below = *bucket;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(pairs: &[(f64, f64)]) -> Vec<Bucket> {
        pairs.iter().map(|(bound, count)| Bucket { bound: *bound, count: *count }).collect()
    }

    const INF: f64 = f64::INFINITY;

    #[test]
    fn quantiles_are_interpolated_between_bounds() {
        let rising = [(0.1, 10.0), (0.2, 30.0), (0.5, 40.0), (INF, 50.0)];
        let cases = [(0.0, 0.0), (0.1, 0.05), (0.2, 0.1), (0.4, 0.15), (0.8, 0.5), (0.9, 0.5), (1.0, 0.5)];
        for (q, want) in cases {
            let (got, repaired) = quantile_of(q, &mut buckets(&rising));
            assert!((got - want).abs() < 1e-12 && !repaired, "{q}: {got}");
        }
        assert_eq!(quantile_of(-0.1, &mut buckets(&rising)).0, f64::NEG_INFINITY);
        assert_eq!(quantile_of(1.1, &mut buckets(&rising)).0, INF);
    }

    #[test]
    fn what_is_no_histogram_has_no_quantile() {
        for broken in [&[][..], &[(1.0, 5.0)], &[(INF, 5.0)], &[(1.0, 0.0), (INF, 0.0)]] {
            assert!(quantile_of(0.5, &mut buckets(broken)).0.is_nan(), "{broken:?}");
        }
    }

    #[test]
    fn falling_counts_are_repaired_and_rounding_is_not_reported() {
        let (value, repaired) = quantile_of(0.5, &mut buckets(&[(1.0, 10.0), (2.0, 8.0), (3.0, 20.0), (INF, 20.0)]));
        assert_eq!((value, repaired), (1.0, true));
        let (_, repaired) = quantile_of(0.5, &mut buckets(&[(1.0, 10.0), (2.0, 10.0 - 1e-14), (INF, 20.0)]));
        assert!(!repaired);
    }

    #[test]
    fn fractions_count_whole_and_partial_buckets() {
        let rising = [(1.0, 10.0), (2.0, 30.0), (INF, 40.0)];
        let cases = [(0.0, 1.0, 0.25), (0.5, 1.5, 0.375), (-INF, INF, 1.0), (2.0, INF, 0.25), (3.0, 1.0, 0.0)];
        for (lower, upper, want) in cases {
            assert_eq!(fraction_of(lower, upper, &mut buckets(&rising)), want, "{lower}..{upper}");
        }
        assert!(fraction_of(f64::NAN, 1.0, &mut buckets(&rising)).is_nan());
    }
}
