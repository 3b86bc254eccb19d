//! The secret that a request shows.

/// A secret that applications send with each report, and others with each change. It is never shown.
pub struct Token(Vec<u8>);

impl Token {
    /// The shortest that is taken, in octets: shorter ones can be guessed.
    pub const SHORTEST: usize = 16;

    /// A token of these octets; none when they are too few, or cannot stand in a header.
    pub fn new(text: &str) -> Option<Self> {
        let fits = text.len() >= Self::SHORTEST && text.bytes().all(|octet| octet.is_ascii_graphic());
        fits.then(|| Self(text.as_bytes().to_vec()))
    }

    /// Whether an `Authorization` header has it. The time that this takes says nothing of the token but its
    /// length.
    pub(crate) fn fits(&self, authorization: &[u8]) -> bool {
        let Some((scheme, sent)) = authorization.split_at_checked(b"Bearer ".len()) else { return false };
        let differs = self.0.iter().zip(sent).fold(0, |differs, (ours, theirs)| differs | (ours ^ theirs));
        scheme.eq_ignore_ascii_case(b"Bearer ") && self.0.len() == sent.len() && differs == 0
    }
}
