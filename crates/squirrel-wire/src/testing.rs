//! What the tests of several decoders share.

use std::vec::Vec;

use crate::netlink::{HEADER_LEN, aligned, request_header};

/// An attribute with its padding.
pub(crate) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut octets = u16::try_from(value.len() + 4).unwrap().to_ne_bytes().to_vec();
    octets.extend_from_slice(&kind.to_ne_bytes());
    octets.extend_from_slice(value);
    octets.resize(aligned(octets.len()), 0);
    octets
}

/// A message with its padding.
pub(crate) fn message(message_type: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut octets = request_header(message_type, 0, sequence, payload.len()).to_vec();
    octets.extend_from_slice(payload);
    octets.resize(aligned(HEADER_LEN + payload.len()), 0);
    octets
}

/// Runs `decode` on every prefix of `octets`, so that a panic shows, and returns how many prefixes
/// were accepted.
pub(crate) fn truncated_everywhere<T, E>(octets: &[u8], decode: impl Fn(&[u8]) -> Result<T, E>) -> usize {
    (0..octets.len()).filter(|len| decode(&octets[..*len]).is_ok()).count()
}
