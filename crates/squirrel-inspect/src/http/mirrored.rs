//! What a head of streamable HTTP repeats of its body: the headers `Mcp-Method` and `Mcp-Name` of the
//! revision 2026-07-28, by which messages are known without reading them.

use crate::Conformance;
use crate::json::scan::Found;
use crate::json::text::Text;

/// Octets of a name that are compared; of a longer one nothing is said.
pub(super) const NAME: usize = 128;

/// What a head says of the message in its body.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Expected {
    pub(crate) method: Option<Text<64>>,
    /// The tool, the prompt or the resource.
    pub(crate) name: Option<Text<NAME>>,
    /// The revision in which both must be there.
    pub(crate) required: bool,
}

impl Expected {
    /// What is wrong with the head, now that the message is known.
    pub(crate) fn fault(&self, found: &Found) -> Option<Conformance> {
        let method = found.method.as_ref().and_then(Text::text)?;
        let named = match method {
            "tools/call" | "prompts/get" => found.name.as_ref().and_then(Text::text),
            "resources/read" => found.uri.as_ref().and_then(Text::text),
            _ => None,
        };
        let missing = self.method.is_none() || (named.is_some() && self.name.is_none());
        let differs = |said: Option<&str>, meant: &str| said.is_some_and(|said| said != meant);
        if self.required && missing {
            Some(Conformance::MissingHeader)
        } else if differs(self.method.as_ref().and_then(Text::text), method)
            || named.is_some_and(|named| differs(self.name.as_ref().and_then(Text::text), named))
        {
            Some(Conformance::WrongHeader)
        } else {
            None
        }
    }
}

/// A name as a header has it: as it is, or in Base64 between `=?base64?` and `?=`.
pub(super) fn name(value: &[u8]) -> Text<NAME> {
    let mut text = Text::default();
    let coded = value.strip_prefix(b"=?base64?").and_then(|rest| rest.strip_suffix(b"?="));
    match coded {
        None => text.push(value),
        // What is no Base64 is taken as it stands: it will differ from the body.
        Some(coded) if !decode(coded, &mut text) => {
            text.clear();
            text.push(value);
        }
        Some(_) => {}
    }
    text
}

/// RFC 4648, section 4. Whether it is well-formed.
fn decode(coded: &[u8], text: &mut Text<NAME>) -> bool {
    let digits = coded.strip_suffix(b"==").or_else(|| coded.strip_suffix(b"=")).unwrap_or(coded);
    if coded.len() % 4 != 0 || digits.len() % 4 == 1 {
        return false;
    }
    for group in digits.chunks(4) {
        let mut bits = 0_u32;
        for digit in group {
            let Some(value) = sextet(*digit) else { return false };
            bits = (bits << 6) | value;
        }
        bits <<= 6 * (4 - group.len());
        let [_, octets @ ..] = bits.to_be_bytes();
        text.push(octets.get(..group.len() - 1).unwrap_or_default());
    }
    true
}

fn sextet(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_as_the_specification_writes_them() {
        let cases = [
            ("get_weather", Some("get_weather")),
            ("=?base64?SGVsbG8sIOS4lueVjA==?=", Some("Hello, 世界")),
            ("=?base64?IHBhZGRlZCA=?=", Some(" padded ")),
            ("=?base64?bGluZTEKbGluZTI=?=", Some("line1\nline2")),
            ("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", Some("=?base64?literal?=")),
            ("=?base64?bad*?=", Some("=?base64?bad*?=")),
            ("=?base64?/w==?=", None),
            ("=?base64??=", Some("")),
        ];
        for (header, meant) in cases {
            assert_eq!(name(header.as_bytes()).text(), meant, "{header}");
        }
    }
}
