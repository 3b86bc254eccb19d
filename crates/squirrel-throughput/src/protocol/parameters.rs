//! What the client wants of the run, as both sides must know it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::MOST_STREAMS;

/// Seconds of the longest run (iperf3's own limit).
pub(crate) const MOST_SECONDS: u64 = 86_400;
/// Octets of the largest block that is written at once.
pub(crate) const MOST_BLOCK: u32 = 1 << 20;
/// Octets of the largest datagram.
pub(crate) const MOST_DATAGRAM: u32 = 65_507;
/// Seconds at the beginning that may be left out of the figures.
pub(crate) const MOST_OMIT: u64 = 60;

/// The parameters of a run, with iperf3's names. Zero means "not said", as there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the document has these flags")]
pub struct Parameters {
    /// By TCP.
    #[serde(skip_serializing_if = "is_default")]
    pub tcp: bool,
    /// By UDP.
    #[serde(skip_serializing_if = "is_default")]
    pub udp: bool,
    /// Seconds at the beginning that do not count.
    pub omit: u64,
    /// Seconds; 0 when octets or blocks are the bound.
    pub time: u64,
    /// Octets.
    pub num: u64,
    /// Blocks of `len` octets.
    pub blockcount: u64,
    /// Largest segment of TCP, octets.
    #[serde(rename = "MSS", skip_serializing_if = "is_default")]
    pub mss: u32,
    /// Small writes are sent at once.
    #[serde(skip_serializing_if = "is_default")]
    pub nodelay: bool,
    /// Streams in each direction.
    pub parallel: u32,
    /// The server sends.
    #[serde(skip_serializing_if = "is_default")]
    pub reverse: bool,
    /// Both send.
    #[serde(skip_serializing_if = "is_default")]
    pub bidirectional: bool,
    /// Octets of the sockets' buffers.
    #[serde(skip_serializing_if = "is_default")]
    pub window: u32,
    /// Octets of a block or datagram.
    pub len: u32,
    /// Bits a second of each stream, without a limit if 0.
    #[serde(skip_serializing_if = "is_default")]
    pub bandwidth: u64,
    /// Octets of the type of service or traffic class.
    #[serde(rename = "TOS", skip_serializing_if = "is_default")]
    pub tos: u8,
    /// Congestion control of TCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub congestion: Option<String>,
    /// Datagrams are numbered with 64 bits.
    #[serde(skip_serializing_if = "is_default")]
    pub udp_counters_64bit: u8,
    /// Datagrams may not be cut.
    #[serde(skip_serializing_if = "is_default")]
    pub dont_fragment: u8,
    /// The login, for a server that wants one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authtoken: Option<Token>,
    /// Which program the client is.
    pub client_version: String,
    /// The client is Squirrel and would like to measure latency; the number is the version of what it may ask.
    #[serde(skip_serializing_if = "is_default")]
    pub squirrel: u8,
}

/// A login: name, password and time, encrypted to the server's key, in Base64. It is good for as long as clocks may
/// differ, and so is not printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// A login as it stands in the parameters.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Why parameters are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnfitParameters {
    /// Neither TCP nor UDP, or both.
    #[error("it wants a protocol other than TCP and UDP")]
    Protocol,
    /// No stream, or too many.
    #[error("it wants {0} streams; 1 to {MOST_STREAMS} can be")]
    Streams(u32),
    /// Without a bound, or with one that is too far.
    #[error("it wants a run without a bound, or one of more than {MOST_SECONDS} seconds")]
    Duration,
    /// The time that does not count is too long.
    #[error("it wants to leave {0} seconds out; {MOST_OMIT} are the most")]
    Omit(u64),
    /// No block, or one that is too large.
    #[error("it wants blocks of {0} octets; 1 to {MOST_BLOCK} can be, 16 to {MOST_DATAGRAM} with UDP")]
    Block(u32),
    /// Both ways excluded each other.
    #[error("it wants the reverse and both directions at once")]
    Direction,
}

impl Parameters {
    /// Whether a run can be made of them.
    ///
    /// # Errors
    /// What cannot be.
    pub fn check(&self) -> Result<(), UnfitParameters> {
        if self.tcp == self.udp {
            return Err(UnfitParameters::Protocol);
        }
        if self.parallel == 0 || self.parallel > MOST_STREAMS {
            return Err(UnfitParameters::Streams(self.parallel));
        }
        if self.time > MOST_SECONDS || (self.time == 0 && self.num == 0 && self.blockcount == 0) {
            return Err(UnfitParameters::Duration);
        }
        if self.omit > MOST_OMIT {
            return Err(UnfitParameters::Omit(self.omit));
        }
        let (least, most) = if self.udp { (self.datagram_header(), MOST_DATAGRAM) } else { (1, MOST_BLOCK) };
        if self.len < least || self.len > most {
            return Err(UnfitParameters::Block(self.len));
        }
        if self.reverse && self.bidirectional {
            return Err(UnfitParameters::Direction);
        }
        Ok(())
    }

    /// Octets of what stands at the beginning of each datagram.
    pub(crate) fn datagram_header(&self) -> u32 {
        if self.udp_counters_64bit == 0 { 12 } else { 16 }
    }

    /// Octets after which the run ends, if it ends so.
    pub fn octets(&self) -> Option<u64> {
        match (self.num, self.blockcount) {
            (0, 0) => None,
            (0, blocks) => Some(blocks.saturating_mul(self.len.into())),
            (octets, _) => Some(octets),
        }
    }

    /// Streams that the client sends on.
    pub fn from_client(&self) -> u32 {
        if self.reverse { 0 } else { self.parallel }
    }

    /// Streams that the server sends on.
    pub fn from_server(&self) -> u32 {
        if self.reverse || self.bidirectional { self.parallel } else { 0 }
    }
}
