//! Segments of TCP (RFC 9293): the one that asks for a connection written, those that answer or are quoted read.

use core::net::IpAddr;

use crate::icmp::checksum;
use crate::{Malformed, Reader};

/// Octets of a segment that asks for a connection: the header, and the option that every stack sends.
pub const SYN: usize = 24;

/// Number of the protocol in the header of IP.
pub const PROTOCOL: u8 = 6;

/// The largest segment that this end takes, as it is announced: what a path of 1,500 octets leaves to IPv4.
const MSS: u16 = 1460;

/// The flags of an answer: SYN and ACK, or RST and ACK; and those that tell, FIN among them.
const SYN_ACK: u8 = 0x12;
const RST_ACK: u8 = 0x14;
const TELLING: u8 = 0x17;

/// What the first eight octets of each segment say; errors of ICMP quote at least those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Port of the sender.
    pub source_port: u16,
    /// Port of the receiver.
    pub destination_port: u16,
    /// Sequence number of the first octet, or of SYN.
    pub sequence: u32,
}

impl Start {
    /// Reads the beginning of a segment.
    ///
    /// # Errors
    /// When it ends within the sequence number.
    pub fn parse(octets: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("tcp", octets);
        let (source_port, destination_port) = (reader.be_u16()?, reader.be_u16()?);
        Ok(Self { source_port, destination_port, sequence: u32::from_be_bytes(reader.array()?) })
    }
}

/// What an answer to the question for a connection says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Somebody listens: SYN and ACK.
    Accepted,
    /// Nobody does, or a filter says so: RST and ACK.
    Refused,
}

/// An answer to a question for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Port that was asked.
    pub source_port: u16,
    /// Port that asked.
    pub destination_port: u16,
    /// Sequence number of the question.
    pub asked: u32,
    /// What it says.
    pub verdict: Verdict,
}

impl Answer {
    /// Reads a segment; none when it is of a connection that stands, or answers nothing.
    ///
    /// # Errors
    /// When it ends within the header's flags.
    pub fn parse(octets: &[u8]) -> Result<Option<Self>, Malformed> {
        let start = Start::parse(octets)?;
        let mut reader = Reader::new("tcp", octets);
        reader.skip(8)?;
        let acknowledged = u32::from_be_bytes(reader.array()?);
        reader.skip(1)?;
        let flags = reader.u8()?;
        let verdict = match flags & TELLING {
            SYN_ACK => Verdict::Accepted,
            RST_ACK => Verdict::Refused,
            _ => return Ok(None),
        };
        Ok(Some(Self {
            source_port: start.source_port,
            destination_port: start.destination_port,
            asked: acknowledged.wrapping_sub(1),
            verdict,
        }))
    }
}

/// Writes a segment that asks for a connection, with its checksum, which covers the addresses too. Both addresses are
/// of one IP.
pub fn write_syn(start: Start, source: IpAddr, destination: IpAddr) -> [u8; SYN] {
    let [from_high, from_low] = start.source_port.to_be_bytes();
    let [to_high, to_low] = start.destination_port.to_be_bytes();
    let [first, second, third, fourth] = start.sequence.to_be_bytes();
    let [mss_high, mss_low] = MSS.to_be_bytes();
    let mut segment = [
        from_high, from_low, to_high, to_low, first, second, third, fourth, 0, 0, 0, 0, 0x60, 0x02, 0xFF, 0xFF, 0, 0,
        0, 0, 2, 4, mss_high, mss_low,
    ];
    let [sum_high, sum_low] = checksum(&with_addresses(&segment, source, destination)).to_be_bytes();
    // Octets 16 and 17: the checksum.
    if let Some(place) = segment.get_mut(16..18) {
        place.copy_from_slice(&[sum_high, sum_low]);
    }
    segment
}

/// What the checksum is made of: the addresses, the length and the protocol before the segment. The order of words
/// does not matter to it, so one form stands for that of IPv4 (RFC 9293, section 3.1) and of IPv6 (RFC 8200, 8.1).
fn with_addresses(segment: &[u8; SYN], source: IpAddr, destination: IpAddr) -> [u8; 36 + SYN] {
    let mut whole = [0; 36 + SYN];
    let mut put = |at: usize, octets: &[u8]| {
        if let Some(place) = whole.get_mut(at..at + octets.len()) {
            place.copy_from_slice(octets);
        }
    };
    for (at, address) in [(0, source), (16, destination)] {
        match address {
            IpAddr::V4(v4) => put(at, &v4.octets()),
            IpAddr::V6(v6) => put(at, &v6.octets()),
        }
    }
    put(32, &[0, PROTOCOL, 0, SYN as u8]);
    put(36, segment);
    whole
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_question_has_the_checksum_that_receivers_compute() {
        let start = Start { source_port: 0x1234, destination_port: 80, sequence: 0xDEAD_BEEF };
        for [source, destination] in [["10.77.0.1", "10.77.3.2"], ["fd77::1", "fd77:3::2"]] {
            let [source, destination] = [source, destination].map(|one| one.parse::<IpAddr>().unwrap());
            let segment = write_syn(start, source, destination);
            assert_eq!(Start::parse(&segment), Ok(start));
            assert_eq!(checksum(&with_addresses(&segment, source, destination)), 0);
            assert_eq!(segment[13], 2, "SYN alone");
        }
        // Addresses, protocol and length, then the segment's own words: folded and complemented.
        let v4 = write_syn(start, "10.77.0.1".parse().unwrap(), "10.77.3.2".parse().unwrap());
        let words = [0x0a4d, 1, 0x0a4d, 0x0302, 6, 0x18, 0x1234, 0x50, 0xdead, 0xbeef, 0x6002, 0xffff, 0x0204, 0x05b4];
        let sum: u32 = words.iter().sum();
        assert_eq!(u16::from_be_bytes([v4[16], v4[17]]), !((sum & 0xFFFF) + (sum >> 16)) as u16);
    }

    #[test]
    fn an_answer_names_its_question_and_other_segments_are_none() {
        let mut segment = write_syn(
            Start { source_port: 80, destination_port: 0x1234, sequence: 7 },
            "192.0.2.1".parse().unwrap(),
            "192.0.2.2".parse().unwrap(),
        );
        segment[8..12].copy_from_slice(&0_u32.to_be_bytes());
        for (flags, verdict) in
            [(0x12, Some(Verdict::Accepted)), (0x14, Some(Verdict::Refused)), (0x10, None), (0x04, None), (0x02, None)]
        {
            segment[13] = flags;
            let found = Answer::parse(&segment).unwrap();
            assert_eq!(found.map(|one| one.verdict), verdict, "{flags:#x}");
            assert!(found.is_none_or(|one| (one.source_port, one.asked) == (80, u32::MAX)));
        }
        // Congestion flags beside SYN and ACK change nothing.
        segment[13] = 0x52;
        assert!(Answer::parse(&segment).unwrap().is_some());
    }

    proptest! {
        #[test]
        fn any_octets_are_survived(octets in proptest::collection::vec(any::<u8>(), 0..40)) {
            let (start, answer) = (Start::parse(&octets), Answer::parse(&octets));
            prop_assert_eq!(start.is_ok(), octets.len() >= 8);
            prop_assert_eq!(answer.is_ok(), octets.len() >= 14);
        }
    }
}
