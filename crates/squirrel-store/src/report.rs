//! What the store did, in figures and sentences.

use squirrel_model::Timestamp;

/// What was found when the store was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Series that are known.
    pub series: usize,
    /// Blocks that can be used.
    pub blocks: usize,
    /// Samples in those blocks.
    pub block_samples: u64,
    /// Samples taken from the log.
    pub log_samples: u64,
    /// Frames read from the log.
    pub log_frames: u64,
    /// Bytes of log read.
    pub log_bytes: u64,
    /// Time of the latest sample.
    pub newest: Option<Timestamp>,
    /// Bytes cut from the end of the log: a write that a crash interrupted.
    pub torn_bytes: u64,
    /// Damaged bytes elsewhere in the log.
    pub damaged_log_bytes: u64,
    /// Frames of the log that are missing or unusable; each is one tick of all series.
    pub lost_frames: u64,
    /// Bytes of the series files that are unusable. Their series come from the log and the blocks.
    pub damaged_series_bytes: u64,
    /// Samples whose series is not known any more.
    pub nameless_samples: u64,
    /// Blocks that cannot be used; their files are left as they are.
    pub unusable_blocks: usize,
    /// Sentences about everything above that is not as it should be.
    pub notes: Vec<String>,
}

impl OpenReport {
    /// Whether samples that were stored once are missing.
    pub fn lost_anything(&self) -> bool {
        self.torn_bytes + self.damaged_log_bytes + self.lost_frames + self.nameless_samples > 0
            || self.unusable_blocks > 0
    }
}

/// Why a tick was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dropped {
    /// A tick of the same moment is there already.
    SameTick,
    /// The clock was set back by less than a minute: ticks are dropped until it has caught up.
    ClockBehind,
    /// The clock shows a year that cannot be (before 1970 or after 9999).
    ClockUnusable,
}

/// What an append did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppendReport {
    /// The time under which the samples are kept.
    pub at: Timestamp,
    /// Samples kept, stale markers among them.
    pub samples: usize,
    /// Series met for the first time.
    pub new_series: usize,
    /// Series that the tick before had and this one lacks: each got a stale marker.
    pub ended_series: usize,
    /// Rows that named a series a second time; the last one counts.
    pub duplicates: usize,
    /// Rows whose labels cannot be kept.
    pub refused: usize,
    /// Set when nothing was kept, and why.
    pub dropped: Option<Dropped>,
    /// Whether the samples are in the log: then the end of this program does not lose them.
    pub logged: bool,
    /// Whether they would outlast a loss of power.
    pub synced: bool,
    /// Bytes written to the log.
    pub bytes: u64,
    /// Why the log could not be written. The samples are in memory, and go to the log as soon as the
    /// disk takes them.
    pub problem: Option<String>,
}

/// What maintenance did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MaintainReport {
    /// Blocks written.
    pub blocks_written: usize,
    /// Blocks whose minutes and hours were written.
    pub blocks_summed_up: usize,
    /// Blocks that were put together to a larger one.
    pub blocks_compacted: usize,
    /// Blocks deleted because of their age, or because all of them are too large.
    pub blocks_deleted: usize,
    /// Log segments deleted because blocks hold what they held.
    pub segments_deleted: u64,
    /// Series that went with their last block.
    pub series_retired: usize,
    /// What could not be done, in sentences; it is tried again next time.
    pub problems: Vec<String>,
}

/// What a deletion did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteReport {
    /// Series that have samples to delete.
    pub series: usize,
    /// Samples of full resolution.
    pub samples: u64,
    /// Figures of minutes and hours.
    pub figures: u64,
    /// Blocks that were written anew without them.
    pub blocks_rewritten: usize,
    /// Blocks that held nothing else.
    pub blocks_removed: usize,
    /// Series of which nothing is left.
    pub series_retired: usize,
    /// What could not be done, in sentences. What these name is as it was before; the rest is done.
    pub problems: Vec<String>,
}

/// The state of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreReport {
    /// Series that are known.
    pub series: usize,
    /// Series of the last tick.
    pub active_series: usize,
    /// Bytes of memory that samples occupy which are in no block yet.
    pub head_bytes: usize,
    /// Blocks.
    pub blocks: usize,
    /// Bytes of all files.
    pub disk_bytes: u64,
    /// Bytes of the log.
    pub wal_bytes: u64,
    /// Why the store cannot write at present.
    pub degraded: Option<String>,
}
