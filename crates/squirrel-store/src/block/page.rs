//! Where the chunks of up to 64 series are, and which times they span.

use squirrel_model::{TimeRange, Timestamp};

use crate::bytes::{Reader, put_varint, put_zigzag};
use crate::series::SeriesId;

/// A chunk record in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkRef {
    pub(super) offset: u64,
    pub(super) len: u32,
    pub(super) min_ms: i64,
    pub(super) max_ms: i64,
}

impl ChunkRef {
    pub(super) fn overlaps(&self, range: TimeRange) -> bool {
        range.overlaps(TimeRange::new(Timestamp(self.min_ms), Timestamp(self.max_ms)))
    }
}

/// A page: series with rising ids, each with its chunks in the order of time.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    ids: Vec<SeriesId>,
    /// Where the chunks of each series end in `chunks`.
    ends: Vec<usize>,
    chunks: Vec<ChunkRef>,
}

impl Page {
    pub(super) fn push(&mut self, id: SeriesId, chunks: impl IntoIterator<Item = ChunkRef>) {
        self.ids.push(id);
        self.chunks.extend(chunks);
        self.ends.push(self.chunks.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn first_id(&self) -> Option<SeriesId> {
        self.ids.first().copied()
    }

    pub(super) fn chunks_at(&self) -> Option<u64> {
        self.chunks.first().map(|chunk| chunk.offset)
    }

    fn of(&self, at: usize) -> &[ChunkRef] {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(at).copied().unwrap_or(0);
        self.chunks.get(start..end).unwrap_or_default()
    }

    /// The chunks of a series.
    pub(super) fn find(&self, id: SeriesId) -> &[ChunkRef] {
        self.ids.binary_search(&id).map_or(&[], |at| self.of(at))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (SeriesId, &[ChunkRef])> {
        self.ids.iter().enumerate().map(|(at, id)| (*id, self.of(at)))
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.ids.len() as u64);
        let mut id_before = 0;
        let mut times = Times::default();
        for (id, chunks) in self.iter() {
            put_varint(out, id.0.wrapping_sub(id_before));
            put_varint(out, chunks.len() as u64);
            id_before = id.0;
            for (at, chunk) in chunks.iter().enumerate() {
                put_varint(out, u64::from(chunk.len));
                times.put(at == 0, chunk.min_ms, chunk.max_ms, out);
            }
        }
    }

    /// Reads a page whose chunks lie one behind the other from `chunks_at` on.
    pub(super) fn read(bytes: &[u8], chunks_at: u64) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let n = reader.count()?;
        let mut page = Self::default();
        let (mut id, mut offset) = (0u64, chunks_at);
        let mut times = Times::default();
        for at in 0..n {
            let step = reader.varint()?;
            if at > 0 && step == 0 {
                return None;
            }
            id = id.checked_add(step)?;
            for chunk in 0..reader.count()? {
                let len = u32::try_from(reader.varint()?).ok()?;
                let (min_ms, max_ms) = times.read(chunk == 0, &mut reader)?;
                page.chunks.push(ChunkRef { offset, len, min_ms, max_ms });
                offset = offset.checked_add(u64::from(len))?;
            }
            page.ids.push(SeriesId(id));
            page.ends.push(page.chunks.len());
        }
        Some(page)
    }
}

/// Spans of chunks as differences: to the first chunk of the series before for a first chunk; for
/// any other by how much its distance to the chunk before and its length differ from those of the
/// one before. Regular chunks then take two bytes of zero.
#[derive(Default)]
struct Times {
    first: i64,
    last: i64,
    distance: i64,
    span: i64,
}

impl Times {
    fn put(&mut self, is_first: bool, min_ms: i64, max_ms: i64, out: &mut Vec<u8>) {
        let span = max_ms.wrapping_sub(min_ms);
        if is_first {
            put_zigzag(out, min_ms.wrapping_sub(self.first));
            self.first = min_ms;
        } else {
            let distance = min_ms.wrapping_sub(self.last);
            put_zigzag(out, distance.wrapping_sub(self.distance));
            self.distance = distance;
        }
        put_zigzag(out, span.wrapping_sub(self.span));
        (self.last, self.span) = (max_ms, span);
    }

    fn read(&mut self, is_first: bool, reader: &mut Reader<'_>) -> Option<(i64, i64)> {
        let difference = reader.zigzag()?;
        let min_ms = if is_first {
            self.first = self.first.wrapping_add(difference);
            self.first
        } else {
            self.distance = self.distance.wrapping_add(difference);
            self.last.wrapping_add(self.distance)
        };
        self.span = self.span.wrapping_add(reader.zigzag()?);
        self.last = min_ms.wrapping_add(self.span);
        Some((min_ms, self.last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_page_comes_back(series in prop::collection::vec((1u64..5, prop::collection::vec((1u32..9000, -5000i64..5000, 0i64..600_000), 0..5)), 0..70), at in 0u64..1000) {
            let (mut page, mut id, mut offset) = (Page::default(), 0, at);
            for (step, chunks) in series {
                id += step;
                page.push(SeriesId(id), chunks.into_iter().map(|(len, min_ms, span)| {
                    let chunk = ChunkRef { offset, len, min_ms, max_ms: min_ms + span };
                    offset += u64::from(len);
                    chunk
                }).collect::<Vec<_>>());
            }
            let mut bytes = Vec::new();
            page.put(&mut bytes);
            prop_assert_eq!(Page::read(&bytes, at), Some(page));
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Page::read(&bytes, 0);
        }
    }
}
