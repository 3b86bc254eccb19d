//! Series: which label sets there are, and under which number each is kept.
//!
//! A [`SeriesId`] is given once and never again, even after its series is gone: a block or a log
//! that outlives a mistake can then never show one series' samples under another's name.

mod definitions;
mod index;
pub(crate) mod log;

pub(crate) use definitions::{Definition, put_definitions, read_definitions};
pub(crate) use index::Index;
pub(crate) use log::{FOLDER, Loaded, SeriesLog};

/// The number of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SeriesId(pub(crate) u64);

use crate::bytes::{Reader, put_varint};

/// Writes rising ids as differences.
pub(crate) fn put_ids(ids: impl ExactSizeIterator<Item = SeriesId>, out: &mut Vec<u8>) {
    put_varint(out, ids.len() as u64);
    let mut before = 0;
    for SeriesId(id) in ids {
        put_varint(out, id.wrapping_sub(before));
        before = id;
    }
}

/// Reads what [`put_ids`] wrote; refuses ids that do not rise.
pub(crate) fn read_ids(reader: &mut Reader<'_>) -> Option<Vec<SeriesId>> {
    let n = reader.count()?;
    let mut ids = Vec::with_capacity(n.min(1 << 16));
    let mut before: Option<u64> = None;
    for _ in 0..n {
        let step = reader.varint()?;
        let id = before.unwrap_or(0).checked_add(step)?;
        if before.is_some() && step == 0 {
            return None;
        }
        before = Some(id);
        ids.push(SeriesId(id));
    }
    Some(ids)
}
