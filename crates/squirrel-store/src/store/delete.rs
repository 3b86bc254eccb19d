//! Deleting samples: each block that holds some is written anew without them, beside the old one, and takes its
//! place by its name in one step. A stop in between leaves every block either as it was or done; the same deletion
//! again finishes it.
//!
//! Nothing of what is deleted stays in the log either: before anything else, all of it becomes blocks.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use squirrel_model::{Figure, Found, Matcher, Samples, Select, TimeRange, Timestamp};

use super::{Maintenance, Store};
use crate::block::{Block, BlockFault, BlockPlan, Rewritten, TIERS, rewritten};
use crate::head::{append_run, cut_to};
use crate::report::{DeleteReport, MaintainReport};
use crate::select::Snapshot;
use crate::series::SeriesId;
use crate::tier::{BEFORE_MS, Figures, STEPS, figure_of, series_of};
use crate::view::hold;
use crate::wal;

/// What is to go.
struct Doomed {
    ids: BTreeSet<SeriesId>,
    range: TimeRange,
}

impl Doomed {
    fn has(&self, tier: usize, id: SeriesId) -> bool {
        self.ids.contains(&if tier == 0 { id } else { series_of(id) })
    }

    /// The times in a tier's blocks that go: steps stand under their end, and one goes if any of its time does.
    fn times(&self, tier: usize) -> TimeRange {
        match step_of(tier) {
            None => self.range,
            Some(step) => {
                let (start, end) = (self.range.start.millis(), self.range.end.millis());
                TimeRange::new(Timestamp(start.saturating_add(1)), Timestamp(end.saturating_add(step)))
            }
        }
    }
}

fn step_of(tier: usize) -> Option<i64> {
    tier.checked_sub(1).and_then(|coarse| STEPS.get(coarse)).copied()
}

/// What a deletion would do, counted in a snapshot.
///
/// # Errors
/// When a block cannot be read.
pub fn would_delete(
    select: &dyn Select,
    matchers: &[Matcher],
    range: TimeRange,
) -> Result<DeleteReport, squirrel_model::SelectError> {
    let mut report = DeleteReport::default();
    let mut samples = Samples::default();
    for found in select.find(matchers, widened(range))? {
        select.read(&found, range, &mut samples)?;
        let mut some = samples.len() as u64;
        report.samples += some;
        let doomed = Doomed { ids: BTreeSet::new(), range };
        for tier in 0..select.tiers().len() {
            for figure in Figure::ALL {
                select.read_tier(tier, figure, &found, doomed.times(tier + 1), &mut samples)?;
                report.figures += samples.len() as u64;
                some += samples.len() as u64;
            }
        }
        report.series += usize::from(some > 0);
    }
    Ok(report)
}

/// A range with the step of an hour around it, in which its figures stand.
fn widened(range: TimeRange) -> TimeRange {
    let hour = STEPS.iter().max().copied().unwrap_or(0);
    TimeRange::new(range.start, Timestamp(range.end.millis().saturating_add(hour)))
}

impl Store {
    /// Deletes the samples of the series that fulfil all matchers in a range (both ends included), at every
    /// resolution. Minutes and hours that lie in the range with a part are computed anew from what is left of their
    /// seconds; where these are gone already, they go as a whole.
    ///
    /// No matchers are all series. A block that is damaged is left alone, and named in the report.
    pub fn delete(&self, matchers: &[Matcher], range: TimeRange) -> DeleteReport {
        let mut guard = hold(&self.maintenance);
        let maintenance = &mut *guard;
        let mut report = DeleteReport::default();
        let mut cut = MaintainReport::default();
        self.cut_all(maintenance, &mut cut);
        // A loss of power must not bring the segments back: what they hold may be in no block any more.
        if let Err(error) = self.dir.sync_folder(wal::FOLDER) {
            cut.problems.push(format!("the log's folder cannot be synced: {error}"));
        }
        if !cut.problems.is_empty() {
            report.problems = cut.problems;
            report.problems.push("nothing was deleted: the log must become blocks first".to_owned());
            return report;
        }
        let view = self.shared.view();
        let doomed = Doomed { ids: view.index.find(matchers).into_iter().map(|(id, _)| *id).collect(), range };
        let mut hit = BTreeSet::new();
        for tier in 0..TIERS.len() {
            for block in view.tier(tier).iter().filter(|block| block.overlaps(doomed.times(tier))) {
                if let Err(error) = self.delete_in(tier, block, &doomed, &mut hit, &mut report) {
                    let path = &block.path;
                    report.problems.push(format!("{path} stays as it was: {error}"));
                }
            }
        }
        report.series = hit.len();
        self.forget_empty(maintenance, &mut report);
        self.measure_disk();
        report
    }

    fn forget_empty(&self, maintenance: &mut Maintenance, report: &mut DeleteReport) {
        if report.series == 0 {
            return;
        }
        match self.retire_series(maintenance) {
            Ok(n) => report.series_retired = n,
            Err(error) => report.problems.push(format!("series without samples cannot be taken out: {error}")),
        }
    }

    fn delete_in(
        &self,
        tier: usize,
        block: &Arc<Block>,
        doomed: &Doomed,
        hit: &mut BTreeSet<SeriesId>,
        report: &mut DeleteReport,
    ) -> io::Result<()> {
        let times = doomed.times(tier);
        let mut touched = BTreeSet::new();
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a part of it is damaged");
        let whole = block.each_span(|id, spans| {
            if doomed.has(tier, id) && spans.iter().any(|span| span.overlaps(times)) {
                touched.insert(id);
            }
        })?;
        if !whole {
            return Err(damaged());
        }
        if touched.is_empty() {
            return Ok(());
        }
        let index = self.shared.view().index.clone();
        let meta = block.meta;
        let plan =
            BlockPlan { tier: meta.tier, start_ms: meta.start_ms, end_ms: meta.end_ms, covers_seq: meta.covers_seq };
        let (mut gone, mut lost) = (BTreeSet::new(), 0u64);
        // The block's figures are of steps that begin in its window.
        let own = TimeRange::new(Timestamp(meta.start_ms.saturating_add(1)), Timestamp(meta.end_ms));
        let mut known: Option<(SeriesId, [Figures; 2])> = None;
        let dir = self.dir.as_ref();
        let written = rewritten(dir, plan, block, &index, &touched, |id, samples| {
            let before = samples.len();
            let from = samples.times.partition_point(|time| *time < times.start.millis());
            let to = samples.times.partition_point(|time| *time <= times.end.millis());
            if from == to {
                return Ok(false);
            }
            samples.times.drain(from..to);
            samples.values.drain(from..to);
            if let (Some(step), Some(figure)) = (step_of(tier), figure_of(id)) {
                let series = series_of(id);
                let edges = match known.take() {
                    Some((of, edges)) if of == series => edges,
                    _ => self.edges(series, doomed.range, step)?,
                };
                for edge in &edges {
                    let mut left = edge.of(figure).clone();
                    cut_to(&mut left, own);
                    append_run(samples, &left);
                }
                known = Some((series, edges));
            }
            gone.insert(id);
            lost += (before as u64).saturating_sub(samples.len() as u64);
            Ok(true)
        })?;
        match written {
            Rewritten::Same => return Ok(()),
            Rewritten::Damaged => return Err(damaged()),
            Rewritten::Empty => {
                self.remove_block(tier, block)?;
                report.blocks_removed += 1;
            }
            Rewritten::Done(path) => {
                self.exchange_block(tier, block, &path)?;
                report.blocks_rewritten += 1;
            }
        }
        hit.extend(gone.iter().map(|id| if tier == 0 { *id } else { series_of(*id) }));
        *(if tier == 0 { &mut report.samples } else { &mut report.figures }) += lost;
        Ok(())
    }

    fn remove_block(&self, tier: usize, block: &Arc<Block>) -> io::Result<()> {
        self.dir.remove(&block.path)?;
        self.shared.change(|view| Arc::make_mut(view.tier_mut(tier)).retain(|other| !Arc::ptr_eq(other, block)));
        self.dir.sync_folder(TIERS.get(tier).copied().unwrap_or_default())
    }

    /// Shows the block that took the place of another one on disk.
    fn exchange_block(&self, tier: usize, block: &Arc<Block>, path: &str) -> io::Result<()> {
        let fresh = Block::open(self.dir.as_ref(), path, self.shared.ledger.clone()).map_err(|fault| match fault {
            BlockFault::Io(error) => error,
            BlockFault::Damaged | BlockFault::Newer(_) => io::Error::other("the new block reads back damaged"),
        })?;
        self.shared.change(|view| {
            for other in Arc::make_mut(view.tier_mut(tier)) {
                if Arc::ptr_eq(other, block) {
                    *other = Arc::new(fresh);
                    return;
                }
            }
        });
        Ok(())
    }

    /// The figures of the first and the last step of a range, of what is left of their seconds.
    fn edges(&self, id: SeriesId, range: TimeRange, step: i64) -> io::Result<[Figures; 2]> {
        let snapshot = Snapshot { view: self.shared.view() };
        let full_from = snapshot.view.blocks.iter().map(|block| block.meta.min_ms).min().unwrap_or(i64::MAX);
        let mut edges = [Figures::default(), Figures::default()];
        let first = range.start.millis().div_euclid(step);
        let last = range.end.millis().div_euclid(step);
        let found = Found { labels: squirrel_model::Labels::empty(), key: id.0 };
        let mut samples = Samples::default();
        for (figures, number) in edges.iter_mut().zip([Some(first), (last != first).then_some(last)]) {
            let Some(start) = number.and_then(|number| number.checked_mul(step)).filter(|start| *start >= full_from)
            else {
                continue;
            };
            let end = start.saturating_add(step).saturating_sub(1);
            let known = TimeRange::new(Timestamp(start.saturating_sub(BEFORE_MS)), Timestamp(end));
            snapshot.read(&found, known, &mut samples).map_err(io::Error::other)?;
            figures.fill(&samples, start, step);
        }
        Ok(edges)
    }
}
