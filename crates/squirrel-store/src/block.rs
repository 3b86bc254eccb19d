//! Blocks: the samples of one window of time in one immutable file.
//!
//! ```text
//! header                   32 bytes
//! chunk records            crc32c u32, series id varint, chunk; sorted by series, then time
//! pages                    for 64 series each: where their chunks are and which times they span
//! labels                   for the same 64 series each: their definitions
//! footer                   figures, and place, length and crc32c of each page and labels section
//! trailer                  length and crc32c of the footer, version, magic
//! footer and trailer       once more
//! ```
//!
//! A block stands for itself: it holds its series' labels, and each chunk names its series. Damage
//! costs a chunk, or the chunks of 64 series, or, if both footers are hit, the block.
//!
//! There are no postings here: the store keeps one index of all living series in memory, so a
//! block's own would never be read. The footer's page table leaves room for further sections.

mod compact;
mod footer;
mod page;
mod read;
mod rewrite;
mod verify;
mod write;

pub(crate) use compact::compact_blocks;
pub(crate) use footer::BlockMeta;
pub(crate) use read::{Block, BlockFault, Ledger};
pub(crate) use rewrite::{Rewritten, rewritten};
pub(crate) use write::{BlockPlan, write_block, written};

/// Folders of the tiers: full resolution, minutes, hours.
pub(crate) const TIERS: [&str; 3] = ["t0", "t1", "t2"];
pub(crate) const SUFFIX: &str = ".block";

/// Series that share a page.
const PAGE_SERIES: usize = 64;

/// Name of a block's file: the window's start, so that names sort by time, and the number of the
/// first frame that it does not cover. No two blocks of a window cover equally much; and from the
/// name that number is known even when the block cannot be read, so that it is not given again.
pub(crate) fn file_name(window_ms: i64, covers_seq: u64) -> String {
    format!("{window_ms:016}-{covers_seq:012}{SUFFIX}")
}

/// The number in a block's file name.
pub(crate) fn covered_by_name(name: &str) -> Option<u64> {
    name.strip_suffix(SUFFIX)?.split_once('-')?.1.parse().ok()
}

#[cfg(test)]
mod tests;
