//! The end of a block, from which it is read.

use crate::bytes::{Reader, put_varint, put_zigzag};
use crate::format::VERSION;
use crate::series::SeriesId;

/// Figures about a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockMeta {
    pub(crate) tier: u8,
    /// The window: its start, and its end, which is not part of it.
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
    /// Time of the earliest and latest sample.
    pub(crate) min_ms: i64,
    pub(crate) max_ms: i64,
    /// Every sample in the window that the log has in a frame of a lower number is in this block,
    /// or in an older one of the window.
    pub(crate) covers_seq: u64,
    pub(crate) series: u64,
    pub(crate) chunks: u64,
    pub(crate) samples: u64,
    /// The greatest id in it.
    pub(crate) max_id: u64,
}

/// Where something is in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) offset: u64,
    pub(super) len: u32,
    pub(super) crc: u32,
}

/// The two sections about up to 64 series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageRef {
    pub(super) first_id: SeriesId,
    /// Where the first chunk of its first series is.
    pub(super) chunks_at: u64,
    pub(super) entries: Section,
    pub(super) labels: Section,
}

const END_MAGIC: &[u8; 8] = b"SQRLEND\n";
/// Length u32, crc u32, version u16, reserved u16, magic.
const TRAILER_LEN: usize = 20;

impl Section {
    fn put(self, out: &mut Vec<u8>) {
        put_varint(out, self.offset);
        put_varint(out, u64::from(self.len));
        out.extend_from_slice(&self.crc.to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { offset: reader.varint()?, len: u32::try_from(reader.varint()?).ok()?, crc: reader.u32()? })
    }
}

/// Writes footer and trailer, twice.
pub(super) fn put(meta: &BlockMeta, pages: &[PageRef], out: &mut Vec<u8>) {
    let mut body = vec![meta.tier];
    for time in [meta.start_ms, meta.end_ms, meta.min_ms, meta.max_ms] {
        put_zigzag(&mut body, time);
    }
    for n in [meta.covers_seq, meta.series, meta.chunks, meta.samples, meta.max_id, pages.len() as u64] {
        put_varint(&mut body, n);
    }
    for page in pages {
        put_varint(&mut body, page.first_id.0);
        put_varint(&mut body, page.chunks_at);
        page.entries.put(&mut body);
        page.labels.put(&mut body);
    }
    let mut trailer = (body.len() as u32).to_le_bytes().to_vec();
    trailer.extend_from_slice(&sum(&body, VERSION, 0).to_le_bytes());
    trailer.extend_from_slice(&VERSION.to_le_bytes());
    trailer.extend_from_slice(&[0; 2]);
    trailer.extend_from_slice(END_MAGIC);
    for _ in 0..2 {
        out.extend_from_slice(&body);
        out.extend_from_slice(&trailer);
    }
}

fn sum(body: &[u8], version: u16, reserved: u16) -> u32 {
    let head = crc32c::crc32c(&version.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c_append(head, &reserved.to_le_bytes()), body)
}

/// What the end of a file says.
pub(super) enum End {
    Good { meta: BlockMeta, pages: Vec<PageRef>, spare: bool },
    Newer(u16),
    Damaged,
}

/// Reads the last good footer in the last bytes of a file.
pub(super) fn read(end: &[u8]) -> End {
    let mut to = end.len();
    while let Some(at) = end.get(..to).and_then(|bytes| find_last(bytes, END_MAGIC)) {
        // The last footer ends where the file does; any other is the spare one.
        let spare = at + END_MAGIC.len() < end.len();
        match footer_before(end.get(..at + END_MAGIC.len()).unwrap_or_default()) {
            Some(Ok((meta, pages))) => return End::Good { meta, pages, spare },
            Some(Err(version)) => return End::Newer(version),
            None => {}
        }
        to = at;
    }
    End::Damaged
}

fn find_last(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).rposition(|window| window == what)
}

fn footer_before(bytes: &[u8]) -> Option<Result<(BlockMeta, Vec<PageRef>), u16>> {
    let (before, trailer) = bytes.split_at_checked(bytes.len().checked_sub(TRAILER_LEN)?)?;
    let mut reader = Reader::new(trailer);
    let (len, crc, version, reserved) = (reader.u32()?, reader.u32()?, reader.u16()?, reader.u16()?);
    let body = before.get(before.len().checked_sub(len as usize)?..)?;
    if sum(body, version, reserved) != crc {
        return None;
    }
    if version > VERSION {
        return Some(Err(version));
    }
    body_fields(&mut Reader::new(body)).map(Ok)
}

fn body_fields(reader: &mut Reader<'_>) -> Option<(BlockMeta, Vec<PageRef>)> {
    let meta = BlockMeta {
        tier: reader.u8()?,
        start_ms: reader.zigzag()?,
        end_ms: reader.zigzag()?,
        min_ms: reader.zigzag()?,
        max_ms: reader.zigzag()?,
        covers_seq: reader.varint()?,
        series: reader.varint()?,
        chunks: reader.varint()?,
        samples: reader.varint()?,
        max_id: reader.varint()?,
    };
    let n = reader.count()?;
    let mut pages = Vec::with_capacity(n.min(1 << 16));
    for _ in 0..n {
        pages.push(PageRef {
            first_id: SeriesId(reader.varint()?),
            chunks_at: reader.varint()?,
            entries: Section::read(reader)?,
            labels: Section::read(reader)?,
        });
    }
    Some((meta, pages))
}
