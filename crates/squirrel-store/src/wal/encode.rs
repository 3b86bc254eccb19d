//! Frames of the log and the state that differences refer to.
//!
//! Payload: kind (u8), number (u64), time (i64, ms), samples (u32), definitions of series that the
//! frame uses first, and then by kind:
//! *key*: ids, ended ids, whole values;
//! *tick*: places of ended series in the layout before, new ids, values as differences;
//! *loose*: for each sample the steps of id and time, and the whole value.

use std::sync::Arc;

use super::kind;
use super::values::{Slot, put_values, read_values};
use crate::bytes::{Reader, put_varint, put_zigzag};
use crate::codec::decimal;
use crate::head::{Layout, LooseRow, Row, TickRow};
use crate::series::{Definition, SeriesId, put_definitions, put_ids, read_definitions, read_ids};

/// What the next tick's differences refer to.
#[derive(Debug, Default)]
pub(super) struct State {
    layout: Arc<Layout>,
    slots: Vec<Slot>,
}

/// A frame as read.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) row: Row,
    pub(super) definitions: Vec<Definition>,
}

/// The first fields of a frame, which can be read without the state.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameHead {
    pub(super) kind: u8,
    pub(super) seq: u64,
    time_ms: i64,
    count: u32,
}

fn put_head(kind: u8, seq: u64, time_ms: i64, count: usize, definitions: &[Definition], out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(&seq.to_le_bytes());
    out.extend_from_slice(&time_ms.to_le_bytes());
    out.extend_from_slice(&(count as u32).to_le_bytes());
    put_definitions(definitions, out);
}

/// Reads the first fields and leaves the reader behind them.
pub(super) fn read_head(reader: &mut Reader<'_>) -> Option<FrameHead> {
    Some(FrameHead { kind: reader.u8()?, seq: reader.u64()?, time_ms: reader.i64()?, count: reader.u32()? })
}

impl State {
    /// Writes a tick; as a key frame when `key`, or when differences cannot express it.
    /// Answers whether it became a key frame.
    pub(super) fn put_tick(&mut self, row: &TickRow, key: bool, definitions: &[Definition], out: &mut Vec<u8>) -> bool {
        let count = row.values.len() + row.ended.len();
        let (removed, added) = difference(&self.layout.ids, &row.layout.ids);
        let ended = removed.iter().filter_map(|place| self.layout.ids.get(*place));
        let key = key || !ended.eq(&row.ended);
        if key {
            put_head(kind::KEY, row.seq, row.time_ms, count, definitions, out);
            put_ids(row.layout.ids.iter().copied(), out);
            put_ids(row.ended.iter().copied(), out);
            self.slots.clear();
            self.slots.resize(row.layout.ids.len(), Slot::EMPTY);
        } else {
            put_head(kind::TICK, row.seq, row.time_ms, count, definitions, out);
            put_ids(removed.iter().map(|place| SeriesId(*place as u64)), out);
            put_ids(added.iter().copied(), out);
            if !removed.is_empty() || !added.is_empty() {
                self.slots = carried(&self.layout.ids, &self.slots, &row.layout.ids);
            }
        }
        self.layout = row.layout.clone();
        put_values(&mut self.slots, &row.values, out);
        key
    }

    /// Reads a key or tick frame behind its first fields.
    pub(super) fn read_tick(&mut self, head: FrameHead, reader: &mut Reader<'_>) -> Option<Frame> {
        let definitions = read_definitions(reader)?;
        let ended = if head.kind == kind::KEY {
            let ids = read_ids(reader)?;
            let ended = read_ids(reader)?;
            self.slots.clear();
            // The payload's checksum held, and a value takes a byte: the count cannot be absurd.
            self.slots.resize(ids.len(), Slot::EMPTY);
            self.layout = self.shared(ids);
            ended
        } else {
            let removed = read_ids(reader)?;
            let added = read_ids(reader)?;
            let gone: Option<Vec<SeriesId>> =
                removed.iter().map(|p| self.layout.ids.get(p.0 as usize).copied()).collect();
            let gone = gone?;
            if !gone.is_empty() || !added.is_empty() {
                let ids = apply(&self.layout.ids, &gone, &added);
                self.slots = carried(&self.layout.ids, &self.slots, &ids);
                self.layout = Arc::new(Layout { ids });
            }
            gone
        };
        let values = read_values(reader, &mut self.slots)?;
        if values.len() + ended.len() != head.count as usize {
            return None;
        }
        let row = TickRow { seq: head.seq, time_ms: head.time_ms, layout: self.layout.clone(), values, ended };
        Some(Frame { row: Row::Tick(Arc::new(row)), definitions })
    }

    fn shared(&self, ids: Vec<SeriesId>) -> Arc<Layout> {
        if self.layout.ids == ids { self.layout.clone() } else { Arc::new(Layout { ids }) }
    }
}

/// Places of the ids that are gone, and the ids that are new. Both lists rise.
fn difference(old: &[SeriesId], new: &[SeriesId]) -> (Vec<usize>, Vec<SeriesId>) {
    if old == new {
        return (Vec::new(), Vec::new());
    }
    let removed = old.iter().enumerate().filter(|(_, id)| new.binary_search(id).is_err()).map(|(at, _)| at).collect();
    let added = new.iter().copied().filter(|id| old.binary_search(id).is_err()).collect();
    (removed, added)
}

fn apply(old: &[SeriesId], gone: &[SeriesId], added: &[SeriesId]) -> Vec<SeriesId> {
    let mut ids: Vec<SeriesId> = old.iter().copied().filter(|id| gone.binary_search(id).is_err()).collect();
    ids.extend_from_slice(added);
    ids.sort_unstable();
    ids
}

/// The slots of `new`, with the memory of those that were in `old`. Both lists of ids rise.
fn carried(old: &[SeriesId], slots: &[Slot], new: &[SeriesId]) -> Vec<Slot> {
    let mut before = old.iter().zip(slots).peekable();
    new.iter()
        .map(|id| {
            while before.next_if(|(other, _)| *other < id).is_some() {}
            before.next_if(|(other, _)| *other == id).map_or(Slot::EMPTY, |(_, slot)| *slot)
        })
        .collect()
}

/// Writes samples with times of their own.
pub(super) fn put_loose(row: &LooseRow, definitions: &[Definition], out: &mut Vec<u8>) {
    let first = row.samples().first().map_or(0, |sample| sample.1);
    put_head(kind::LOOSE, row.seq, first, row.samples().len(), definitions, out);
    let (mut id_before, mut time_before) = (0u64, first);
    for (id, time, value) in row.samples() {
        put_varint(out, id.0.wrapping_sub(id_before));
        put_zigzag(out, time.wrapping_sub(time_before));
        decimal::put_absolute(*value, out);
        (id_before, time_before) = (id.0, *time);
    }
}

/// Reads a loose frame behind its first fields.
pub(super) fn read_loose(head: FrameHead, reader: &mut Reader<'_>) -> Option<Frame> {
    let definitions = read_definitions(reader)?;
    // An id, a time and a value take at least four bytes: a wrong count allocates no more than the frame warrants.
    let mut samples = Vec::with_capacity((head.count as usize).min(reader.rest().len() / 4));
    let (mut id, mut time) = (0u64, head.time_ms);
    for _ in 0..head.count {
        id = id.checked_add(reader.varint()?)?;
        time = time.checked_add(reader.zigzag()?)?;
        samples.push((SeriesId(id), time, decimal::read_absolute(reader)?));
    }
    Some(Frame { row: Row::Loose(Arc::new(LooseRow::new(head.seq, samples))), definitions })
}
