//! What routers add after the quoted packet (RFC 4884): today labels of MPLS (RFC 4950).

use super::checksum;
use crate::Reader;

/// A label of MPLS, with which the packet arrived at the router (RFC 4950, RFC 3032).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MplsLabel {
    /// The label, 20 bits.
    pub label: u32,
    /// Traffic class, 3 bits.
    pub traffic_class: u8,
    /// Whether it is the last of the stack.
    pub bottom: bool,
    /// Time to live.
    pub ttl: u8,
}

/// One addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension<'a> {
    /// A label of the stack, outermost first.
    Mpls(MplsLabel),
    /// Of another class and type.
    Other {
        /// Its class number.
        class: u8,
        /// Its type within the class.
        subtype: u8,
        /// Its octets.
        octets: &'a [u8],
    },
}

/// Goes over the additions; one that contradicts itself ends it.
#[derive(Clone, Debug)]
pub struct Extensions<'a> {
    objects: Reader<'a>,
    labels: Reader<'a>,
}

/// Octets of the header: version, reserved bits, checksum.
const HEADER: usize = 4;
/// The version that is defined.
const VERSION: u8 = 2;
/// Octets of an object's header.
const OBJECT_HEADER: usize = 4;

/// Whether these octets are extensions: the version is right, and so is the checksum if there is one.
pub(super) fn is_valid(octets: &[u8]) -> bool {
    match octets {
        [first, _, high, low, ..] => first >> 4 == VERSION && ([*high, *low] == [0, 0] || checksum(octets) == 0),
        _ => false,
    }
}

impl<'a> Extensions<'a> {
    /// The additions in [`super::IcmpError::extensions`].
    pub fn new(octets: &'a [u8]) -> Self {
        let objects = octets.get(HEADER..).unwrap_or_default();
        Self { objects: Reader::new("icmp extension", objects), labels: Reader::new("mpls", &[]) }
    }

    fn label(&mut self) -> Option<MplsLabel> {
        let word = u32::from_be_bytes(self.labels.array::<4>().ok()?);
        Some(MplsLabel {
            label: word >> 12,
            traffic_class: (word >> 9) as u8 & 0b111,
            bottom: word >> 8 & 1 == 1,
            ttl: word as u8,
        })
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Extension<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(label) = self.label() {
                return Some(Extension::Mpls(label));
            }
            let len = usize::from(self.objects.be_u16().ok()?);
            let (class, subtype) = (self.objects.u8().ok()?, self.objects.u8().ok()?);
            let octets = self.objects.take(len.checked_sub(OBJECT_HEADER)?).ok()?;
            if (class, subtype) != (1, 1) {
                return Some(Extension::Other { class, subtype, octets });
            }
            self.labels = Reader::new("mpls", octets);
        }
    }
}
