//! Numbers as iperf3's users type them.

use anyhow::{Context as _, bail};
use squirrel_api::params::parse_duration_ms;

/// Bits a second, with prefixes of thousands: `500k`, `1.5G`.
pub(super) fn rate(option: &str, text: &str) -> anyhow::Result<u64> {
    scaled(text, 1000.0).with_context(|| format!("{option}: {text:?} is no rate such as 500k, 100M or 1.5G"))
}

/// Octets, with prefixes of 1024: `128K`, `1G`.
pub(super) fn octets(option: &str, text: &str) -> anyhow::Result<u64> {
    scaled(text, 1024.0).with_context(|| format!("{option}: {text:?} is no size such as 1400, 128K or 1G"))
}

fn scaled(text: &str, step: f64) -> Option<u64> {
    let power = |letter: char| "kmgt".find(letter.to_ascii_lowercase()).map(|place| place as i32 + 1);
    let last = text.chars().next_back()?;
    let (digits, factor) = match power(last) {
        Some(power) => (&text[..text.len() - 1], step.powi(power)),
        None => (text, 1.0),
    };
    let plain = digits.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
    let value = digits.parse::<f64>().ok().filter(|_| plain)? * factor;
    (value < 1e18).then_some(value.round() as u64)
}

/// Whole seconds.
pub(super) fn seconds(option: &str, text: &str) -> anyhow::Result<u64> {
    let ms = milliseconds(option, text)?;
    if ms % 1000 != 0 {
        bail!("{option}: {text:?} is not whole seconds, which the protocol knows alone");
    }
    Ok(ms / 1000)
}

/// Milliseconds of a span such as `10ms` or `1s`; a bare number is seconds.
pub(super) fn milliseconds(option: &str, text: &str) -> anyhow::Result<u64> {
    let ms = parse_duration_ms(text).ok().and_then(|ms| u64::try_from(ms).ok());
    ms.with_context(|| format!("{option}: {text:?} is no time such as 10s or 2m (a bare number is seconds)"))
}

/// An octet, decimal or hexadecimal.
pub(super) fn octet(option: &str, text: &str) -> anyhow::Result<u8> {
    let number = text.strip_prefix("0x").map_or_else(|| text.parse(), |digits| u8::from_str_radix(digits, 16));
    number.with_context(|| format!("{option}: {text:?} is no number from 0 to 255, such as 40 or 0x28"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_mean_what_iperf3_means() {
        assert_eq!(rate("-b", "1.5G").ok(), Some(1_500_000_000));
        assert_eq!(rate("-b", "500k").ok(), Some(500_000));
        assert_eq!(rate("-b", "0").ok(), Some(0));
        assert_eq!(octets("-l", "128K").ok(), Some(131_072));
        assert_eq!(octets("-n", "1400").ok(), Some(1400));
        assert_eq!((seconds("-t", "10").ok(), seconds("-t", "2m").ok()), (Some(10), Some(120)));
        assert_eq!((octet("-S", "0x28").ok(), octet("-S", "40").ok()), (Some(40), Some(40)));
    }

    #[test]
    fn what_is_no_number_is_refused_by_its_option() {
        for wrong in ["", "k", "-1", "1e9", "inf", "NaN", "1Q", "9999999999T", "1 M", "1ü"] {
            let error = rate("-b", wrong).unwrap_err().to_string();
            assert!(error.starts_with("-b: "), "{wrong}: {error}");
        }
        assert!(seconds("-t", "1500ms").is_err() && seconds("-t", "-1").is_err() && octet("-S", "256").is_err());
    }
}
