//! Spans of time as people write them: `250ms`, `5m`, `1h30m`, `14d` (Prometheus' form).

/// Units from long to short with their milliseconds; each may occur once, in this order. A year has
/// 365 days.
const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The longest span that can be written, in milliseconds: about 292 years, what a signed 64-bit count
/// of nanoseconds holds (and therefore Prometheus' limit).
pub const MAX_DURATION_MS: i64 = i64::MAX / 1_000_000;

/// Why a text is no span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not numbers with units.
    #[error("not a time: write a number and a unit, such as 250ms, 5m, 1h30m, 14d")]
    Shape,
    /// More than [`MAX_DURATION_MS`].
    #[error("longer than 292 years")]
    TooLong,
}

/// Milliseconds of a span such as `1h30m`.
///
/// # Errors
/// A text of another shape, or more than 292 years.
pub fn parse_duration_ms(text: &str) -> Result<i64, DurationError> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total = 0i64;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits).ok_or(DurationError::Shape)?;
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at_checked(letters).ok_or(DurationError::Shape)?;
        let (_, ms) = units.find(|(name, _)| *name == unit).filter(|_| digits > 0).ok_or(DurationError::Shape)?;
        // Digits alone fail to parse only when there are too many of them.
        let count = number.parse::<i64>().unwrap_or(i64::MAX);
        total = total.saturating_add(count.saturating_mul(*ms));
        rest = after;
        if rest.is_empty() {
            return if total <= MAX_DURATION_MS { Ok(total) } else { Err(DurationError::TooLong) };
        }
    }
}

/// A span in the shortest usual form: `5m`, `1h30m`, `1s500ms`. Years and weeks are used only where
/// nothing remains, since few people think of 90 days as 12w6d.
pub fn duration_text(ms: i64) -> String {
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut text = String::from(if ms < 0 { "-" } else { "" });
    let mut rest = ms.unsigned_abs();
    for (name, unit) in UNITS {
        let unit = unit.unsigned_abs();
        let whole_only = matches!(name, "y" | "w");
        if rest >= unit && (!whole_only || rest % unit == 0) {
            text += &format!("{}{name}", rest / unit);
            rest %= unit;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_are_read_and_written() {
        for (text, ms) in [
            ("1s", 1_000),
            ("250ms", 250),
            ("1h30m", 5_400_000),
            ("14d", 1_209_600_000),
            ("2w", 1_209_600_000),
            ("1y", 31_536_000_000),
            ("1y2w3d4h5m6s7ms", 31_536_000_000 + 1_209_600_000 + 273_906_007),
        ] {
            assert_eq!(parse_duration_ms(text), Ok(ms), "{text}");
        }
        assert_eq!(duration_text(5_400_000), "1h30m");
        assert_eq!(duration_text(90 * 86_400_000), "90d");
        assert_eq!(duration_text(-1_500), "-1s500ms");
        assert_eq!(duration_text(0), "0s");
    }

    #[test]
    fn other_shapes_are_refused() {
        for text in ["", "1", "s", "1x", "-1s", "1.5s", "1s ", "1m1h", "5hs", "1s1s", "1ms1s", "١s"] {
            assert_eq!(parse_duration_ms(text), Err(DurationError::Shape), "{text:?}");
        }
        for text in ["300y", "99999999999999999999s", "292y365d"] {
            assert_eq!(parse_duration_ms(text), Err(DurationError::TooLong), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(ms in 0..=MAX_DURATION_MS) {
            prop_assert_eq!(parse_duration_ms(&duration_text(ms)), Ok(ms));
        }
    }
}
