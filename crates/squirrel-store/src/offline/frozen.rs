//! What a folder held at one moment.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use crate::block::TIERS;
use crate::dir::{Append, Dir, Entry, Lock, ReadAt};
use crate::store::MARKER;
use crate::{series, wal};

/// How often a folder is listed anew because a file went between listing and opening. Each time is a larger block or
/// file in the place of others, which a daemon makes once in some seconds at most.
const ATTEMPTS: usize = 50;

/// The files of a store, held open, each with the length that it had. Reading is all that it does: whatever would
/// change something succeeds and has no effect, so that a [`crate::Store`] can be opened on it.
#[derive(Debug)]
pub(super) struct Frozen {
    place: String,
    folders: BTreeMap<String, Vec<Entry>>,
    files: BTreeMap<String, File>,
}

#[derive(Debug)]
enum File {
    Open(Arc<Held>),
    /// It is there and cannot be opened.
    Closed(io::ErrorKind, String),
}

#[derive(Debug)]
struct Held {
    file: Arc<dyn ReadAt>,
    len: u64,
}

impl ReadAt for Held {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.file.read_at(offset, out)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.len)
    }
}

impl Frozen {
    /// Opens every file. The log comes first: a segment that goes afterwards is in a block that comes later. Then
    /// the series, and the blocks, which name series that are newer than that themselves.
    pub(super) fn of(dir: &dyn Dir) -> io::Result<Self> {
        let mut frozen = Self { place: dir.place(), folders: BTreeMap::new(), files: BTreeMap::new() };
        for folder in [wal::FOLDER, series::FOLDER].into_iter().chain(TIERS).chain([""]) {
            frozen.take(dir, folder)?;
        }
        Ok(frozen)
    }

    fn take(&mut self, dir: &dyn Dir, folder: &str) -> io::Result<()> {
        for attempt in 1.. {
            let entries = match dir.list(folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound && !folder.is_empty() => return Ok(()),
                Err(error) => return Err(error),
            };
            let mut kept = Vec::with_capacity(entries.len());
            let mut gone = None;
            for mut entry in entries {
                let path = join(folder, &entry.name);
                // Of the top folder only this: it may turn out to be no store, and hold pipes, which wait for ever.
                let is_read = !folder.is_empty() || entry.name == MARKER;
                if is_read && !entry.is_folder {
                    match dir.open(&path).and_then(|file| Ok((file.len()?, file))) {
                        Ok((len, file)) => {
                            entry.len = len;
                            self.files.insert(path, File::Open(Arc::new(Held { file, len })));
                        }
                        // What is being written is nobody's yet, and goes by itself.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {
                            if !entry.name.starts_with("tmp-") {
                                gone = Some(error);
                            }
                            continue;
                        }
                        // That is about this program, not about the file: it must not look like damage.
                        Err(error) if matches!(error.raw_os_error(), Some(23 | 24)) => return Err(error),
                        Err(error) => {
                            self.files.insert(path, File::Closed(error.kind(), error.to_string()));
                        }
                    }
                }
                kept.push(entry);
            }
            // A log segment that went is in a block by now.
            match gone {
                Some(error) if folder != wal::FOLDER && attempt == ATTEMPTS => return Err(error),
                Some(_) if folder != wal::FOLDER => {
                    for entry in kept {
                        self.files.remove(&join(folder, &entry.name));
                    }
                }
                _ => {
                    self.folders.insert(folder.to_owned(), kept);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Paths and lengths of all files.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        let inside = |(folder, entries): (&'_ String, &'_ Vec<Entry>)| -> Vec<(String, u64)> {
            entries.iter().filter(|e| !e.is_folder).map(|e| (join(folder, &e.name), e.len)).collect()
        };
        let lengths: BTreeMap<String, u64> = self.folders.iter().flat_map(inside).collect();
        self.files.keys().map(move |path| (path.as_str(), lengths.get(path).copied().unwrap_or(0)))
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Writes go nowhere.
#[derive(Debug)]
struct Nowhere;

impl Append for Nowhere {
    fn write(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lock for Nowhere {
    fn holds(&self) -> bool {
        true
    }
}

impl Dir for Frozen {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        Ok(Box::new(Nowhere))
    }

    fn create(&self, _: &str) -> io::Result<Box<dyn Append>> {
        Ok(Box::new(Nowhere))
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn ReadAt>> {
        match self.files.get(path) {
            Some(File::Open(held)) => Ok(held.clone()),
            Some(File::Closed(kind, text)) => Err(io::Error::new(*kind, text.clone())),
            None => Err(io::Error::new(io::ErrorKind::NotFound, path.to_owned())),
        }
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Entry>> {
        Ok(self.folders.get(folder).cloned().unwrap_or_default())
    }

    fn make_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&self, _: &str, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }
}
