//! PEM (RFC 7468) and Base64 (RFC 4648, section 4).

use super::LoginError;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Octets as Base64, in one line.
pub(super) fn base64(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for three in octets.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(three.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let digit = DIGITS.get((bits >> (18 - 6 * at) & 63) as usize).copied().unwrap_or(b'=');
            text.push(if at <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// The octets of Base64 whose padding is right.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text).as_bytes();
    if !text.len().is_multiple_of(4) || digits.len() % 4 == 1 {
        return None;
    }
    let mut octets = Vec::with_capacity(digits.len() * 3 / 4);
    for group in digits.chunks(4) {
        let mut bits = 0_u32;
        for digit in group {
            bits = bits << 6 | u32::try_from(DIGITS.iter().position(|known| known == digit)?).ok()?;
        }
        bits <<= 6 * (4 - group.len());
        let [_, three @ ..] = bits.to_be_bytes();
        octets.extend_from_slice(three.get(..group.len() - 1)?);
    }
    Some(octets)
}

/// The octets of the first key in a text that has one of these labels; what stands around it does not matter.
pub(super) fn key(text: &str, labels: &[&'static str]) -> Result<Vec<u8>, LoginError> {
    let between = |label: &str| {
        let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
        rest.split_once(&format!("-----END {label}-----")).map(|(inner, _)| inner)
    };
    let inner = labels.iter().find_map(|label| between(label));
    // What OpenSSL wrote before version 1.0 says it in a header.
    if between("ENCRYPTED PRIVATE KEY").is_some() || inner.is_some_and(|inner| inner.contains("Proc-Type:")) {
        return Err(LoginError::Encrypted);
    }
    let inner = inner.ok_or(LoginError::NoKey(labels.first().copied().unwrap_or_default()))?;
    let digits: String = inner.split_ascii_whitespace().collect();
    from_base64(&digits).ok_or(LoginError::NotBase64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (octets, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(octets.as_bytes()), text);
            assert_eq!(from_base64(text).as_deref(), Some(octets.as_bytes()));
        }
        for wrong in ["Z", "Zg", "Zg=", "Zg===", "====", "Z*==", "Zg==Zg==", "Zm9v\n"] {
            assert_eq!(from_base64(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_key_is_found_and_an_encrypted_one_is_told_apart() {
        let text = "of oak\n-----BEGIN PUBLIC KEY-----\nZm9v\r\nYmFy\n-----END PUBLIC KEY-----\n";
        assert_eq!(key(text, &["PUBLIC KEY"]), Ok(b"foobar".to_vec()));
        assert_eq!(key(text, &["PRIVATE KEY"]), Err(LoginError::NoKey("PRIVATE KEY")));
        let encrypted = text.replace("PUBLIC", "ENCRYPTED PRIVATE");
        assert_eq!(key(&encrypted, &["PRIVATE KEY"]), Err(LoginError::Encrypted));
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nZg==\n-----END RSA PRIVATE KEY-----";
        assert_eq!(key(old, &["PRIVATE KEY", "RSA PRIVATE KEY"]), Err(LoginError::Encrypted));
        assert_eq!(key(&text.replace("Zm9v", "Zm9"), &["PUBLIC KEY"]), Err(LoginError::NotBase64));
    }

    proptest! {
        #[test]
        fn any_octets_come_back(octets in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(from_base64(&base64(&octets)), Some(octets));
        }
    }
}
