//! A copy of a store that opens as a store.

use std::io;

use super::{Progress, freeze};
use crate::dir::Dir;
use crate::error::StoreError;
use crate::format::{Frames, HEADER_LEN, Piece};
use crate::series;
use crate::store::{is_empty_folder, is_part_of_backup};
use crate::wal;

/// Bytes that are copied at once.
const PIECE: usize = 1 << 20;

/// What a backup copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackupReport {
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Copies a store into an empty folder. A program may be writing to the store meanwhile: every sample that it
/// acknowledged before the call is in the copy, and none by halves.
///
/// Each file is copied, not linked: damage to one must not be damage to both.
///
/// # Errors
/// When the folder is no store, the target is not empty, or something cannot be read or written. What was copied by
/// then stays, for the caller to remove.
pub fn backup(dir: &dyn Dir, target: &dyn Dir, progress: &mut dyn FnMut(Progress)) -> Result<BackupReport, StoreError> {
    let unwritten = |subject: &str, error| StoreError::io(target.place(), "write", subject, error);
    if !is_empty_folder(target).map_err(|error| unwritten("the folder", error))? {
        return Err(StoreError::NotEmpty { place: target.place() });
    }
    let frozen = freeze(dir)?;
    let files: Vec<(&str, u64)> = frozen.files().filter(|(path, _)| is_part_of_backup(path)).collect();
    let total = files.iter().map(|(_, len)| len).sum();
    let mut report = BackupReport::default();
    let mut folders: Vec<&str> = Vec::new();
    for (path, len) in files {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !folder.is_empty() && !folders.contains(&folder) {
            target.make_folder(folder).map_err(|error| unwritten(folder, error))?;
            folders.push(folder);
        }
        let whole = whole_len(&frozen, path, len).map_err(|error| unread(&frozen, path, error))?;
        copy(&frozen, target, path, whole)?;
        report.files += 1;
        report.bytes += whole;
        progress(Progress { done: report.bytes, total });
    }
    for folder in folders.into_iter().chain([""]) {
        target.sync_folder(folder).map_err(|error| unwritten("the folder", error))?;
    }
    Ok(report)
}

fn unread(dir: &dyn Dir, path: &str, error: io::Error) -> StoreError {
    StoreError::io(dir.place(), "read", path, error)
}

/// How much of a file is whole: the log and the series files may end in a write that is under way.
fn whole_len(dir: &dyn Dir, path: &str, len: u64) -> io::Result<u64> {
    if ![wal::FOLDER, series::FOLDER].iter().any(|folder| path.starts_with(folder)) {
        return Ok(len);
    }
    let bytes = dir.read(path)?;
    let end = Frames::new(&bytes, HEADER_LEN).find_map(|piece| match piece {
        Piece::Tail { offset, .. } => Some(offset as u64),
        _ => None,
    });
    Ok(end.unwrap_or(len))
}

fn copy(from: &dyn Dir, to: &dyn Dir, path: &str, len: u64) -> Result<(), StoreError> {
    let failed = |error| unread(from, path, error);
    let unwritten = |error| StoreError::io(to.place(), "write", path, error);
    let file = from.open(path).map_err(failed)?;
    let mut copy = to.create(path).map_err(unwritten)?;
    let mut piece = vec![0; PIECE.min(usize::try_from(len).unwrap_or(PIECE))];
    let mut at = 0;
    while at < len {
        let n = (len - at).min(PIECE as u64) as usize;
        let bytes = piece.get_mut(..n).unwrap_or_default();
        file.read_at(at, bytes).map_err(failed)?;
        copy.write(bytes).map_err(unwritten)?;
        at += n as u64;
    }
    copy.sync().map_err(unwritten)
}
