//! The series files: `series/00000001.series`, frames of definitions and of retirements.
//!
//! Files are only ever added to. When much of them is about series that are gone, one new file
//! with the living takes their place. What is read is the union of all files, so that damage to
//! one costs only what no other file, log segment or block repeats.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use squirrel_model::Labels;

use super::{Definition, SeriesId, put_definitions, put_ids, read_definitions, read_ids};
use crate::bytes::Reader;
use crate::dir::{Append, Dir, write_whole};
use crate::format::{FRAME_HEAD, FileHeader, FileKind, Frames, HEADER_LEN, HeaderFault, Piece, put_frame};

pub(crate) const FOLDER: &str = "series";
pub(crate) const SUFFIX: &str = ".series";

/// Payload kinds.
const DEFINED: u8 = 1;
const RETIRED: u8 = 2;

/// More files than this are folded into one.
const MAX_FILES: usize = 8;

/// Most series that a frame defines: damage costs a frame.
const FRAME_SERIES: usize = 1024;

/// What the series files said.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) series: BTreeMap<SeriesId, Labels>,
    /// No id below this one may be given again.
    pub(crate) next_id: u64,
    /// Bytes that could not be used.
    pub(crate) bytes_lost: u64,
    /// Written by a newer version: the file and its version.
    pub(crate) newer: Option<(String, u16)>,
}

/// Writes the series files.
#[derive(Debug)]
pub(crate) struct SeriesLog {
    dir: Arc<dyn Dir>,
    next_file: u64,
    files: Vec<String>,
    open: Option<Box<dyn Append>>,
    /// Definitions and retirements in the files, for deciding when to fold.
    defined: usize,
    retired: usize,
}

fn number(name: &str) -> Option<u64> {
    name.strip_suffix(SUFFIX)?.parse().ok()
}

impl SeriesLog {
    /// Reads what is there.
    pub(crate) fn load(dir: Arc<dyn Dir>) -> io::Result<(Self, Loaded)> {
        let mut loaded = Loaded { next_id: 1, ..Loaded::default() };
        let mut log = Self { dir, next_file: 1, files: Vec::new(), open: None, defined: 0, retired: 0 };
        for entry in log.dir.list(FOLDER)? {
            let path = format!("{FOLDER}/{}", entry.name);
            let Some(number) = number(&entry.name) else {
                if entry.name.starts_with("tmp-") {
                    let _ = log.dir.remove(&path);
                }
                continue;
            };
            log.next_file = log.next_file.max(number + 1);
            match log.dir.read(&path) {
                Ok(bytes) => log.read_file(&path, &bytes, &mut loaded),
                Err(error) => {
                    tracing::warn!(file = path, %error, "a series file cannot be read; its series come from log and blocks");
                    loaded.bytes_lost += entry.len;
                }
            }
            log.files.push(path);
        }
        if let Some(last) = loaded.series.keys().next_back() {
            loaded.next_id = loaded.next_id.max(last.0.saturating_add(1));
        }
        Ok((log, loaded))
    }

    fn read_file(&mut self, path: &str, bytes: &[u8], loaded: &mut Loaded) {
        match FileHeader::read(FileKind::Series, bytes) {
            Ok(header) => loaded.next_id = loaded.next_id.max(header.b),
            Err(HeaderFault::Newer(version)) => loaded.newer = Some((path.to_owned(), version)),
            Err(HeaderFault::Damaged) => loaded.bytes_lost += HEADER_LEN.min(bytes.len()) as u64,
        }
        for piece in Frames::new(bytes, HEADER_LEN) {
            let payload = match piece {
                Piece::Frame { payload } => payload,
                Piece::Damage { len, .. } | Piece::Tail { len, .. } => {
                    loaded.bytes_lost += len as u64;
                    continue;
                }
            };
            if self.apply(payload, loaded).is_none() {
                loaded.bytes_lost += payload.len() as u64;
            }
        }
    }

    fn apply(&mut self, payload: &[u8], loaded: &mut Loaded) -> Option<()> {
        let mut reader = Reader::new(payload);
        match reader.u8()? {
            DEFINED => {
                let definitions = read_definitions(&mut reader)?;
                self.defined += definitions.len();
                loaded.series.extend(definitions);
            }
            RETIRED => {
                let ids = read_ids(&mut reader)?;
                self.retired += ids.len();
                for id in ids {
                    loaded.series.remove(&id);
                    loaded.next_id = loaded.next_id.max(id.0.saturating_add(1));
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// The first thing in a file that is not as it was written: its place and length, and whether it is the file's
    /// end, as a write under way leaves it.
    pub(crate) fn first_damage(bytes: &[u8]) -> Option<(u64, u64, bool)> {
        if FileHeader::read(FileKind::Series, bytes) == Err(HeaderFault::Damaged) {
            return Some((0, HEADER_LEN.min(bytes.len()) as u64, bytes.len() < HEADER_LEN));
        }
        let mut at = HEADER_LEN;
        for piece in Frames::new(bytes, HEADER_LEN) {
            match piece {
                Piece::Frame { payload } => {
                    let mut reader = Reader::new(payload);
                    let good = match reader.u8() {
                        Some(DEFINED) => read_definitions(&mut reader).is_some(),
                        Some(RETIRED) => read_ids(&mut reader).is_some(),
                        _ => false,
                    };
                    if !good {
                        return Some((at as u64, payload.len() as u64, false));
                    }
                    at += FRAME_HEAD + payload.len();
                }
                Piece::Damage { offset, len } => return Some((offset as u64, len as u64, false)),
                Piece::Tail { offset, len } => return Some((offset as u64, len as u64, true)),
            }
        }
        None
    }

    /// Writes definitions and waits until they would outlast a loss of power.
    pub(crate) fn define(&mut self, definitions: &[Definition], next_id: u64) -> io::Result<()> {
        self.write(next_id, |out| {
            for some in definitions.chunks(FRAME_SERIES) {
                put_frame(out, |out| {
                    out.push(DEFINED);
                    put_definitions(some, out);
                });
            }
        })?;
        self.defined += definitions.len();
        Ok(())
    }

    /// Writes that series are gone.
    pub(crate) fn retire(&mut self, ids: &[SeriesId], next_id: u64) -> io::Result<()> {
        self.write(next_id, |out| {
            put_frame(out, |out| {
                out.push(RETIRED);
                put_ids(ids.iter().copied(), out);
            });
        })?;
        self.retired += ids.len();
        Ok(())
    }

    fn write(&mut self, next_id: u64, frames: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut made = false;
        let mut file = if let Some(file) = self.open.take() {
            file
        } else {
            let path = format!("{FOLDER}/{:08}{SUFFIX}", self.next_file);
            self.next_file += 1;
            FileHeader { kind: FileKind::Series, a: self.next_file - 1, b: next_id }.put(&mut bytes);
            let file = self.dir.create(&path)?;
            self.files.push(path);
            made = true;
            file
        };
        frames(&mut bytes);
        file.write(&bytes)?;
        file.sync()?;
        if made {
            self.dir.sync_folder(FOLDER)?;
        }
        // Kept only after success: a file that failed once is never written to again.
        self.open = Some(file);
        Ok(())
    }

    /// Whether a fold would make the files much smaller.
    pub(crate) fn wants_fold(&self) -> bool {
        self.files.len() > MAX_FILES || (self.retired > 1024 && self.retired * 2 > self.defined)
    }

    /// Puts one file with the living series in the place of all files.
    pub(crate) fn fold(&mut self, living: &[Definition], next_id: u64) -> io::Result<()> {
        let mut bytes = Vec::new();
        FileHeader { kind: FileKind::Series, a: self.next_file, b: next_id }.put(&mut bytes);
        for some in living.chunks(FRAME_SERIES) {
            put_frame(&mut bytes, |out| {
                out.push(DEFINED);
                put_definitions(some, out);
            });
        }
        let name = format!("{:08}{SUFFIX}", self.next_file);
        self.next_file += 1;
        write_whole(self.dir.as_ref(), FOLDER, &name, &bytes)?;
        self.open = None;
        for old in std::mem::take(&mut self.files) {
            let _ = self.dir.remove(&old); // read again as part of the union if it stays
        }
        self.files.push(format!("{FOLDER}/{name}"));
        (self.defined, self.retired) = (living.len(), 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dir::MemoryDir;

    fn series(id: u64) -> Definition {
        (SeriesId(id), Labels::new([("__name__", format!("m{id}"))]).unwrap())
    }

    fn ids(loaded: &Loaded) -> Vec<u64> {
        loaded.series.keys().map(|id| id.0).collect()
    }

    fn filled() -> Arc<MemoryDir> {
        let dir = Arc::new(MemoryDir::new());
        dir.make_folder(FOLDER).unwrap();
        let (mut log, _) = SeriesLog::load(dir.clone()).unwrap();
        log.define(&[series(1), series(2)], 3).unwrap();
        log.define(&[series(3)], 4).unwrap();
        log.retire(&[SeriesId(2)], 4).unwrap();
        dir
    }

    #[test]
    fn definitions_and_retirements_are_read_back_and_ids_go_on() {
        let (_, loaded) = SeriesLog::load(filled()).unwrap();
        assert_eq!((ids(&loaded), loaded.next_id, loaded.bytes_lost), (vec![1, 3], 4, 0));
    }

    #[test]
    fn the_id_of_the_last_series_is_not_given_again_after_it_is_gone() {
        let dir = filled();
        let (mut log, _) = SeriesLog::load(dir.clone()).unwrap();
        log.retire(&[SeriesId(3)], 4).unwrap();
        log.fold(&[series(1)], 4).unwrap();
        assert_eq!(log.files.len(), 1);
        let (_, loaded) = SeriesLog::load(dir).unwrap();
        assert_eq!((ids(&loaded), loaded.next_id), (vec![1], 4));
    }

    #[test]
    fn a_flipped_byte_costs_one_frame_and_is_counted() {
        let dir = filled();
        let path = dir.files().remove(0);
        let bytes = dir.read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 0x10;
            dir.put(&path, bad);
            let (_, loaded) = SeriesLog::load(dir.clone()).unwrap();
            assert!(loaded.bytes_lost > 0, "byte {at}");
            assert!(loaded.series.contains_key(&SeriesId(1)) || loaded.series.contains_key(&SeriesId(3)), "byte {at}");
        }
    }
}
