//! Statistics of fields that were asked for.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use squirrel_inspect::{FieldPaths, FieldValue};

use crate::recorder::ErrorRow;
use crate::table::{OTHER, Table};

/// Texts of one field that are told apart; later ones are counted as `other`.
pub const MAX_FIELD_TEXTS: usize = 64;

/// Powers of two that are told apart, from 2⁻³² to 2⁶³, each in 16 parts.
const LOWEST: i32 = -32;
const HIGHEST: i32 = 63;
const PARTS: usize = 16;
const SIDE: usize = (HIGHEST - LOWEST + 1) as usize * PARTS;
/// Negative numbers, what is nearly zero, positive numbers: in the order of the numbers.
const BUCKETS: usize = 2 * SIDE + 1;

/// What one field said.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FieldMetrics {
    /// Its path, as it was asked for.
    pub path: String,
    /// Its numbers; `None` when it never was one.
    pub numbers: Option<NumberMetrics>,
    /// How often it was which text, the most frequent first; `other` for texts beyond
    /// [`MAX_FIELD_TEXTS`]. They come from the network: do not trust them on a screen.
    pub texts: Vec<(String, u64)>,
    /// How often it was neither: a truth value, nothing, an object, an array, a long text.
    pub others: u64,
}

/// Numbers of a field. Values recorded meanwhile may be in part of it only.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NumberMetrics {
    /// How many.
    pub count: u64,
    /// The least, exactly.
    pub min: f64,
    /// The greatest, exactly.
    pub max: f64,
    /// All together, as floating point adds.
    pub sum: f64,
    /// Buckets that hold something: the middle of each, and its count, in the order of the numbers.
    buckets: Vec<(f64, u64)>,
}

impl NumberMetrics {
    /// The number that a share `quantile` (0 to 1; others are brought into that range, NaN is 0) of all do
    /// not exceed, with an error of at most 1/32. Numbers nearer to zero than 2⁻³² are taken as zero, those
    /// beyond 2⁶⁴ as the greatest.
    pub fn quantile(&self, quantile: f64) -> f64 {
        let rank = ((quantile.max(0.0) * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        for (middle, count) in &self.buckets {
            seen += count;
            if seen >= rank {
                return middle.clamp(self.min, self.max);
            }
        }
        self.max
    }
}

/// One field's counts.
#[derive(Default)]
struct Row {
    numbers: OnceLock<Box<Numbers>>,
    texts: OnceLock<Table<ErrorRow>>,
    others: ErrorRow,
}

/// Floating point numbers are kept as their bits, and changed by comparing and exchanging.
struct Numbers {
    sum: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
    buckets: [AtomicU64; BUCKETS],
}

impl Numbers {
    fn new() -> Box<Self> {
        let number = |number: f64| AtomicU64::new(number.to_bits());
        let buckets = std::array::from_fn(|_| AtomicU64::new(0));
        Box::new(Self { sum: number(0.0), min: number(f64::INFINITY), max: number(f64::NEG_INFINITY), buckets })
    }

    fn record(&self, number: f64) {
        if let Some(bucket) = self.buckets.get(bucket_of(number)) {
            bucket.fetch_add(1, Relaxed);
        }
        change(&self.sum, |sum| sum + number);
        change(&self.min, |min| min.min(number));
        change(&self.max, |max| max.max(number));
    }

    fn metrics(&self) -> Option<NumberMetrics> {
        let filled = self.buckets.iter().enumerate().map(|(place, count)| (middle(place), count.load(Relaxed)));
        let buckets: Vec<_> = filled.filter(|(_, count)| *count > 0).collect();
        let number = |bits: &AtomicU64| f64::from_bits(bits.load(Relaxed));
        let (min, max) = (number(&self.min), number(&self.max));
        // A first number may be half recorded.
        let count = buckets.iter().map(|(_, count)| count).sum();
        (count > 0 && min <= max).then(|| NumberMetrics { count, min, max, sum: number(&self.sum), buckets })
    }
}

fn change(bits: &AtomicU64, to: impl Fn(f64) -> f64) {
    // The closure answers `None` only for what need not change.
    let _ = bits.fetch_update(Relaxed, Relaxed, |old| {
        let new = to(f64::from_bits(old)).to_bits();
        (new != old).then_some(new)
    });
}

fn bucket_of(number: f64) -> usize {
    let bits = number.abs().to_bits();
    let power = (bits >> 52) as i32 - 1_023;
    if power < LOWEST {
        return SIDE;
    }
    let part = if power > HIGHEST { PARTS - 1 } else { (bits >> 48) as usize % PARTS };
    let place = (power.min(HIGHEST) - LOWEST) as usize * PARTS + part;
    if number < 0.0 { SIDE - 1 - place } else { SIDE + 1 + place }
}

fn middle(bucket: usize) -> f64 {
    let (place, sign) = match bucket.checked_sub(SIDE + 1) {
        Some(place) => (place, 1.0),
        None if bucket == SIDE => return 0.0,
        None => (SIDE - 1 - bucket, -1.0),
    };
    let power = (place / PARTS) as i32 + LOWEST;
    sign * 2_f64.powi(power) * (1.0 + ((place % PARTS) as f64 + 0.5) / PARTS as f64)
}

/// All fields of one monitor.
pub(super) struct Fields {
    paths: FieldPaths,
    rows: Vec<Row>,
}

impl Fields {
    pub(super) fn new(paths: FieldPaths) -> Self {
        Self { rows: (0..paths.len()).map(|_| Row::default()).collect(), paths }
    }

    pub(super) fn paths(&self) -> &FieldPaths {
        &self.paths
    }

    pub(super) fn count(&self, place: usize, value: FieldValue<'_>) {
        let Some(row) = self.rows.get(place) else { return };
        match value {
            FieldValue::Number(number) if number.is_finite() => row.numbers.get_or_init(Numbers::new).record(number),
            FieldValue::Text(text) => row.texts.get_or_init(|| Table::new(MAX_FIELD_TEXTS)).row(text).add(),
            _ => row.others.add(),
        }
    }

    pub(super) fn metrics(&self) -> Vec<FieldMetrics> {
        let one = |(place, row): (usize, &Row)| {
            let rows = row.texts.get().into_iter().flat_map(Table::rows);
            let mut texts: Vec<_> = rows.map(|(text, row)| (text.to_owned(), row.count())).collect();
            texts.retain(|(text, count)| *count > 0 || text != OTHER);
            texts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            FieldMetrics {
                path: self.paths.name(place).to_owned(),
                numbers: row.numbers.get().and_then(|numbers| numbers.metrics()),
                texts,
                others: row.others.count(),
            }
        };
        self.rows.iter().enumerate().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_told_exactly_or_within_a_part(
            numbers in proptest::collection::vec(prop_oneof![-1e6_f64..1e6, -1.0_f64..1.0, -1e18_f64..1e18], 1..60),
            share in 0.0_f64..=1.0,
        ) {
            let recorded = Numbers::new();
            for number in &numbers {
                recorded.record(*number);
            }
            let metrics = recorded.metrics().unwrap();
            let mut sorted = numbers.clone();
            sorted.sort_by(f64::total_cmp);
            prop_assert_eq!((metrics.count, metrics.min, metrics.max), (numbers.len() as u64, sorted[0], sorted[sorted.len() - 1]));
            prop_assert_eq!(metrics.sum, numbers.iter().sum::<f64>());
            let rank = ((share * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len());
            let (exact, told) = (sorted[rank - 1], metrics.quantile(share));
            prop_assert!((told - exact).abs() <= exact.abs() / 32.0 + 2_f64.powi(LOWEST), "{} {}", exact, told);
        }
    }

    #[test]
    fn numbers_at_the_ends_have_a_place() {
        let numbers = Numbers::new();
        for number in [0.0, -0.0, f64::MIN_POSITIVE, f64::MAX, f64::MIN, 2_f64.powi(63)] {
            numbers.record(number);
            assert!(bucket_of(number) < BUCKETS);
        }
        let metrics = numbers.metrics().unwrap();
        assert_eq!((metrics.count, metrics.min, metrics.max), (6, f64::MIN, f64::MAX));
        assert_eq!(metrics.quantile(0.5), 0.0);
    }
}
