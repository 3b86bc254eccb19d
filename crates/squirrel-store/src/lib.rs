//! Series and samples on disk.
#![forbid(unsafe_code)]

mod block;
mod bytes;
pub mod codec;
pub mod dir;
mod format;
mod head;
mod options;
mod series;
mod wal;

pub use options::{Stopwatch, StoreOptions, SyncPolicy};
