//! Reading the log after a stop, whatever the stop left of it.
//!
//! Damage never keeps the store from opening, and never hides what follows it: reading goes on at
//! the next frame that stands for itself. Frames are numbered, so what is missing can be counted.

use std::collections::BTreeSet;
use std::io;

use super::encode::{Frame, State, read_head, read_loose};
use super::{FOLDER, SUFFIX, kind, path};
use crate::bytes::Reader;
use crate::dir::{Dir, Entry};
use crate::format::{FileHeader, FileKind, Frames, HEADER_LEN, HeaderFault, Piece};
use crate::head::Row;
use crate::series::Definition;

/// A segment that will not be written to again.
#[derive(Debug)]
pub(crate) struct SegmentInfo {
    pub(crate) number: u64,
    /// Starts of the windows in which it has samples that were in no block when it was read.
    pub(crate) windows: BTreeSet<i64>,
    pub(crate) bytes: u64,
}

/// What could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Bytes cut from the end of the last segment: a write that a crash interrupted.
    pub(crate) tail_bytes: u64,
    /// Damaged bytes elsewhere.
    pub(crate) bytes: u64,
    /// Frames that are missing or unusable, as far as their numbers tell.
    pub(crate) frames: u64,
    /// The damaged bytes: file, offset, length.
    pub(crate) places: Vec<(String, u64, u64)>,
    /// The file that ends in a write that was not finished.
    pub(crate) torn: Option<String>,
    /// Sentences for the person who runs the store.
    pub(crate) notes: Vec<String>,
}

/// What the log said.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    pub(crate) segments: Vec<SegmentInfo>,
    pub(crate) next_number: u64,
    pub(crate) next_seq: u64,
    pub(crate) damage: Damage,
    pub(crate) frames: u64,
}

/// Why the log must not be touched.
#[derive(Debug)]
pub(crate) enum ReplayError {
    Io(String, io::Error),
    Newer(String, u16),
}

/// Reads all segments in order. `each` is given every row with the definitions that came with it,
/// and answers whether the row, or a part of it, is in no block yet. Frames below `covered_seq` are
/// in blocks, so a segment that is missing as a whole was deleted for that reason.
pub(crate) fn replay(
    dir: &dyn Dir,
    window_ms: i64,
    covered_seq: u64,
    mut each: impl FnMut(Row, Vec<Definition>) -> bool,
) -> Result<Replayed, ReplayError> {
    let entries = dir.list(FOLDER).map_err(|error| ReplayError::Io(FOLDER.to_owned(), error))?;
    let segments: Vec<(u64, Entry)> = entries
        .into_iter()
        .filter_map(|entry| entry.name.strip_suffix(SUFFIX).and_then(|n| n.parse().ok()).map(|n: u64| (n, entry)))
        .collect();
    let mut replayed = Replayed { next_number: 1, next_seq: 1, ..Replayed::default() };
    let mut expected = None;
    let last = segments.last().map(|(number, _)| *number);
    let mut follows = 0;
    for (number, entry) in segments {
        replayed.next_number = replayed.next_number.max(number + 1);
        let file = path(number);
        let bytes = match dir.read(&file) {
            Ok(bytes) => bytes,
            Err(error) => {
                replayed.damage.bytes += entry.len;
                replayed.damage.places.push((file.clone(), 0, entry.len));
                replayed.damage.notes.push(format!("{file} cannot be read ({error}); it is left as it is"));
                continue;
            }
        };
        let mut segment = SegmentInfo { number, windows: BTreeSet::new(), bytes: bytes.len() as u64 };
        let mut reading = Reading {
            replayed: &mut replayed,
            expected: &mut expected,
            file: &file,
            is_last: Some(number) == last,
            before: None,
            covered_seq: if number == follows { 0 } else { covered_seq },
        };
        follows = number + 1;
        let cut = reading.segment(&bytes, &mut |row, definitions| {
            let windows = row.windows(window_ms);
            if each(row, definitions) {
                segment.windows.extend(windows);
            }
        })?;
        if let Some(len) = cut {
            cut_tail(dir, &file, len, &mut replayed.damage);
            segment.bytes = len;
        }
        replayed.segments.push(segment);
    }
    Ok(replayed)
}

fn cut_tail(dir: &dyn Dir, file: &str, len: u64, damage: &mut Damage) {
    let result = if len <= HEADER_LEN as u64 { dir.remove(file) } else { dir.truncate(file, len) };
    if let Err(error) = result {
        damage.notes.push(format!("{file} has a torn end that cannot be cut ({error}); it is skipped"));
    }
}

struct Reading<'a> {
    replayed: &'a mut Replayed,
    /// The number that the next frame should have.
    expected: &'a mut Option<u64>,
    file: &'a str,
    is_last: bool,
    /// The number of the frame before in this segment.
    before: Option<u64>,
    /// Frames before this segment with lower numbers are not missed.
    covered_seq: u64,
}

impl Reading<'_> {
    /// Reads one segment; answers to which length its torn end should be cut.
    fn segment(
        &mut self,
        bytes: &[u8],
        each: &mut dyn FnMut(Row, Vec<Definition>),
    ) -> Result<Option<u64>, ReplayError> {
        match FileHeader::read(FileKind::Log, bytes) {
            Ok(_) => {}
            Err(HeaderFault::Newer(version)) => return Err(ReplayError::Newer(self.file.to_owned(), version)),
            Err(HeaderFault::Damaged) if bytes.len() >= HEADER_LEN && bytes.iter().any(|byte| *byte != 0) => {
                self.damaged(0, HEADER_LEN);
            }
            // A crash just after the file was made.
            Err(HeaderFault::Damaged) => return Ok(self.tail(0, bytes.len())),
        }
        // Nothing to refer to at the start of a segment, nor after damage.
        let mut state: Option<State> = None;
        for piece in Frames::new(bytes, HEADER_LEN) {
            match piece {
                Piece::Frame { payload } => {
                    if let Some(frame) = self.frame(payload, &mut state) {
                        self.replayed.frames += 1;
                        each(frame.row, frame.definitions);
                    } else {
                        self.replayed.damage.frames += 1;
                        state = None;
                    }
                }
                Piece::Damage { offset, len } => {
                    self.damaged(offset, len);
                    state = None;
                }
                Piece::Tail { offset, len } => return Ok(self.tail(offset, len)),
            }
        }
        Ok(None)
    }

    fn frame(&mut self, payload: &[u8], state: &mut Option<State>) -> Option<Frame> {
        let mut reader = Reader::new(payload);
        let head = read_head(&mut reader)?;
        let expected = self.expected.unwrap_or(head.seq);
        let missed_from = if self.before.is_none() { expected.max(self.covered_seq) } else { expected };
        self.replayed.damage.frames += head.seq.saturating_sub(missed_from);
        // Within a segment numbers follow each other; a segment may repeat rows of the one before
        // that were not synced.
        if self.before.is_some_and(|before| head.seq != before + 1) && head.kind == kind::TICK {
            *state = None; // differences to a row that is not there
        }
        self.before = Some(head.seq);
        let next = head.seq.saturating_add(1).max(expected);
        *self.expected = Some(next);
        self.replayed.next_seq = self.replayed.next_seq.max(next);
        match head.kind {
            kind::KEY => state.get_or_insert_default().read_tick(head, &mut reader),
            kind::TICK => state.as_mut()?.read_tick(head, &mut reader),
            kind::LOOSE => read_loose(head, &mut reader),
            _ => None,
        }
    }

    fn damaged(&mut self, offset: usize, len: usize) {
        // A file that was made and not written yet: nothing was in it.
        if len == 0 {
            return;
        }
        self.replayed.damage.places.push((self.file.to_owned(), offset as u64, len as u64));
        self.replayed.damage.bytes += len as u64;
        self.replayed.damage.notes.push(format!("{} has {len} damaged bytes; reading went on behind them", self.file));
    }

    fn tail(&mut self, offset: usize, len: usize) -> Option<u64> {
        if self.is_last && len == 0 {
            return Some(offset as u64);
        }
        if self.is_last {
            self.replayed.damage.tail_bytes += len as u64;
            self.replayed.damage.torn = Some(self.file.to_owned());
            self.replayed.damage.notes.push(format!("the torn end of {} was cut: {len} bytes", self.file));
            return Some(offset as u64);
        }
        self.damaged(offset, len);
        None
    }
}
