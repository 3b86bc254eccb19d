//! The frame of every netlink message, its attributes, and how requests are put together.
//!
//! Source: RFC 3549 section 2.3 and the kernel's `include/uapi/linux/netlink.h`. All numbers are in the
//! machine's byte order; messages and attributes begin at multiples of four octets.

use crate::{Malformed, Reader, Text};

/// Octets of `struct nlmsghdr`.
pub const HEADER_LEN: usize = 16;

/// `NLM_F_REQUEST`: this is a request.
pub const NLM_F_REQUEST: u16 = 0x1;
/// `NLM_F_ACK`: answer also when there is nothing to say.
pub const NLM_F_ACK: u16 = 0x4;
/// `NLM_F_DUMP_INTR`: the table changed while it was being dumped, so that the dump may miss entries
/// or hold them twice.
pub const NLM_F_DUMP_INTR: u16 = 0x10;
/// `NLM_F_DUMP`: answer with the whole table.
pub const NLM_F_DUMP: u16 = 0x300;

/// `NLMSG_NOOP`: to be ignored.
pub const NLMSG_NOOP: u16 = 1;
/// `NLMSG_ERROR`: an errno, or an acknowledgement when it is zero.
pub const NLMSG_ERROR: u16 = 2;
/// `NLMSG_DONE`: the end of a dump; may carry an errno.
pub const NLMSG_DONE: u16 = 3;
/// `NLMSG_OVERRUN`: data was lost.
pub const NLMSG_OVERRUN: u16 = 4;

/// The highest two bits of an attribute's type are flags (`NLA_F_NESTED`, `NLA_F_NET_BYTEORDER`).
const ATTRIBUTE_TYPE_MASK: u16 = 0x3fff;

/// The length rounded up to the alignment of messages and attributes.
pub const fn aligned(len: usize) -> usize {
    len.saturating_add(3) & !3
}

/// The header of a request with a payload of `payload_len` octets. The port is zero: the kernel knows
/// who asks.
pub fn request_header(message_type: u16, flags: u16, sequence: u32, payload_len: usize) -> [u8; HEADER_LEN] {
    let len = u32::try_from(HEADER_LEN.saturating_add(payload_len)).unwrap_or(u32::MAX);
    let mut header = [0; HEADER_LEN];
    let fields = [
        len.to_ne_bytes(),
        {
            let ([a, b], [c, d]) = (message_type.to_ne_bytes(), flags.to_ne_bytes());
            [a, b, c, d]
        },
        sequence.to_ne_bytes(),
        [0; 4],
    ];
    for (place, field) in header.chunks_exact_mut(4).zip(fields) {
        place.copy_from_slice(&field);
    }
    header
}

/// One message of a received datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// `nlmsg_type`.
    pub message_type: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`: the request that this answers; zero for notifications.
    pub sequence: u32,
    /// `nlmsg_pid`: the port of the socket that it is for.
    pub port: u32,
    /// What follows the header.
    pub payload: &'a [u8],
}

impl Message<'_> {
    /// The errno of an `NLMSG_ERROR` or `NLMSG_DONE` as a positive number; zero means success.
    /// `None` for other messages and for an error without a number. An `NLMSG_DONE` without a
    /// number, as old kernels send it, is a success.
    pub fn errno(&self) -> Option<i32> {
        let number = self.payload.first_chunk::<4>().map(|octets| i32::from_ne_bytes(*octets));
        match self.message_type {
            NLMSG_ERROR => number.map(i32::saturating_abs),
            // A positive number after "done" is a count for the program, not an error.
            NLMSG_DONE => Some(number.filter(|n| *n < 0).map_or(0, i32::saturating_abs)),
            _ => None,
        }
    }
}

/// The messages of one received datagram.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    reader: Reader<'a>,
}

impl<'a> Messages<'a> {
    /// Reads a received datagram.
    pub fn new(datagram: &'a [u8]) -> Self {
        Self { reader: Reader::new("netlink", datagram) }
    }

    fn read(&mut self) -> Result<Message<'a>, Malformed> {
        let at = self.reader.malformed();
        let len = self.reader.u32()? as usize;
        let (message_type, flags) = (self.reader.u16()?, self.reader.u16()?);
        let (sequence, port) = (self.reader.u32()?, self.reader.u32()?);
        let payload = self.reader.take(len.checked_sub(HEADER_LEN).ok_or(at)?)?;
        step_to_alignment(&mut self.reader, len);
        Ok(Message { message_type, flags, sequence, port, payload })
    }
}

/// Yields each message; one that is malformed is yielded as an error and ends the datagram.
impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let message = self.read();
        if message.is_err() {
            self.reader = Reader::new("netlink", &[]);
        }
        Some(message)
    }
}

/// The last message or attribute may lack its padding, so that its absence is no error.
fn step_to_alignment(reader: &mut Reader<'_>, len: usize) {
    let padding = aligned(len).saturating_sub(len);
    if reader.skip(padding).is_err() {
        let left = reader.rest().len();
        let _ = reader.skip(left);
    }
}

/// One attribute: a type and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// `nla_type` without its flag bits.
    pub kind: u16,
    /// The value, without padding.
    pub value: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// The value as one octet.
    pub fn u8(&self) -> Option<u8> {
        self.value.first().copied()
    }

    /// The value as a number of two octets.
    pub fn u16(&self) -> Option<u16> {
        self.value.first_chunk().map(|octets| u16::from_ne_bytes(*octets))
    }

    /// The value as a number of four octets.
    pub fn u32(&self) -> Option<u32> {
        self.value.first_chunk().map(|octets| u32::from_ne_bytes(*octets))
    }

    /// The value as a number of eight octets.
    pub fn u64(&self) -> Option<u64> {
        self.value.first_chunk().map(|octets| u64::from_ne_bytes(*octets))
    }

    /// The value as a text that ends at a NUL.
    pub fn text(&self) -> Text<'a> {
        Text::until_nul(self.value)
    }

    /// The value as a list of attributes.
    pub fn nested(&self) -> Attributes<'a> {
        Attributes::new(self.value)
    }
}

/// The attributes of a message, or inside another attribute.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    reader: Reader<'a>,
}

impl<'a> Attributes<'a> {
    /// Reads a list of attributes.
    pub fn new(octets: &'a [u8]) -> Self {
        Self { reader: Reader::new("netlink attribute", octets) }
    }

    fn read(&mut self) -> Result<Attribute<'a>, Malformed> {
        let at = self.reader.malformed();
        let (len, kind) = (usize::from(self.reader.u16()?), self.reader.u16()? & ATTRIBUTE_TYPE_MASK);
        let value = self.reader.take(len.checked_sub(4).ok_or(at)?)?;
        step_to_alignment(&mut self.reader, len);
        Ok(Attribute { kind, value })
    }
}

/// Yields each attribute; one that is malformed is yielded as an error and ends the list.
impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let attribute = self.read();
        if attribute.is_err() {
            self.reader = Reader::new("netlink attribute", &[]);
        }
        Some(attribute)
    }
}

/// A request's payload under construction, in a buffer of fixed size.
#[derive(Clone, Debug)]
pub struct Request<const N: usize> {
    octets: [u8; N],
    len: usize,
    fits: bool,
}

impl<const N: usize> Request<N> {
    /// Begins with a fixed structure such as `ifinfomsg`.
    #[must_use]
    pub fn new(structure: &[u8]) -> Self {
        let mut request = Self { octets: [0; N], len: 0, fits: true };
        request.push(structure);
        request
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        let Ok(len) = u16::try_from(value.len().saturating_add(4)) else {
            self.fits = false;
            return self;
        };
        self.push(&len.to_ne_bytes());
        self.push(&kind.to_ne_bytes());
        self.push(value);
        self.len = aligned(self.len);
        self
    }

    /// The finished payload; `None` if it did not fit into `N` octets.
    pub fn payload(&self) -> Option<&[u8]> {
        self.octets.get(..self.len).filter(|_| self.fits)
    }

    fn push(&mut self, octets: &[u8]) {
        let end = self.len.saturating_add(octets.len());
        match self.octets.get_mut(self.len..end) {
            Some(place) => {
                place.copy_from_slice(octets);
                self.len = end;
            }
            None => self.fits = false,
        }
    }
}

#[cfg(test)]
mod tests;
