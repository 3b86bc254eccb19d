//! Names of people, machines and authorities.

use super::LAYER;
use crate::der::{Der, Tag};
use crate::{Malformed, Text};

/// A distinguished name: attributes such as an organization and a common name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DistinguishedName<'a>(&'a [u8]);

/// One attribute of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// What it is, an object identifier in DER: `55 04 03` is the common name.
    pub kind: &'a [u8],
    /// Its value. Most are UTF-8 or a part of it.
    pub value: Text<'a>,
    /// The tag of its value, by which its encoding is known.
    pub tag: u8,
}

impl<'a> DistinguishedName<'a> {
    /// Looks through the name once, so that its attributes are all there.
    pub(super) fn new(octets: &'a [u8]) -> Result<Self, Malformed> {
        let mut sets = Der::new(LAYER, octets);
        while !sets.is_empty() {
            let mut set = Der::new(LAYER, sets.expect(Tag::SET)?);
            while !set.is_empty() {
                attribute(&mut set)?;
            }
        }
        Ok(Self(octets))
    }

    /// The name as it was sent; equal octets are one name.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Its attributes in their order.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let mut sets = Der::new(LAYER, self.0);
        let mut set = Der::new(LAYER, &[]);
        core::iter::from_fn(move || {
            while set.is_empty() {
                set = Der::new(LAYER, sets.expect(Tag::SET).ok()?);
            }
            attribute(&mut set).ok()
        })
    }
}

fn attribute<'a>(set: &mut Der<'a>) -> Result<Attribute<'a>, Malformed> {
    let mut pair = set.sequence()?;
    let kind = pair.expect(Tag::OBJECT_IDENTIFIER)?;
    let (tag, value) = pair.next()?;
    Ok(Attribute { kind, value: Text::whole(value), tag: tag.0 })
}

/// The host names among the alternative names of a certificate.
#[derive(Clone, Debug)]
pub struct DnsNames<'a>(Der<'a>);

impl<'a> DnsNames<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Self {
        Self(Der::new(LAYER, octets))
    }
}

impl<'a> Iterator for DnsNames<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let (tag, value) = self.0.next().ok()?;
            if tag == Tag::context_primitive(2) {
                if let Some(name) = core::str::from_utf8(value).ok().filter(|name| name.is_ascii()) {
                    return Some(name);
                }
            }
        }
    }
}
