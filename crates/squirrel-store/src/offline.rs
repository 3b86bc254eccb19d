//! A store's folder seen from outside: judged, measured, read and copied without its lock, while a program may be
//! writing to it. Nothing here changes the folder.
//!
//! All of it works on a frozen view of the folder: every file is opened first, in an order in which whatever moves on
//! meanwhile from the log to a block is seen at least once, and read up to the length that it had then.

mod backup;
mod check;
mod frozen;
mod stats;

use std::sync::Arc;

use squirrel_model::{Labels, Select, Timestamp};

pub use backup::{BackupReport, backup};
pub use check::{CheckReport, Finding, check};
pub use stats::{MetricShare, StoreStats, TierStats, stats};

use crate::dir::Dir;
use crate::error::StoreError;
use crate::options::{StoreOptions, SyncPolicy};
use crate::report::OpenReport;
use crate::store::{Store, is_store};
use frozen::Frozen;

/// How far a long task has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes done.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// The samples of a store as they are at this moment, and what was found damaged on the way.
///
/// # Errors
/// When the folder is no store, or one of a newer version, or cannot be read.
pub fn snapshot(dir: &dyn Dir, now: Timestamp) -> Result<(Arc<dyn Select>, OpenReport), StoreError> {
    let (store, report) = open(freeze(dir)?, now)?;
    Ok((store.reader().snapshot(), report))
}

/// A frozen folder of what must be a store.
fn freeze(dir: &dyn Dir) -> Result<Frozen, StoreError> {
    let frozen =
        Frozen::of(dir).map_err(|error| StoreError::io(dir.place(), "read", "the files of the store", error))?;
    if is_store(&frozen)? { Ok(frozen) } else { Err(StoreError::NoStore { place: dir.place() }) }
}

/// A store on a frozen folder: it believes that it holds the lock, and what it repairs is repaired nowhere.
fn open(frozen: Frozen, now: Timestamp) -> Result<(Store, OpenReport), StoreError> {
    let options = StoreOptions { sync: SyncPolicy::Never, reserve_bytes: 0, ..StoreOptions::new(Labels::empty()) };
    Store::open(Arc::new(frozen), options, now)
}
