//! Compressed samples of many series in memory, all of one window of time.

use std::sync::Arc;

use squirrel_model::{Samples, TimeRange, Timestamp};

use crate::bytes::{Reader, put_varint};
use crate::codec::{self, Encoder, MAX_SAMPLES};
use crate::series::SeriesId;

/// An immutable set of chunks.
#[derive(Debug)]
pub(crate) struct Part {
    /// Start of the window that all samples lie in.
    pub(crate) window_ms: i64,
    /// Time of the earliest and latest sample.
    pub(crate) min_ms: i64,
    pub(crate) max_ms: i64,
    /// Rising. Shared with other parts that have the same series.
    pub(crate) ids: Arc<[SeriesId]>,
    /// Where the bytes of each series end; they begin where those of the one before end.
    ends: Vec<u32>,
    /// For each series its chunks, each behind its length as a varint.
    bytes: Vec<u8>,
    /// How many times this was merged: parts of a level are merged with each other.
    pub(crate) level: u8,
}

impl Part {
    fn chunks(&self, at: usize) -> Reader<'_> {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(at).copied().unwrap_or(0);
        Reader::new(self.bytes.get(start as usize..end as usize).unwrap_or_default())
    }

    fn each_chunk(&self, at: usize, mut each: impl FnMut(&[u8])) {
        let mut reader = self.chunks(at);
        while let Some(chunk) = reader.count().and_then(|len| reader.take(len)) {
            each(chunk);
        }
    }

    /// Adds the samples of the series at a position.
    pub(crate) fn read_at(&self, at: usize, out: &mut Samples) {
        self.each_chunk(at, |chunk| {
            // Never damaged: these bytes were made in memory, and never left it.
            let decoded = codec::decode(chunk, out);
            debug_assert!(decoded.is_ok(), "a chunk of the head does not decode");
        });
    }

    /// Adds the samples of a series.
    pub(crate) fn read(&self, id: SeriesId, out: &mut Samples) {
        if let Ok(at) = self.ids.binary_search(&id) {
            self.read_at(at, out);
        }
    }

    pub(crate) fn overlaps(&self, range: TimeRange) -> bool {
        range.overlaps(TimeRange::new(Timestamp(self.min_ms), Timestamp(self.max_ms)))
    }

    /// Hands over the ids that have a chunk in the range.
    pub(crate) fn each_in(&self, range: TimeRange, mut each: impl FnMut(SeriesId)) {
        let whole = range.contains(Timestamp(self.min_ms)) && range.contains(Timestamp(self.max_ms));
        for (at, &id) in self.ids.iter().enumerate() {
            let mut hit = whole;
            if !whole {
                self.each_chunk(at, |chunk| {
                    hit |= codec::header(chunk).is_ok_and(|header| {
                        range.overlaps(TimeRange::new(Timestamp(header.first_ms), Timestamp(header.last_ms)))
                    });
                });
            }
            if hit {
                each(id);
            }
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * 4 + size_of::<Self>()
    }
}

/// Makes a [`Part`] from series that come with rising ids.
#[derive(Debug)]
pub(crate) struct PartBuilder {
    window_ms: i64,
    level: u8,
    ids: Vec<SeriesId>,
    ends: Vec<u32>,
    bytes: Vec<u8>,
    min_ms: i64,
    max_ms: i64,
    encoder: Encoder,
    chunk: Vec<u8>,
}

impl PartBuilder {
    pub(crate) fn new(window_ms: i64, level: u8) -> Self {
        Self {
            window_ms,
            level,
            ids: Vec::new(),
            ends: Vec::new(),
            bytes: Vec::new(),
            min_ms: i64::MAX,
            max_ms: i64::MIN,
            encoder: Encoder::quick(),
            chunk: Vec::new(),
        }
    }

    /// Adds a series; its times rise strictly.
    pub(crate) fn push(&mut self, id: SeriesId, samples: &Samples) {
        let (Some(&first), Some(&last)) = (samples.times.first(), samples.times.last()) else { return };
        for (times, values) in samples.times.chunks(MAX_SAMPLES).zip(samples.values.chunks(MAX_SAMPLES)) {
            self.chunk.clear();
            self.encoder.encode(times, values, false, &mut self.chunk);
            put_varint(&mut self.bytes, self.chunk.len() as u64);
            self.bytes.extend_from_slice(&self.chunk);
        }
        self.ids.push(id);
        self.ends.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        self.min_ms = self.min_ms.min(first);
        self.max_ms = self.max_ms.max(last);
    }

    /// Whether no more should be added: positions in a part are 32 bits wide.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() > (1 << 31)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The part; it shares its ids with `like` when they are the same.
    pub(crate) fn build(mut self, like: Option<&Part>) -> Part {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
        let ids = match like {
            Some(part) if *part.ids == *self.ids => part.ids.clone(),
            _ => self.ids.into(),
        };
        Part {
            window_ms: self.window_ms,
            min_ms: self.min_ms,
            max_ms: self.max_ms,
            ids,
            ends: self.ends,
            bytes: self.bytes,
            level: self.level,
        }
    }
}
