//! Is this folder a store, and one that this version understands?

use crate::block::TIERS;
use crate::dir::{Dir, write_whole};
use crate::error::StoreError;
use crate::format::VERSION;
use crate::{series, wal};

/// Says what the folder is, to people as well.
pub(crate) const MARKER: &str = "SQUIRREL-STORE";
const FIRST_LINE: &str = "This folder is a Squirrel store. Change nothing here by hand.\nformat ";

fn marker_text(version: u64) -> String {
    let body = format!("{FIRST_LINE}{version}\n");
    let sum = crc32c::crc32c(body.as_bytes());
    format!("{body}crc32c {sum:08x}\n")
}

/// The version in a marker; `None` when it is damaged.
fn marker_version(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let version: u64 = text.strip_prefix(FIRST_LINE)?.lines().next()?.parse().ok()?;
    (text == marker_text(version)).then_some(version)
}

/// What the program keeps beside the store.
const BESIDE: [&str; 3] = ["alerts", "probes", "token"];

fn is_ours(name: &str) -> bool {
    [MARKER, "lock", "lost+found", super::reserve::FILE, wal::FOLDER, series::FOLDER].contains(&name)
        || BESIDE.contains(&name)
        || TIERS.contains(&name)
        || name.starts_with("tmp-")
}

/// Whether the folder holds a store; an empty one does not.
///
/// # Errors
/// When a newer version wrote it, or it cannot be read.
pub(crate) fn is_store(dir: &dyn Dir) -> Result<bool, StoreError> {
    let failed = |action, subject: &str, error| StoreError::io(dir.place(), action, subject, error);
    let entries = dir.list("").map_err(|error| failed("list", "the folder", error))?;
    if entries.iter().any(|entry| entry.name == MARKER) {
        let text = dir.read(MARKER).map_err(|error| failed("read", MARKER, error))?;
        return match marker_version(&text) {
            Some(version) if version > u64::from(VERSION) => {
                let (place, known) = (dir.place(), u64::from(VERSION));
                Err(StoreError::Newer { place, subject: MARKER.to_owned(), version, known })
            }
            _ => Ok(true),
        };
    }
    // The marker may be what is damaged.
    let ours = entries.iter().all(|entry| is_ours(&entry.name));
    Ok(ours && entries.iter().any(|entry| entry.name == TIERS[0]))
}

/// Whether a file of a store is part of its copy: not what belongs to the program that runs, and nothing unfinished.
pub(crate) fn is_part_of_backup(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let known = [MARKER].contains(&path) || [wal::FOLDER, series::FOLDER].contains(&folder) || TIERS.contains(&folder);
    known && !name.starts_with("tmp-")
}

/// Whether there is nothing in a folder that a new store would mix with.
pub(crate) fn is_empty_folder(dir: &dyn Dir) -> std::io::Result<bool> {
    Ok(dir.list("")?.iter().all(|entry| entry.name == "lost+found"))
}

/// Whether the marker says what it should.
pub(crate) fn marker_is_whole(dir: &dyn Dir) -> bool {
    dir.read(MARKER).is_ok_and(|text| marker_version(&text).is_some())
}

/// Checks the folder before anything in it is changed, and makes what is missing.
pub(super) fn prepare(dir: &dyn Dir, notes: &mut Vec<String>) -> Result<(), StoreError> {
    let failed = |action, subject: &str, error| StoreError::io(dir.place(), action, subject, error);
    let entries = dir.list("").map_err(|error| failed("list", "the folder", error))?;
    let marker = entries.iter().any(|entry| entry.name == MARKER);
    let version =
        if marker { marker_version(&dir.read(MARKER).map_err(|error| failed("read", MARKER, error))?) } else { None };
    match version {
        Some(version) if version > u64::from(VERSION) => {
            let (place, known) = (dir.place(), u64::from(VERSION));
            return Err(StoreError::Newer { place, subject: MARKER.to_owned(), version, known });
        }
        Some(_) => {}
        None => {
            if !marker && let Some(foreign) = entries.iter().find(|entry| !is_ours(&entry.name)) {
                return Err(StoreError::Foreign { place: dir.place(), found: foreign.name.clone() });
            }
            if marker {
                notes.push(format!("the file {MARKER} was damaged and is written anew"));
            }
            let text = marker_text(u64::from(VERSION));
            write_whole(dir, "", MARKER, text.as_bytes()).map_err(|error| failed("write", MARKER, error))?;
        }
    }
    let mut made = false;
    for folder in [wal::FOLDER, series::FOLDER].into_iter().chain(TIERS) {
        if !entries.iter().any(|entry| entry.name == folder) {
            dir.make_folder(folder).map_err(|error| failed("make", folder, error))?;
            made = true;
        }
    }
    if made {
        dir.sync_folder("").map_err(|error| failed("sync", "the folder", error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_flipped_byte_of_the_marker_is_seen() {
        let good = marker_text(1).into_bytes();
        assert_eq!(marker_version(&good), Some(1));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(marker_version(&bad), None, "byte {at}");
        }
    }
}
