//! What all files of the store have in common: a header with a version, and checksummed frames.
//!
//! A file begins with 32 bytes: magic (8), format version (u16), reserved (u16), two numbers whose
//! meaning depends on the kind of file (u64 each), CRC-32C of the bytes before.
//!
//! A frame is: magic (u32), length of the payload (u32), CRC-32C of length and payload, payload.
//! A reader that meets damage looks for the next frame whose checksum holds, so that one flipped
//! byte costs one frame.

use crate::bytes::Reader;

/// Version of every file format that this code writes. A file with a greater one is refused; all before are read.
///
/// Since 2 numbers may be packed as Golomb-Rice codes, and a chunk may hold 1,800 samples instead of 600.
pub(crate) const VERSION: u16 = 2;

/// Length of a file's header.
pub(crate) const HEADER_LEN: usize = 32;

/// The kinds of file, by their magic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    Log,
    Series,
    Block,
}

impl FileKind {
    fn magic(self) -> &'static [u8; 8] {
        match self {
            Self::Log => b"SQRLLOG\n",
            Self::Series => b"SQRLSER\n",
            Self::Block => b"SQRLBLK\n",
        }
    }
}

/// The header of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) kind: FileKind,
    pub(crate) a: u64,
    pub(crate) b: u64,
}

/// Why a header cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    Damaged,
    Newer(u16),
}

impl FileHeader {
    pub(crate) fn put(self, out: &mut Vec<u8>) {
        let from = out.len();
        out.extend_from_slice(self.kind.magic());
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.a.to_le_bytes());
        out.extend_from_slice(&self.b.to_le_bytes());
        let sum = crc32c::crc32c(out.get(from..).unwrap_or_default());
        out.extend_from_slice(&sum.to_le_bytes());
    }

    pub(crate) fn read(kind: FileKind, bytes: &[u8]) -> Result<Self, HeaderFault> {
        Self::fields(kind, bytes).unwrap_or(Err(HeaderFault::Damaged))
    }

    fn fields(kind: FileKind, bytes: &[u8]) -> Option<Result<Self, HeaderFault>> {
        let mut reader = Reader::new(bytes);
        let body = reader.take(HEADER_LEN - 4)?;
        if reader.u32()? != crc32c::crc32c(body) {
            return None;
        }
        let mut reader = Reader::new(body);
        if reader.take(8)? != kind.magic() {
            return None;
        }
        let version = reader.u16()?;
        if version > VERSION {
            return Some(Err(HeaderFault::Newer(version)));
        }
        reader.u16()?;
        Some(Ok(Self { kind, a: reader.u64()?, b: reader.u64()? }))
    }
}

const FRAME_MAGIC: [u8; 4] = *b"SqF\x9e";
/// Bytes of a frame before its payload.
pub(crate) const FRAME_HEAD: usize = 12;

/// Writes a frame around what `payload` writes.
pub(crate) fn put_frame(out: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>)) {
    let from = out.len();
    out.extend_from_slice(&FRAME_MAGIC);
    out.extend_from_slice(&[0; 8]);
    payload(out);
    let len = (out.len() - from - FRAME_HEAD) as u32;
    if let Some(frame) = out.get_mut(from..) {
        if let Some(slot) = frame.get_mut(4..8) {
            slot.copy_from_slice(&len.to_le_bytes());
        }
        let sum = frame_sum(len, frame.get(FRAME_HEAD..).unwrap_or_default());
        if let Some(slot) = frame.get_mut(8..12) {
            slot.copy_from_slice(&sum.to_le_bytes());
        }
    }
}

fn frame_sum(len: u32, payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&len.to_le_bytes()), payload)
}

/// What a walk over frames meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A frame whose checksum holds.
    Frame { payload: &'a [u8] },
    /// Bytes that are no frame; another frame follows them.
    Damage { offset: usize, len: usize },
    /// Bytes up to the end that are no frame.
    Tail { offset: usize, len: usize },
}

/// Walks over the frames of a file, after its header.
#[derive(Debug)]
pub(crate) struct Frames<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Frames<'a> {
    pub(crate) fn new(bytes: &'a [u8], from: usize) -> Self {
        Self { bytes, at: from.min(bytes.len()) }
    }

    fn frame_at(&self, at: usize) -> Option<&'a [u8]> {
        let mut reader = Reader::new(self.bytes.get(at..)?);
        if reader.take(4)? != FRAME_MAGIC {
            return None;
        }
        let (len, sum) = (reader.u32()?, reader.u32()?);
        let payload = reader.take(len as usize)?;
        (frame_sum(len, payload) == sum).then_some(payload)
    }

    fn next_frame(&self, from: usize) -> Option<usize> {
        let rest = self.bytes.get(from..)?;
        (0..rest.len().saturating_sub(FRAME_HEAD - 1))
            .map(|i| from + i)
            .find(|&at| self.bytes.get(at) == Some(&FRAME_MAGIC[0]) && self.frame_at(at).is_some())
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let offset = self.at;
        if offset >= self.bytes.len() {
            return None;
        }
        if let Some(payload) = self.frame_at(offset) {
            self.at = offset + FRAME_HEAD + payload.len();
            return Some(Piece::Frame { payload });
        }
        if let Some(found) = self.next_frame(offset + 1) {
            self.at = found;
            return Some(Piece::Damage { offset, len: found - offset });
        }
        self.at = self.bytes.len();
        Some(Piece::Tail { offset, len: self.bytes.len() - offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Vec<u8> {
        let mut out = Vec::new();
        for text in [b"one".as_slice(), b"two!", b"three"] {
            put_frame(&mut out, |out| out.extend_from_slice(text));
        }
        out
    }

    fn payloads(bytes: &[u8]) -> Vec<&[u8]> {
        Frames::new(bytes, 0)
            .filter_map(|piece| if let Piece::Frame { payload } = piece { Some(payload) } else { None })
            .collect()
    }

    #[test]
    fn any_flipped_byte_costs_exactly_its_frame() {
        let bytes = three();
        let ends = [15, 31, 48];
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 0x40;
            let hit = ends.iter().position(|end| at < *end).unwrap();
            let mut want = payloads(&bytes);
            want.remove(hit);
            assert_eq!(payloads(&bad), want, "byte {at}");
        }
    }

    #[test]
    fn a_cut_at_any_byte_leaves_a_tail_of_known_length() {
        let bytes = three();
        for len in 0..bytes.len() {
            let whole = [0, 15, 31].into_iter().rfind(|end| *end <= len).unwrap();
            let tail = Frames::new(&bytes[..len], 0)
                .find_map(|piece| if let Piece::Tail { offset, len } = piece { Some((offset, len)) } else { None });
            assert_eq!(tail, (len > whole).then_some((whole, len - whole)));
        }
    }

    #[test]
    fn a_newer_header_and_a_damaged_one_are_told_apart() {
        let header = FileHeader { kind: FileKind::Log, a: 7, b: 9 };
        let mut bytes = Vec::new();
        header.put(&mut bytes);
        assert_eq!(FileHeader::read(FileKind::Log, &bytes), Ok(header));
        assert_eq!(FileHeader::read(FileKind::Block, &bytes), Err(HeaderFault::Damaged));
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert_eq!(FileHeader::read(FileKind::Log, &bad), Err(HeaderFault::Damaged), "byte {at}");
        }
        bytes[8] += 1;
        let sum = crc32c::crc32c(&bytes[..28]);
        bytes[28..].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(FileHeader::read(FileKind::Log, &bytes), Err(HeaderFault::Newer(VERSION + 1)));
    }
}
