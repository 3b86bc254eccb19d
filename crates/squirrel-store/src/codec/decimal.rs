//! Values as whole numbers over a power of ten.

use crate::bytes::{Reader, put_zigzag};
use crate::codec::pack;

/// Largest decimal exponent: six digits after the point.
pub(crate) const MAX_EXPONENT: u8 = 6;

/// Powers of ten by exponent; exponent 7 cannot be written but fits three bits.
const POWERS: [f64; 8] = [1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0, 1_000_000.0, 10_000_000.0];

/// Numbers from here on are not told apart by an `f64`.
const LIMIT: f64 = 9_007_199_254_740_992.0;

pub(crate) fn power(exponent: u8) -> f64 {
    POWERS[usize::from(exponent & 7)]
}

/// The whole number `n` with `n / 10^exponent` equal to `value` in every bit, if there is one.
/// Not so for NaN, infinities, `-0.0` and whatever has more digits.
#[inline]
pub(crate) fn to_int(value: f64, exponent: u8) -> Option<i64> {
    if exponent == 0 {
        // Most values are whole: no multiplication, no division. The conversion saturates, and NaN
        // gives 0, which the comparison sees.
        let n = value as i64;
        let exact = n.unsigned_abs() < LIMIT as u64 && (n as f64).to_bits() == value.to_bits();
        return exact.then_some(n);
    }
    let scaled = value * power(exponent);
    if scaled.is_nan() || scaled.abs() >= LIMIT {
        return None;
    }
    // Rounds half away from zero; the comparison below decides, so an odd case costs only space.
    let n = (scaled + 0.5_f64.copysign(scaled)) as i64;
    (to_value(n, exponent).to_bits() == value.to_bits()).then_some(n)
}

/// `n / 10^exponent`.
#[inline]
pub(crate) fn to_value(n: i64, exponent: u8) -> f64 {
    if exponent == 0 { n as f64 } else { n as f64 / power(exponent) }
}

/// Smallest exponent under which `value` is a whole number, and that number.
pub(crate) fn find(value: f64) -> Option<(u8, i64)> {
    (0..=MAX_EXPONENT).find_map(|exponent| to_int(value, exponent).map(|n| (exponent, n)))
}

/// Scales a column by one exponent. Values that are no decimals go to `odd` with their position,
/// and the column repeats the number before them. `None` when there are too many of them.
pub(crate) fn scale(values: &[f64], ints: &mut Vec<i64>, odd: &mut Vec<(usize, u64)>) -> Option<u8> {
    let mut exponent = 0;
    // A few odd values cost nine bytes each, which is less than giving up the decimal form.
    let allowed = values.len() / 8 + 1;
    'again: loop {
        ints.clear();
        odd.clear();
        for (i, &value) in values.iter().enumerate() {
            if let Some(n) = to_int(value, exponent) {
                ints.push(n);
                continue;
            }
            match find(value) {
                Some((needed, _)) if needed > exponent => {
                    exponent = needed;
                    continue 'again;
                }
                _ if odd.len() < allowed => {
                    odd.push((i, value.to_bits()));
                    ints.push(ints.last().copied().unwrap_or_default());
                }
                _ => return None,
            }
        }
        // All odd: there is no decimal in it.
        return (odd.len() < values.len()).then_some(exponent);
    }
}

/// Writes one value: its exponent and number, or 7 and its bits.
pub(crate) fn put_absolute(value: f64, out: &mut Vec<u8>) {
    if let Some((exponent, n)) = find(value) {
        out.push(exponent);
        put_zigzag(out, n);
    } else {
        out.push(RAW);
        out.extend_from_slice(&value.to_bits().to_le_bytes());
    }
}

/// Stands in place of an exponent before the bits of a value that is no decimal.
pub(crate) const RAW: u8 = 7;

/// Reads what [`put_absolute`] wrote.
pub(crate) fn read_absolute(reader: &mut Reader<'_>) -> Option<f64> {
    match reader.u8()? {
        RAW => reader.u64().map(f64::from_bits),
        exponent if exponent <= MAX_EXPONENT => reader.zigzag().map(|n| to_value(n, exponent)),
        _ => None,
    }
}

/// Reads a packed column of `count` values whose first number is `first`.
pub(crate) fn read_column(
    reader: &mut Reader<'_>,
    first: i64,
    count: usize,
    order: u8,
    exponent: u8,
    out: &mut Vec<f64>,
) -> Option<()> {
    out.reserve(count);
    let scale = power(exponent);
    // Two loops rather than one with a test inside: this is where queries spend their time.
    if exponent == 0 {
        pack::read(reader, first, count, order, |n| out.push(n as f64))
    } else {
        pack::read(reader, first, count, order, |n| out.push(n as f64 / scale))
    }
}
