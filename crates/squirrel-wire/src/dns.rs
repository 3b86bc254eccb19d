//! Messages of DNS (RFC 1035): a question written, an answer read.

mod codes;
mod name;
mod record;
#[cfg(test)]
mod tests;

pub use codes::{Class, Rcode, RecordType};
pub use name::{LONGEST_NAME, Labels, Name};
pub use record::{Data, Record, Section, Texts};

use crate::{Malformed, Reader};

/// Octets of the header of each message.
pub const HEADER: usize = 12;

/// Octets of the longest question with one name.
pub const LONGEST_QUERY: usize = HEADER + LONGEST_NAME + 4;

/// The first twelve octets (RFC 1035, section 4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a bit of the header")]
pub struct Header {
    /// Which question: the answer repeats it.
    pub id: u16,
    /// Whether it is an answer (QR).
    pub is_answer: bool,
    /// Whether the server itself is responsible for the name (AA).
    pub is_authoritative: bool,
    /// Whether the answer was too long for its transport, and is cut (TC).
    pub is_truncated: bool,
    /// Whether the server would ask others (RA).
    pub recursion_available: bool,
    /// What became of the question.
    pub rcode: Rcode,
    /// Questions, answers, authority and additional records, as stated.
    pub counts: [u16; 4],
}

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// The name that is asked about.
    pub name: Name<'a>,
    /// What is asked of it.
    pub record_type: RecordType,
    /// Nearly always IN.
    pub class: Class,
}

/// A message whose header and questions were read. Its records are read while they are walked over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    octets: &'a [u8],
    /// The header.
    pub header: Header,
    /// The first question; messages with more than one are not seen in practice (RFC 9619).
    pub question: Option<Question<'a>>,
    records_at: usize,
}

impl<'a> Message<'a> {
    /// Reads header and questions.
    ///
    /// # Errors
    /// When the message ends within them, or a name is none.
    pub fn parse(octets: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("dns", octets);
        let id = reader.be_u16()?;
        let [high, low] = reader.array::<2>()?;
        let counts = [reader.be_u16()?, reader.be_u16()?, reader.be_u16()?, reader.be_u16()?];
        let header = Header {
            id,
            is_answer: high & 0x80 != 0,
            is_authoritative: high & 0x04 != 0,
            is_truncated: high & 0x02 != 0,
            recursion_available: low & 0x80 != 0,
            rcode: Rcode(u16::from(low & 0x0f)),
            counts,
        };
        let mut question = None;
        // Each question takes five octets at least, so this ends with the message however many are stated.
        for _ in 0..counts[0] {
            let at = octets.len() - reader.rest().len();
            let (name, end) = Name::parse(octets, at)?;
            reader.skip(end.saturating_sub(at))?;
            let (record_type, class) = (RecordType(reader.be_u16()?), Class(reader.be_u16()?));
            question = question.or(Some(Question { name, record_type, class }));
        }
        Ok(Self { octets, header, question, records_at: octets.len() - reader.rest().len() })
    }

    /// The records in their order, each once. The first that is malformed ends them.
    pub fn records(&self) -> Records<'a> {
        let [_, answers, authorities, additionals] = self.header.counts;
        Records { octets: self.octets, at: Some(self.records_at), left: [answers, authorities, additionals] }
    }
}

/// The records of a message.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    octets: &'a [u8],
    at: Option<usize>,
    left: [u16; 3],
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at?;
        let (section, left) = Section::ALL.into_iter().zip(self.left.iter_mut()).find(|(_, left)| **left > 0)?;
        *left -= 1;
        match Record::parse(self.octets, at, section) {
            Ok((record, end)) => {
                self.at = Some(end);
                Some(Ok(record))
            }
            Err(error) => {
                self.at = None;
                Some(Err(error))
            }
        }
    }
}

/// Writes a question and gives its length; `None` when the name is none or it does not fit
/// ([`LONGEST_QUERY`] octets always do). `recursion_desired` asks the server to ask others (RD).
pub fn write_query(
    id: u16,
    name: &str,
    record_type: RecordType,
    class: Class,
    recursion_desired: bool,
    out: &mut [u8],
) -> Option<usize> {
    let (header, rest) = out.split_first_chunk_mut::<HEADER>()?;
    let [id_high, id_low] = id.to_be_bytes();
    *header = [id_high, id_low, u8::from(recursion_desired), 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let name_len = name::write(name, rest)?;
    let [type_high, type_low] = record_type.0.to_be_bytes();
    let [class_high, class_low] = class.0.to_be_bytes();
    *rest.get_mut(name_len..)?.first_chunk_mut::<4>()? = [type_high, type_low, class_high, class_low];
    Some(HEADER + name_len + 4)
}
