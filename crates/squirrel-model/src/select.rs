//! The query boundary: all that a query may know of where samples are kept.

use crate::{Labels, Matcher, TimeRange, Timestamp};

/// Samples of one series as two columns of equal length, in the order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// Milliseconds since the epoch, strictly rising.
    pub times: Vec<i64>,
    /// Values; a stale marker (see [`is_stale`]) keeps its bits.
    pub values: Vec<f64>,
}

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Adds a sample at the end.
    pub fn push(&mut self, time_ms: i64, value: f64) {
        self.times.push(time_ms);
        self.values.push(value);
    }

    /// Empties both columns and keeps their memory.
    pub fn clear(&mut self) {
        self.times.clear();
        self.values.clear();
    }
}

/// Bits of the value that says "this series ended here" (Prometheus' `StaleNaN`).
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The value that says "this series ended here". Arithmetic may lose its bits: test with
/// [`is_stale`] and pass it on by copying only.
pub fn stale_marker() -> f64 {
    f64::from_bits(STALE_BITS)
}

/// Whether a value is the stale marker.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}

/// Bits of the value that stands for a native histogram.
const HISTOGRAM_BITS: u64 = 0x7ff0_0000_0000_0006;

/// The value that says "here is a native histogram, whose content is not kept". As with [`stale_marker`], arithmetic
/// may lose its bits. It is a number as all others are to the disk's format, which has room for histograms with their
/// content in a kind of chunk of its own.
pub fn histogram_marker() -> f64 {
    f64::from_bits(HISTOGRAM_BITS)
}

/// Whether a value stands for a native histogram.
pub fn is_histogram(value: f64) -> bool {
    value.to_bits() == HISTOGRAM_BITS
}

/// A series that a search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// All its labels, with `__name__`.
    pub labels: Labels,
    /// The source's own key for [`Select::read`].
    pub key: u64,
}

/// What a coarse copy keeps of the samples of a series in each of its steps. A step's figures stand under the time of
/// its end, which is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Figure {
    /// The last value, or a stale marker if the series ended.
    Last,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The sum of the values.
    Sum,
    /// How many there were.
    Count,
    /// By how much a counter rose since the step before, its resets taken into account.
    Increase,
}

impl Figure {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Last, Self::Min, Self::Max, Self::Sum, Self::Count, Self::Increase];
}

/// A coarse copy of all series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Length of its steps in milliseconds; they begin at multiples of it.
    pub step_ms: i64,
    /// Where it begins.
    pub from: Timestamp,
    /// Whether nothing older is kept anywhere, in full resolution or in another copy: then what it has of a time before
    /// its beginning, which is nothing, is all that there is.
    pub whole: bool,
}

/// Why a selection failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// Data on disk cannot be read; the text says which file and what to do.
    #[error("the store cannot read {subject}: {reason}")]
    Unreadable {
        /// The file or block.
        subject: String,
        /// Why, and what to do.
        reason: String,
    },
}

/// A frozen view of samples. It does not change while a query holds it, and reading takes no lock
/// that a writer needs.
pub trait Select: Send + Sync {
    /// The series that fulfil all matchers and have a sample in `range`, in any order, each once.
    ///
    /// # Errors
    /// When an index cannot be read.
    fn find(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Found>, SelectError>;

    /// Replaces `out` by the samples of one found series in `range` (both ends included), stale
    /// markers among them.
    ///
    /// # Errors
    /// When a block cannot be read.
    fn read(&self, series: &Found, range: TimeRange, out: &mut Samples) -> Result<(), SelectError>;

    /// Where full resolution begins, when something older is kept in a coarse copy only.
    fn full_from(&self) -> Option<Timestamp> {
        None
    }

    /// The coarse copies, finest first.
    fn tiers(&self) -> Vec<Tier> {
        Vec::new()
    }

    /// Replaces `out` by one figure of a found series for each step of a copy whose end lies in `range`. `tier` is a
    /// place in [`Select::tiers`].
    ///
    /// # Errors
    /// When a block cannot be read.
    fn read_tier(
        &self,
        tier: usize,
        figure: Figure,
        series: &Found,
        range: TimeRange,
        out: &mut Samples,
    ) -> Result<(), SelectError> {
        let _ = (tier, figure, series, range);
        out.clear();
        Ok(())
    }

    /// Names of all labels of the series that [`Select::find`] would give, sorted, each once.
    ///
    /// # Errors
    /// As [`Select::find`].
    fn label_names(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<String>, SelectError> {
        let mut names = std::collections::BTreeSet::new();
        for series in self.find(matchers, range)? {
            names.extend(series.labels.iter().map(|(name, _)| name.to_owned()));
        }
        Ok(names.into_iter().collect())
    }

    /// Values of one label over the series that [`Select::find`] would give, sorted, each once.
    ///
    /// # Errors
    /// As [`Select::find`].
    fn label_values(&self, label: &str, matchers: &[Matcher], range: TimeRange) -> Result<Vec<String>, SelectError> {
        let mut values = std::collections::BTreeSet::new();
        for series in self.find(matchers, range)? {
            values.extend(series.labels.get(label).map(str::to_owned));
        }
        Ok(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_markers_are_nans_of_their_own() {
        assert!(is_stale(stale_marker()) && stale_marker().is_nan());
        assert!(is_histogram(histogram_marker()) && histogram_marker().is_nan());
        assert!(!is_stale(f64::NAN) && !is_histogram(f64::NAN));
        assert!(!is_stale(histogram_marker()) && !is_histogram(stale_marker()));
    }
}
