//! A folder with trouble: chosen operations fail, or tear a write in two.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Append, Dir, Entry, Lock, ReadAt};

/// What goes wrong, and when. Operations that change something (create, write, sync, rename,
/// remove, truncate, folder made or synced) are counted from 0.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    /// The first operation that fails.
    pub from: u64,
    /// How many operations fail from there on.
    pub count: u64,
    /// Linux' error number: 28 for a full disk, 5 for an I/O error.
    pub errno: i32,
    /// Whether a failing write leaves the first half of its bytes.
    pub tears: bool,
    /// Whether only operations that need space fail (create, write, folder made), as on a full disk.
    pub only_growth: bool,
}

#[derive(Debug, Default)]
struct Plan {
    done: u64,
    failed: u64,
    trouble: Option<Trouble>,
}

/// A [`Dir`] whose operations fail by plan. Clones share the plan.
#[derive(Clone, Debug)]
pub struct FaultyDir {
    inner: Arc<dyn Dir>,
    plan: Arc<Mutex<Plan>>,
}

fn hold(plan: &Mutex<Plan>) -> MutexGuard<'_, Plan> {
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FaultyDir {
    /// A wrapper that passes everything on, until told otherwise.
    pub fn new(inner: Arc<dyn Dir>) -> Self {
        Self { inner, plan: Arc::default() }
    }

    /// Sets the trouble that is to come; the count of operations begins anew.
    pub fn set(&self, trouble: Option<Trouble>) {
        *hold(&self.plan) = Plan { done: 0, failed: 0, trouble };
    }

    /// Operations counted since the last [`FaultyDir::set`].
    pub fn operations(&self) -> u64 {
        hold(&self.plan).done
    }

    /// Operations that failed since the last [`FaultyDir::set`].
    pub fn failures(&self) -> u64 {
        hold(&self.plan).failed
    }
}

/// Counts one operation; the answer is the trouble that hits it.
fn step(plan: &Mutex<Plan>, grows: bool) -> Option<Trouble> {
    let mut plan = hold(plan);
    let n = plan.done;
    plan.done += 1;
    let trouble = plan.trouble?;
    let hit = n >= trouble.from && n - trouble.from < trouble.count && (grows || !trouble.only_growth);
    plan.failed += u64::from(hit);
    hit.then_some(trouble)
}

fn check(plan: &Mutex<Plan>, grows: bool) -> io::Result<()> {
    step(plan, grows).map_or(Ok(()), |trouble| Err(io::Error::from_raw_os_error(trouble.errno)))
}

#[derive(Debug)]
struct FaultyFile {
    inner: Box<dyn Append>,
    plan: Arc<Mutex<Plan>>,
}

impl Append for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(trouble) = step(&self.plan, true) else { return self.inner.write(bytes) };
        if trouble.tears {
            self.inner.write(bytes.get(..bytes.len() / 2).unwrap_or_default())?;
        }
        Err(io::Error::from_raw_os_error(trouble.errno))
    }

    fn sync(&mut self) -> io::Result<()> {
        check(&self.plan, false)?;
        self.inner.sync()
    }
}

impl Dir for FaultyDir {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        self.inner.lock()
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn Append>> {
        check(&self.plan, true)?;
        Ok(Box::new(FaultyFile { inner: self.inner.create(path)?, plan: self.plan.clone() }))
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn ReadAt>> {
        self.inner.open(path)
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.inner.read(path)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Entry>> {
        self.inner.list(folder)
    }

    fn make_folder(&self, folder: &str) -> io::Result<()> {
        check(&self.plan, true)?;
        self.inner.make_folder(folder)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        check(&self.plan, false)?;
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        check(&self.plan, false)?;
        self.inner.remove(path)
    }

    fn truncate(&self, path: &str, len: u64) -> io::Result<()> {
        check(&self.plan, false)?;
        self.inner.truncate(path, len)
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        check(&self.plan, false)?;
        self.inner.sync_folder(folder)
    }
}
