//! Numbers and durations as PromQL writes them.

use std::fmt::Write as _;

/// Units from long to short with their milliseconds; each may occur once, in this order.
const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The longest span of time that a query may name, in milliseconds (about 292 years, what a signed
/// 64-bit count of nanoseconds holds).
pub(crate) const MAX_DURATION_MS: i64 = i64::MAX / 1_000_000;

/// Milliseconds of a duration such as `1h30m`, or `None` when the text is none or is too long.
pub(crate) fn duration_ms(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total = 0i64;
    let mut next_unit = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at_checked(letters)?;
        let index = UNITS.iter().position(|(name, _)| *name == unit).filter(|i| *i >= next_unit)?;
        let (_, ms) = UNITS.get(index)?;
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(*ms)?)?;
        next_unit = index + 1;
        rest = after;
    }
    (!text.is_empty() && total <= MAX_DURATION_MS).then_some(total)
}

/// A duration in the shortest usual form: `5m`, `1h30m`, `1500ms` as `1s500ms`. Years and weeks are
/// used only where nothing remains, since few people think of 90 days as 12w6d.
pub(crate) fn duration_text(ms: i64) -> String {
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut text = String::from(if ms < 0 { "-" } else { "" });
    let mut rest = ms.unsigned_abs();
    for (name, unit) in UNITS {
        let unit = unit.unsigned_abs();
        let whole_only = matches!(name, "y" | "w");
        if rest >= unit && (!whole_only || rest.is_multiple_of(unit)) {
            let _ = write!(text, "{}{name}", rest / unit);
            rest %= unit;
        }
    }
    text
}

/// The value of a number: decimal, with exponent, hexadecimal (`0x1f`), octal (a leading zero, as Go
/// reads it), with underscores between digits, `Inf`, `NaN`.
pub(crate) fn number(text: &str) -> Option<f64> {
    if text.eq_ignore_ascii_case("inf") {
        return Some(f64::INFINITY);
    }
    if text.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    let plain = without_underscores(text)?;
    if let Some(hex) = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        let digits = !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit());
        return u64::from_str_radix(hex, 16).ok().filter(|_| digits).map(|n| n as f64);
    }
    let octal = plain.len() > 1 && plain.starts_with('0') && plain.bytes().all(|b| (b'0'..=b'7').contains(&b));
    if octal && let Ok(n) = u64::from_str_radix(&plain, 8) {
        return Some(n as f64);
    }
    let shape = plain.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    plain.parse().ok().filter(|n: &f64| shape && n.is_finite())
}

/// The digits without `_`, or `None` when one stands elsewhere than between two digits (or after
/// the `0x`).
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    for (i, _) in bytes.iter().enumerate().filter(|(_, b)| **b == b'_') {
        let before = i.checked_sub(1).and_then(|i| bytes.get(i)).copied().unwrap_or(b' ');
        let after = bytes.get(i + 1).copied().unwrap_or(b' ');
        let prefix = i == 2 && matches!(before, b'x' | b'X');
        if !(before.is_ascii_hexdigit() || prefix) || !after.is_ascii_hexdigit() {
            return None;
        }
    }
    Some(text.replace('_', ""))
}

/// A number such that parsing gives it back bit for bit (every NaN as `NaN`).
pub(crate) fn number_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) { format!("{value:e}") } else { format!("{value}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_in_falling_units_only() {
        assert_eq!(duration_ms("1h30m"), Some(5_400_000));
        assert_eq!(duration_ms("1y1w1d1h1m1s1ms"), Some(32_230_861_001));
        assert_eq!(duration_ms("5"), None);
        assert_eq!(duration_ms("5m5h"), None);
        assert_eq!(duration_ms("5m5m"), None);
        assert_eq!(duration_ms("5hs"), None);
        assert_eq!(duration_ms("9999999999999y"), None);
    }

    #[test]
    fn numbers_are_read_in_all_notations() {
        let cases = [
            ("1", 1.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("1E+3", 1000.0),
            ("2.5e-1", 0.25),
            ("0x1F", 31.0),
            ("0X_ff", 255.0),
            ("010", 8.0),
            ("08", 8.0),
            ("1_000.5", 1000.5),
            ("inF", f64::INFINITY),
        ];
        for (text, value) in cases {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["1_", "_1", "1__0", "0x", "1e", "1.2.3", "1_.5", "0xg", "1e999"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_printed_number_reads_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits).abs();
            let back = number(number_text(value).trim_start_matches('+')).unwrap();
            prop_assert!(back.to_bits() == value.to_bits() || (back.is_nan() && value.is_nan()));
        }

        #[test]
        fn a_printed_duration_reads_back(ms in 0..=MAX_DURATION_MS) {
            prop_assert_eq!(duration_ms(&duration_text(ms)), Some(ms));
        }
    }
}
