//! Reading the text of `/proc` as bytes: no allocation, no panic, whatever stands there.

use squirrel_model::Batch;

/// The text up to its last line feed. A line without one is torn and could hold half a number; it
/// is left out with a fault.
pub(crate) fn complete<'a>(path: &str, text: &'a [u8], out: &mut Batch) -> &'a [u8] {
    let end = text.iter().rposition(|&b| b == b'\n').map_or(0, |last| last + 1);
    let (whole, torn) = text.split_at_checked(end).unwrap_or((text, &[]));
    if !torn.is_empty() {
        out.fault(path, "The last line is torn, so it was left out.");
    }
    whole
}

/// The lines of a text without their line feeds. Empty lines are left out.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&b| b == b'\n').filter(|line| !line.is_empty())
}

/// The words of a line: what stands between spaces and tabs.
pub(crate) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// A decimal number without a sign.
pub(crate) fn decimal(word: &[u8]) -> Option<u64> {
    digits(word, 10)
}

/// A hexadecimal number without a prefix, as the kernel's `%08x` writes it.
pub(crate) fn hex(word: &[u8]) -> Option<u64> {
    digits(word, 16)
}

/// A decimal number with or without a minus sign, as a sample's value.
pub(crate) fn value(word: &[u8]) -> Option<f64> {
    match word.strip_prefix(b"-") {
        Some(rest) => decimal(rest).map(|n| -(n as f64)),
        None => decimal(word).map(|n| n as f64),
    }
}

fn digits(word: &[u8], base: u32) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0u64, |sum, &b| {
        let digit = char::from(b).to_digit(base)?;
        sum.checked_mul(u64::from(base))?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_at_the_ends_are_read_and_beyond_are_refused() {
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(decimal(b"18446744073709551616"), None);
        assert_eq!(hex(b"ffffffffffffffff"), Some(u64::MAX));
        assert_eq!(hex(b"10000000000000000"), None);
        assert_eq!(value(b"-1"), Some(-1.0));
        assert_eq!(value(b"-"), None);
        assert_eq!(decimal(b""), None);
        assert_eq!(decimal(b"1a"), None);
    }

    proptest! {
        #[test]
        fn every_number_is_read_back(n: u64) {
            prop_assert_eq!(decimal(n.to_string().as_bytes()), Some(n));
            prop_assert_eq!(hex(format!("{n:08x}").as_bytes()), Some(n));
        }

        #[test]
        fn any_bytes_are_words_or_nothing(text: Vec<u8>) {
            for word in lines(&text).flat_map(words) {
                prop_assert!(!word.is_empty());
                let _ = (decimal(word), hex(word), value(word));
            }
        }
    }
}
