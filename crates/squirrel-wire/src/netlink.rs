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
mod tests {
    use super::*;
    use crate::testing::{attribute, message};
    use proptest::prelude::*;
    use std::vec::Vec;

    #[test]
    fn a_request_reads_back_as_what_was_asked() {
        let request = Request::<32>::new(&[9; 16]).attribute(29, &8u32.to_ne_bytes()).attribute(1, b"abc");
        let payload = request.payload().unwrap();
        assert_eq!(payload.len(), 32);
        let read: Vec<_> = Attributes::new(&payload[16..]).map(Result::unwrap).collect();
        assert_eq!((read[0].kind, read[0].u32()), (29, Some(8)));
        assert_eq!((read[1].kind, read[1].value), (1, b"abc".as_slice()));

        let mut datagram = request_header(18, NLM_F_REQUEST | NLM_F_DUMP, 77, payload.len()).to_vec();
        datagram.extend_from_slice(payload);
        let read = Messages::new(&datagram).next().unwrap().unwrap();
        assert_eq!((read.message_type, read.flags, read.sequence, read.payload), (18, 0x301, 77, payload));
    }

    #[test]
    fn a_request_that_does_not_fit_is_refused() {
        assert_eq!(Request::<8>::new(&[0; 16]).payload(), None);
        assert_eq!(Request::<20>::new(&[0; 16]).attribute(1, &[0; 4]).payload(), None);
        assert_eq!(Request::<20>::new(&[0; 4]).attribute(1, &std::vec![0; 70_000]).payload(), None);
    }

    #[test]
    fn the_nested_flag_is_not_part_of_the_type() {
        let octets = attribute(0xC007, &attribute(1, &[5]));
        let outer = Attributes::new(&octets).next().unwrap().unwrap();
        assert_eq!(outer.kind, 7);
        assert_eq!(outer.nested().next().unwrap().unwrap().u8(), Some(5));
    }

    #[test]
    fn errors_and_the_end_of_a_dump_carry_an_errno() {
        let errno = |kind, payload: &[u8]| {
            let octets = message(kind, 0, payload);
            Messages::new(&octets).next().unwrap().unwrap().errno()
        };
        assert_eq!(errno(NLMSG_ERROR, &(-95i32).to_ne_bytes()), Some(95));
        assert_eq!(errno(NLMSG_ERROR, &i32::MIN.to_ne_bytes()), Some(i32::MAX));
        assert_eq!(errno(NLMSG_ERROR, &[]), None);
        assert_eq!(errno(NLMSG_DONE, &(-12i32).to_ne_bytes()), Some(12));
        assert_eq!(errno(NLMSG_DONE, &5i32.to_ne_bytes()), Some(0));
        assert_eq!(errno(NLMSG_DONE, &[]), Some(0));
        assert_eq!(errno(16, &[0; 4]), None);
    }

    #[test]
    fn a_length_below_the_header_ends_the_list_once() {
        let mut short = attribute(1, b"x");
        short.extend_from_slice(&[3, 0, 1, 0]);
        short.extend_from_slice(&attribute(2, b"y"));
        let read: Vec<_> = Attributes::new(&short).collect();
        assert_eq!(read.len(), 2);
        assert_eq!(read[1], Err(Malformed { layer: "netlink attribute", offset: 8 }));
        assert_eq!(Messages::new(&[1; 20]).collect::<Vec<_>>().len(), 1);
    }

    #[test]
    fn the_last_attribute_may_lack_its_padding() {
        let mut octets = attribute(1, b"abcde");
        octets.truncate(9);
        assert_eq!(Attributes::new(&octets).collect::<Vec<_>>(), [Ok(Attribute { kind: 1, value: b"abcde" })]);
    }

    proptest! {
        #[test]
        fn any_octets_end_the_iterators(octets in prop::collection::vec(any::<u8>(), 0..512)) {
            prop_assert!(Attributes::new(&octets).count() <= octets.len() / 4 + 1);
            prop_assert!(Messages::new(&octets).count() <= octets.len() / 16 + 1);
        }

        #[test]
        fn what_is_built_is_read(attributes in prop::collection::vec((0u16..0x3fff, prop::collection::vec(any::<u8>(), 0..40)), 0..12)) {
            let mut request = Request::<1024>::new(&[]);
            for (kind, value) in &attributes {
                request = request.attribute(*kind, value);
            }
            let read: Vec<_> = Attributes::new(request.payload().unwrap())
                .map(|a| a.map(|a| (a.kind, a.value.to_vec())))
                .collect::<Result<_, _>>()
                .unwrap();
            prop_assert_eq!(read, attributes);
        }
    }
}
