//! Short texts in place, and the reading of JSON's strings into them.

use crate::octets::find_text_end;

/// A text of at most `N` octets; a longer one is only known to be longer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<const N: usize> {
    octets: [u8; N],
    length: usize,
    overflown: bool,
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self { octets: [0; N], length: 0, overflown: false }
    }
}

impl<const N: usize> Text<N> {
    pub(crate) fn clear(&mut self) {
        self.length = 0;
        self.overflown = false;
    }

    pub(crate) fn push(&mut self, more: &[u8]) {
        match self.octets.get_mut(self.length..self.length + more.len()) {
            Some(room) if !self.overflown => {
                room.copy_from_slice(more);
                self.length += more.len();
            }
            _ => self.overflown = true,
        }
    }

    /// Holds these octets instead. `is_whole` says whether they are all of the text.
    pub(crate) fn replace(&mut self, octets: &[u8], is_whole: bool) {
        self.clear();
        self.overflown = !is_whole;
        self.push(octets);
    }

    /// What was pushed; not all of it when it has overflown.
    pub(crate) fn octets(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }

    /// The text, when it is whole and UTF-8.
    pub(crate) fn text(&self) -> Option<&str> {
        if self.overflown { None } else { std::str::from_utf8(self.octets()).ok() }
    }

    pub(crate) fn is_overflown(&self) -> bool {
        self.overflown
    }
}

/// Reads the inside of a JSON string, with its escapes (RFC 8259, section 7).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unescape {
    state: Escape,
    /// The first half of a pair of surrogates.
    high: Option<u16>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Escape {
    #[default]
    None,
    Backslash,
    /// After `\u`: digits seen, and their value.
    Unicode(u8, u16),
}

/// What became of the octets shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All were taken, and the string goes on.
    More,
    /// The string ended after so many octets, its quotation mark included.
    Ended(usize),
    /// There is an escape that JSON does not have.
    Bad,
}

impl Unescape {
    /// Appends to `text` up to the closing quotation mark.
    pub(crate) fn read<const N: usize>(&mut self, octets: &[u8], text: &mut Text<N>) -> Progress {
        let mut at = 0;
        while let Some(octet) = octets.get(at).copied() {
            match self.state {
                Escape::None => {
                    let rest = octets.get(at..).unwrap_or_default();
                    let plain = find_text_end(rest);
                    if plain > 0 {
                        self.lone(text);
                        text.push(rest.get(..plain).unwrap_or_default());
                    }
                    at += plain;
                    match rest.get(plain) {
                        None => return Progress::More,
                        Some(b'"') => {
                            self.lone(text);
                            return Progress::Ended(at + 1);
                        }
                        Some(_) => self.state = Escape::Backslash,
                    }
                    at += 1;
                    continue;
                }
                Escape::Backslash => {
                    if octet == b'u' {
                        self.state = Escape::Unicode(0, 0);
                    } else {
                        let Some(plain) = simple_escape(octet) else { return Progress::Bad };
                        self.lone(text);
                        text.push(&[plain]);
                        self.state = Escape::None;
                    }
                }
                Escape::Unicode(digits, value) => {
                    let Some(digit) = char::from(octet).to_digit(16) else { return Progress::Bad };
                    let value = (value << 4) | digit as u16;
                    self.state = if digits == 3 { Escape::None } else { Escape::Unicode(digits + 1, value) };
                    if digits == 3 {
                        self.unit(value, text);
                    }
                }
            }
            at += 1;
        }
        Progress::More
    }

    /// A unit of UTF-16: a character, or half of one.
    fn unit<const N: usize>(&mut self, unit: u16, text: &mut Text<N>) {
        match (self.high.take(), unit) {
            (Some(high), 0xdc00..=0xdfff) => {
                let code = 0x1_0000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(unit) - 0xdc00);
                push_character(code, text);
            }
            (high, unit) => {
                if high.is_some() {
                    push_character(0xfffd, text);
                }
                if (0xd800..=0xdbff).contains(&unit) {
                    self.high = Some(unit);
                } else {
                    push_character(u32::from(unit), text);
                }
            }
        }
    }

    /// Half a pair without its other half is the replacement character.
    fn lone<const N: usize>(&mut self, text: &mut Text<N>) {
        if self.high.take().is_some() {
            push_character(0xfffd, text);
        }
    }
}

fn simple_escape(octet: u8) -> Option<u8> {
    Some(match octet {
        b'"' | b'\\' | b'/' => octet,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return None,
    })
}

fn push_character<const N: usize>(code: u32, text: &mut Text<N>) {
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    text.push(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(inside: &str) -> (Option<String>, Progress) {
        let (mut text, mut whole) = (Text::<16>::default(), Progress::More);
        let mut unescape = Unescape::default();
        // One octet at a time: every cut at once.
        for octet in inside.as_bytes() {
            whole = unescape.read(&[*octet], &mut text);
            if whole != Progress::More {
                break;
            }
        }
        let mut at_once = Text::<16>::default();
        let progress = Unescape::default().read(inside.as_bytes(), &mut at_once);
        assert_eq!(at_once.text(), text.text(), "{inside}");
        assert_eq!(matches!(progress, Progress::Ended(_)), matches!(whole, Progress::Ended(_)), "{inside}");
        (at_once.text().map(str::to_string), progress)
    }

    #[test]
    fn strings_are_read_as_json_means_them() {
        let cases = [
            ("plain\"", Some("plain"), Progress::Ended(6)),
            ("\"", Some(""), Progress::Ended(1)),
            (r#"a\"b\\""#, Some("a\"b\\"), Progress::Ended(7)),
            (r#"\n\t\/\b\f\r""#, Some("\n\t/\u{8}\u{c}\r"), Progress::Ended(13)),
            (r#"\u006eame""#, Some("name"), Progress::Ended(10)),
            (r#"\uD83D\uDC3F""#, Some("🐿"), Progress::Ended(13)),
            (r#"\ud83dx""#, Some("\u{fffd}x"), Progress::Ended(8)),
            (r#"\ud83d""#, Some("\u{fffd}"), Progress::Ended(7)),
            (r#"\ud83d\n""#, Some("\u{fffd}\n"), Progress::Ended(9)),
            (r#"\udc3f""#, Some("\u{fffd}"), Progress::Ended(7)),
            ("sixteen octets..\"", Some("sixteen octets.."), Progress::Ended(17)),
            ("seventeen octets.\"", None, Progress::Ended(18)),
            ("open", Some("open"), Progress::More),
            (r"\x", Some(""), Progress::Bad),
            (r"\u00g0", Some(""), Progress::Bad),
        ];
        for (inside, text, progress) in cases {
            assert_eq!(read(inside), (text.map(str::to_string), progress), "{inside}");
        }
    }
}
