//! Texts as the kernel stores them: octets, usually UTF-8, not always.

use core::fmt;

/// A name or alias from the kernel, without its terminating NUL. Nothing is promised about its
/// content: the kernel accepts any octets in an alias and almost any in a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// The octets up to the first NUL, or all of them.
    pub fn until_nul(octets: &'a [u8]) -> Self {
        Self(octets.split(|octet| *octet == 0).next().unwrap_or_default())
    }

    /// All of the octets, those that are NUL among them.
    pub fn whole(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The octets as they are.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The text, if it is valid UTF-8.
    pub fn as_str(self) -> Option<&'a str> {
        core::str::from_utf8(self.0).ok()
    }

    /// Whether there is no octet.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// What is not UTF-8 is shown as U+FFFD, one for each broken sequence.
impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_str("\u{FFFD}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString as _;

    #[test]
    fn a_text_ends_at_its_nul_and_need_not_have_one() {
        assert_eq!(Text::until_nul(b"eth0\0junk"), "eth0");
        assert_eq!(Text::until_nul(b"eth0"), "eth0");
        assert!(Text::until_nul(b"\0").is_empty() && Text::until_nul(b"").is_empty());
    }

    #[test]
    fn broken_utf8_is_shown_as_replacement_characters() {
        assert_eq!(Text::until_nul(b"a\xff\xc3\xa4").to_string(), "a\u{FFFD}ä");
        assert_eq!(Text::until_nul(b"\xff").as_str(), None);
    }
}
