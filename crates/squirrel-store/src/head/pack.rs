//! From rows to parts, and from parts to larger parts.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use squirrel_model::Samples;

use super::merge::{append_run, sort_written};
use super::{LooseRow, Part, PartBuilder, Row, TickRow};
use crate::series::SeriesId;

/// Walks the ids of some rows in rising order, and gives their samples. Ticks of one layout that follow each other are
/// walked together, as is one delivery of samples with times of their own.
struct Cursor<'a> {
    rows: Rows<'a>,
    /// Place in the layout (or in the loose samples), and among the ended.
    at: usize,
    ended: usize,
    window: std::ops::Range<i64>,
}

enum Rows<'a> {
    /// One layout, and series end only with the last.
    Ticks(Vec<&'a TickRow>),
    Loose(&'a LooseRow),
}

impl<'a> Cursor<'a> {
    fn new(row: &'a Row, window: std::ops::Range<i64>) -> Self {
        let rows = match row {
            Row::Tick(row) => Rows::Ticks(vec![row]),
            Row::Loose(row) => Rows::Loose(row),
        };
        Self { rows, at: 0, ended: 0, window }
    }

    /// Takes a tick of the same layout; answers whether it was one.
    fn joined(&mut self, row: &'a Row) -> bool {
        let (Rows::Ticks(ticks), Row::Tick(row)) = (&mut self.rows, row) else { return false };
        let joins = ticks.last().is_some_and(|last| last.ended.is_empty() && Arc::ptr_eq(&last.layout, &row.layout));
        if joins {
            ticks.push(row);
        }
        joins
    }

    fn id(&self) -> Option<SeriesId> {
        match &self.rows {
            Rows::Ticks(ticks) => {
                let (first, last) = (ticks.first()?, ticks.last()?);
                let (a, b) = (first.layout.ids.get(self.at), last.ended.get(self.ended));
                a.into_iter().chain(b).min().copied()
            }
            Rows::Loose(row) => row.samples().get(self.at).map(|(id, _, _)| *id),
        }
    }

    /// Moves past `id`, adding its samples.
    fn take(&mut self, id: SeriesId, out: &mut Samples) {
        match &self.rows {
            Rows::Ticks(ticks) => {
                let (Some(first), Some(last)) = (ticks.first(), ticks.last()) else { return };
                if first.layout.ids.get(self.at) == Some(&id) {
                    for row in ticks {
                        if let Some(value) = row.values.get(self.at) {
                            out.push(row.time_ms, *value);
                        }
                    }
                    self.at += 1;
                }
                if last.ended.get(self.ended) == Some(&id) {
                    out.push(last.time_ms, squirrel_model::stale_marker());
                    self.ended += 1;
                }
            }
            Rows::Loose(row) => {
                let rest = row.samples().get(self.at..).unwrap_or_default();
                for (_, time, value) in rest.iter().take_while(|sample| sample.0 == id) {
                    if self.window.contains(time) {
                        out.push(*time, *value);
                    }
                    self.at += 1;
                }
            }
        }
    }
}

/// Packs rows, in the order in which they came, into one part for each window of time that they
/// touch. Windows are `window_ms` long and begin at multiples of it.
pub(crate) fn pack(rows: &[Row], window_ms: i64, like: Option<&Part>) -> Vec<Part> {
    let mut windows: BTreeMap<i64, Vec<Cursor<'_>>> = BTreeMap::new();
    for row in rows {
        for start in row.windows(window_ms) {
            let cursors = windows.entry(start).or_default();
            if !cursors.last_mut().is_some_and(|cursor| cursor.joined(row)) {
                cursors.push(Cursor::new(row, start..start.saturating_add(window_ms)));
            }
        }
    }
    let mut parts = Vec::new();
    for (start, cursors) in windows {
        pack_window(start, cursors, like, &mut parts);
    }
    parts
}

fn pack_window(start: i64, mut cursors: Vec<Cursor<'_>>, like: Option<&Part>, parts: &mut Vec<Part>) {
    if pack_regular(start, &cursors, like, parts) {
        return;
    }
    let mut builder = PartBuilder::new(start, 0);
    let mut samples = Samples::default();
    // By id, then by age. Each step costs the logarithm of the rows and not their number: deliveries of a part of the
    // series each have few of the ids.
    let next = |cursor: &Cursor<'_>, at: usize| cursor.id().map(|id| Reverse((id, at)));
    let mut queue: BinaryHeap<Reverse<(SeriesId, usize)>> =
        cursors.iter().enumerate().filter_map(|(at, cursor)| next(cursor, at)).collect();
    while let Some(Reverse((id, _))) = queue.peek().copied() {
        samples.clear();
        while let Some(mut top) = queue.peek_mut().filter(|top| top.0.0 == id) {
            let at = top.0.1;
            let Some(cursor) = cursors.get_mut(at) else { break };
            cursor.take(id, &mut samples);
            match next(cursor, at) {
                Some(then) => *top = then,
                None => drop(PeekMut::pop(top)),
            }
        }
        if samples.times.windows(2).any(|pair| pair[0] >= pair[1]) {
            sort_written(&mut samples);
        }
        builder.push(id, &samples);
        if builder.is_full() {
            parts.push(std::mem::replace(&mut builder, PartBuilder::new(start, 0)).build(None));
        }
    }
    if !builder.is_empty() {
        parts.push(builder.build(like));
    }
}

/// The usual case, ticks of one layout in the order of time: columns are read straight through.
/// Answers whether it was this case.
fn pack_regular(start: i64, cursors: &[Cursor<'_>], like: Option<&Part>, parts: &mut Vec<Part>) -> bool {
    let [Cursor { rows: Rows::Ticks(ticks), .. }] = cursors else { return false };
    let (Some(first), Some(last)) = (ticks.first(), ticks.last()) else { return false };
    if !last.ended.is_empty() || !ticks.windows(2).all(|pair| pair[0].time_ms < pair[1].time_ms) {
        return false;
    }
    let layout = &first.layout;
    let mut builder = PartBuilder::new(start, 0);
    let mut samples = Samples { times: ticks.iter().map(|tick| tick.time_ms).collect(), values: Vec::new() };
    for (at, &id) in layout.ids.iter().enumerate() {
        samples.values.clear();
        samples.values.extend(ticks.iter().filter_map(|tick| tick.values.get(at)));
        builder.push(id, &samples);
        if builder.is_full() {
            parts.push(std::mem::replace(&mut builder, PartBuilder::new(start, 0)).build(None));
        }
    }
    if !builder.is_empty() {
        parts.push(builder.build(like));
    }
    true
}

/// Start of the window that a time lies in.
pub(crate) fn window_start(time_ms: i64, window_ms: i64) -> i64 {
    time_ms.div_euclid(window_ms.max(1)).saturating_mul(window_ms.max(1))
}

/// Hands over each series of several parts, rising by id, with all its samples. Parts stand in the
/// order in which they were written.
pub(crate) fn visit_merged<P: AsRef<Part>, E>(
    parts: &[P],
    mut each: impl FnMut(SeriesId, &Samples) -> Result<(), E>,
) -> Result<(), E> {
    let mut at = vec![0usize; parts.len()];
    let (mut all, mut run) = (Samples::default(), Samples::default());
    loop {
        let next = parts.iter().zip(&at).filter_map(|(part, at)| part.as_ref().ids.get(*at)).min().copied();
        let Some(id) = next else { return Ok(()) };
        all.clear();
        for (part, at) in parts.iter().zip(&mut at) {
            let part = part.as_ref();
            if part.ids.get(*at) == Some(&id) {
                run.clear();
                part.read_at(*at, &mut run);
                append_run(&mut all, &run);
                *at += 1;
            }
        }
        each(id, &all)?;
    }
}

/// One part, of the next level, in the place of several of one window.
pub(crate) fn merge_parts<P: AsRef<Part>>(parts: &[P]) -> Option<Part> {
    let first = parts.first()?.as_ref();
    let level = parts.iter().map(|part| part.as_ref().level).max().unwrap_or(0).saturating_add(1);
    let mut builder = PartBuilder::new(first.window_ms, level);
    let merged: Result<(), std::convert::Infallible> = visit_merged(parts, |id, samples| {
        builder.push(id, samples);
        Ok(())
    });
    merged.ok()?;
    Some(builder.build(Some(first)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Layout;

    fn tick(time_ms: i64, values: &[(u64, f64)], ended: &[u64]) -> Row {
        Row::Tick(Arc::new(TickRow {
            seq: 0,
            time_ms,
            layout: Arc::new(Layout { ids: values.iter().map(|(id, _)| SeriesId(*id)).collect() }),
            values: values.iter().map(|(_, value)| *value).collect(),
            ended: ended.iter().map(|id| SeriesId(*id)).collect(),
        }))
    }

    fn read(part: &Part, id: u64) -> Vec<(i64, u64)> {
        let mut out = Samples::default();
        part.read(SeriesId(id), &mut out);
        out.times.iter().copied().zip(out.values.iter().map(|v| v.to_bits())).collect()
    }

    #[test]
    fn rows_of_changing_series_are_packed_by_series_and_window() {
        let stale = squirrel_model::stale_marker().to_bits();
        let bits = f64::to_bits;
        let rows = [
            tick(8000, &[(1, 1.0), (2, 5.0)], &[]),
            tick(9000, &[(1, 2.0), (3, 7.0)], &[2]),
            Row::Loose(Arc::new(LooseRow::new(0, vec![(SeriesId(1), 8500, 9.0), (SeriesId(1), 10_500, 8.0)]))),
            tick(10_000, &[(1, 3.0), (3, 7.0)], &[]),
        ];
        let parts = pack(&rows, 10_000, None);
        assert_eq!(
            parts.iter().map(|p| (p.window_ms, p.min_ms, p.max_ms)).collect::<Vec<_>>(),
            [(0, 8000, 9000), (10_000, 10_000, 10_500)]
        );
        assert_eq!(read(&parts[0], 1), [(8000, bits(1.0)), (8500, bits(9.0)), (9000, bits(2.0))]);
        assert_eq!(read(&parts[0], 2), [(8000, bits(5.0)), (9000, stale)]);
        assert_eq!(read(&parts[1], 1), [(10_000, bits(3.0)), (10_500, bits(8.0))]);
        assert!(read(&parts[1], 2).is_empty());
    }

    #[test]
    fn merged_parts_hold_the_same_samples_and_the_later_wins() {
        let parts: Vec<Part> = [
            [tick(0, &[(1, 1.0)], &[]), tick(1000, &[(1, 2.0)], &[])],
            [tick(1000, &[(1, 4.0), (2, 0.0)], &[]), tick(2000, &[(1, 5.0)], &[])],
        ]
        .iter()
        .flat_map(|rows| pack(rows, 10_000, None))
        .collect();
        let refs: Vec<Arc<Part>> = parts.into_iter().map(Arc::new).collect();
        let merged = merge_parts(&refs).unwrap();
        assert_eq!(read(&merged, 1), [(0, 1.0f64.to_bits()), (1000, 4.0f64.to_bits()), (2000, 5.0f64.to_bits())]);
        assert_eq!((read(&merged, 2).len(), merged.level), (1, 1));
    }
}
