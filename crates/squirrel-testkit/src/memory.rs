//! A store in memory, for tests of everything that asks through [`Select`].

use std::collections::BTreeMap;

use squirrel_model::{Found, Labels, Matcher, Samples, Select, SelectError, TimeRange};

/// Series in memory. Fill it, then query it; it is as frozen as the reference that a query holds.
///
/// ```
/// use squirrel_model::{Labels, Matcher, Select, TimeRange};
/// let mut store = squirrel_testkit::MemorySelect::default();
/// let up = Labels::new([("__name__", "up"), ("job", "squirrel")]).unwrap();
/// store.put(&up, 1_000, 1.0);
/// assert_eq!(store.find(&[Matcher::equal("job", "squirrel")], TimeRange::ALL).unwrap().len(), 1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemorySelect {
    keys: BTreeMap<Labels, usize>,
    series: Vec<(Labels, Samples)>,
}

impl MemorySelect {
    /// A store with one sample at `time_ms` for each pair of labels and value.
    pub fn at(time_ms: i64, rows: impl IntoIterator<Item = (Labels, f64)>) -> Self {
        let mut store = Self::default();
        for (labels, value) in rows {
            store.put(&labels, time_ms, value);
        }
        store
    }

    /// Adds a sample. Any order of time is taken; a second sample of one moment replaces the first.
    pub fn put(&mut self, labels: &Labels, time_ms: i64, value: f64) {
        let next = self.series.len();
        let index = *self.keys.entry(labels.clone()).or_insert(next);
        if index == next {
            self.series.push((labels.clone(), Samples::default()));
        }
        let Some((_, samples)) = self.series.get_mut(index) else { return };
        match samples.times.binary_search(&time_ms) {
            Ok(i) => samples.values[i] = value,
            Err(i) => {
                samples.times.insert(i, time_ms);
                samples.values.insert(i, value);
            }
        }
    }

    /// Replaces all samples of a series.
    pub fn put_series(&mut self, labels: &Labels, samples: Samples) {
        let next = self.series.len();
        let index = *self.keys.entry(labels.clone()).or_insert(next);
        match self.series.get_mut(index) {
            Some(slot) => slot.1 = samples,
            None => self.series.push((labels.clone(), samples)),
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.series.clear();
    }

    /// Number of series.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is no series.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }
}

/// The part of sorted `times` that lies in `range`.
fn part(times: &[i64], range: TimeRange) -> std::ops::Range<usize> {
    let start = times.partition_point(|t| *t < range.start.0);
    let end = times.partition_point(|t| *t <= range.end.0);
    start..end.max(start)
}

impl Select for MemorySelect {
    fn find(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Found>, SelectError> {
        let fits = |labels: &Labels| matchers.iter().all(|m| m.matches(labels.get(m.name()).unwrap_or_default()));
        let found = self.series.iter().enumerate();
        let found = found.filter(|(_, (labels, samples))| fits(labels) && !part(&samples.times, range).is_empty());
        Ok(found.map(|(i, (labels, _))| Found { labels: labels.clone(), key: i as u64 }).collect())
    }

    fn read(&self, series: &Found, range: TimeRange, out: &mut Samples) -> Result<(), SelectError> {
        out.clear();
        let Some((_, samples)) = self.series.get(series.key as usize) else {
            return Err(SelectError::Unreadable {
                subject: series.labels.to_string(),
                reason: "no such series here: it was found in another store".to_owned(),
            });
        };
        let part = part(&samples.times, range);
        out.times.extend_from_slice(&samples.times[part.clone()]);
        out.values.extend_from_slice(&samples.values[part]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use squirrel_model::Timestamp;

    fn up(job: &str) -> Labels {
        Labels::new([("__name__", "up"), ("job", job)]).unwrap()
    }

    #[test]
    fn samples_are_kept_in_the_order_of_time_and_the_last_value_of_a_moment_wins() {
        let mut store = MemorySelect::default();
        for (time, value) in [(2_000, 2.0), (1_000, 1.0), (2_000, 3.0)] {
            store.put(&up("a"), time, value);
        }
        let found = store.find(&[], TimeRange::ALL).unwrap();
        let mut out = Samples::default();
        store.read(&found[0], TimeRange::ALL, &mut out).unwrap();
        assert_eq!((out.times, out.values), (vec![1_000, 2_000], vec![1.0, 3.0]));
    }

    #[test]
    fn a_range_has_both_its_ends_and_a_series_without_a_sample_in_it_is_not_found() {
        let mut store = MemorySelect::at(1_000, [(up("a"), 1.0)]);
        store.put(&up("b"), 5_000, 1.0);
        let range = TimeRange::new(Timestamp(1_000), Timestamp(4_999));
        let found = store.find(&[Matcher::equal("__name__", "up")], range).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].labels, up("a"));
        assert!(store.find(&[], TimeRange::new(Timestamp(9), Timestamp(8))).unwrap().is_empty());
    }
}
