//! The one door to the disk.
//!
//! A [`Dir`] is the store's folder. Paths are relative to it, with `/` between folder and file.
//! There are three of it: [`RealDir`] (the file system), [`MemoryDir`] (its twin for tests, which
//! can also act out a loss of power) and [`FaultyDir`] (a wrapper that fails or tears chosen
//! operations).

mod faulty;
mod memory;
mod real;

use std::fmt;
use std::io;
use std::sync::Arc;

pub use faulty::{FaultyDir, Trouble};
pub use memory::MemoryDir;
pub use real::RealDir;

/// Linux' error number for "no space left on device".
pub(crate) const ENOSPC: i32 = 28;

/// What a folder holds under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name without the folder.
    pub name: String,
    /// Whether it is a folder itself.
    pub is_folder: bool,
    /// Length in bytes; 0 for a folder.
    pub len: u64,
}

/// A file that is being written, from its beginning to its end.
pub trait Append: Send + fmt::Debug {
    /// Writes all bytes at the end.
    ///
    /// # Errors
    /// What the disk says. A part of the bytes may have been written.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits until everything written so far would outlast a loss of power (`fdatasync(2)`).
    ///
    /// # Errors
    /// What the disk says. Linux may have dropped the pages that could not be written: never
    /// believe a second attempt on the same file.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that can be read at any place by several threads (`pread(2)`).
pub trait ReadAt: Send + Sync + fmt::Debug {
    /// Fills `out` from `offset` on.
    ///
    /// # Errors
    /// What the disk says; `UnexpectedEof` when the file ends before.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// Length in bytes.
    ///
    /// # Errors
    /// What the disk says.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file has no bytes.
    ///
    /// # Errors
    /// What the disk says.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|len| len == 0)
    }
}

/// Holds a folder for one program. Dropping it lets go.
pub trait Lock: Send + Sync + fmt::Debug {
    /// Whether the folder's name still leads to the folder that is held. Someone may have removed,
    /// renamed or replaced it: writing to its open files then succeeds, and keeps nothing.
    fn holds(&self) -> bool;
}

/// A folder. All methods may be called from several threads.
pub trait Dir: Send + Sync + fmt::Debug {
    /// Where it is, for messages.
    fn place(&self) -> String;

    /// Takes the folder for this program until the answer is dropped.
    ///
    /// # Errors
    /// `WouldBlock` when another program holds it; else what the disk says.
    fn lock(&self) -> io::Result<Box<dyn Lock>>;

    /// Makes a new file.
    ///
    /// # Errors
    /// `AlreadyExists` when there is one; else what the disk says.
    fn create(&self, path: &str) -> io::Result<Box<dyn Append>>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// What the disk says.
    fn open(&self, path: &str) -> io::Result<Arc<dyn ReadAt>>;

    /// Reads a whole file.
    ///
    /// # Errors
    /// What the disk says.
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let file = self.open(path)?;
        let len = usize::try_from(file.len()?).map_err(io::Error::other)?;
        let mut bytes = vec![0; len];
        file.read_at(0, &mut bytes)?;
        Ok(bytes)
    }

    /// What a folder holds, sorted by name. The empty path is the folder itself.
    ///
    /// # Errors
    /// What the disk says.
    fn list(&self, folder: &str) -> io::Result<Vec<Entry>>;

    /// Makes a folder, and its parents, unless it is there.
    ///
    /// # Errors
    /// What the disk says.
    fn make_folder(&self, folder: &str) -> io::Result<()>;

    /// Gives a file another name, replacing what had it.
    ///
    /// # Errors
    /// What the disk says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the disk says.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Cuts a file to `len` bytes and syncs it.
    ///
    /// # Errors
    /// What the disk says.
    fn truncate(&self, path: &str, len: u64) -> io::Result<()>;

    /// Waits until names made, changed and removed in a folder would outlast a loss of power.
    ///
    /// # Errors
    /// What the disk says.
    fn sync_folder(&self, folder: &str) -> io::Result<()>;
}

/// Whether an error says that the disk, or this user's share of it, is full (`ENOSPC`, `EDQUOT`).
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        || error.raw_os_error() == Some(ENOSPC)
}

/// Writes a whole file so that it is either there as a whole or not at all: under a temporary
/// name first, synced, renamed, and the folder synced.
///
/// # Errors
/// What the disk says; then the file is as it was before.
pub fn write_whole(dir: &dyn Dir, folder: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
    let (temporary, path) = if folder.is_empty() {
        (format!("tmp-{name}"), name.to_owned())
    } else {
        (format!("{folder}/tmp-{name}"), format!("{folder}/{name}"))
    };
    let _ = dir.remove(&temporary); // left behind by a crash
    let written = dir.create(&temporary).and_then(|mut file| {
        file.write(bytes)?;
        file.sync()
    });
    let published = written.and_then(|()| dir.rename(&temporary, &path));
    if let Err(error) = published {
        let _ = dir.remove(&temporary);
        return Err(error);
    }
    dir.sync_folder(folder)
}

#[cfg(test)]
mod tests;
