//! Keys of RSA in DER: the numbers that they are made of, and nothing computed with them.
//!
//! Source: RFC 8017, appendix A.1 (`RSAPublicKey`, `RSAPrivateKey`), RFC 5280, section 4.1 (`SubjectPublicKeyInfo`) and
//! RFC 5958 (`PrivateKeyInfo`, which PKCS#8 called so).

use core::fmt;

use crate::Malformed;
use crate::der::{Der, Tag};

/// What errors call a key.
const LAYER: &str = "RSA key";
/// 1.2.840.113549.1.1.1, in DER.
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// A public key: numbers in network order, without leading zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey<'a> {
    /// The modulus.
    pub modulus: &'a [u8],
    /// The public exponent.
    pub exponent: &'a [u8],
}

/// A private key: numbers in network order, without leading zeros. The secret one is never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PrivateKey<'a> {
    /// The modulus.
    pub modulus: &'a [u8],
    /// The public exponent.
    pub exponent: &'a [u8],
    /// The private exponent, which must stay secret.
    pub private_exponent: &'a [u8],
}

impl fmt::Debug for PrivateKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("modulus", &self.modulus).finish_non_exhaustive()
    }
}

impl<'a> PublicKey<'a> {
    /// Reads a `SubjectPublicKeyInfo`, which `-----BEGIN PUBLIC KEY-----` holds.
    ///
    /// # Errors
    /// When it is none, or is a key of something else than RSA.
    pub fn parse(octets: &'a [u8]) -> Result<Self, Malformed> {
        let mut info = Der::new(LAYER, octets).sequence()?;
        algorithm(&mut info)?;
        let bits = info.expect(Tag::BIT_STRING)?;
        // The first octet tells how many bits of the last one do not count; a key has whole octets.
        let key = bits.strip_prefix(&[0]).ok_or(Malformed { layer: LAYER, offset: 0 })?;
        let mut numbers = Der::new(LAYER, key).sequence()?;
        Ok(Self { modulus: numbers.unsigned()?, exponent: numbers.unsigned()? })
    }
}

impl<'a> PrivateKey<'a> {
    /// Reads an `RSAPrivateKey`, which `-----BEGIN RSA PRIVATE KEY-----` holds, or a `PrivateKeyInfo` with one inside,
    /// which `-----BEGIN PRIVATE KEY-----` does.
    ///
    /// # Errors
    /// When it is none, or is a key of something else than RSA.
    pub fn parse(octets: &'a [u8]) -> Result<Self, Malformed> {
        let mut outer = Der::new(LAYER, octets).sequence()?;
        outer.unsigned()?;
        if outer.clone().sequence().is_err() {
            return Self::numbers(outer);
        }
        algorithm(&mut outer)?;
        let mut inner = Der::new(LAYER, outer.expect(Tag::OCTET_STRING)?).sequence()?;
        inner.unsigned()?;
        Self::numbers(inner)
    }

    fn numbers(mut from: Der<'a>) -> Result<Self, Malformed> {
        Ok(Self { modulus: from.unsigned()?, exponent: from.unsigned()?, private_exponent: from.unsigned()? })
    }
}

/// Passes over the algorithm, which has to be RSA.
fn algorithm(info: &mut Der<'_>) -> Result<(), Malformed> {
    let name = info.sequence()?.expect(Tag::OBJECT_IDENTIFIER)?;
    if name == RSA_ENCRYPTION { Ok(()) } else { Err(Malformed { layer: LAYER, offset: 0 }) }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::truncated_everywhere;

    fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = u8::try_from(content.len()).unwrap();
        [&[tag, len], content].concat()
    }

    fn sequence(parts: &[&[u8]]) -> Vec<u8> {
        value(0x30, &parts.concat())
    }

    fn rsa() -> Vec<u8> {
        sequence(&[&value(0x06, RSA_ENCRYPTION), &value(0x05, &[])])
    }

    fn public() -> Vec<u8> {
        let key = sequence(&[&value(2, &[0, 0xc5, 1]), &value(2, &[1, 0, 1])]);
        sequence(&[&rsa(), &value(3, &[&[0][..], &key].concat())])
    }

    fn private() -> Vec<u8> {
        let numbers: [&[u8]; 5] = [&[0], &[0, 0xc5, 1], &[1, 0, 1], &[0x42], &[7]];
        sequence(&numbers.map(|number| value(2, number)).each_ref().map(Vec::as_slice))
    }

    #[test]
    fn keys_are_read_in_each_of_their_forms() {
        let expected = PublicKey { modulus: &[0xc5, 1], exponent: &[1, 0, 1] };
        assert_eq!(PublicKey::parse(&public()), Ok(expected));
        let expected = PrivateKey { modulus: &[0xc5, 1], exponent: &[1, 0, 1], private_exponent: &[0x42] };
        assert_eq!(PrivateKey::parse(&private()), Ok(expected));
        let wrapped = sequence(&[&value(2, &[0]), &rsa(), &value(4, &private())]);
        assert_eq!(PrivateKey::parse(&wrapped), Ok(expected));
        assert!(!std::format!("{expected:?}").contains("66"), "the secret number is not printed");
    }

    #[test]
    fn what_is_no_key_of_rsa_is_refused() {
        let curve = sequence(&[&value(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]), &value(0x05, &[])]);
        assert!(PublicKey::parse(&sequence(&[&curve, &value(3, &[0, 4, 1])])).is_err());
        assert!(PrivateKey::parse(&sequence(&[&value(2, &[0]), &curve, &value(4, &private())])).is_err());
        assert!(PublicKey::parse(&private()).is_err() && PrivateKey::parse(&public()).is_err());
        // A modulus that is negative, as an encoder writes that forgets the zero in front.
        let negative = sequence(&[&value(2, &[0]), &value(2, &[0xc5, 1]), &value(2, &[3]), &value(2, &[7])]);
        assert!(PrivateKey::parse(&negative).is_err());
        assert_eq!(truncated_everywhere(&public(), |cut| PublicKey::parse(cut).map(drop)), 0);
        assert_eq!(truncated_everywhere(&private(), |cut| PrivateKey::parse(cut).map(drop)), 0);
    }

    proptest! {
        #[test]
        fn any_octets_are_survived(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = PublicKey::parse(&octets);
            let _ = PrivateKey::parse(&octets);
        }
    }
}
