//! From seconds to minutes and hours: each block of full resolution is summed up once, soon after it was written.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use squirrel_model::{Figure, Samples, TimeRange, Timestamp};

use super::Store;
use crate::block::{Block, BlockFault, BlockMeta, BlockPlan, written};
use crate::metrics::add;
use crate::report::MaintainReport;
use crate::series::SeriesId;
use crate::tier::{BEFORE_MS, Figures, STEPS, figure_id};
use crate::view::View;

/// Blocks that one call sums up: more wait only after an upgrade, or a long failure of the disk.
const AT_ONCE: usize = 4;

impl Store {
    /// Sums up blocks that are not yet.
    pub(super) fn summarise(&self, report: &mut MaintainReport) {
        if STEPS.iter().any(|step| self.options.block_ms % step != 0) {
            return; // a step must not lie in two windows
        }
        for _ in 0..AT_ONCE {
            let view = self.shared.view();
            let Some(block) = view.blocks.iter().find(|block| !is_summed_up(&view, &block.meta)) else { return };
            match self.summarise_window(&view, &block.meta) {
                Ok(()) => {
                    add(&self.shared.counters.blocks_written, STEPS.len());
                    report.blocks_summed_up += 1;
                }
                Err(error) => {
                    let place = self.dir.place();
                    report.problems.push(format!("minutes and hours cannot be written in {place}: {error}"));
                    return;
                }
            }
        }
    }

    /// Writes the block of each tier for one window.
    fn summarise_window(&self, view: &View, window: &BlockMeta) -> io::Result<()> {
        let range = TimeRange::new(
            Timestamp(window.start_ms.saturating_sub(BEFORE_MS)),
            Timestamp(window.end_ms.saturating_sub(1)),
        );
        let sources: Vec<&Arc<Block>> = view.blocks.iter().filter(|block| block.overlaps(range)).collect();
        let mut ids = BTreeSet::new();
        for block in &sources {
            // A damaged table lacks the same series for every reader; it is counted there.
            block.each_id(|id| {
                ids.insert(id);
            })?;
        }
        let plan =
            |tier| BlockPlan { tier, start_ms: window.start_ms, end_ms: window.end_ms, covers_seq: window.covers_seq };
        let (dir, index) = (self.dir.as_ref(), &view.index);
        let mut paths = Vec::new();
        // Both at once: the seconds are read a single time.
        let minutes = written(dir, plan(1), index, |minutes| {
            paths.push(written(dir, plan(2), index, |hours| {
                figures_of(&sources, &ids, range, window.start_ms, |tier, id, samples| match tier {
                    0 => minutes.series(id, samples),
                    _ => hours.series(id, samples),
                })
            })?);
            Ok(())
        })?;
        let opened = [minutes].into_iter().chain(paths).map(|path| {
            Block::open(dir, &path, self.shared.ledger.clone()).map(Arc::new).map_err(|fault| match fault {
                BlockFault::Io(error) => error,
                BlockFault::Damaged | BlockFault::Newer(_) => io::Error::other("the block reads back damaged"),
            })
        });
        let opened: Vec<Arc<Block>> = opened.collect::<io::Result<_>>()?;
        self.shared.change(|view| {
            for (blocks, block) in view.coarse.iter_mut().zip(opened) {
                let blocks = Arc::make_mut(blocks);
                blocks.retain(|other| other.path != block.path);
                blocks.push(block);
                blocks.sort_by_key(|block| (block.meta.start_ms, block.meta.covers_seq));
            }
        });
        Ok(())
    }
}

/// Hands over the figures of each series for each coarse tier.
fn figures_of(
    sources: &[&Arc<Block>],
    ids: &BTreeSet<SeriesId>,
    range: TimeRange,
    from_ms: i64,
    mut each: impl FnMut(usize, SeriesId, &Samples) -> io::Result<()>,
) -> io::Result<()> {
    let (mut samples, mut figures) = (Samples::default(), Figures::default());
    for id in ids {
        samples.clear();
        for block in sources {
            block.read(*id, range, &mut samples)?;
        }
        for (tier, step) in STEPS.into_iter().enumerate() {
            figures.fill(&samples, from_ms, step);
            for figure in Figure::ALL {
                each(tier, figure_id(*id, figure), figures.of(figure))?;
            }
        }
    }
    Ok(())
}

/// Whether each tier has a block of this window that knows as much of the log.
fn is_summed_up(view: &View, window: &BlockMeta) -> bool {
    view.coarse.iter().all(|blocks| {
        let inside = |meta: &BlockMeta| window.start_ms <= meta.start_ms && meta.end_ms <= window.end_ms;
        let around = |meta: &BlockMeta| meta.start_ms <= window.start_ms && window.end_ms <= meta.end_ms;
        let known = blocks.iter().map(|block| &block.meta).filter(|meta| inside(meta) || around(meta));
        known.map(|meta| meta.covers_seq).max().is_some_and(|covers| covers >= window.covers_seq)
    })
}

/// Hands over the series of a tier's blocks; answers whether all tables could be read.
pub(super) fn series_in(blocks: &[Arc<Block>], mut each: impl FnMut(SeriesId)) -> io::Result<bool> {
    let mut whole = true;
    for block in blocks {
        whole &= block.each_id(|id| each(crate::tier::series_of(id)))?;
    }
    Ok(whole)
}
