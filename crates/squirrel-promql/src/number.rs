//! Numbers and durations as PromQL writes them.

/// Milliseconds of a duration such as `1h30m`, or `None` when the text is none or is too long.
pub(crate) fn duration_ms(text: &str) -> Option<i64> {
    squirrel_model::parse_duration_ms(text).ok()
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

    }
}
