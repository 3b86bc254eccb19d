//! The few JSON shapes that are written by hand: texts, times, numbers and label sets.
//!
//! A query's answer is mostly numbers, so it is written straight into the answer's text; a tree of
//! values in between would cost several times the memory.

use std::fmt::Write as _;

use squirrel_model::{Labels, Timestamp, exposition};

/// Writes a JSON string (RFC 8259, section 7).
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        // All bytes that need an escape are ASCII, so `at` is always a character's boundary.
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(text.get(clean..at).unwrap_or_default());
        clean = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            // Writing into a String cannot fail.
            _ => drop(write!(out, "\\u{byte:04x}")),
        }
    }
    out.push_str(text.get(clean..).unwrap_or_default());
    out.push('"');
}

/// Writes a moment as seconds since the epoch with at most three decimals and no trailing zeros.
pub fn write_time(out: &mut String, at: Timestamp) {
    let millis = at.millis();
    if millis < 0 {
        out.push('-');
    }
    let millis = millis.unsigned_abs();
    let _ = write!(out, "{}", millis / 1000);
    let fraction = millis % 1000;
    if fraction != 0 {
        let digits = format!("{fraction:03}");
        out.push('.');
        out.push_str(digits.trim_end_matches('0'));
    }
}

/// Writes `[time,"value"]`; values are strings because JSON has no NaN and no infinity.
pub fn write_sample(out: &mut String, at: Timestamp, value: f64) {
    out.push('[');
    write_time(out, at);
    out.push_str(",\"");
    exposition::write_value(out, value);
    out.push_str("\"]");
}

/// Writes a label set as an object, `__name__` among its members.
pub fn write_labels(out: &mut String, labels: &Labels) {
    out.push('{');
    for (i, (name, value)) in labels.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_string(out, name);
        out.push(':');
        write_string(out, value);
    }
    out.push('}');
}

/// Writes an array whose elements `each` writes.
pub fn write_array<T>(out: &mut String, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut String, T)) {
    out.push('[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        each(out, item);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(millis: i64) -> String {
        let mut out = String::new();
        write_time(&mut out, Timestamp(millis));
        out
    }

    #[test]
    fn times_have_at_most_three_decimals_and_no_trailing_zero() {
        assert_eq!(time(1_435_781_451_781), "1435781451.781");
        assert_eq!(time(1_435_781_451_700), "1435781451.7");
        assert_eq!(time(1_435_781_451_050), "1435781451.05");
        assert_eq!(time(4_000), "4");
        assert_eq!(time(0), "0");
        assert_eq!(time(-1), "-0.001");
        assert_eq!(time(i64::MIN), "-9223372036854775.808");
    }

    #[test]
    fn values_are_strings_so_that_what_json_cannot_say_is_said() {
        let mut out = String::new();
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e21, 0.5] {
            write_sample(&mut out, Timestamp(1), value);
        }
        assert_eq!(out, r#"[0.001,"NaN"][0.001,"+Inf"][0.001,"-Inf"][0.001,"1e+21"][0.001,"0.5"]"#);
    }

    proptest! {
        #[test]
        fn any_text_survives(text in any::<String>()) {
            let mut out = String::new();
            write_string(&mut out, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }

        #[test]
        fn any_time_is_a_json_number(millis in any::<i64>()) {
            let text = time(millis);
            prop_assert!(serde_json::from_str::<f64>(&text).is_ok());
            prop_assert!(!text.contains('.') || !text.ends_with('0'));
        }
    }
}
