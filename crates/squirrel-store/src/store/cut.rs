//! From memory and log to blocks.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use super::maintain::drop_parts;
use super::{Maintenance, Store};
use crate::block::{Block, BlockFault, BlockPlan, write_block};
use crate::dir::is_full;
use crate::head::{Part, Row};
use crate::metrics::add;
use crate::report::MaintainReport;
use crate::view::{View, hold};

/// What a freeze settled: every sample of a frame with a lower number than `covers_seq` is in
/// parts, and the log segments of `closed` hold no others.
struct Frozen {
    covers_seq: u64,
    closed: Vec<u64>,
    last_tick: Option<i64>,
}

impl Store {
    /// Writes a block for each window that is over.
    pub(super) fn cut_blocks(&self, maintenance: &mut Maintenance, report: &mut MaintainReport) {
        self.cut(maintenance, false, report);
    }

    /// Writes blocks of everything in memory, and deletes the log that held it.
    pub(super) fn cut_all(&self, maintenance: &mut Maintenance, report: &mut MaintainReport) {
        self.write_definitions(maintenance, report);
        self.cut(maintenance, true, report);
    }

    fn cut(&self, maintenance: &mut Maintenance, all: bool, report: &mut MaintainReport) {
        let (last_tick, forced) = {
            let writer = hold(&self.writer);
            // Rows that the log gave up go to a block as soon as the disk takes anything.
            (writer.last_tick, all || (writer.needs_cut && self.shared.degraded().is_none()))
        };
        let Some(clock) = last_tick.or_else(|| newest(&self.shared.view())) else { return };
        let due = |window: i64| forced || self.is_over(window, clock);
        let recently = maintenance.last_cut.is_some_and(|last| (clock - last).abs() < self.options.segment_ms);
        if (recently && !forced) || !windows(&self.shared.view(), self.options.block_ms).into_iter().any(due) {
            return;
        }
        let frozen = match self.freeze() {
            Ok(frozen) => frozen,
            Err(error) => {
                report.problems.push(format!("the log cannot be synced before a block is written: {error}"));
                return;
            }
        };
        maintenance.last_cut = Some(clock);
        let view = self.shared.view();
        let mut remaining: BTreeSet<i64> = view.parts.iter().map(|part| part.window_ms).collect();
        let chosen: Vec<i64> = remaining.iter().copied().filter(|window| due(*window)).collect();
        for window in chosen {
            let parts: Vec<Arc<Part>> = view.parts.iter().filter(|part| part.window_ms == window).cloned().collect();
            match self.write_window(maintenance, window, &frozen, &parts) {
                Ok(()) => {
                    remaining.remove(&window);
                    report.blocks_written += 1;
                }
                Err(error) => {
                    maintenance.last_cut = None;
                    report.problems.push(format!(
                        "a block cannot be written in {}: {error}; its samples stay in memory and log",
                        self.dir.place()
                    ));
                }
            }
        }
        add(&self.shared.counters.blocks_written, report.blocks_written);
        if forced && report.problems.is_empty() {
            hold(&self.writer).needs_cut = false;
        }
        // Only what the freeze closed: later segments may hold late samples of these windows.
        match hold(&self.writer).log.remove_covered(&frozen.closed, &remaining) {
            Ok(n) => report.segments_deleted = n,
            Err(error) => report.problems.push(format!("a log segment cannot be deleted: {error}")),
        }
    }

    /// Whether no tick will fall into a window any more: it ended some time ago, or lies in a future
    /// that a wrong clock made up.
    fn is_over(&self, window: i64, last_tick: i64) -> bool {
        let end = window.saturating_add(self.options.block_ms);
        end.saturating_add(self.options.grace_ms) <= last_tick
            || window > last_tick.saturating_add(self.options.block_ms)
    }

    /// Ends the log segment and packs all rows so far. The writer is held for the first only.
    fn freeze(&self) -> io::Result<Frozen> {
        let _packing = hold(&self.packing);
        let (frozen, view) = {
            let mut writer = hold(&self.writer);
            writer.log.close_segment()?;
            let log = &writer.log;
            let frozen =
                Frozen { covers_seq: log.next_seq(), closed: log.closed_numbers(), last_tick: writer.last_tick };
            (frozen, self.shared.view())
        };
        self.pack_prefix(&view, view.rows.len());
        Ok(frozen)
    }

    fn write_window(
        &self,
        maintenance: &mut Maintenance,
        window: i64,
        frozen: &Frozen,
        parts: &[Arc<Part>],
    ) -> io::Result<()> {
        let plan = BlockPlan {
            tier: 0,
            start_ms: window,
            end_ms: window.saturating_add(self.options.block_ms),
            covers_seq: frozen.covers_seq,
        };
        let index = self.shared.view().index.clone();
        let dir = self.dir.as_ref();
        let path = match write_block(dir, plan, parts, &index) {
            Err(error) if is_full(&error) && maintenance.reserve.release(dir) => {
                tracing::warn!(last_tick = frozen.last_tick, "the disk is full; the reserve is given up for a block");
                write_block(dir, plan, parts, &index)?
            }
            other => other?,
        };
        let block = Block::open(dir, &path, self.shared.ledger.clone()).map_err(|fault| match fault {
            BlockFault::Io(error) => error,
            BlockFault::Damaged | BlockFault::Newer(_) => io::Error::other("the block reads back damaged"),
        })?;
        // In one step: no reader sees the samples twice, or not at all.
        self.shared.change(|view| {
            drop_parts(view, parts, None);
            let blocks = Arc::make_mut(&mut view.blocks);
            blocks.push(Arc::new(block));
            blocks.sort_by_key(|block| (block.meta.start_ms, block.meta.covers_seq));
        });
        Ok(())
    }
}

fn newest(view: &View) -> Option<i64> {
    let rows = view.rows.iter().filter_map(Row::span).map(|(_, last)| last);
    view.parts.iter().map(|part| part.max_ms).chain(rows).max()
}

/// The windows that have samples in memory.
fn windows(view: &View, window_ms: i64) -> BTreeSet<i64> {
    let mut windows: BTreeSet<i64> = view.parts.iter().map(|part| part.window_ms).collect();
    for row in &view.rows {
        windows.extend(row.windows(window_ms));
    }
    windows
}
