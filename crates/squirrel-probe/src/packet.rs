//! The payload of an echo: which run of which program asked, so that nobody else's answer is taken for ours.

use squirrel_wire::icmp::{Echo, Family, write_echo_request};

/// Octets of a payload that are ours; what follows is filling.
pub const TAG: usize = 16;

/// Largest payload: what an IP packet of 65,535 octets leaves.
pub const MAX_PAYLOAD: usize = 65_507;

/// What tells our echoes from others': a random number of this run, which target, and which of its questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Random, of this run: an answer that somebody made up does not have it.
    pub run: u64,
    /// Which target.
    pub target: u32,
    /// Which question to it, counted from 0.
    pub question: u32,
}

impl Tag {
    /// Writes an echo request with a payload of `size` octets, and gives its length. A payload shorter than the tag
    /// holds its beginning only.
    pub fn write(self, family: Family, identifier: u16, size: usize, out: &mut Vec<u8>) -> usize {
        let mut payload = vec![0_u8; size.min(MAX_PAYLOAD)];
        for (place, octet) in payload.iter_mut().zip(self.octets().into_iter().chain((0..=u8::MAX).cycle())) {
            *place = octet;
        }
        out.resize(payload.len() + squirrel_wire::icmp::ECHO_HEADER, 0);
        let echo = Echo { identifier, sequence: self.question as u16, payload: &payload };
        write_echo_request(family, echo, out).unwrap_or(0)
    }

    /// Whether an answer repeats this tag, as far as its payload reaches, `size` octets having been asked for.
    pub fn is_in(self, payload: &[u8], size: usize) -> bool {
        let expected = self.octets();
        let len = size.min(TAG);
        payload.get(..len) == expected.get(..len)
    }

    /// The target and question that an answer names, if it is of this run and long enough to say so.
    pub fn read(run: u64, payload: &[u8]) -> Option<Self> {
        let (own, rest) = payload.split_first_chunk::<8>()?;
        let (target, rest) = rest.split_first_chunk::<4>()?;
        let question = rest.first_chunk::<4>()?;
        let tag = Self {
            run: u64::from_be_bytes(*own),
            target: u32::from_be_bytes(*target),
            question: u32::from_be_bytes(*question),
        };
        (tag.run == run).then_some(tag)
    }

    pub(crate) fn octets(self) -> [u8; TAG] {
        let mut octets = [0; TAG];
        let parts =
            self.run.to_be_bytes().into_iter().chain(self.target.to_be_bytes()).chain(self.question.to_be_bytes());
        for (place, octet) in octets.iter_mut().zip(parts) {
            *place = octet;
        }
        octets
    }
}

#[cfg(test)]
mod tests {
    use squirrel_wire::icmp::Message;

    use super::*;

    const TAG_OF_TEST: Tag = Tag { run: 0x0102_0304_0506_0708, target: 9, question: 70_000 };

    #[test]
    fn an_answer_names_its_question() {
        let mut out = Vec::new();
        let len = TAG_OF_TEST.write(Family::V4, 5, 56, &mut out);
        assert_eq!(len, 64);
        let Ok(Message::EchoRequest(echo)) = Message::parse(Family::V4, &out) else { panic!("{out:?}") };
        assert_eq!(echo.sequence, 4464, "the lower half of the question's number");
        assert_eq!(Tag::read(TAG_OF_TEST.run, echo.payload), Some(TAG_OF_TEST));
        assert_eq!(Tag::read(1, echo.payload), None, "another run's");
        assert!(TAG_OF_TEST.is_in(echo.payload, 56));
    }

    #[test]
    fn a_short_payload_is_known_by_its_beginning() {
        let mut out = Vec::new();
        TAG_OF_TEST.write(Family::V6, 5, 3, &mut out);
        assert_eq!(out.len(), 11);
        assert!(TAG_OF_TEST.is_in(&out[8..], 3));
        assert!(!TAG_OF_TEST.is_in(&[1, 2], 3), "an answer that is cut");
        assert!(!TAG_OF_TEST.is_in(&[1, 2, 4], 3));
        assert!(TAG_OF_TEST.is_in(&[], 0), "nothing was asked to be repeated");
    }
}
