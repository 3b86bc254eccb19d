//! The file system.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Append, Dir, Entry, Lock, ReadAt};
use crate::error::StoreError;

/// A folder of the file system.
#[derive(Clone, Debug)]
pub struct RealDir {
    root: PathBuf,
}

/// Of the data folder: its group may look, such as a group of administrators.
const FOLDER_MODE: u32 = 0o750;

/// Name of the file whose lock says that a program uses the folder.
const LOCK_FILE: &str = "lock";

impl RealDir {
    /// The folder `root`; it is made, with its parents, when it is not there. Others may not look into one that is made:
    /// what a host did with whom is told there. One that is there keeps its mode.
    ///
    /// # Errors
    /// When the folder can be neither found nor made; the text says what to do.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let root = root.into();
        let made = match root.parent() {
            Some(parent) => fs::create_dir_all(parent),
            None => Ok(()),
        };
        // One that is there is no error to this builder.
        let made = made.and_then(|()| DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&root));
        made.map_err(|error| StoreError::io(root.display().to_string(), "make", "the folder", error))?;
        Ok(Self { root })
    }

    /// The folder `root`, which must be there: for looking into it only.
    ///
    /// # Errors
    /// When there is no such folder, or this user may not look at it.
    pub fn existing(root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let root = root.into();
        let failed = |error| StoreError::io(root.display().to_string(), "open", "the folder", error);
        if !fs::metadata(&root).map_err(failed)?.is_dir() {
            return Err(failed(io::ErrorKind::NotADirectory.into()));
        }
        Ok(Self { root })
    }

    /// Gives the folder its final name, in one step, once it is complete. An empty folder of that name is replaced.
    ///
    /// # Errors
    /// When the folder cannot be renamed; it then has its old name.
    pub fn publish(self, name: &Path) -> Result<Self, StoreError> {
        let failed = |error| {
            let place = self.root.display().to_string();
            StoreError::io(place, "rename", format!("the folder to {}", name.display()), error)
        };
        fs::rename(&self.root, name).map_err(failed)?;
        let parent = name.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        sync_folder(parent).map_err(failed)?;
        Ok(Self { root: name.to_owned() })
    }

    fn path(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.root.clone() } else { self.root.join(path) }
    }
}

#[derive(Debug)]
struct RealLock {
    file: File,
    path: PathBuf,
}

impl Lock for RealLock {
    fn holds(&self) -> bool {
        let same = |named: Metadata, held: Metadata| (named.dev(), named.ino()) == (held.dev(), held.ino());
        match (fs::metadata(&self.path), self.file.metadata()) {
            (Ok(named), Ok(held)) => same(named, held),
            // Only what is certain: another error may pass, and the log meets it by itself.
            (Err(error), _) => error.kind() != io::ErrorKind::NotFound,
            (_, Err(_)) => true,
        }
    }
}

impl Append for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

impl ReadAt for File {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(out, offset)
    }

    fn len(&self) -> io::Result<u64> {
        self.metadata().map(|meta| meta.len())
    }
}

impl Dir for RealDir {
    fn place(&self) -> String {
        self.root.display().to_string()
    }

    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        let path = self.path(LOCK_FILE);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                return Err(io::Error::new(io::ErrorKind::WouldBlock, holder.trim().to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Only a courtesy for the message that a second program gives.
        let _ = file.set_len(0).and_then(|()| write!(file, "process {}", std::process::id()));
        Ok(Box::new(RealLock { file, path }))
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn Append>> {
        let file = OpenOptions::new().append(true).create_new(true).open(self.path(path))?;
        Ok(Box::new(file))
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn ReadAt>> {
        Ok(Arc::new(File::open(self.path(path))?))
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path(path))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.path(folder))? {
            let entry = entry?;
            let meta = entry.metadata()?;
            entries.push(Entry {
                name: entry.file_name().to_string_lossy().into_owned(),
                is_folder: meta.is_dir(),
                len: if meta.is_dir() { 0 } else { meta.len() },
            });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn make_folder(&self, folder: &str) -> io::Result<()> {
        fs::create_dir_all(self.path(folder))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.path(path))
    }

    fn truncate(&self, path: &str, len: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.path(path))?;
        file.set_len(len)?;
        file.sync_all()
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        sync_folder(&self.path(folder))
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
