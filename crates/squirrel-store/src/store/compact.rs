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

/// Days whose hours become one block.
const MONTH_DAYS: i64 = 30;

/// A span of time whose blocks are to become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    tier: usize,
    start_ms: i64,
    len_ms: i64,
}

impl Store {
    /// Puts one block in the place of those of a day that is over; one day with each call, so that maintenance does
    /// not stay away for long after a long absence. The hours of a month become one block too: there are so few of
    /// them that a day's block is hardly more than its header.
    pub(super) fn compact(&self, maintenance: &mut Maintenance, report: &mut MaintainReport) {
        let day = self.options.compact_ms;
        let Some(clock) = hold(&self.writer).last_tick else { return };
        if day <= self.options.block_ms {
            return;
        }
        let view = self.shared.view();
        let spans = [(0, day), (1, day), (2, day), (2, day.saturating_mul(MONTH_DAYS))];
        let due = spans.into_iter().find_map(|(tier, len_ms)| self.due(&view, maintenance, clock, tier, len_ms));
        let Some((span, blocks)) = due else { return };
        match self.compact_span(span, &blocks) {
            Ok(true) => {
                add(&self.shared.counters.blocks_compacted, blocks.len());
                report.blocks_compacted = blocks.len();
                let kept = self.shared.view();
                let kept = kept.tier(span.tier);
                for block in blocks.iter().filter(|block| !kept.iter().any(|other| other.path == block.path)) {
                    // Left over after a crash here: the next start knows that the larger block holds it all.
                    if let Err(error) = self.dir.remove(&block.path) {
                        let path = &block.path;
                        report
                            .problems
                            .push(format!("{path} is part of a larger block, but cannot be deleted: {error}"));
                    }
                }
            }
            Ok(false) => {
                maintenance.left_alone.insert(span, blocks.len());
                tracing::warn!(?span, "some blocks stay as they are: one of them is damaged");
            }
            Err(error) => {
                let place = self.dir.place();
                report.problems.push(format!("blocks cannot be put together in {place}: {error}; they stay"));
            }
        }
    }

    /// The first span of a tier that is over and has several blocks.
    fn due(
        &self,
        view: &View,
        maintenance: &Maintenance,
        clock: i64,
        tier: usize,
        len_ms: i64,
    ) -> Option<(Span, Vec<Arc<Block>>)> {
        let mut spans: BTreeMap<Span, Vec<Arc<Block>>> = BTreeMap::new();
        for block in view.tier(tier).iter() {
            let start_ms = window_start(block.meta.start_ms, len_ms);
            if block.meta.end_ms <= start_ms.saturating_add(len_ms) {
                spans.entry(Span { tier, start_ms, len_ms }).or_default().push(block.clone());
            }
        }
        spans.into_iter().find(|(span, blocks)| {
            let end_ms = span.start_ms.saturating_add(len_ms);
            let is_over = end_ms.saturating_add(self.options.grace_ms) <= clock;
            // What has been tried in vain is tried again when there is something new about it.
            let known = maintenance.left_alone.get(span) == Some(&blocks.len());
            blocks.len() > 1 && is_over && !known && !in_memory(view, span.start_ms, end_ms)
        })
    }

    /// Whether the span's blocks were replaced; not when one of them is damaged.
    fn compact_span(&self, span: Span, blocks: &[Arc<Block>]) -> io::Result<bool> {
        let plan = BlockPlan {
            tier: span.tier as u8,
            start_ms: span.start_ms,
            end_ms: span.start_ms.saturating_add(span.len_ms),
            // Nothing of the span was in memory: whatever the log has of it in earlier frames is in these blocks.
            covers_seq: blocks.iter().map(|block| block.meta.covers_seq).max().unwrap_or(0),
        };
        let index = self.shared.view().index.clone();
        let Some(path) = compact_blocks(self.dir.as_ref(), plan, blocks, &index)? else { return Ok(false) };
        let block = Block::open(self.dir.as_ref(), &path, self.shared.ledger.clone()).map_err(|fault| match fault {
            BlockFault::Io(error) => error,
            BlockFault::Damaged | BlockFault::Newer(_) => io::Error::other("the block reads back damaged"),
        })?;
        self.shared.change(|view| {
            let all = Arc::make_mut(view.tier_mut(span.tier));
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
pub(crate) fn is_left_over(part: &BlockMeta, whole: &BlockMeta) -> bool {
    let longer = whole.end_ms.saturating_sub(whole.start_ms) > part.end_ms.saturating_sub(part.start_ms);
    longer && whole.start_ms <= part.start_ms && part.end_ms <= whole.end_ms && part.covers_seq <= whole.covers_seq
}
