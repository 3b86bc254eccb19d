//! Numbers, moments and severities as people read them.

use jiff::Timestamp;

/// How bad it is, as colours, priorities and severities tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Over.
    Good,
    Info,
    Warning,
    Critical,
}

impl Severity {
    /// By the value of the label `severity`; an unknown word is a warning.
    pub(super) fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "critical" | "crit" | "page" | "emergency" | "error" | "high" | "disaster" => Self::Critical,
            "info" | "information" | "informational" | "none" | "notice" | "low" | "debug" => Self::Info,
            _ => Self::Warning,
        }
    }

    /// Red, orange, blue, green.
    pub(super) fn colour(self) -> u32 {
        match self {
            Self::Good => 0x2e_a0_43,
            Self::Info => 0x1f_6f_eb,
            Self::Warning => 0xd2_99_22,
            Self::Critical => 0xcf_22_2e,
        }
    }
}

/// A number in four digits, without zeros that say nothing: `0.0312`, `1200`, `3.4e9`.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() || value == 0.0 {
        return if value == 0.0 { "0".to_owned() } else { value.to_string() };
    }
    if value.fract() == 0.0 && value.abs() < 1e9 {
        return format!("{value:.0}");
    }
    let exponent = value.abs().log10().floor() as i32;
    if !(-4..9).contains(&exponent) {
        let text = format!("{value:.3e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", trimmed(digits));
    }
    trimmed(&format!("{value:.*}", (3 - exponent).max(0) as usize)).to_owned()
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// A moment as a line of text: `2026-11-21 15:24:00 UTC`.
pub(super) fn moment(ms: i64) -> String {
    Timestamp::from_millisecond(ms)
        .map_or_else(|_| format!("{ms} ms"), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// A time that passed, in whole seconds.
pub(super) fn span(ms: i64) -> String {
    squirrel_model::duration_text(ms.max(0) / 1000 * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits_that_say_something() {
        for (value, text) in [
            (0.0, "0"),
            (0.031_249, "0.03125"),
            (0.8, "0.8"),
            (93.333_3, "93.33"),
            (1200.0, "1200"),
            (123_456.78, "123457"),
            (3.4e9, "3.4e9"),
            (-2.5e-7, "-2.5e-7"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn moments_and_spans() {
        assert_eq!(moment(1_795_274_640_000), "2026-11-21 15:24:00 UTC");
        assert_eq!(moment(i64::MAX), format!("{} ms", i64::MAX));
        assert_eq!(span(301_999), "5m1s");
        assert_eq!(Severity::of("CRITICAL"), Severity::Critical);
        assert_eq!(Severity::of("whatever"), Severity::Warning);
    }
}
