//! RSA as logins need it (RFC 8017): encryption to a public key, and its way back, with the paddings of PKCS#1 v1.5 and
//! OAEP with SHA-1, as OpenSSL takes it when nobody says.
//!
//! The power is `crypto-bigint`'s, whose time does not depend on the secret exponent. What the way back finds out about a
//! padding must not be seen from outside either, or enough questions decrypt a recorded login (Bleichenbacher's attack):
//! the server answers each login that it refuses at the same time after it came, whatever was wrong with it.

use std::fmt;

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd, Resize as _};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA1_OUTPUT_LEN, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::{LoginError, pem};

/// Bits of keys that can be used.
const BITS: std::ops::RangeInclusive<usize> = 1024..=4096;
/// Octets of PKCS#1 v1.5's padding that are random at least.
const LEAST_PADDING: usize = 8;

/// How a text is padded before it is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// As iperf3 does it from 3.17 on.
    #[default]
    Oaep,
    /// As iperf3 does it up to 3.16, and later ones with `--use-pkcs1-padding`.
    Pkcs1,
}

/// A modulus, prepared for powers.
#[derive(Clone)]
struct Modulus {
    /// Octets of what is encrypted.
    len: usize,
    value: BoxedUint,
    parameters: BoxedMontyParams,
}

impl Modulus {
    fn new(octets: &[u8]) -> Result<Self, LoginError> {
        let bits = octets.len() * 8 - octets.first().map_or(0, |first| first.leading_zeros() as usize);
        if !BITS.contains(&bits) {
            return Err(LoginError::Size(bits));
        }
        let value = BoxedUint::from_be_slice_vartime(octets);
        let odd: Option<Odd<BoxedUint>> = Odd::new(value.clone()).into();
        let parameters = BoxedMontyParams::new_vartime(odd.ok_or(LoginError::Numbers)?);
        Ok(Self { len: octets.len(), value, parameters })
    }

    /// A power of a number below the modulus, as long as the modulus; nothing for another one.
    fn power(&self, base: &[u8], exponent: &BoxedUint) -> Option<Vec<u8>> {
        let base = BoxedUint::from_be_slice(base, self.value.bits_precision()).ok()?;
        if base >= self.value {
            return None;
        }
        let power = BoxedMontyForm::new(base, &self.parameters).pow(exponent).retrieve().to_be_bytes();
        power.get(power.len().checked_sub(self.len)?..).map(<[u8]>::to_vec)
    }
}

/// A server's public key.
#[derive(Clone)]
pub struct PublicKey {
    modulus: Modulus,
    exponent: BoxedUint,
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} octets)", self.modulus.len)
    }
}

impl PublicKey {
    /// Reads `-----BEGIN PUBLIC KEY-----`.
    ///
    /// # Errors
    /// What is no key of RSA, or one of a size that cannot be.
    pub fn from_pem(text: &str) -> Result<Self, LoginError> {
        let der = pem::key(text, &["PUBLIC KEY"])?;
        let key = squirrel_wire::rsa::PublicKey::parse(&der).map_err(LoginError::NotRsa)?;
        Ok(Self { modulus: Modulus::new(key.modulus)?, exponent: exponent(key.exponent, key.modulus)? })
    }

    pub(super) fn encrypt(&self, text: &[u8], padding: Padding) -> Result<Vec<u8>, LoginError> {
        let random = SystemRandom::new();
        let block = match padding {
            Padding::Pkcs1 => pkcs1(text, self.modulus.len, &random)?,
            Padding::Oaep => oaep(text, self.modulus.len, &random)?,
        };
        self.modulus.power(&block, &self.exponent).ok_or(LoginError::Numbers)
    }
}

/// A server's private key.
#[derive(Clone)]
pub struct PrivateKey {
    modulus: Modulus,
    exponent: BoxedUint,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({} octets)", self.modulus.len)
    }
}

impl PrivateKey {
    /// Reads `-----BEGIN PRIVATE KEY-----` or `-----BEGIN RSA PRIVATE KEY-----`, not encrypted.
    ///
    /// # Errors
    /// What is no key of RSA, or one of a size that cannot be.
    pub fn from_pem(text: &str) -> Result<Self, LoginError> {
        let der = pem::key(text, &["PRIVATE KEY", "RSA PRIVATE KEY"])?;
        let key = squirrel_wire::rsa::PrivateKey::parse(&der).map_err(LoginError::NotRsa)?;
        Ok(Self { modulus: Modulus::new(key.modulus)?, exponent: exponent(key.private_exponent, key.modulus)? })
    }

    /// The text, with either padding.
    pub(super) fn decrypt(&self, octets: &[u8]) -> Option<Vec<u8>> {
        if octets.len() != self.modulus.len {
            return None;
        }
        let block = self.modulus.power(octets, &self.exponent)?;
        from_oaep(&block).or_else(|| from_pkcs1(&block))
    }
}

/// An exponent, as wide as the modulus, so that its own length is not seen.
fn exponent(octets: &[u8], modulus: &[u8]) -> Result<BoxedUint, LoginError> {
    let wide = BoxedUint::from_be_slice_vartime(modulus).bits_precision();
    if octets.len() > modulus.len() || octets.is_empty() {
        return Err(LoginError::Numbers);
    }
    Ok(BoxedUint::from_be_slice_vartime(octets).resize(wide))
}

fn fill(random: &SystemRandom, octets: &mut [u8]) -> Result<(), LoginError> {
    random.fill(octets).map_err(|_| LoginError::Random)
}

/// RFC 8017, section 7.2.1: `00 02`, octets that are random and not zero, `00`, the text.
fn pkcs1(text: &[u8], len: usize, random: &SystemRandom) -> Result<Vec<u8>, LoginError> {
    let padding = len.checked_sub(text.len() + 3).filter(|padding| *padding >= LEAST_PADDING);
    let mut block = vec![0, 2];
    block.resize(2 + padding.ok_or(LoginError::TooLong)?, 0);
    for octet in block.iter_mut().skip(2) {
        while *octet == 0 {
            fill(random, std::slice::from_mut(octet))?;
        }
    }
    block.push(0);
    block.extend_from_slice(text);
    Ok(block)
}

fn from_pkcs1(block: &[u8]) -> Option<Vec<u8>> {
    let rest = block.strip_prefix(&[0, 2])?;
    let end = rest.iter().position(|octet| *octet == 0).filter(|end| *end >= LEAST_PADDING)?;
    rest.get(end + 1..).map(<[u8]>::to_vec)
}

/// RFC 8017, section 7.1.1, with an empty label.
fn oaep(text: &[u8], len: usize, random: &SystemRandom) -> Result<Vec<u8>, LoginError> {
    const HASH: usize = SHA1_OUTPUT_LEN;
    let zeros = len.checked_sub(text.len() + 2 * HASH + 2).ok_or(LoginError::TooLong)?;
    let mut block = vec![0; 1 + HASH];
    block.extend_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, b"").as_ref());
    block.resize(block.len() + zeros, 0);
    block.push(1);
    block.extend_from_slice(text);
    let (head, data) = block.split_at_mut(1 + HASH);
    let seed = head.get_mut(1..).unwrap_or_default();
    fill(random, seed)?;
    mask(data, seed);
    mask(seed, data);
    Ok(block)
}

fn from_oaep(block: &[u8]) -> Option<Vec<u8>> {
    let (seed, data) = block.strip_prefix(&[0])?.split_at_checked(SHA1_OUTPUT_LEN)?;
    let (mut seed, mut data) = (seed.to_vec(), data.to_vec());
    mask(&mut seed, &data);
    mask(&mut data, &seed);
    let rest = data.strip_prefix(digest(&SHA1_FOR_LEGACY_USE_ONLY, b"").as_ref())?;
    let end = rest.iter().position(|octet| *octet != 0).filter(|end| rest.get(*end) == Some(&1))?;
    rest.get(end + 1..).map(<[u8]>::to_vec)
}

/// Exclusive or with what MGF1 makes of a seed (RFC 8017, appendix B.2.1).
fn mask(octets: &mut [u8], seed: &[u8]) {
    for (number, part) in (0_u32..).zip(octets.chunks_mut(SHA1_OUTPUT_LEN)) {
        let mut hash = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        hash.update(seed);
        hash.update(&number.to_be_bytes());
        for (octet, mask) in part.iter_mut().zip(hash.finish().as_ref()) {
            *octet ^= mask;
        }
    }
}
