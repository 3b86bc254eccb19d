//! ICMP for IPv4 (RFC 792) and IPv6 (RFC 4443): echoes, and errors with what they quote and what they add.

mod extension;
mod quoted;

pub use extension::{Extension, Extensions, MplsLabel};
pub use quoted::{Quoted, ipv4_payload};

use crate::{Malformed, Reader};

/// Which of the two ICMPs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// ICMP over IPv4.
    V4,
    /// ICMPv6.
    V6,
}

/// An echo, without its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo<'a> {
    /// Which conversation; on an unprivileged socket the kernel chooses it.
    pub identifier: u16,
    /// Which request of the conversation.
    pub sequence: u16,
    /// What the asker put in, which the answer repeats.
    pub payload: &'a [u8],
}

/// What an ICMP error says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// The time to live ran out on the way: the sender is a hop of the path.
    TimeExceeded,
    /// No way to the network.
    NetworkUnreachable,
    /// No answer from the host.
    HostUnreachable,
    /// Nobody listens at the port: the datagram arrived.
    PortUnreachable,
    /// The protocol is not spoken there: the datagram arrived.
    ProtocolUnreachable,
    /// A filter forbids it.
    Prohibited,
    /// The packet is larger than the next link takes.
    TooBig,
    /// Another type or code.
    Other,
}

impl ErrorKind {
    /// A word for programs, and what it means for people.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::TimeExceeded => ("time_exceeded", "the time to live ran out here"),
            Self::NetworkUnreachable => ("network_unreachable", "no way to the network"),
            Self::HostUnreachable => ("host_unreachable", "the host does not answer"),
            Self::PortUnreachable => ("port_unreachable", "nobody listens there"),
            Self::ProtocolUnreachable => ("protocol_unreachable", "the protocol is not spoken there"),
            Self::Prohibited => ("prohibited", "a filter forbids it"),
            Self::TooBig => ("too_big", "the packet is too large"),
            Self::Other => ("other", "it cannot be delivered"),
        }
    }
}

/// An error that a host on the way sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError<'a> {
    /// What it says.
    pub kind: ErrorKind,
    /// The type as it was sent.
    pub icmp_type: u8,
    /// The code as it was sent.
    pub code: u8,
    /// The largest packet that the next link takes, if it says so.
    pub mtu: Option<u32>,
    /// The beginning of the packet that it answers.
    pub quoted: &'a [u8],
    /// What was added after the quotation (RFC 4884); empty if nothing was.
    pub extensions: &'a [u8],
}

/// A message of ICMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A question.
    EchoRequest(Echo<'a>),
    /// Its answer.
    EchoReply(Echo<'a>),
    /// An error.
    Error(IcmpError<'a>),
    /// Something else, by its type.
    Other(u8),
}

/// Octets of the header of an echo.
pub const ECHO_HEADER: usize = 8;

/// Octets that an error quotes at least when it adds extensions (RFC 4884, section 4.6).
const LEAST_QUOTED: usize = 128;

impl<'a> Message<'a> {
    /// Reads a message that begins with the ICMP header. The checksum is the kernel's to check.
    ///
    /// # Errors
    /// When it ends within the header.
    pub fn parse(family: Family, octets: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("icmp", octets);
        let (icmp_type, code) = (reader.u8()?, reader.u8()?);
        reader.skip(2)?;
        let word = reader.array::<4>()?;
        let body = reader.rest();
        let [first, second, third, fourth] = word;
        let echo = Echo {
            identifier: u16::from_be_bytes([first, second]),
            sequence: u16::from_be_bytes([third, fourth]),
            payload: body,
        };
        let error = |kind: ErrorKind, quoted_octets: usize, mtu: Option<u32>| {
            let (quoted, extensions) = split(body, quoted_octets);
            Self::Error(IcmpError { kind, icmp_type, code, mtu, quoted, extensions })
        };
        Ok(match (family, icmp_type) {
            (Family::V4, 8) | (Family::V6, 128) => Self::EchoRequest(echo),
            (Family::V4, 0) | (Family::V6, 129) => Self::EchoReply(echo),
            (Family::V4, 3) => {
                let mtu = u32::from(u16::from_be_bytes([third, fourth]));
                let kind = unreachable_v4(code);
                error(kind, usize::from(second) * 4, Some(mtu).filter(|mtu| kind == ErrorKind::TooBig && *mtu > 0))
            }
            (Family::V4, 11) => error(ErrorKind::TimeExceeded, usize::from(second) * 4, None),
            (Family::V4, 12) => error(ErrorKind::Other, usize::from(second) * 4, None),
            (Family::V6, 1) => error(unreachable_v6(code), usize::from(first) * 8, None),
            (Family::V6, 2) => error(ErrorKind::TooBig, 0, Some(u32::from_be_bytes(word))),
            (Family::V6, 3) => error(ErrorKind::TimeExceeded, usize::from(first) * 8, None),
            (Family::V6, 4) => error(ErrorKind::Other, 0, None),
            (_, other) => Self::Other(other),
        })
    }
}

/// The quotation and what follows it. Senders from before RFC 4884 give no length: their extensions stand after
/// 128 octets (section 5.5), if they are extensions at all, which their version and checksum must show.
fn split(body: &[u8], stated: usize) -> (&[u8], &[u8]) {
    let at = if stated == 0 { LEAST_QUOTED } else { stated };
    match body.split_at_checked(at) {
        Some((quoted, rest)) if extension::is_valid(rest) => (quoted, rest),
        Some((quoted, _)) if stated != 0 => (quoted, &[]),
        _ => (body, &[]),
    }
}

/// The extensions behind a quotation of which the kernel handed out only the transport's part, `stripped` octets of
/// headers having stood before it. Questions of less than 128 octets are filled up to that (RFC 4884, section 5.1).
pub fn extensions_after(transport: &[u8], stripped: usize) -> &[u8] {
    let rest = LEAST_QUOTED.checked_sub(stripped).and_then(|at| transport.get(at..)).unwrap_or_default();
    if extension::is_valid(rest) { rest } else { &[] }
}

/// RFC 792 and RFC 1812, section 5.2.7.1.
fn unreachable_v4(code: u8) -> ErrorKind {
    match code {
        0 | 6 | 8 | 11 => ErrorKind::NetworkUnreachable,
        1 | 5 | 7 | 12 => ErrorKind::HostUnreachable,
        2 => ErrorKind::ProtocolUnreachable,
        3 => ErrorKind::PortUnreachable,
        4 => ErrorKind::TooBig,
        9 | 10 | 13 => ErrorKind::Prohibited,
        _ => ErrorKind::Other,
    }
}

/// RFC 4443, section 3.1.
fn unreachable_v6(code: u8) -> ErrorKind {
    match code {
        0 | 2 => ErrorKind::NetworkUnreachable,
        3 => ErrorKind::HostUnreachable,
        4 => ErrorKind::PortUnreachable,
        1 | 5 | 6 => ErrorKind::Prohibited,
        _ => ErrorKind::Other,
    }
}

/// Writes an echo request and gives its length; `None` when it does not fit. The checksum of ICMPv6 covers addresses
/// that only the kernel knows, so the kernel fills it in, and so it does for unprivileged sockets.
pub fn write_echo_request(family: Family, echo: Echo<'_>, out: &mut [u8]) -> Option<usize> {
    let len = ECHO_HEADER.checked_add(echo.payload.len())?;
    let message = out.get_mut(..len)?;
    let icmp_type = match family {
        Family::V4 => 8,
        Family::V6 => 128,
    };
    let (header, body) = message.split_first_chunk_mut::<ECHO_HEADER>()?;
    let [id_high, id_low] = echo.identifier.to_be_bytes();
    let [sequence_high, sequence_low] = echo.sequence.to_be_bytes();
    *header = [icmp_type, 0, 0, 0, id_high, id_low, sequence_high, sequence_low];
    body.copy_from_slice(echo.payload);
    if family == Family::V4 {
        let sum = checksum(message).to_be_bytes();
        message.get_mut(2..4)?.copy_from_slice(&sum);
    }
    Some(len)
}

/// The internet checksum (RFC 1071) of octets whose own checksum field is zero. Over octets that hold a right
/// checksum it is 0.
pub fn checksum(octets: &[u8]) -> u16 {
    let mut sum: u64 = 0;
    let mut pairs = octets.chunks_exact(2);
    for pair in pairs.by_ref() {
        if let [high, low] = pair {
            sum += u64::from(u16::from_be_bytes([*high, *low]));
        }
    }
    if let [last] = pairs.remainder() {
        sum += u64::from(u16::from_be_bytes([*last, 0]));
    }
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests;
