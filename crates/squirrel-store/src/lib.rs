//! Series and samples on disk.
//!
//! What the store promises:
//!
//! - After the end of the program, however sudden, nothing that was acknowledged is missing.
//! - After a loss of power at most what the sync policy allows is missing, and nothing older.
//! - A damaged byte costs at most the record that it is in, is counted and reported, and never keeps
//!   the store from opening.
//! - A full or failing disk ends nothing: samples stay in memory, and writing resumes by itself.
//!
//! How a sample travels: [`Store::append`] writes one frame a tick to the *log* and shows the row to
//! readers. [`Store::maintain`] compresses rows into *parts* in memory, and once in two hours writes
//! the parts of a window as a *block*, after which the log segments that held them are deleted.
//! All of these are immutable, so a reader's [`StoreReader::snapshot`] is a handful of references.
//!
//! Absences: no HTTP, no PromQL, no clock (moments are arguments), no thread that outlives a call; nothing
//! here touches the disk but through [`dir`].
#![forbid(unsafe_code)]

mod block;
mod bytes;
pub mod codec;
pub mod dir;
mod error;
mod format;
mod head;
mod metrics;
pub mod offline;
mod options;
mod report;
mod select;
mod series;
mod store;
mod tier;
mod view;
mod wal;

pub use error::StoreError;
pub use metrics::METRICS;
pub use options::{CoarseLimit, Stopwatch, StoreOptions, SyncPolicy};
pub use report::{AppendReport, DeleteReport, Dropped, MaintainReport, OpenReport, StoreReport};
pub use store::{Store, would_delete};
pub use view::StoreReader;
