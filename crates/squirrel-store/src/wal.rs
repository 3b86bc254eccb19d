//! The write-ahead log: `wal/00000001.wal`, one checksummed frame for each append.
//!
//! A *key* frame stands for itself: it names its series and gives whole values. A *tick* frame
//! gives differences to the frame before. A segment begins with a key frame that also defines all
//! its series, and a key frame follows every minute or so: what damage costs is known and small.

mod encode;
mod replay;
mod values;
mod writer;

pub(crate) use replay::{ReplayError, Replayed, SegmentInfo, replay};
pub(crate) use writer::{Limits, LogWriter, Logged, Names};

pub(crate) const FOLDER: &str = "wal";
pub(crate) const SUFFIX: &str = ".wal";

/// Kinds of frame.
mod kind {
    /// Differences to the frame before.
    pub(super) const TICK: u8 = 1;
    /// Whole values.
    pub(super) const KEY: u8 = 2;
    /// Samples with times of their own.
    pub(super) const LOOSE: u8 = 3;
}

pub(crate) fn path(number: u64) -> String {
    format!("{FOLDER}/{number:08}{SUFFIX}")
}

#[cfg(test)]
mod tests;
