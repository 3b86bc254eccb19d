//! The distinguished encoding of ASN.1 (X.690): a tag, a length, the value.

use crate::{Malformed, Reader};

/// A tag of one octet; what is read here has no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag(pub(crate) u8);

impl Tag {
    pub(crate) const BOOLEAN: Self = Self(0x01);
    pub(crate) const INTEGER: Self = Self(0x02);
    pub(crate) const BIT_STRING: Self = Self(0x03);
    pub(crate) const OCTET_STRING: Self = Self(0x04);
    pub(crate) const OBJECT_IDENTIFIER: Self = Self(0x06);
    pub(crate) const UTC_TIME: Self = Self(0x17);
    pub(crate) const GENERALIZED_TIME: Self = Self(0x18);
    pub(crate) const SEQUENCE: Self = Self(0x30);
    pub(crate) const SET: Self = Self(0x31);

    /// A field that its number names, and that holds others.
    pub(crate) const fn context(number: u8) -> Self {
        Self(0xa0 | number)
    }

    /// A field that its number names, and that is one value.
    pub(crate) const fn context_primitive(number: u8) -> Self {
        Self(0x80 | number)
    }
}

/// Values one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Der<'a> {
    what: &'static str,
    rest: Reader<'a>,
}

impl<'a> Der<'a> {
    /// Reads `octets`; `what` names them in errors.
    pub(crate) fn new(what: &'static str, octets: &'a [u8]) -> Self {
        Self { what, rest: Reader::new(what, octets) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next value with its tag.
    pub(crate) fn next(&mut self) -> Result<(Tag, &'a [u8]), Malformed> {
        let tag = self.rest.u8()?;
        let len = match self.rest.u8()? {
            short @ 0..=0x7f => usize::from(short),
            0x81 => usize::from(self.rest.u8()?),
            0x82 => usize::from(self.rest.be_u16()?),
            0x83 => {
                let [high, middle, low] = self.rest.array::<3>()?;
                usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low)
            }
            // Without a length, or longer than any message of TLS.
            _ => return Err(self.rest.malformed()),
        };
        Ok((Tag(tag), self.rest.take(len)?))
    }

    /// The next value, which has to have this tag.
    pub(crate) fn expect(&mut self, tag: Tag) -> Result<&'a [u8], Malformed> {
        let malformed = self.rest.malformed();
        let (found, value) = self.next()?;
        if found == tag { Ok(value) } else { Err(malformed) }
    }

    /// The next value if it has this tag.
    pub(crate) fn optional(&mut self, tag: Tag) -> Result<Option<&'a [u8]>, Malformed> {
        if self.rest.rest().first() == Some(&tag.0) { self.expect(tag).map(Some) } else { Ok(None) }
    }

    /// What is in the next value, a sequence.
    pub(crate) fn sequence(&mut self) -> Result<Self, Malformed> {
        Ok(Self::new(self.what, self.expect(Tag::SEQUENCE)?))
    }

    /// A whole number that is not negative, without leading zeros.
    pub(crate) fn unsigned(&mut self) -> Result<&'a [u8], Malformed> {
        let malformed = self.rest.malformed();
        let number = self.expect(Tag::INTEGER)?;
        if number.first().is_none_or(|first| *first > 0x7f) {
            return Err(malformed);
        }
        let first = number.iter().position(|octet| *octet != 0).unwrap_or(number.len());
        Ok(number.get(first..).unwrap_or_default())
    }

    /// A moment, in seconds since 1970: `YYMMDDhhmmssZ` until 2049, `YYYYMMDDhhmmssZ` after that (RFC 5280, section
    /// 4.1.2.5).
    pub(crate) fn time(&mut self) -> Result<i64, Malformed> {
        let malformed = self.rest.malformed();
        let (tag, text) = self.next()?;
        let (year, rest) = match (tag, text.len()) {
            (Tag::UTC_TIME, 13) => {
                let (year, rest) = two(text).ok_or(malformed)?;
                (if year < 50 { 2_000 + year } else { 1_900 + year }, rest)
            }
            (Tag::GENERALIZED_TIME, 15) => {
                let (century, rest) = two(text).ok_or(malformed)?;
                let (year, rest) = two(rest).ok_or(malformed)?;
                (century * 100 + year, rest)
            }
            _ => return Err(malformed),
        };
        moment(year, rest).ok_or(malformed)
    }
}

fn two(text: &[u8]) -> Option<(i64, &[u8])> {
    let ([tens, ones], rest) = text.split_first_chunk::<2>()?;
    let is_number = tens.is_ascii_digit() && ones.is_ascii_digit();
    is_number.then(|| (i64::from(tens - b'0') * 10 + i64::from(ones - b'0'), rest))
}

fn moment(year: i64, text: &[u8]) -> Option<i64> {
    let (month, text) = two(text)?;
    let (day, text) = two(text)?;
    let (hour, text) = two(text)?;
    let (minute, text) = two(text)?;
    let (second, text) = two(text)?;
    let is_moment = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    let days = days_since_1970(year, month, day);
    (is_moment && text == b"Z").then_some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// Days of the Gregorian calendar, with years that begin in March, so that a leap day is a year's last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let era_days = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    era_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}
