//! Several blocks in one: the records of each series are copied as they are, since a chunk is not made better by
//! being written again. Where the blocks' times overlap (late samples, a clock set back), they are decoded, put
//! together and encoded anew.
//!
//! Anything damaged ends the attempt: as long as a block stands alone, nobody has decided what it lacks.

use std::io;
use std::sync::Arc;

use squirrel_model::{Samples, TimeRange};

use super::Block;
use super::page::ChunkRef;
use super::write::{BlockPlan, Writer, written};
use crate::bytes::Reader;
use crate::codec;
use crate::dir::Dir;
use crate::series::{Index, SeriesId};

/// Writes the samples of `blocks`, which stand in the order in which they were written, as one block. Answers its
/// path, or nothing when a part of them cannot be read.
pub(crate) fn compact_blocks(
    dir: &dyn Dir,
    plan: BlockPlan,
    blocks: &[Arc<Block>],
    index: &Index,
) -> io::Result<Option<String>> {
    let mut ids = Vec::new();
    for block in blocks {
        if block.bruised || !block.each_id(|id| ids.push(id))? {
            return Ok(None);
        }
    }
    ids.sort_unstable();
    ids.dedup();
    let mut whole = true;
    let path = written(dir, plan, index, |writer| {
        for id in &ids {
            whole = one_series(writer, *id, blocks)?;
            if !whole {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        Ok(())
    });
    if whole { path.map(Some) } else { Ok(None) }
}

/// Adds a series; false when a part of it cannot be read.
fn one_series(writer: &mut Writer<'_>, id: SeriesId, blocks: &[Arc<Block>]) -> io::Result<bool> {
    let mut runs = Vec::with_capacity(blocks.len());
    for block in blocks {
        let Some(run) = block.records(id)? else { return Ok(false) };
        if !run.chunks.is_empty() {
            runs.push(run);
        }
    }
    // The windows rise, but blocks of one window, and windows of a clock that was wrong, need not.
    runs.sort_by_key(|run| run.chunks.first().map_or(0, |chunk| chunk.min_ms));
    let apart = runs.windows(2).all(|pair| match pair {
        [a, b] => a.chunks.last().map(|chunk| chunk.max_ms) < b.chunks.first().map(|chunk| chunk.min_ms),
        _ => true,
    });
    if apart {
        writer.copy(id, runs.iter().flat_map(Records::iter))?;
        return Ok(true);
    }
    let (mut all, mut samples) = (Samples::default(), Samples::default());
    for block in blocks {
        samples.clear();
        block.read(id, TimeRange::ALL, &mut samples)?;
        crate::head::append_run(&mut all, &samples);
    }
    writer.series(id, &all)?;
    Ok(true)
}

/// The chunk records of one series in one block, each checked.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) chunks: Vec<ChunkRef>,
    pub(super) counts: Vec<usize>,
    pub(super) bytes: Vec<u8>,
}

impl Records {
    /// Checks records that lie one behind the other; `None` when one is damaged.
    pub(super) fn checked(id: SeriesId, chunks: &[ChunkRef], bytes: Vec<u8>) -> Option<Self> {
        let mut reader = Reader::new(&bytes);
        let mut counts = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let mut record = Reader::new(reader.take(chunk.len as usize)?);
            let crc = record.u32()?;
            if crc32c::crc32c(record.rest()) != crc || record.varint()? != id.0 {
                return None;
            }
            counts.push(codec::header(record.rest()).ok()?.count);
        }
        Some(Self { chunks: chunks.to_vec(), counts, bytes })
    }

    /// Adds the samples of all records; `None` when one of them is none after all.
    pub(super) fn decode(&self, out: &mut Samples) -> Option<()> {
        for (_, _, record) in self.iter() {
            let mut reader = Reader::new(record);
            reader.u32()?;
            reader.varint()?;
            codec::decode(reader.rest(), out).ok()?;
        }
        Some(())
    }

    /// Each record with its span and number of samples.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ChunkRef, usize, &[u8])> {
        let mut rest = self.bytes.as_slice();
        self.chunks.iter().zip(&self.counts).map(move |(chunk, count)| {
            let (record, after) = rest.split_at_checked(chunk.len as usize).unwrap_or_default();
            rest = after;
            (*chunk, *count, record)
        })
    }
}
