//! Samples in memory, for unit tests of rules.

use std::collections::HashMap;

use squirrel_model::{Found, Labels, Matcher, Samples, Select, SelectError, TimeRange};

/// Series whose samples are appended in the order of time.
#[derive(Default)]
pub(crate) struct Memory {
    places: HashMap<Labels, usize>,
    series: Vec<(Labels, Samples)>,
}

impl Memory {
    /// Appends a sample; one that is not later than the last of its series is left out.
    pub(crate) fn append(&mut self, labels: &Labels, time_ms: i64, value: f64) {
        let place = *self.places.entry(labels.clone()).or_insert(self.series.len());
        if place == self.series.len() {
            self.series.push((labels.clone(), Samples::default()));
        }
        if let Some((_, samples)) = self.series.get_mut(place)
            && samples.times.last().is_none_or(|last| *last < time_ms)
        {
            samples.push(time_ms, value);
        }
    }
}

fn part(times: &[i64], range: TimeRange) -> std::ops::Range<usize> {
    let start = times.partition_point(|time| *time < range.start.millis());
    let end = times.partition_point(|time| *time <= range.end.millis());
    start..end.max(start)
}

impl Select for Memory {
    fn find(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Found>, SelectError> {
        let fits = |labels: &Labels| matchers.iter().all(|m| m.matches(labels.get(m.name()).unwrap_or_default()));
        let found = self.series.iter().enumerate();
        let found = found.filter(|(_, (labels, samples))| !part(&samples.times, range).is_empty() && fits(labels));
        Ok(found.map(|(place, (labels, _))| Found { labels: labels.clone(), key: place as u64 }).collect())
    }

    fn read(&self, series: &Found, range: TimeRange, out: &mut Samples) -> Result<(), SelectError> {
        out.clear();
        if let Some((_, samples)) = self.series.get(series.key as usize) {
            let part = part(&samples.times, range);
            out.times.extend(samples.times.get(part.clone()).unwrap_or_default());
            out.values.extend(samples.values.get(part).unwrap_or_default());
        }
        Ok(())
    }
}
