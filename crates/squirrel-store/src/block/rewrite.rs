//! A block without some of its samples.

use std::collections::BTreeSet;
use std::io;

use squirrel_model::{Samples, TimeRange, Timestamp};

use super::Block;
use super::page::ChunkRef;
use super::write::{BlockPlan, written};
use crate::dir::Dir;
use crate::series::{Index, SeriesId};

/// What became of a block that was to be written anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rewritten {
    /// It stands in the place of the old one.
    Done(String),
    /// Nothing had to change; the old one stands.
    Same,
    /// Nothing is left for it to hold; the old one stands.
    Empty,
    /// A part of it cannot be read; the old one stands.
    Damaged,
}

/// Writes a block anew, under the name of its plan. The records of most series are copied as they are; the samples of
/// those in `touched` go through `change` first, which answers whether it changed something.
pub(crate) fn rewritten(
    dir: &dyn Dir,
    plan: BlockPlan,
    block: &Block,
    index: &Index,
    touched: &BTreeSet<SeriesId>,
    mut change: impl FnMut(SeriesId, &mut Samples) -> io::Result<bool>,
) -> io::Result<Rewritten> {
    let mut ids = Vec::new();
    if !block.each_id(|id| ids.push(id))? {
        return Ok(Rewritten::Damaged);
    }
    // Set where the writing ends without a file, which only an error can say to the writer.
    let mut without = None;
    let mut samples = Samples::default();
    let result = written(dir, plan, index, |writer| {
        let (mut series, mut changed) = (0, false);
        for id in &ids {
            let Some(records) = block.records(*id)? else {
                without = Some(Rewritten::Damaged);
                return Err(io::ErrorKind::InvalidData.into());
            };
            if !touched.contains(id) {
                series += 1;
                writer.copy(*id, records.iter())?;
                continue;
            }
            samples.clear();
            if records.decode(&mut samples).is_none() {
                without = Some(Rewritten::Damaged);
                return Err(io::ErrorKind::InvalidData.into());
            }
            changed |= change(*id, &mut samples)?;
            series += usize::from(!samples.is_empty());
            writer.series(*id, &samples)?;
        }
        if series == 0 || !changed {
            without = Some(if changed { Rewritten::Empty } else { Rewritten::Same });
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(())
    });
    match (result, without) {
        (Ok(path), _) => Ok(Rewritten::Done(path)),
        (Err(_), Some(without)) => Ok(without),
        (Err(error), None) => Err(error),
    }
}

/// The times that a chunk spans.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span(TimeRange);

impl Span {
    pub(crate) fn overlaps(&self, range: TimeRange) -> bool {
        self.0.overlaps(range)
    }
}

impl Block {
    /// Hands over each series with the spans of its chunks; answers whether all tables could be read.
    pub(crate) fn each_span(&self, mut each: impl FnMut(SeriesId, &[Span])) -> io::Result<bool> {
        let mut all = true;
        let span = |chunk: &ChunkRef| Span(TimeRange::new(Timestamp(chunk.min_ms), Timestamp(chunk.max_ms)));
        for number in 0..self.pages.len() {
            match self.page(number)? {
                Some(page) => {
                    page.iter().for_each(|(id, chunks)| each(id, &chunks.iter().map(span).collect::<Vec<_>>()));
                }
                None => all = false,
            }
        }
        Ok(all)
    }
}
