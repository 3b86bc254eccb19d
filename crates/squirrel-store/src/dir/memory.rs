//! The disk's twin in memory, which knows what a loss of power may take.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Append, Dir, Entry, Lock, ReadAt};

/// A folder in memory. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryDir {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    folders: BTreeSet<String>,
    /// Names as a running program sees them.
    names: BTreeMap<String, Arc<Mutex<Inode>>>,
    /// Names that would outlast a loss of power.
    durable_names: BTreeMap<String, Arc<Mutex<Inode>>>,
    locked: bool,
}

#[derive(Debug, Default)]
struct Inode {
    bytes: Vec<u8>,
    /// How much of it would outlast a loss of power.
    synced: usize,
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn missing(path: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, path.to_owned())
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A small generator (splitmix64) so that a crash can be repeated from its seed.
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl MemoryDir {
    /// An empty folder.
    pub fn new() -> Self {
        Self::default()
    }

    /// What could be found after a loss of power at this moment: what was synced is there; of the
    /// rest each file keeps an arbitrary part, which may end in zeros, and each name that was made,
    /// changed or removed since its folder was synced may or may not be so. `seed` chooses.
    #[must_use]
    pub fn after_power_loss(&self, seed: u64) -> Self {
        let mut random = seed;
        let disk = hold(&self.disk);
        let paths: BTreeSet<&String> = disk.names.keys().chain(disk.durable_names.keys()).collect();
        let mut names = BTreeMap::new();
        for path in paths {
            let (new, old) = (disk.names.get(path), disk.durable_names.get(path));
            let kept = if next_random(&mut random).is_multiple_of(2) { new } else { old };
            if let Some(inode) = kept {
                names.insert(path.clone(), Arc::new(Mutex::new(torn(&hold(inode), &mut random))));
            }
        }
        let durable_names = names.clone();
        let disk = Disk { folders: disk.folders.clone(), names, durable_names, locked: false };
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    /// A copy of everything, as a `kill -9` leaves it: nothing is lost, the lock is free.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        let disk = hold(&self.disk);
        let names: BTreeMap<String, Arc<Mutex<Inode>>> = disk
            .names
            .iter()
            .map(|(path, inode)| {
                let bytes = hold(inode).bytes.clone();
                let synced = bytes.len();
                (path.clone(), Arc::new(Mutex::new(Inode { bytes, synced })))
            })
            .collect();
        let durable_names = names.clone();
        let disk = Disk { folders: disk.folders.clone(), names, durable_names, locked: false };
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    /// Paths of all files.
    pub fn files(&self) -> Vec<String> {
        hold(&self.disk).names.keys().cloned().collect()
    }

    /// Replaces the bytes of a file, or makes it: damage for tests.
    pub fn put(&self, path: &str, bytes: Vec<u8>) {
        let mut disk = hold(&self.disk);
        let synced = bytes.len();
        let inode = Arc::new(Mutex::new(Inode { bytes, synced }));
        disk.folders.insert(parent(path).to_owned());
        disk.names.insert(path.to_owned(), inode.clone());
        disk.durable_names.insert(path.to_owned(), inode);
    }

    /// Sum of the lengths of all files.
    pub fn total_len(&self) -> u64 {
        hold(&self.disk).names.values().map(|inode| hold(inode).bytes.len() as u64).sum()
    }
}

fn torn(inode: &Inode, random: &mut u64) -> Inode {
    let unsynced = inode.bytes.len().saturating_sub(inode.synced) as u64;
    let kept = inode.synced + (next_random(random) % (unsynced + 1)) as usize;
    let mut bytes = inode.bytes.get(..kept).unwrap_or_default().to_vec();
    if next_random(random).is_multiple_of(3) {
        // The length reached the disk, the data did not.
        let zeros = next_random(random) % (unsynced + 1);
        bytes.resize((kept as u64 + zeros).min(inode.bytes.len() as u64) as usize, 0);
    }
    let synced = bytes.len();
    Inode { bytes, synced }
}

#[derive(Debug)]
struct MemoryFile {
    inode: Arc<Mutex<Inode>>,
}

impl Append for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        hold(&self.inode).bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut inode = hold(&self.inode);
        inode.synced = inode.bytes.len();
        Ok(())
    }
}

impl ReadAt for MemoryFile {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let inode = hold(&self.inode);
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start.saturating_add(out.len());
        let bytes = inode.bytes.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(hold(&self.inode).bytes.len() as u64)
    }
}

#[derive(Debug)]
struct MemoryLock {
    disk: Arc<Mutex<Disk>>,
}

impl Lock for MemoryLock {
    fn holds(&self) -> bool {
        true
    }
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        hold(&self.disk).locked = false;
    }
}

impl Dir for MemoryDir {
    fn place(&self) -> String {
        "memory".to_owned()
    }

    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        let mut disk = hold(&self.disk);
        if disk.locked {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "this process"));
        }
        disk.locked = true;
        Ok(Box::new(MemoryLock { disk: self.disk.clone() }))
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn Append>> {
        let mut disk = hold(&self.disk);
        let folder = parent(path);
        if !folder.is_empty() && !disk.folders.contains(folder) {
            return Err(missing(folder));
        }
        if disk.names.contains_key(path) {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, path.to_owned()));
        }
        let inode = Arc::new(Mutex::new(Inode::default()));
        disk.names.insert(path.to_owned(), inode.clone());
        Ok(Box::new(MemoryFile { inode }))
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn ReadAt>> {
        let inode = hold(&self.disk).names.get(path).cloned().ok_or_else(|| missing(path))?;
        Ok(Arc::new(MemoryFile { inode }))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Entry>> {
        let disk = hold(&self.disk);
        if !folder.is_empty() && !disk.folders.contains(folder) {
            return Err(missing(folder));
        }
        let inside = |path: &String| parent(path) == folder && !path.is_empty();
        let name = |path: &String| path.rsplit('/').next().unwrap_or(path).to_owned();
        let folders = disk.folders.iter().filter(|path| inside(path)).map(|path| Entry {
            name: name(path),
            is_folder: true,
            len: 0,
        });
        let files = disk.names.iter().filter(|(path, _)| inside(path)).map(|(path, inode)| Entry {
            name: name(path),
            is_folder: false,
            len: hold(inode).bytes.len() as u64,
        });
        let mut entries: Vec<Entry> = folders.chain(files).collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn make_folder(&self, folder: &str) -> io::Result<()> {
        hold(&self.disk).folders.insert(folder.to_owned());
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = hold(&self.disk);
        let inode = disk.names.remove(from).ok_or_else(|| missing(from))?;
        disk.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        hold(&self.disk).names.remove(path).map(|_| ()).ok_or_else(|| missing(path))
    }

    fn truncate(&self, path: &str, len: u64) -> io::Result<()> {
        let inode = hold(&self.disk).names.get(path).cloned().ok_or_else(|| missing(path))?;
        let mut inode = hold(&inode);
        inode.bytes.truncate(usize::try_from(len).map_err(io::Error::other)?);
        inode.synced = inode.bytes.len();
        Ok(())
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        let mut disk = hold(&self.disk);
        let disk = &mut *disk;
        disk.durable_names.retain(|path, _| parent(path) != folder || disk.names.contains_key(path));
        for (path, inode) in disk.names.iter().filter(|(path, _)| parent(path) == folder) {
            disk.durable_names.insert(path.clone(), inode.clone());
        }
        Ok(())
    }
}
