//! Figures about a chunk's values, so that long windows, coarser tiers and scans need not decode it.

use super::{counts, decimal};
use crate::bytes::{Reader, put_varint, put_zigzag};

/// Figures about the values of a chunk. Stale markers are left out of all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Number of values.
    pub count: usize,
    /// Their sum; NaN when one of them is.
    pub sum: f64,
    /// The least; NaN only when all are.
    pub min: f64,
    /// The greatest; NaN only when all are.
    pub max: f64,
    /// The earliest.
    pub first: f64,
    /// The latest.
    pub last: f64,
    /// How often a value was less than the one before: resets, if this is a counter.
    pub resets: u64,
}

/// Whole numbers follow.
const WHOLE: u8 = 0;
/// Floats follow.
const FLOAT: u8 = 1;

impl Summary {
    /// The figures of `count` times the same value.
    pub(super) fn of_constant(value: f64, count: usize) -> Self {
        let count = if counts(value) { count } else { 0 };
        let sum = if count == 0 { 0.0 } else { value * count as f64 };
        Self { count, sum, min: value, max: value, first: value, last: value, resets: 0 }
    }

    /// The figures of a column.
    pub fn of(values: &[f64]) -> Self {
        let mut all = values.iter().copied().filter(|value| counts(*value));
        let first = all.next().unwrap_or(f64::NAN);
        let count = usize::from(values.iter().any(|value| counts(*value)));
        let sum = if count == 0 { 0.0 } else { first };
        let mut figures = Self { count, sum, min: first, max: first, first, last: first, resets: 0 };
        for value in all {
            figures.count += 1;
            figures.sum += value;
            figures.min = figures.min.min(value);
            figures.max = figures.max.max(value);
            figures.resets += u64::from(value < figures.last);
            figures.last = value;
        }
        figures
    }
}

/// Writes the figures; as whole numbers relative to the first when `ints` holds the column so.
pub(super) fn put(values: &[f64], ints: &[i64], out: &mut Vec<u8>) {
    if let (Some(&first), Some(&last)) = (ints.first(), ints.last()) {
        let (mut min, mut max, mut sum, mut resets, mut before) = (first, first, 0i128, 0u64, first);
        for &n in ints {
            min = min.min(n);
            max = max.max(n);
            sum += i128::from(n) - i128::from(first);
            resets += u64::from(n < before);
            before = n;
        }
        // Numbers lie within ±2^53; only the sum of the differences may be too large.
        if let Ok(sum) = i64::try_from(sum) {
            out.push(WHOLE);
            put_varint(out, ints.len() as u64);
            put_zigzag(out, last - first);
            put_varint(out, (first - min) as u64);
            put_varint(out, (max - first) as u64);
            put_zigzag(out, sum);
            put_varint(out, resets);
            return;
        }
    }
    let figures = Summary::of(values);
    out.push(FLOAT);
    put_varint(out, figures.count as u64);
    for value in [figures.sum, figures.min, figures.max, figures.first, figures.last] {
        out.extend_from_slice(&value.to_bits().to_le_bytes());
    }
    put_varint(out, figures.resets);
}

/// Reads what [`put`] wrote.
pub(super) fn read(reader: &mut Reader<'_>, first: i64, exponent: u8) -> Option<Summary> {
    match reader.u8()? {
        WHOLE => {
            let count = reader.count()?;
            let last = first.checked_add(reader.zigzag()?)?;
            let min = first.checked_sub_unsigned(reader.varint()?)?;
            let max = first.checked_add_unsigned(reader.varint()?)?;
            let sum = i128::from(reader.zigzag()?) + i128::from(first) * count as i128;
            let resets = reader.varint()?;
            let value = |n| decimal::to_value(n, exponent);
            let sum = sum as f64 / decimal::power(exponent);
            Some(Summary {
                count,
                sum,
                min: value(min),
                max: value(max),
                first: value(first),
                last: value(last),
                resets,
            })
        }
        FLOAT => {
            let count = reader.count()?;
            let mut float = || reader.u64().map(f64::from_bits);
            let (sum, min, max, first, last) = (float()?, float()?, float()?, float()?, float()?);
            Some(Summary { count, sum, min, max, first, last, resets: reader.varint()? })
        }
        _ => None,
    }
}
