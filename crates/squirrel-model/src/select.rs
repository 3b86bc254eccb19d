//! The query boundary: all that a query may know of where samples are kept.

use crate::{Labels, Matcher, TimeRange};

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

/// A series that a search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// All its labels, with `__name__`.
    pub labels: Labels,
    /// The source's own key for [`Select::read`].
    pub key: u64,
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
    fn the_stale_marker_is_a_nan_of_its_own() {
        assert!(is_stale(stale_marker()) && stale_marker().is_nan());
        assert!(!is_stale(f64::NAN));
    }
}
