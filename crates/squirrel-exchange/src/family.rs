//! Metrics with their structure: what exporters write.

use squirrel_model::Timestamp;

/// How the values of a metric behave, in the words of remote write and OpenMetrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Not known.
    #[default]
    Unknown,
    /// Only goes up, except when its source starts anew.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts of values by size.
    Histogram,
    /// Counts of values by size that may fall.
    GaugeHistogram,
    /// Quantiles that the source computed.
    Summary,
    /// Constant 1; its labels are the information.
    Info,
    /// One series for each state, 1 for those that hold.
    StateSet,
}

impl Kind {
    /// The number in remote write's metadata, 1.0 and 2.0 alike.
    pub(crate) fn number(self) -> u64 {
        self as u64
    }

    /// The kind of such a number; unknown ones are [`Kind::Unknown`].
    pub(crate) fn of_number(number: u64) -> Self {
        use Kind::{Counter, Gauge, GaugeHistogram, Histogram, Info, StateSet, Summary, Unknown};
        let kinds = [Unknown, Counter, Gauge, Histogram, GaugeHistogram, Summary, Info, StateSet];
        usize::try_from(number).ok().and_then(|number| kinds.get(number)).copied().unwrap_or_default()
    }
}

/// Since when a counter or histogram counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Temporality {
    /// Since [`Point::start`], the beginning of the source.
    #[default]
    Cumulative,
    /// Since the point before. PromQL wants cumulative ones; whoever stores these adds them up first.
    Delta,
}

/// One metric with all its points, in OpenTelemetry's naming: `network.io` in `By`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Family {
    /// Its name.
    pub name: String,
    /// How its values behave.
    pub kind: Kind,
    /// Unit by UCUM: `By`, `s`, `{message}`; empty for none.
    pub unit: String,
    /// What it counts.
    pub help: String,
    /// Since when counters and histograms count; without meaning for other kinds.
    pub temporality: Temporality,
    /// Its values, one for each set of attributes.
    pub points: Vec<Point>,
}

impl Family {
    /// A family without points.
    pub fn new(name: &str, kind: Kind, unit: &str, help: &str) -> Self {
        Self { name: name.to_owned(), kind, unit: unit.to_owned(), help: help.to_owned(), ..Self::default() }
    }
}

/// One value with its attributes.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Names and values, each name once.
    pub attributes: Vec<(String, String)>,
    /// When it began to count, where that is known.
    pub start: Option<Timestamp>,
    /// When it was read, where that is known.
    pub at: Option<Timestamp>,
    /// The value.
    pub value: Value,
}

impl Point {
    /// A point of no stated time.
    pub fn new(attributes: &[(&str, &str)], value: Value) -> Self {
        let attributes = attributes.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { attributes, start: None, at: None, value }
    }
}

/// What a point says.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of counters, gauges, information and states.
    Number(f64),
    /// A histogram with bounds of its own.
    Histogram(Histogram),
    /// A histogram whose bounds are powers of a common base.
    Exponential(ExponentialHistogram),
    /// Quantiles.
    Summary(Summary),
}

/// Counts of values between bounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Finite bounds in rising order; each belongs to the bucket below it.
    pub bounds: Vec<f64>,
    /// Values in each bucket: one more than there are bounds, the last for what is above all of them.
    pub counts: Vec<u64>,
    /// All values together, where that is known.
    pub sum: Option<f64>,
    /// The smallest value, where that is known.
    pub min: Option<f64>,
    /// The largest value, where that is known.
    pub max: Option<f64>,
}

impl Histogram {
    /// How many values there are.
    pub fn count(&self) -> u64 {
        total(&self.counts)
    }

    /// Whether there is one more count than bounds, and these are finite and rise.
    pub fn is_sound(&self) -> bool {
        self.counts.len() == self.bounds.len() + 1
            && self.bounds.iter().all(|bound| bound.is_finite())
            && self.bounds.is_sorted_by(|low, high| low < high)
    }
}

/// Counts of values between powers of 2^(2^-`scale`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExponentialHistogram {
    /// From -10 to 20: each power of two is cut into 2^`scale` buckets.
    pub scale: i32,
    /// Values that are not farther from zero than `zero_threshold`.
    pub zero_count: u64,
    /// See `zero_count`.
    pub zero_threshold: f64,
    /// Values above zero.
    pub positive: Buckets,
    /// Values below zero, by their distance from it.
    pub negative: Buckets,
    /// All values together, where that is known.
    pub sum: Option<f64>,
    /// The smallest value, where that is known.
    pub min: Option<f64>,
    /// The largest value, where that is known.
    pub max: Option<f64>,
}

/// Counts in a row of exponential buckets: the one at place `i` holds what is above base^(`offset` + i)
/// and not above base^(`offset` + i + 1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets {
    /// The exponent of the first bucket's lower bound.
    pub offset: i32,
    /// Values in each bucket.
    pub counts: Vec<u64>,
}

impl ExponentialHistogram {
    /// The finest and the coarsest scale.
    pub const SCALES: std::ops::RangeInclusive<i32> = -10..=20;

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.zero_count.saturating_add(total(&self.positive.counts)).saturating_add(total(&self.negative.counts))
    }

    /// The upper bound of the bucket above base^`index`; infinite where no number is that large.
    pub fn upper_bound(scale: i32, index: i32) -> f64 {
        ((f64::from(index) + 1.0) * (-f64::from(scale)).exp2()).exp2()
    }

    /// The same with half as many buckets in each power of two. Exact: two neighbours become one.
    #[must_use]
    pub fn halved(&self) -> Self {
        let merged = |buckets: &Buckets| {
            let offset = buckets.offset.div_euclid(2);
            let mut counts: Vec<u64> = Vec::with_capacity(buckets.counts.len() / 2 + 1);
            let odd = usize::from(buckets.offset.rem_euclid(2) == 1);
            for (place, count) in buckets.counts.iter().enumerate() {
                match counts.get_mut(usize::midpoint(place, odd)) {
                    Some(into) => *into = into.saturating_add(*count),
                    None => counts.push(*count),
                }
            }
            Buckets { offset, counts }
        };
        let (positive, negative) = (merged(&self.positive), merged(&self.negative));
        Self { scale: self.scale - 1, positive, negative, ..self.clone() }
    }

    /// The same with bounds written out, for systems that know no other histograms: one power of two
    /// or more to a bucket, and only for histograms without values below zero (`None` otherwise).
    pub fn to_classic(&self) -> Option<Histogram> {
        if self.negative.counts.iter().any(|count| *count > 0) {
            return None;
        }
        let mut coarse = self.clone();
        while coarse.scale > 0 {
            coarse = coarse.halved();
        }
        let Buckets { offset, counts } = &coarse.positive;
        let lowest = Self::upper_bound(coarse.scale, offset.saturating_sub(1)).max(self.zero_threshold);
        let mut histogram = Histogram {
            bounds: vec![lowest],
            counts: vec![self.zero_count],
            sum: self.sum,
            min: self.min,
            max: self.max,
        };
        let mut above = 0u64;
        for (place, count) in counts.iter().enumerate() {
            let index = offset.saturating_add(i32::try_from(place).unwrap_or(i32::MAX));
            let bound = Self::upper_bound(coarse.scale, index);
            // Bounds that no number can hold, or that the zero bucket swallows, are not bounds.
            if bound.is_finite() && histogram.bounds.last().is_some_and(|last| *last < bound) {
                histogram.bounds.push(bound);
                histogram.counts.push(*count);
            } else {
                above = above.saturating_add(*count);
            }
        }
        histogram.counts.push(above);
        histogram.is_sound().then_some(histogram)
    }
}

/// Quantiles that the source computed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// How many values.
    pub count: u64,
    /// All values together.
    pub sum: f64,
    /// Quantiles (0 to 1) and their values.
    pub quantiles: Vec<(f64, f64)>,
}

fn total(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |total, count| total.saturating_add(*count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exponential(scale: i32, offset: i32, counts: Vec<u64>) -> ExponentialHistogram {
        ExponentialHistogram { scale, positive: Buckets { offset, counts }, ..ExponentialHistogram::default() }
    }

    #[test]
    fn bounds_are_powers_of_the_base() {
        for (scale, index, bound) in [(0, 0, 2.0), (0, -1, 1.0), (1, 1, 2.0), (-1, 0, 4.0), (0, 5_000, f64::INFINITY)] {
            assert_eq!(ExponentialHistogram::upper_bound(scale, index), bound, "{scale} {index}");
        }
    }

    #[test]
    fn neighbours_become_one() {
        let fine = exponential(1, -3, vec![1, 2, 4, 8]);
        // (-3), (-2, -1), (0): by pairs of an even place and the odd one after it.
        assert_eq!(fine.halved().positive, Buckets { offset: -2, counts: vec![1, 6, 8] });
    }

    #[test]
    fn classic_bounds_hold_the_same_values() {
        let classic = ExponentialHistogram { zero_count: 3, ..exponential(1, 0, vec![1, 2, 4]) }.to_classic().unwrap();
        assert_eq!(
            (classic.bounds.as_slice(), classic.counts.as_slice()),
            ([1.0, 2.0, 4.0].as_slice(), [3, 3, 4, 0].as_slice())
        );
        let below =
            ExponentialHistogram { negative: Buckets { offset: 0, counts: vec![1] }, ..exponential(0, 0, vec![]) };
        assert_eq!(below.to_classic(), None);
    }

    proptest! {
        #[test]
        fn no_value_is_lost_on_the_way_to_classic(
            scale in -10i32..=20, offset in any::<i32>(), zero in 0u64..9, counts in prop::collection::vec(0u64..1_000, 0..200)
        ) {
            let fine = ExponentialHistogram { zero_count: zero, ..exponential(scale, offset, counts) };
            if let Some(classic) = fine.to_classic() {
                prop_assert!(classic.is_sound());
                prop_assert_eq!(classic.count(), fine.count());
            }
        }
    }
}
