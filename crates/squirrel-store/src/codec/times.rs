//! Times of a chunk: a grid with gaps where they fit one, else packed differences.

use crate::bytes::{Reader, put_varint};
use crate::codec::{MAX_SAMPLES, pack};

/// Times that lie on a grid.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    step_ms: u64,
    /// Samples since the gap before, and steps that are missing.
    pub(super) gaps: Vec<(u64, u64)>,
}

/// What is needed to write the times out.
pub(super) struct Times {
    step_ms: u64,
    gaps: Vec<(u64, u64)>,
}

/// The grid that times lie on, unless gaps are so many that packed differences are shorter.
pub(super) fn grid(times: &[i64]) -> Option<Grid> {
    let difference = |pair: &[i64]| pair[1].wrapping_sub(pair[0]) as u64;
    let step_ms = times.windows(2).map(difference).min().unwrap_or(0);
    let allowed = times.len() / 16 + 1;
    let mut gaps = Vec::new();
    let mut since = 1;
    for pair in times.windows(2) {
        let span = difference(pair);
        if span == step_ms {
            since += 1;
            continue;
        }
        if step_ms == 0 || !span.is_multiple_of(step_ms) || gaps.len() == allowed {
            return None;
        }
        gaps.push((since, span / step_ms - 1));
        since = 1;
    }
    Some(Grid { step_ms, gaps })
}

pub(super) fn put_grid(grid: &Grid, out: &mut Vec<u8>) {
    put_varint(out, grid.step_ms);
    if grid.gaps.is_empty() {
        return;
    }
    put_varint(out, grid.gaps.len() as u64);
    for &(present, missing) in &grid.gaps {
        put_varint(out, present);
        put_varint(out, missing);
    }
}

/// Reads a grid; also gives the last time.
pub(super) fn read_grid(reader: &mut Reader<'_>, first_ms: i64, count: usize, gaps: bool) -> Option<(Times, i64)> {
    let step_ms = reader.varint()?;
    let mut times = Times { step_ms, gaps: Vec::new() };
    let mut steps = count as u64 - 1;
    if gaps {
        let n = reader.count().filter(|n| *n <= MAX_SAMPLES)?;
        for _ in 0..n {
            let gap = (reader.varint()?, reader.varint()?);
            steps = steps.checked_add(gap.1)?;
            times.gaps.push(gap);
        }
    }
    let span = steps.checked_mul(step_ms).and_then(|span| i64::try_from(span).ok())?;
    Some((times, first_ms.checked_add(span)?))
}

impl Times {
    /// Adds the times to `out`. Damaged gaps may give fewer than `count`; the caller compares.
    pub(super) fn expand(&self, first_ms: i64, count: usize, out: &mut Vec<i64>) {
        let step = self.step_ms as i64;
        let mut next = first_ms;
        let mut left = count;
        let gaps = self.gaps.iter().copied().chain([(u64::MAX, 0)]);
        for (present, missing) in gaps {
            let run = usize::try_from(present).unwrap_or(usize::MAX).min(left);
            out.extend((0..run as i64).map(|i| next.wrapping_add(i.wrapping_mul(step))));
            next = next.wrapping_add(step.wrapping_mul((run as i64).wrapping_add(missing as i64)));
            left -= run;
        }
    }
}

pub(super) fn put_irregular(times: &[i64], effort: pack::Effort, deltas: &mut Vec<i64>, out: &mut Vec<u8>) {
    pack::difference(times, 1, deltas);
    pack::put(deltas, effort, out);
}

pub(super) fn read_irregular(
    reader: &mut Reader<'_>,
    first_ms: i64,
    count: usize,
    with_times: Option<&mut Vec<i64>>,
) -> Option<()> {
    let mut last = None;
    let mut rising = true;
    let mut check = |time: i64| {
        rising &= last.is_none_or(|last| last < time);
        last = Some(time);
    };
    match with_times {
        Some(out) => pack::read(reader, first_ms, count, 1, |time| {
            check(time);
            out.push(time);
        })?,
        None => pack::read(reader, first_ms, count, 1, check)?,
    }
    rising.then_some(())
}
