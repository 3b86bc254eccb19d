//! Where in the query's text something stands.

use std::fmt;

/// A piece of the query's text: bytes `start..end`, and the place of its first character as a
/// person counts it. Each node of the tree has one, so that errors and warnings point at the place
/// without the text at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
    /// Line of the first character, from 1.
    pub line: u32,
    /// Character within that line, from 1.
    pub column: u32,
}

impl Span {
    /// From the beginning of this piece to the end of `last`.
    #[must_use]
    pub fn to(self, last: Self) -> Self {
        Self { end: last.end.max(self.end), ..self }
    }
}

impl Default for Span {
    fn default() -> Self {
        Self { start: 0, end: 0, line: 1, column: 1 }
    }
}

/// `line:column`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
