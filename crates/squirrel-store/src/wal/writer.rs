//! Writing the log. When segments begin and end stands in `writer/segments.rs`.
//!
//! Rows that would not outlast a loss of power yet wait in a backlog. When a write or a sync
//! fails, the segment is given up for good (Linux may have dropped its dirty pages, and marks them
//! clean), and the whole backlog goes to the next segment: at once, and if that fails too, with
//! the next append.

mod segments;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use self::segments::Segment;
use super::encode::{State, put_loose};
use super::{FOLDER, SegmentInfo};
use crate::dir::Dir;
use crate::format::put_frame;
use crate::head::{Row, TickRow};
use crate::options::SyncPolicy;
use crate::series::{Definition, Index, SeriesId};

/// Ticks from one key frame to the next.
const KEY_EVERY: u32 = 60;
/// Most rows that wait for a sync or for a disk that takes them again.
const MAX_BACKLOG: usize = 256;

/// The series that frames may have to define.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    /// New with the row that is being written.
    pub(crate) new: &'a [Definition],
    /// Not yet in the series files, the new ones among them.
    pub(crate) undurable: &'a [Definition],
    /// All, those above among them.
    pub(crate) index: &'a Index,
}

/// What writing a row did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Logged {
    /// Bytes written.
    pub(crate) bytes: u64,
    /// Whether everything so far would outlast a loss of power.
    pub(crate) synced: bool,
}

/// Writes segments.
#[derive(Debug)]
pub(crate) struct LogWriter {
    dir: Arc<dyn Dir>,
    sync: SyncPolicy,
    window_ms: i64,
    max_age_ms: i64,
    max_bytes: u64,
    next_number: u64,
    next_seq: u64,
    segment: Option<Segment>,
    closed: Vec<SegmentInfo>,
    state: State,
    buffer: Vec<u8>,
    /// Rows that are not synced yet; the first `written` of them are in the open segment.
    backlog: VecDeque<Row>,
    written: usize,
    last_sync_ms: Option<i64>,
    /// Rows that were dropped from the backlog before the disk took them.
    dropped: u64,
}

/// Sizes at which a new segment begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) window_ms: i64,
    pub(crate) segment_ms: i64,
    pub(crate) segment_bytes: u64,
}

impl LogWriter {
    pub(crate) fn new(
        dir: Arc<dyn Dir>,
        sync: SyncPolicy,
        limits: Limits,
        next: (u64, u64),
        closed: Vec<SegmentInfo>,
    ) -> Self {
        Self {
            dir,
            sync,
            window_ms: limits.window_ms,
            max_age_ms: limits.segment_ms,
            max_bytes: limits.segment_bytes,
            next_number: next.0,
            next_seq: next.1,
            segment: None,
            closed,
            state: State::default(),
            buffer: Vec::new(),
            backlog: VecDeque::new(),
            written: 0,
            last_sync_ms: None,
            dropped: 0,
        }
    }

    /// The number for the next row; every row takes one, whether the disk takes it or not.
    pub(crate) fn take_seq(&mut self) -> u64 {
        self.next_seq += 1;
        self.next_seq - 1
    }

    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Bytes in all segments.
    pub(crate) fn bytes(&self) -> u64 {
        self.closed.iter().map(|s| s.bytes).sum::<u64>() + self.segment.as_ref().map_or(0, |s| s.bytes)
    }

    /// Rows given up since the last call: they are in memory only.
    pub(crate) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// Writes a row, and syncs when the policy says so.
    pub(crate) fn append(&mut self, row: Row, now_ms: i64, names: Names<'_>) -> io::Result<Logged> {
        self.rotate_if_due(now_ms);
        self.backlog.push_back(row);
        let fresh = self.segment.is_none();
        let mut result = self.drive(now_ms, names);
        if result.is_err() && !fresh {
            result = self.drive(now_ms, names);
        }
        while self.backlog.len() > MAX_BACKLOG {
            self.backlog.pop_front();
            if self.written > 0 {
                self.written -= 1;
            } else {
                self.dropped += 1;
            }
        }
        result
    }

    fn drive(&mut self, now_ms: i64, names: Names<'_>) -> io::Result<Logged> {
        let result = self.try_drive(now_ms, names);
        if result.is_err() {
            self.abandon();
        }
        result
    }

    fn try_drive(&mut self, now_ms: i64, names: Names<'_>) -> io::Result<Logged> {
        let fresh = self.segment.is_none();
        self.buffer.clear();
        if fresh {
            self.open_segment(now_ms)?;
        }
        self.encode_waiting(fresh, names);
        let Some(segment) = self.segment.as_mut() else { return Err(io::ErrorKind::NotFound.into()) };
        segment.file.write(&self.buffer)?;
        segment.bytes += self.buffer.len() as u64;
        self.written = self.backlog.len();
        let synced = match self.sync {
            SyncPolicy::EveryTick => true,
            SyncPolicy::Every { ms } => self.last_sync_ms.is_none_or(|last| (now_ms - last).abs() >= ms),
            SyncPolicy::Never => false,
        };
        if synced {
            segment.file.sync()?;
            self.last_sync_ms = Some(now_ms);
        }
        if synced || matches!(self.sync, SyncPolicy::Never) {
            self.backlog.clear();
            self.written = 0;
        }
        if fresh {
            self.dir.sync_folder(FOLDER)?;
        }
        Ok(Logged { bytes: self.buffer.len() as u64, synced })
    }

    /// Writes into the buffer what the open segment does not have yet.
    fn encode_waiting(&mut self, fresh: bool, names: Names<'_>) {
        let Some(segment) = self.segment.as_mut() else { return };
        // The first frame of a segment defines every series that this go needs.
        let mut first = fresh.then(|| definitions_of(self.backlog.iter(), names.index));
        let last = self.backlog.len().saturating_sub(1);
        for (i, row) in self.backlog.iter().enumerate().skip(self.written) {
            for start in row.windows(self.window_ms) {
                segment.windows.insert(start);
            }
            let key = segment.since_key >= KEY_EVERY;
            let all = first.take();
            let repeat = segment.since_names >= KEY_EVERY && (key || matches!(row, Row::Loose(_)));
            let definitions = match &all {
                Some(all) => all.as_slice(),
                None if repeat => names.undurable,
                None if i == last && !fresh => names.new,
                None => &[],
            };
            segment.since_names = if all.is_some() || repeat { 1 } else { segment.since_names + 1 };
            let state = &mut self.state;
            put_frame(&mut self.buffer, |out| match row {
                Row::Tick(row) => {
                    let key = state.put_tick(row, key, definitions, out);
                    segment.since_key = if key { 1 } else { segment.since_key + 1 };
                }
                Row::Loose(row) => put_loose(row, definitions, out),
            });
        }
    }

    /// Syncs whatever the policy left unsynced.
    pub(crate) fn sync_now(&mut self) -> io::Result<()> {
        let Some(segment) = self.segment.as_mut() else { return Ok(()) };
        let synced = segment.file.sync();
        if synced.is_ok() {
            self.backlog.drain(..self.written);
            self.written = 0;
        } else {
            self.abandon();
        }
        synced
    }
}

fn seq_of(row: &Row) -> u64 {
    match row {
        Row::Tick(row) => row.seq,
        Row::Loose(row) => row.seq,
    }
}

fn definitions_of<'a>(rows: impl Iterator<Item = &'a Row>, index: &Index) -> Vec<Definition> {
    let mut ids: Vec<SeriesId> = Vec::new();
    let mut before: Option<&Arc<crate::head::Layout>> = None;
    for row in rows {
        match row {
            Row::Tick(row) => {
                let TickRow { layout, ended, .. } = row.as_ref();
                if before.is_none_or(|before| !Arc::ptr_eq(before, layout)) {
                    ids.extend_from_slice(&layout.ids);
                }
                ids.extend_from_slice(ended);
                before = Some(layout);
            }
            Row::Loose(row) => ids.extend(row.samples().iter().map(|sample| sample.0)),
        }
    }
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().filter_map(|id| index.labels(id).map(|labels| (id, labels.clone()))).collect()
}
