//! Numbers with units.

use crate::field::Kind;

/// Reads a number of this kind in its base unit: bytes, bytes per second, microseconds.
///
/// # Errors
/// What is wrong and how it is written instead.
pub(crate) fn quantity(kind: Kind, text: &str) -> Result<f64, String> {
    let digits = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong(kind, text))?;
    let factor = match kind {
        Kind::Duration => microseconds(unit),
        Kind::Rate => rate(unit.strip_suffix("/s").unwrap_or(unit)),
        Kind::Bytes => bytes(unit),
        _ => unit.is_empty().then_some(1.0),
    };
    match factor {
        Some(factor) => Ok(number * factor),
        None if kind == Kind::Duration && unit.is_empty() => {
            Err(format!("{text} has no unit: write {text}ms, {text}us or {text}s"))
        }
        None => Err(wrong(kind, text)),
    }
}

fn wrong(kind: Kind, text: &str) -> String {
    format!("{text:?} cannot be compared with this field: write {}", kind.example())
}

fn microseconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "us" | "µs" | "μs" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "m" | "min" => 60e6,
        _ => return None,
    })
}

/// Bits a second count eight to a byte; everything else is bytes a second.
fn rate(unit: &str) -> Option<f64> {
    for bits in ["bit", "bits", "bps"] {
        if let Some(prefix) = unit.strip_suffix(bits) {
            return prefix_factor(prefix).map(|factor| factor / 8.0);
        }
    }
    bytes(unit.strip_suffix("ps").filter(|rest| rest.ends_with('B')).unwrap_or(unit))
}

fn bytes(unit: &str) -> Option<f64> {
    prefix_factor(unit.strip_suffix('B').unwrap_or(unit))
}

/// `k` is a thousand and `Ki` is 1,024, as IEC 80000-13 has it.
fn prefix_factor(prefix: &str) -> Option<f64> {
    Some(match prefix {
        "" => 1.0,
        "k" | "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_the_field() {
        for (kind, text, expected) in [
            (Kind::Duration, "50ms", 50_000.0),
            (Kind::Duration, "1.5s", 1_500_000.0),
            (Kind::Duration, "200µs", 200.0),
            (Kind::Bytes, "10MiB", 10_485_760.0),
            (Kind::Bytes, "64kB", 64_000.0),
            (Kind::Bytes, "1500", 1500.0),
            (Kind::Rate, "1Mbit", 125_000.0),
            (Kind::Rate, "8kbit/s", 1000.0),
            (Kind::Rate, "2MiB/s", 2_097_152.0),
            (Kind::Rate, "1Gbps", 125e6),
            (Kind::Rate, "1MBps", 1e6),
            (Kind::Number, "12", 12.0),
        ] {
            assert_eq!(quantity(kind, text), Ok(expected), "{kind:?} {text}");
        }
        for (kind, text) in [
            (Kind::Duration, "50"),
            (Kind::Duration, "5kB"),
            (Kind::Bytes, "1Mbit"),
            (Kind::Number, "1k"),
            (Kind::Rate, "ms"),
            (Kind::Bytes, "1.2.3"),
        ] {
            assert!(quantity(kind, text).is_err(), "{kind:?} {text}");
        }
        assert_eq!(quantity(Kind::Duration, "50").unwrap_err(), "50 has no unit: write 50ms, 50us or 50s");
    }
}
