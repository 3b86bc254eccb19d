//! What a message says, and how its identifiers and numbers are written.

use super::super::text::Text;
use crate::Limits;
use crate::event::Faults;

/// An identifier of JSON-RPC. A number and a string that look alike are different.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Id {
    #[default]
    Absent,
    Null,
    Number(i64),
    /// A string, or a number that is not whole, as it is written.
    Text {
        text: Text<{ Limits::MAX_ID }>,
        number: bool,
    },
    /// Too long to be kept.
    Long,
    /// Neither a string nor a number.
    Bad,
}

/// What a message says.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each says whether one member is there")]
pub(crate) struct Found {
    /// Whether `jsonrpc` is `"2.0"`.
    pub(crate) version: bool,
    pub(crate) id: Id,
    pub(crate) method: Option<Text<{ Limits::MAX_NAME }>>,
    /// A member `result` is there.
    pub(crate) outcome: bool,
    /// A member `error` is there.
    pub(crate) error: bool,
    /// `error.code`.
    pub(crate) code: Option<i64>,
    /// `params.name`.
    pub(crate) name: Option<Text<{ Limits::MAX_NAME }>>,
    /// `params.uri`.
    pub(crate) uri: Option<Text<{ Limits::MAX_ID }>>,
    /// `params.requestId`.
    pub(crate) request_id: Id,
    /// `params.protocolVersion` or `result.protocolVersion`.
    pub(crate) revision: Option<Text<32>>,
    /// `params._meta` says which revision.
    pub(crate) meta_revision: Option<Text<32>>,
    /// `result.isError` is `true`.
    pub(crate) is_error: bool,
    pub(crate) faults: Faults,
    pub(super) seen: u16,
}

impl Found {
    /// As new, but without touching the texts.
    pub(super) fn clear(&mut self) {
        (self.version, self.outcome, self.error, self.is_error) = (false, false, false, false);
        (self.id, self.request_id) = (Id::Absent, Id::Absent);
        (self.method, self.name, self.uri) = (None, None, None);
        (self.revision, self.meta_revision) = (None, None);
        self.code = None;
        self.faults = Faults::default();
        self.seen = 0;
    }
}

#[inline]
pub(super) fn is_delimiter(octet: u8) -> bool {
    matches!(octet, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' | b'"' | b':' | b'{' | b'[')
}

/// The grammar of RFC 8259, section 6.
pub(super) fn is_number(text: &[u8]) -> bool {
    let digits = |text: &mut &[u8]| {
        let count = text.iter().take_while(|octet| octet.is_ascii_digit()).count();
        *text = text.get(count..).unwrap_or_default();
        count
    };
    let mut rest = text.strip_prefix(b"-").unwrap_or(text);
    let leading_zero = rest.first() == Some(&b'0');
    let whole = digits(&mut rest);
    if whole == 0 || (leading_zero && whole > 1) {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        rest = fraction;
        if digits(&mut rest) == 0 {
            return false;
        }
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        rest = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        if digits(&mut rest) == 0 {
            return false;
        }
    }
    rest.is_empty()
}

/// An identifier that is a string. One that is not whole is only known to be long.
pub(super) fn text_id(octets: &[u8], is_whole: bool) -> Id {
    let mut text = Text::default();
    text.push(octets);
    if is_whole && !text.is_overflown() { Id::Text { text, number: false } } else { Id::Long }
}

/// An identifier that is no string.
pub(super) fn literal_id(octets: &[u8], is_whole: bool) -> Id {
    match octets {
        b"null" => Id::Null,
        b"true" | b"false" => Id::Bad,
        _ if !is_whole || octets.len() > Limits::MAX_ID => Id::Long,
        _ => {
            if let Some(number) = small(octets) {
                return Id::Number(number);
            }
            if !is_number(octets) {
                return Id::Bad;
            }
            let mut text = Text::default();
            text.push(octets);
            whole(octets).map_or(Id::Text { text, number: true }, Id::Number)
        }
    }
}

/// A number of a few digits, as nearly all are.
#[inline]
pub(super) fn small(octets: &[u8]) -> Option<i64> {
    let leading_zero = octets.len() > 1 && octets.first() == Some(&b'0');
    if octets.is_empty() || octets.len() > 15 || leading_zero {
        return None;
    }
    let mut number = 0_i64;
    for octet in octets {
        let digit = octet.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + i64::from(digit);
    }
    Some(number)
}

/// A whole number, also when it is written as `1.0` or `1e3`: libraries that know one type of number
/// may give an identifier back in another form.
pub(super) fn whole(octets: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(octets).ok()?;
    let exactly = text.parse().ok();
    let in_effect = || {
        let number: f64 = text.parse().ok()?;
        (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
    };
    exactly.or_else(in_effect)
}
