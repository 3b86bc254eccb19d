//! A document of JSON behind its length, 32 bits in network order, read as it comes.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ProtocolError;

/// Octets of the longest document: the results of 256 streams need a tenth of it.
pub const MOST_OCTETS: u32 = 1 << 20;

/// A document that is being received.
#[derive(Clone, Debug)]
pub struct Document {
    what: &'static str,
    octets: Vec<u8>,
}

impl Document {
    /// One of which nothing has come.
    pub fn new(what: &'static str) -> Self {
        Self { what, octets: Vec::new() }
    }

    /// Takes what belongs to it from the front of `input`; gives the document when it is whole.
    ///
    /// # Errors
    /// Too long, or not what it should be. JSON that is nested deeper than 128 is refused too.
    pub fn take<T: DeserializeOwned>(&mut self, input: &mut &[u8]) -> Result<Option<T>, ProtocolError> {
        self.fill(input, 4);
        let Some(length) = self.octets.first_chunk::<4>().map(|four| u32::from_be_bytes(*four)) else {
            return Ok(None);
        };
        if length > MOST_OCTETS {
            return Err(ProtocolError::TooLong { what: self.what, octets: length });
        }
        let whole = 4 + length as usize;
        self.fill(input, whole);
        if self.octets.len() < whole {
            return Ok(None);
        }
        let not_read = |error: serde_json::Error| ProtocolError::NotRead {
            what: self.what,
            line: error.line(),
            column: error.column(),
        };
        serde_json::from_slice(self.octets.get(4..).unwrap_or_default()).map(Some).map_err(not_read)
    }

    fn fill(&mut self, input: &mut &[u8], wanted: usize) {
        let missing = wanted.saturating_sub(self.octets.len()).min(input.len());
        let (mine, rest) = input.split_at(missing);
        self.octets.extend_from_slice(mine);
        *input = rest;
    }
}

/// A document as it is sent.
pub(super) fn written(value: &impl Serialize) -> Vec<u8> {
    // Our documents have nothing that JSON does not know; an empty one would be refused by the other side.
    let text = serde_json::to_vec(value).unwrap_or_default();
    let mut octets = u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    octets.extend(text);
    octets
}
