//! Questions to a view: which series, and their samples.

use std::sync::Arc;

use squirrel_model::{Figure, Found, Matcher, Samples, Select, SelectError, Tier, TimeRange, Timestamp};

use crate::block::Block;
use crate::head::{Row, append_run, cut_to};
use crate::series::{Definition, SeriesId};
use crate::tier::{BEFORE_MS, Figures, STEPS, figure_id};
use crate::view::View;

/// A frozen view.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) view: Arc<View>,
}

fn unreadable(block: &Block, error: &std::io::Error) -> SelectError {
    SelectError::Unreadable {
        subject: block.path.clone(),
        reason: format!("{error}; check the disk (dmesg tells more). Questions about other times still work"),
    }
}

/// Which of some series were found. Most questions are about few of many series, and a tick has them all: then those few
/// are searched for there, instead of looking at everything that is there.
struct Presence<'a> {
    /// Rising.
    ids: &'a [SeriesId],
    hits: Vec<bool>,
    missing: usize,
}

impl<'a> Presence<'a> {
    /// Searching for one costs about as much as looking at so many: the steps of a binary search in 100,000.
    const SEARCH: usize = 16;

    fn of(ids: &'a [SeriesId]) -> Self {
        Self { ids, hits: vec![false; ids.len()], missing: ids.len() }
    }

    fn is_complete(&self) -> bool {
        self.missing == 0
    }

    /// Whether searching is cheaper than looking at `there` series.
    fn are_few(&self, there: usize) -> bool {
        self.missing.saturating_mul(Self::SEARCH) < there
    }

    /// This series is there.
    fn mark(&mut self, id: SeriesId) {
        if let Ok(at) = self.ids.binary_search(&id)
            && let Some(hit) = self.hits.get_mut(at)
            && !std::mem::replace(hit, true)
        {
            self.missing -= 1;
        }
    }

    /// Asks for each that was not found yet whether it is there.
    fn search(&mut self, mut is_there: impl FnMut(SeriesId) -> bool) {
        for (id, hit) in self.ids.iter().zip(&mut self.hits).filter(|(_, hit)| !**hit) {
            *hit = is_there(*id);
            self.missing -= usize::from(*hit);
        }
    }

    /// These are there, rising by id.
    fn mark_all(&mut self, there: &[SeriesId]) {
        if self.are_few(there.len()) {
            self.search(|id| there.binary_search(&id).is_ok());
        } else {
            for id in there {
                self.mark(*id);
            }
        }
    }
}

impl Snapshot {
    /// Marks the series that have samples in the range. What is compressed is judged by the span of
    /// its chunks: a series with a gap of minutes around a short range may be marked all the same.
    fn present(&self, ids: &[SeriesId], range: TimeRange) -> Result<Vec<bool>, SelectError> {
        let mut present = Presence::of(ids);
        if range.end < range.start {
            return Ok(present.hits);
        }
        let mut run = Samples::default();
        let inside = |run: &Samples| run.times.iter().any(|time| range.contains(Timestamp(*time)));
        // From the newest rows back: most series are in the first of them.
        let mut layout = None;
        for row in self.view.rows.iter().rev() {
            if present.is_complete() {
                return Ok(present.hits);
            }
            match row {
                Row::Tick(tick) if range.contains(Timestamp(tick.time_ms)) => {
                    // Ticks of one layout have the same series.
                    if !layout.is_some_and(|layout| Arc::ptr_eq(layout, &tick.layout)) {
                        present.mark_all(&tick.layout.ids);
                        layout = Some(&tick.layout);
                    }
                    present.mark_all(&tick.ended);
                }
                Row::Tick(_) => {}
                Row::Loose(_) if present.are_few(row.len()) => present.search(|id| {
                    run.clear();
                    row.read(id, &mut run);
                    inside(&run)
                }),
                Row::Loose(_) => row.each_in(range, |id| present.mark(id)),
            }
        }
        for part in self.view.parts.iter().rev().filter(|part| part.overlaps(range)) {
            if present.is_complete() {
                return Ok(present.hits);
            }
            if range.contains(Timestamp(part.min_ms)) && range.contains(Timestamp(part.max_ms)) {
                present.mark_all(&part.ids);
            } else if present.are_few(part.ids.len()) {
                present.search(|id| {
                    run.clear();
                    part.read(id, &mut run);
                    inside(&run)
                });
            } else {
                part.each_in(range, |id| present.mark(id));
            }
        }
        let mut present = present.hits;
        for block in self.view.blocks.iter().rev().filter(|block| block.overlaps(range)) {
            if present.iter().all(|hit| *hit) {
                break;
            }
            block.mark(ids, range, &mut present).map_err(|error| unreadable(block, &error))?;
        }
        if self.full_from().is_some_and(|full| range.start < full) {
            self.mark_coarse(ids, range, &mut present)?;
        }
        Ok(present)
    }

    /// Marks the series that coarse copies have in the range. Each step of them is there if its last value is.
    fn mark_coarse(&self, ids: &[SeriesId], range: TimeRange, present: &mut [bool]) -> Result<(), SelectError> {
        let figures: Vec<SeriesId> = ids.iter().map(|id| figure_id(*id, Figure::Last)).collect();
        for block in self.view.coarse.iter().flat_map(|blocks| blocks.iter()).filter(|block| block.overlaps(range)) {
            block.mark(&figures, range, present).map_err(|error| unreadable(block, &error))?;
        }
        Ok(())
    }

    /// Where the samples of full resolution begin.
    fn first_ms(&self) -> Option<i64> {
        let blocks = self.view.blocks.iter().map(|block| block.meta.min_ms);
        let parts = self.view.parts.iter().map(|part| part.min_ms);
        let rows = self.view.rows.iter().filter_map(|row| row.span().map(|(first, _)| first));
        blocks.chain(parts).chain(rows).min()
    }

    /// Merges the rows that are not packed yet; those in order go as one run.
    fn read_rows(&self, id: SeriesId, run: &mut Samples, out: &mut Samples) {
        run.clear();
        for row in &self.view.rows {
            let before = run.len();
            if !row.read(id, run) {
                // The clock was set back, or samples came late: this row is a run of its own.
                let late = Samples { times: run.times.split_off(before), values: run.values.split_off(before) };
                append_run(out, run);
                run.clear();
                append_run(out, &late);
            }
        }
        append_run(out, run);
    }
}

impl Select for Snapshot {
    fn find(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Found>, SelectError> {
        let candidates: Vec<&Definition> = self.view.index.find(matchers);
        let ids: Vec<SeriesId> = candidates.iter().map(|(id, _)| *id).collect();
        let present = self.present(&ids, range)?;
        let hits = candidates.into_iter().zip(present).filter(|(_, hit)| *hit);
        Ok(hits.map(|((id, labels), _)| Found { labels: labels.clone(), key: id.0 }).collect())
    }

    fn read(&self, series: &Found, range: TimeRange, out: &mut Samples) -> Result<(), SelectError> {
        out.clear();
        let id = SeriesId(series.key);
        for block in self.view.blocks.iter().filter(|block| block.overlaps(range)) {
            block.read(id, range, out).map_err(|error| unreadable(block, &error))?;
        }
        let mut run = Samples::default();
        for part in self.view.parts.iter().filter(|part| part.overlaps(range)) {
            run.clear();
            part.read(id, &mut run);
            append_run(out, &run);
        }
        self.read_rows(id, &mut run, out);
        cut_to(out, range);
        Ok(())
    }

    fn full_from(&self) -> Option<Timestamp> {
        let full = self.first_ms().unwrap_or(i64::MAX);
        // A step stands under its end: one that does not end after the first sample is older than it.
        let coarse = self.view.coarse.iter().flat_map(|blocks| blocks.iter()).map(|block| block.meta.min_ms).min()?;
        (coarse <= full).then_some(Timestamp(full))
    }

    fn tiers(&self) -> Vec<Tier> {
        let full = self.first_ms();
        let first = |blocks: &[Arc<Block>]| blocks.iter().map(|block| block.meta.min_ms).min();
        let copies = || self.view.coarse.iter().zip(STEPS);
        // A step stands under its end, so that what it is made of begins before that.
        let begin = |from: i64, step_ms: i64| from.saturating_sub(step_ms);
        let begins = copies().filter_map(|(blocks, step_ms)| Some((begin(first(blocks)?, step_ms), step_ms)));
        let begins: Vec<(i64, i64)> = begins.chain(full.map(|full| (full, 1))).collect();
        let tier = |(blocks, step_ms): (&Arc<Vec<Arc<Block>>>, i64)| {
            let own = first(blocks).map(|from| begin(from, step_ms));
            let from = first(blocks).or(full)?;
            // The same sample begins an hour, a minute of it, and a millisecond of that.
            let is_older = |(other, other_step): &(i64, i64)| {
                let coarser = step_ms.max(*other_step);
                other.div_euclid(coarser) < own.unwrap_or(from).div_euclid(coarser)
            };
            Some(Tier { step_ms, from: Timestamp(from), whole: !begins.iter().any(is_older) })
        };
        copies().filter_map(tier).collect()
    }

    fn read_tier(
        &self,
        tier: usize,
        figure: Figure,
        series: &Found,
        range: TimeRange,
        out: &mut Samples,
    ) -> Result<(), SelectError> {
        out.clear();
        let (Some(blocks), Some(&step)) = (self.view.coarse.get(tier), STEPS.get(tier)) else { return Ok(()) };
        let id = SeriesId(series.key);
        let mut summed_up = i64::MIN;
        for block in blocks.iter() {
            // A window's last step stands under its end.
            summed_up = summed_up.max(block.meta.end_ms);
            if block.overlaps(range) {
                block.read(figure_id(id, figure), range, out).map_err(|error| unreadable(block, &error))?;
            }
        }
        // What is in no block of this tier yet is summed up here and now.
        let from = summed_up.max(range.start.millis().saturating_sub(step)).div_euclid(step).saturating_mul(step);
        if from <= range.end.millis() {
            let (mut seconds, mut figures) = (Samples::default(), Figures::default());
            let known = TimeRange::new(Timestamp(from.saturating_sub(BEFORE_MS)), range.end);
            self.read(series, known, &mut seconds)?;
            figures.fill(&seconds, from, step);
            append_run(out, figures.of(figure));
        }
        cut_to(out, range);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
