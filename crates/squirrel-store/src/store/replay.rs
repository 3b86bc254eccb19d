//! From the log's rows to what stood in memory.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::sync::mpsc::{TrySendError, sync_channel};

use squirrel_model::Labels;

use super::known::Known;
use super::packed;
use crate::block::{Block, BlockMeta};
use crate::dir::Dir;
use crate::head::{Layout, LooseRow, Part, Row};
use crate::options::StoreOptions;
use crate::series::{Definition, Loaded, SeriesId};
use crate::wal::{self, ReplayError};

/// Rows that are handed to the packing thread at once.
const REPLAY_ROWS: usize = 256;

/// Packs numbered batches of rows.
struct Packer {
    window_ms: i64,
    parts: Vec<(usize, Part)>,
}

impl Packer {
    fn pack(&mut self, number: usize, rows: &[Row]) {
        let parts = packed(rows, self.window_ms, 1, self.parts.last().map(|(_, part)| part));
        self.parts.extend(parts.into_iter().map(|part| (number, part)));
    }
}

/// Turns the log's rows into the head.
pub(super) struct Replay {
    window_ms: i64,
    covered: Vec<BlockMeta>,
    pub(super) series: BTreeMap<SeriesId, Labels>,
    known: Known,
    pub(super) next_id: u64,
    pub(super) series_bytes_lost: u64,
    rows: Vec<Row>,
    pub(super) parts: Vec<Part>,
    pub(super) layout: Arc<Layout>,
    /// How many series of the layout are not known.
    nameless_in_layout: u64,
    pub(super) last_tick: Option<i64>,
    pub(super) newest: Option<i64>,
    pub(super) samples: u64,
    pub(super) nameless: u64,
}

impl Replay {
    pub(super) fn new(options: &StoreOptions, loaded: Loaded, blocks: &[Arc<Block>]) -> Self {
        Self {
            window_ms: options.block_ms,
            known: Known::new(loaded.series.keys().copied().collect()),
            covered: blocks.iter().map(|block| block.meta).collect(),
            series: loaded.series,
            next_id: loaded.next_id,
            series_bytes_lost: loaded.bytes_lost,
            rows: Vec::new(),
            parts: Vec::new(),
            layout: Arc::default(),
            nameless_in_layout: 0,
            last_tick: None,
            newest: blocks.iter().map(|block| block.meta.max_ms).max(),
            samples: 0,
            nameless: 0,
        }
    }

    pub(super) fn define(&mut self, definitions: Vec<Definition>) {
        for (id, labels) in definitions {
            self.next_id = self.next_id.max(id.0.saturating_add(1));
            if let Entry::Vacant(vacant) = self.series.entry(id) {
                vacant.insert(labels);
                self.known.insert(id);
            }
        }
    }

    /// Whether a block has this sample.
    fn is_covered(&self, time_ms: i64, seq: u64) -> bool {
        self.covered.iter().any(|meta| (meta.start_ms..meta.end_ms).contains(&time_ms) && seq < meta.covers_seq)
    }

    /// Takes a row; answers whether some of it is in no block.
    fn row(&mut self, row: Row, definitions: Vec<Definition>) -> bool {
        self.define(definitions);
        let row = match row {
            Row::Tick(tick) => {
                if !Arc::ptr_eq(&self.layout, &tick.layout) {
                    self.layout = tick.layout.clone();
                    self.nameless_in_layout = self.unknown(tick.layout.ids.iter());
                }
                self.last_tick = Some(tick.time_ms);
                if self.is_covered(tick.time_ms, tick.seq) {
                    return false;
                }
                self.nameless += self.nameless_in_layout + self.unknown(tick.ended.iter());
                Row::Tick(tick)
            }
            Row::Loose(loose) => {
                let loose = if self.may_be_covered(&loose) { self.uncovered(&loose) } else { loose };
                if loose.samples().is_empty() {
                    return false;
                }
                self.nameless += self.unknown(loose.samples().iter().map(|(id, _, _)| id));
                Row::Loose(loose)
            }
        };
        self.samples += row.len() as u64;
        self.newest = self.newest.max(row.span().map(|(_, last)| last));
        self.rows.push(row);
        true
    }

    /// Whether some block covers the log at times of this row.
    fn may_be_covered(&self, row: &LooseRow) -> bool {
        let Some((first, last)) = row.span() else { return false };
        self.covered.iter().any(|meta| row.seq < meta.covers_seq && meta.start_ms <= last && first < meta.end_ms)
    }

    /// The row without what blocks have.
    fn uncovered(&self, row: &LooseRow) -> Arc<LooseRow> {
        let open = |(_, time, _): &&(SeriesId, i64, f64)| !self.is_covered(*time, row.seq);
        Arc::new(LooseRow::new(row.seq, row.samples().iter().filter(open).copied().collect()))
    }

    /// How many of the rising ids, one for each sample, have no labels. None of them may be given to another series.
    fn unknown<'a>(&mut self, ids: impl Iterator<Item = &'a SeriesId>) -> u64 {
        let mut unknown = 0;
        let mut walk = self.known.walk();
        let mut before: Option<(SeriesId, bool)> = None;
        for &id in ids {
            let known = match before {
                Some((same, known)) if same == id => known,
                _ => walk.has(id),
            };
            unknown += u64::from(!known);
            before = Some((id, known));
        }
        if let Some((last, _)) = before {
            self.next_id = self.next_id.max(last.0.saturating_add(1));
        }
        unknown
    }

    /// Reads the log. A second thread packs rows meanwhile, and whatever it has no time for is packed
    /// here: a start should not take longer than it must.
    pub(super) fn run(&mut self, dir: &dyn Dir, covered_seq: u64) -> Result<wal::Replayed, ReplayError> {
        let window_ms = self.window_ms;
        std::thread::scope(|scope| {
            // One batch waits at most: the memory of a start stays small.
            let (send, receive) = sync_channel::<(usize, Vec<Row>)>(1);
            let packer = scope.spawn(move || {
                let mut packer = Packer { window_ms, parts: Vec::new() };
                while let Ok((number, rows)) = receive.recv() {
                    packer.pack(number, &rows);
                }
                packer.parts
            });
            let mut here = Packer { window_ms, parts: Vec::new() };
            let mut number = 0;
            let mut hand_over = |rows: Vec<Row>| {
                number += 1;
                match send.try_send((number, rows)) {
                    Ok(()) => {}
                    Err(TrySendError::Full((number, rows)) | TrySendError::Disconnected((number, rows))) => {
                        here.pack(number, &rows);
                    }
                }
            };
            let replayed = wal::replay(dir, window_ms, covered_seq, |row, definitions| {
                let open = self.row(row, definitions);
                if self.rows.len() >= REPLAY_ROWS {
                    hand_over(std::mem::take(&mut self.rows));
                }
                open
            });
            hand_over(std::mem::take(&mut self.rows));
            drop(send);
            let mut parts = packer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            parts.append(&mut here.parts);
            // In the order in which they were written: where times overlap the later counts.
            parts.sort_by_key(|(number, _)| *number);
            self.parts = parts.into_iter().map(|(_, part)| part).collect();
            replayed
        })
    }

    pub(super) fn windows(&self) -> std::collections::BTreeSet<i64> {
        self.parts.iter().map(|part| part.window_ms).collect()
    }
}
