//! Figures of probes as people read them, the same on every screen.

/// A share in percent, cut and never rounded up: what is not whole is never shown as 100 %, and what is not nothing
/// never as 0 %.
pub fn share_text(share: f64) -> String {
    if !share.is_finite() {
        return "-".to_owned();
    }
    if share >= 1.0 {
        return "100 %".to_owned();
    }
    if share <= 0.0 {
        return "0 %".to_owned();
    }
    // A share such as 0.9999 is a little less in binary; without the small part it would be cut to 99.98.
    let hundredths = (share * 10_000.0 + 1e-6).floor().min(9_999.0);
    if hundredths < 1.0 { "<0.01 %".to_owned() } else { format!("{:.2} %", hundredths / 100.0) }
}

/// A span of time with three digits that count: 812 µs, 20.4 ms, 1.50 s.
pub fn span_text(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s >= 0.9995 => (s, "s"),
        s if s >= 0.000_999_5 => (s * 1e3, "ms"),
        s => (s * 1e6, "µs"),
    };
    match value {
        v if v >= 99.95 => format!("{v:.0} {unit}"),
        v if v >= 9.995 => format!("{v:.1} {unit}"),
        v => format!("{v:.2} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_share_is_cut_and_never_rounded_up() {
        for (share, text) in [
            (1.0, "100 %"),
            (0.9999, "99.99 %"),
            (0.999_999_999, "99.99 %"),
            (1.0 - f64::EPSILON, "99.99 %"),
            (0.9995, "99.95 %"),
            (0.5, "50.00 %"),
            (0.000_09, "<0.01 %"),
            (0.0, "0 %"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(share_text(share), text, "{share}");
        }
    }

    #[test]
    fn spans_have_three_digits_that_count() {
        for (seconds, text) in
            [(0.000_812, "812 µs"), (0.0204, "20.4 ms"), (1.5, "1.50 s"), (0.99951, "1.00 s"), (0.000_001, "1.00 µs")]
        {
            assert_eq!(span_text(seconds), text, "{seconds}");
        }
    }

    proptest! {
        #[test]
        fn only_whole_shares_read_as_whole(share in 0.0..=1.0_f64) {
            prop_assert_eq!(share_text(share) == "100 %", share >= 1.0);
            prop_assert_eq!(share_text(share) == "0 %", share <= 0.0);
        }
    }
}
