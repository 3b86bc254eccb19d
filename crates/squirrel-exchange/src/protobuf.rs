//! Protobuf's wire format: <https://protobuf.dev/programming-guides/encoding/>
//!
//! The reader hands out one field after the other and borrows what it can; nothing is built on the way.
//! Groups (wire types 3 and 4) have been out of use since 2008 and are refused.

use crate::DecodeError;

/// One field's content, by wire type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Content<'a> {
    Varint(u64),
    Fixed64(u64),
    Octets(&'a [u8]),
    Fixed32(u32),
}

const MALFORMED: DecodeError = malformed("it is cut or not protobuf");

const fn malformed(reason: &'static str) -> DecodeError {
    DecodeError::Malformed { format: "protobuf", reason }
}

/// A message that is read field by field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next field and its number; `None` at the end.
    pub(crate) fn field(&mut self) -> Result<Option<(u32, Content<'a>)>, DecodeError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).ok().filter(|number| *number > 0).ok_or(MALFORMED)?;
        let content = match key & 7 {
            0 => Content::Varint(self.varint()?),
            1 => Content::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| MALFORMED)?;
                let (octets, rest) = self.0.split_at_checked(length).ok_or(MALFORMED)?;
                self.0 = rest;
                Content::Octets(octets)
            }
            5 => Content::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(MALFORMED),
        };
        Ok(Some((number, content)))
    }

    pub(crate) fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (octet, rest) = self.0.split_first().ok_or(MALFORMED)?;
            self.0 = rest;
            // The tenth octet has room for one bit; more would be lost.
            if shift == 63 && *octet > 1 {
                return Err(MALFORMED);
            }
            value |= u64::from(octet & 0x7F) << shift;
            if octet & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(MALFORMED)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (octets, rest) = self.0.split_first_chunk::<N>().ok_or(MALFORMED)?;
        self.0 = rest;
        Ok(*octets)
    }
}

impl<'a> Content<'a> {
    pub(crate) fn octets(self) -> Result<&'a [u8], DecodeError> {
        match self {
            Self::Octets(octets) => Ok(octets),
            _ => Err(malformed("a field is not of its type")),
        }
    }

    pub(crate) fn message(self) -> Result<Reader<'a>, DecodeError> {
        self.octets().map(Reader)
    }

    /// A text of at most `limit` octets.
    pub(crate) fn text(self, limit: usize) -> Result<&'a str, DecodeError> {
        let octets = self.octets()?;
        if octets.len() > limit {
            return Err(DecodeError::TooLarge { what: "octets of a text", limit });
        }
        std::str::from_utf8(octets).map_err(|_| malformed("a text is not UTF-8"))
    }

    pub(crate) fn number(self) -> Result<u64, DecodeError> {
        match self {
            Self::Varint(number) => Ok(number),
            _ => Err(malformed("a field is not of its type")),
        }
    }

    /// A varint of zigzag code.
    pub(crate) fn zigzag(self) -> Result<i32, DecodeError> {
        let number = self.number()?;
        let value = (number >> 1) as i64 ^ -((number & 1) as i64);
        i32::try_from(value).map_err(|_| malformed("a number is out of its range"))
    }

    pub(crate) fn fixed(self) -> Result<u64, DecodeError> {
        match self {
            Self::Fixed64(bits) => Ok(bits),
            _ => Err(malformed("a field is not of its type")),
        }
    }

    pub(crate) fn double(self) -> Result<f64, DecodeError> {
        self.fixed().map(f64::from_bits)
    }

    /// Appends the numbers of a repeated varint field, packed or single.
    pub(crate) fn varints(self, out: &mut Vec<u64>, limit: usize) -> Result<(), DecodeError> {
        match self {
            Self::Octets(octets) => {
                let mut packed = Reader(octets);
                while !packed.0.is_empty() {
                    push(out, packed.varint()?, limit)?;
                }
                Ok(())
            }
            _ => push(out, self.number()?, limit),
        }
    }

    /// Appends the numbers of a repeated field of 64 bits, packed or single.
    pub(crate) fn fixeds(self, out: &mut Vec<u64>, limit: usize) -> Result<(), DecodeError> {
        match self {
            Self::Octets(octets) => {
                let (words, rest) = octets.as_chunks::<8>();
                if !rest.is_empty() {
                    return Err(MALFORMED);
                }
                words.iter().try_for_each(|word| push(out, u64::from_le_bytes(*word), limit))
            }
            _ => push(out, self.fixed()?, limit),
        }
    }
}

fn push(out: &mut Vec<u64>, number: u64, limit: usize) -> Result<(), DecodeError> {
    if out.len() >= limit {
        return Err(DecodeError::TooLarge { what: "numbers in a list", limit });
    }
    out.push(number);
    Ok(())
}

/// A message that is written field by field. Numbers that are zero and texts that are empty are not
/// written, as protobuf's third version has it, but by the functions that say so.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, field: u32, wire: u32) {
        self.raw_varint(u64::from(field << 3 | wire));
    }

    pub(crate) fn varint(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.key(field, 0);
            self.raw_varint(value);
        }
    }

    pub(crate) fn zigzag(&mut self, field: u32, value: i32) {
        self.varint(field, u64::from((value << 1 ^ value >> 31) as u32));
    }

    pub(crate) fn fixed(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.fixed_always(field, value);
        }
    }

    pub(crate) fn fixed_always(&mut self, field: u32, value: u64) {
        self.key(field, 1);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn double(&mut self, field: u32, value: f64) {
        self.fixed(field, value.to_bits());
    }

    pub(crate) fn octets(&mut self, field: u32, octets: &[u8]) {
        self.key(field, 2);
        self.raw_varint(octets.len() as u64);
        self.0.extend_from_slice(octets);
    }

    pub(crate) fn text(&mut self, field: u32, text: &str) {
        if !text.is_empty() {
            self.octets(field, text.as_bytes());
        }
    }

    pub(crate) fn packed_varints(&mut self, field: u32, values: impl IntoIterator<Item = u64>) {
        let mut packed = Self::default();
        values.into_iter().for_each(|value| packed.raw_varint(value));
        if !packed.0.is_empty() {
            self.octets(field, &packed.0);
        }
    }

    pub(crate) fn packed_fixeds(&mut self, field: u32, values: impl IntoIterator<Item = u64>) {
        let packed: Vec<u8> = values.into_iter().flat_map(u64::to_le_bytes).collect();
        if !packed.is_empty() {
            self.octets(field, &packed);
        }
    }

    /// A message within this one. Its length stands before it and is known after it, so it is put there
    /// then; messages are nested four deep at most.
    pub(crate) fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.key(field, 2);
        let begin = self.0.len();
        write(self);
        let mut length = Self::default();
        length.raw_varint((self.0.len() - begin) as u64);
        self.0.splice(begin..begin, length.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_encodings_page_are_read() {
        // 150 in field 1, "testing" in field 2.
        let mut reader = Reader(&[0x08, 0x96, 0x01, 0x12, 0x07, b't', b'e', b's', b't', b'i', b'n', b'g']);
        assert_eq!(reader.field(), Ok(Some((1, Content::Varint(150)))));
        assert_eq!(reader.field(), Ok(Some((2, Content::Octets(b"testing")))));
        assert_eq!(reader.field(), Ok(None));
    }

    #[test]
    fn what_is_cut_overlong_or_grouped_is_refused() {
        let cases: [&[u8]; 6] = [
            &[0x08],
            &[0x12, 0x05, b'a'],
            &[0x09, 1, 2],
            &[0x0B],
            &[0x00, 0x01],
            &[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2],
        ];
        for octets in cases {
            assert_eq!(Reader(octets).field(), Err(MALFORMED), "{octets:?}");
        }
    }

    #[test]
    fn lists_have_an_end() {
        let mut out = Vec::new();
        assert!(Content::Octets(&[1, 2, 3]).varints(&mut out, 2).is_err());
        assert_eq!(out, [1, 2]);
    }

    proptest! {
        #[test]
        fn numbers_come_back(number in any::<u64>(), signed in any::<i32>(), double in any::<f64>()) {
            let mut writer = Writer::default();
            writer.message(3, |writer| {
                writer.varint(1, number | 1);
                writer.zigzag(2, signed | 1);
                writer.fixed_always(4, double.to_bits());
            });
            let mut reader = Reader(&writer.0).field().unwrap().unwrap().1.message().unwrap();
            prop_assert_eq!(reader.field().unwrap().unwrap().1.number(), Ok(number | 1));
            prop_assert_eq!(reader.field().unwrap().unwrap().1.zigzag(), Ok(signed | 1));
            prop_assert_eq!(reader.field().unwrap().unwrap().1.fixed(), Ok(double.to_bits()));
        }

        #[test]
        fn any_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader(&octets);
            while let Ok(Some((_, content))) = reader.field() {
                let _ = (content.text(10), content.zigzag(), content.varints(&mut Vec::new(), 9), content.fixeds(&mut Vec::new(), 9));
            }
        }
    }
}
