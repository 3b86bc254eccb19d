//! What a certificate says (RFC 5280): whose it is, who signed it, until when it is valid, and for which names.
//!
//! Signatures and trust are not looked at: that is TLS' own work. This reads what people are told of a certificate,
//! also of one that is not trusted.

mod names;
#[cfg(test)]
mod tests;

pub use names::{Attribute, DistinguishedName, DnsNames};

use crate::Malformed;
use crate::der::{Der, Tag};

/// A certificate's fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// The number that its issuer gave it, without leading zeros.
    pub serial: &'a [u8],
    /// Who signed it.
    pub issuer: DistinguishedName<'a>,
    /// Whose it is.
    pub subject: DistinguishedName<'a>,
    /// The first second in which it is valid, since 1970.
    pub not_before: i64,
    /// The last second in which it is valid, since 1970.
    pub not_after: i64,
    alternative_names: &'a [u8],
}

/// What errors call it.
const LAYER: &str = "certificate";
/// 2.5.29.17, in DER.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

impl<'a> Certificate<'a> {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// When it is none, or ends within what is read.
    pub fn parse(octets: &'a [u8]) -> Result<Self, Malformed> {
        let mut whole = Der::new(LAYER, octets).sequence()?;
        let mut fields = whole.sequence()?;
        // The version, which only says which fields may follow.
        fields.optional(Tag::context(0))?;
        let serial = fields.expect(Tag::INTEGER)?;
        fields.expect(Tag::SEQUENCE)?;
        let issuer = DistinguishedName::new(fields.expect(Tag::SEQUENCE)?)?;
        let mut validity = fields.sequence()?;
        let (not_before, not_after) = (validity.time()?, validity.time()?);
        let subject = DistinguishedName::new(fields.expect(Tag::SEQUENCE)?)?;
        fields.expect(Tag::SEQUENCE)?;
        fields.optional(Tag::context_primitive(1))?;
        fields.optional(Tag::context_primitive(2))?;
        let alternative_names = match fields.optional(Tag::context(3))? {
            Some(extensions) => alternative_names(extensions)?,
            None => &[],
        };
        let first = serial.iter().position(|octet| *octet != 0).unwrap_or(serial.len());
        let serial = serial.get(first..).unwrap_or_default();
        Ok(Self { serial, issuer, subject, not_before, not_after, alternative_names })
    }

    /// The host names that it is valid for, as far as they are ASCII.
    pub fn dns_names(&self) -> DnsNames<'a> {
        DnsNames::new(self.alternative_names)
    }
}

fn alternative_names(extensions: &[u8]) -> Result<&[u8], Malformed> {
    let mut list = Der::new(LAYER, extensions).sequence()?;
    while !list.is_empty() {
        let mut extension = list.sequence()?;
        let name = extension.expect(Tag::OBJECT_IDENTIFIER)?;
        extension.optional(Tag::BOOLEAN)?;
        let value = extension.expect(Tag::OCTET_STRING)?;
        if name == SUBJECT_ALT_NAME {
            return Der::new(LAYER, value).expect(Tag::SEQUENCE);
        }
    }
    Ok(&[])
}
