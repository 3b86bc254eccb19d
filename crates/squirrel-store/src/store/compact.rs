//! One block for each day in the place of twelve: fewer files to open, and one read for a series' day.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::{Maintenance, Store};
use crate::block::{Block, BlockFault, BlockMeta, BlockPlan, compact_blocks};
use crate::head::{Row, window_start};
use crate::metrics::add;
use crate::report::MaintainReport;
use crate::view::{View, hold};

impl Store {
    /// Puts one block in the place of those of a day that is over; one day with each call, so that maintenance does
    /// not stay away for long after a long absence.
    pub(super) fn compact(&self, maintenance: &mut Maintenance, report: &mut MaintainReport) {
        let span = self.options.compact_ms;
        let Some(clock) = hold(&self.writer).last_tick else { return };
        if span <= self.options.block_ms {
            return;
        }
        let view = self.shared.view();
        let mut days: BTreeMap<i64, Vec<Arc<Block>>> = BTreeMap::new();
        for block in view.blocks.iter() {
            let day = window_start(block.meta.start_ms, span);
            if block.meta.end_ms <= day.saturating_add(span) {
                days.entry(day).or_default().push(block.clone());
            }
        }
        let over = |day: i64| day.saturating_add(span).saturating_add(self.options.grace_ms) <= clock;
        let due = days.into_iter().find(|(day, blocks)| {
            // What has been tried in vain is tried again when there is something new about it.
            let known = maintenance.left_alone.get(day) == Some(&blocks.len());
            blocks.len() > 1 && over(*day) && !known && !in_memory(&view, *day, day.saturating_add(span))
        });
        let Some((day, blocks)) = due else { return };
        match self.compact_day(day, &blocks) {
            Ok(true) => {
                add(&self.shared.counters.blocks_compacted, blocks.len());
                report.blocks_compacted = blocks.len();
                let kept = self.shared.view();
                for block in blocks.iter().filter(|block| !kept.blocks.iter().any(|other| other.path == block.path)) {
                    // Left over after a crash here: the next start knows that the day's block holds it all.
                    if let Err(error) = self.dir.remove(&block.path) {
                        let path = &block.path;
                        report
                            .problems
                            .push(format!("{path} is part of a larger block, but cannot be deleted: {error}"));
                    }
                }
            }
            Ok(false) => {
                maintenance.left_alone.insert(day, blocks.len());
                tracing::warn!(day, "a day's blocks stay as they are: one of them is damaged");
            }
            Err(error) => {
                let place = self.dir.place();
                report.problems.push(format!("a day's blocks cannot be put together in {place}: {error}; they stay"));
            }
        }
    }

    /// Whether the day's blocks were replaced; not when one of them is damaged.
    fn compact_day(&self, day: i64, blocks: &[Arc<Block>]) -> io::Result<bool> {
        let plan = BlockPlan {
            start_ms: day,
            end_ms: day.saturating_add(self.options.compact_ms),
            // Nothing of the day was in memory: whatever the log has of it in earlier frames is in these blocks.
            covers_seq: blocks.iter().map(|block| block.meta.covers_seq).max().unwrap_or(0),
        };
        let index = self.shared.view().index.clone();
        let Some(path) = compact_blocks(self.dir.as_ref(), plan, blocks, &index)? else { return Ok(false) };
        let block = Block::open(self.dir.as_ref(), &path, self.shared.ledger.clone()).map_err(|fault| match fault {
            BlockFault::Io(error) => error,
            BlockFault::Damaged | BlockFault::Newer(_) => io::Error::other("the block reads back damaged"),
        })?;
        self.shared.change(|view| {
            let all = Arc::make_mut(&mut view.blocks);
            all.retain(|block| !blocks.iter().any(|gone| Arc::ptr_eq(block, gone)));
            all.push(Arc::new(block));
            all.sort_by_key(|block| (block.meta.start_ms, block.meta.covers_seq));
        });
        Ok(true)
    }
}

/// Whether samples of that time are in no block yet.
fn in_memory(view: &View, start_ms: i64, end_ms: i64) -> bool {
    let touches = |first: i64, last: i64| first < end_ms && last >= start_ms;
    view.parts.iter().any(|part| touches(part.min_ms, part.max_ms))
        || view.rows.iter().filter_map(Row::span).any(|(first, last)| touches(first, last))
}

/// Whether all of `part` is in `whole`: what a crash left behind after a day's blocks were put together.
pub(super) fn is_left_over(part: &BlockMeta, whole: &BlockMeta) -> bool {
    let longer = whole.end_ms.saturating_sub(whole.start_ms) > part.end_ms.saturating_sub(part.start_ms);
    longer && whole.start_ms <= part.start_ms && part.end_ms <= whole.end_ms && part.covers_seq <= whole.covers_seq
}
