//! One tick, or one delivery of samples with times of their own, as it came.

use std::collections::BTreeSet;
use std::sync::Arc;

use squirrel_model::{Samples, TimeRange, Timestamp, stale_marker};

use super::window_start;
use crate::series::SeriesId;

/// Which series a tick's values belong to: rising ids. Shared by ticks that have the same series.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) ids: Vec<SeriesId>,
}

/// The values of one moment.
#[derive(Debug)]
pub(crate) struct TickRow {
    /// Number of the frame in the log.
    pub(crate) seq: u64,
    pub(crate) time_ms: i64,
    pub(crate) layout: Arc<Layout>,
    /// As many as the layout has ids.
    pub(crate) values: Vec<f64>,
    /// Series that ended at this moment: each has a stale marker here. Rising.
    pub(crate) ended: Vec<SeriesId>,
}

/// Samples with times of their own.
#[derive(Debug)]
pub(crate) struct LooseRow {
    pub(crate) seq: u64,
    /// Sorted by id, then time; each pair once.
    samples: Vec<(SeriesId, i64, f64)>,
    /// Times of the first and last sample. Asked for at each step from the log to a block: looked up once.
    span: Option<(i64, i64)>,
}

/// What one append brought.
#[derive(Clone, Debug)]
pub(crate) enum Row {
    Tick(Arc<TickRow>),
    Loose(Arc<LooseRow>),
}

impl TickRow {
    /// The value of a series at this moment.
    pub(crate) fn value(&self, id: SeriesId) -> Option<f64> {
        match self.layout.ids.binary_search(&id) {
            Ok(at) => self.values.get(at).copied(),
            Err(_) => self.ended.binary_search(&id).is_ok().then(stale_marker),
        }
    }
}

impl LooseRow {
    /// A row of samples that are sorted by id, then time, each pair once.
    pub(crate) fn new(seq: u64, samples: Vec<(SeriesId, i64, f64)>) -> Self {
        let times = || samples.iter().map(|(_, time, _)| *time);
        let span = times().min().zip(times().max());
        Self { seq, samples, span }
    }

    /// Sorted by id, then time; each pair once.
    pub(crate) fn samples(&self) -> &[(SeriesId, i64, f64)] {
        &self.samples
    }

    /// Times of the first and last sample; `None` without samples.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        self.span
    }

    fn of(&self, id: SeriesId) -> &[(SeriesId, i64, f64)] {
        // Deliveries of many series come in pieces: most have nothing of one series, and are passed over at once.
        let ends = self.samples.first().zip(self.samples.last());
        if ends.is_none_or(|(first, last)| id < first.0 || last.0 < id) {
            return &[];
        }
        let from = self.samples.partition_point(|(other, _, _)| *other < id);
        let to = self.samples.partition_point(|(other, _, _)| *other <= id);
        self.samples.get(from..to).unwrap_or_default()
    }
}

impl Row {
    /// Number of samples, stale markers among them.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Tick(row) => row.values.len() + row.ended.len(),
            Self::Loose(row) => row.samples.len(),
        }
    }

    /// Times of the first and last sample; `None` for an empty row.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        match self {
            Self::Tick(row) => (self.len() > 0).then_some((row.time_ms, row.time_ms)),
            Self::Loose(row) => row.span,
        }
    }

    /// Starts of the windows in which it has samples; they are `window_ms` long and begin at multiples of that.
    pub(crate) fn windows(&self, window_ms: i64) -> BTreeSet<i64> {
        let start = |time| window_start(time, window_ms);
        match self {
            Self::Tick(row) => BTreeSet::from([start(row.time_ms)]),
            Self::Loose(row) => match row.span {
                Some((first, last)) if start(first) != start(last) => {
                    row.samples.iter().map(|(_, time, _)| start(*time)).collect()
                }
                span => span.into_iter().map(|(first, _)| start(first)).collect(),
            },
        }
    }

    /// Whether a series has a sample in the range.
    pub(crate) fn each_in(&self, range: TimeRange, mut each: impl FnMut(SeriesId)) {
        match self {
            Self::Tick(row) if range.contains(Timestamp(row.time_ms)) => {
                row.layout.ids.iter().chain(&row.ended).for_each(|id| each(*id));
            }
            Self::Tick(_) => {}
            Self::Loose(row) => {
                let inside = row.samples.iter().filter(|(_, time, _)| range.contains(Timestamp(*time)));
                inside.for_each(|(id, _, _)| each(*id));
            }
        }
    }

    /// Adds the samples of a series to a run that is in order so far; answers whether it still is.
    pub(crate) fn read(&self, id: SeriesId, out: &mut Samples) -> bool {
        let mut in_order = true;
        let mut push = |time: i64, value: f64, out: &mut Samples| {
            in_order &= out.times.last().is_none_or(|last| *last < time);
            out.push(time, value);
        };
        match self {
            Self::Tick(row) => {
                if let Some(value) = row.value(id) {
                    push(row.time_ms, value, out);
                }
            }
            Self::Loose(row) => row.of(id).iter().for_each(|(_, time, value)| push(*time, *value, out)),
        }
        in_order
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Tick(row) => row.values.len() * 8 + row.ended.len() * 8 + size_of::<TickRow>(),
            Self::Loose(row) => row.samples.len() * 24,
        }
    }
}
