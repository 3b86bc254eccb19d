//! Numbers as people read them: bits per second for throughput, bytes for volumes, each in at most nine columns.

/// A rate in bytes per second as bits per second.
pub(crate) fn rate(bytes_per_second: f64) -> String {
    scaled(bytes_per_second * 8.0, "bit/s")
}

/// A rate in bytes per second as bits per second without the unit, which stands in the heading.
pub(crate) fn bits(bytes_per_second: f64) -> String {
    scaled(bytes_per_second * 8.0, "").trim_end().to_owned()
}

/// A number of bytes.
pub(crate) fn bytes(bytes: u64) -> String {
    scaled(bytes as f64, "B")
}

/// Microseconds as milliseconds, with as many digits as mean something.
pub(crate) fn milliseconds(us: u32) -> String {
    let ms = f64::from(us) / 1000.0;
    match ms {
        ms if ms < 1.0 => format!("{ms:.3}"),
        ms if ms < 10.0 => format!("{ms:.2}"),
        _ => format!("{ms:.1}"),
    }
}

/// Three digits that count, and a decimal prefix.
fn scaled(value: f64, unit: &str) -> String {
    let mut value = value.max(0.0);
    for prefix in ["", "k", "M", "G", "T"] {
        // What would be printed as 1000 belongs to the next prefix.
        if value < 999.5 || prefix == "T" {
            let digits = match (prefix, value) {
                ("", value) if value.fract() == 0.0 => 0,
                (_, value) if value < 9.995 => 2,
                (_, value) if value < 99.95 => 1,
                _ => 0,
            };
            return format!("{value:.digits$} {prefix}{unit}");
        }
        value /= 1000.0;
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_never_a_thousand() {
        for (value, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (9_999, "10.0 kB"),
            (99_960, "100 kB"),
            (999_600, "1.00 MB"),
            (12_345_678, "12.3 MB"),
        ] {
            assert_eq!(bytes(value), expected);
        }
        assert_eq!(
            (rate(125_000.0), rate(0.0), rate(-1.0), rate(0.05)),
            ("1.00 Mbit/s".into(), "0 bit/s".into(), "0 bit/s".into(), "0.40 bit/s".into())
        );
        assert_eq!((bits(125_000.0), bits(0.0)), ("1.00 M".into(), "0".into()));
        assert_eq!(
            (milliseconds(51), milliseconds(51_234), milliseconds(0)),
            ("0.051".into(), "51.2".into(), "0.000".into())
        );
        assert!(bytes(u64::MAX).ends_with(" TB"));
    }
}
