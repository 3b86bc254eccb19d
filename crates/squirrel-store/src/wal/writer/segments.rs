//! Segments of the log: opened, closed, given up, and removed when the blocks have what is in them.

use std::collections::BTreeSet;
use std::io;

use super::{KEY_EVERY, LogWriter, seq_of};
use crate::dir::Append;
use crate::format::{FileHeader, FileKind};
use crate::wal::encode::State;
use crate::wal::{SegmentInfo, path};

#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) file: Box<dyn Append>,
    pub(super) bytes: u64,
    pub(super) opened_ms: i64,
    pub(super) windows: BTreeSet<i64>,
    /// Frames since the last key frame.
    pub(super) since_key: u32,
    /// Frames since the last one that repeated the definitions which only the log has. Not with each frame: while a
    /// million series come, each would repeat all before it.
    pub(super) since_names: u32,
}

impl LogWriter {
    pub(super) fn open_segment(&mut self, now_ms: i64) -> io::Result<()> {
        let number = self.next_number;
        let file = self.dir.create(&path(number))?;
        self.next_number += 1;
        let first = self.backlog.front().map_or(self.next_seq, seq_of);
        FileHeader { kind: FileKind::Log, a: number, b: first }.put(&mut self.buffer);
        self.segment = Some(Segment {
            number,
            file,
            bytes: 0,
            opened_ms: now_ms,
            windows: BTreeSet::new(),
            since_key: KEY_EVERY,
            since_names: KEY_EVERY,
        });
        self.state = State::default();
        self.written = 0;
        Ok(())
    }

    pub(super) fn rotate_if_due(&mut self, now_ms: i64) {
        let due = self.segment.as_ref().is_some_and(|segment| {
            segment.bytes >= self.max_bytes || (now_ms - segment.opened_ms).abs() >= self.max_age_ms
        });
        if due && let Err(error) = self.close_segment() {
            tracing::warn!(%error, "a log segment could not be synced; its last rows go to the next one");
        }
    }

    /// Ends the open segment. On an error the rows that were not synced stay in the backlog.
    pub(crate) fn close_segment(&mut self) -> io::Result<()> {
        let Some(mut segment) = self.segment.take() else { return Ok(()) };
        let synced = segment.file.sync();
        self.closed.push(SegmentInfo { number: segment.number, windows: segment.windows, bytes: segment.bytes });
        self.written = 0;
        if synced.is_ok() {
            self.backlog.clear();
        }
        synced
    }

    /// Gives the open segment up: what the disk has of it stays.
    pub(super) fn abandon(&mut self) {
        if let Some(segment) = self.segment.take() {
            self.closed.push(SegmentInfo { number: segment.number, windows: segment.windows, bytes: segment.bytes });
        }
        self.written = 0;
    }

    /// Numbers of the segments that are closed now.
    pub(crate) fn closed_numbers(&self) -> Vec<u64> {
        self.closed.iter().map(|segment| segment.number).collect()
    }

    /// Removes those of `numbers` whose samples are all in windows that are not in `remaining`.
    pub(crate) fn remove_covered(&mut self, numbers: &[u64], remaining: &BTreeSet<i64>) -> io::Result<u64> {
        let mut result = Ok(0);
        let dir = &self.dir;
        self.closed.retain(|segment| {
            let covered = numbers.contains(&segment.number) && segment.windows.is_disjoint(remaining);
            if !covered || result.is_err() {
                return true;
            }
            match dir.remove(&path(segment.number)) {
                Ok(()) => {
                    result = result.as_ref().map_or(Ok(0), |n| Ok(n + 1));
                    false
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                Err(error) => {
                    result = Err(error);
                    true
                }
            }
        });
        result
    }
}
