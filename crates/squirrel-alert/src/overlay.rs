//! A store with samples laid over it that are not in it yet: rules of a group see what the rules
//! before them yielded at the same moment.

use std::collections::BTreeMap;

use squirrel_model::{Figure, Found, Labels, Matcher, Samples, Select, SelectError, Tier, TimeRange, Timestamp};

use crate::NewSample;

/// A frozen store, and samples that came after it was frozen.
pub(crate) struct Overlay<'a> {
    base: &'a dyn Select,
    fresh: BTreeMap<Labels, (i64, f64)>,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(base: &'a dyn Select) -> Self {
        Self { base, fresh: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, samples: &[NewSample]) {
        self.fresh.extend(samples.iter().map(|one| (one.labels.clone(), (one.time.millis(), one.value))));
    }

    /// The series as the store below knows it.
    fn below(&self, labels: &Labels, range: TimeRange) -> Result<Option<Found>, SelectError> {
        let matchers: Vec<Matcher> = labels.iter().map(|(name, value)| Matcher::equal(name, value)).collect();
        Ok(self.base.find(&matchers, range)?.into_iter().find(|found| found.labels == *labels))
    }
}

impl Select for Overlay<'_> {
    fn find(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Found>, SelectError> {
        let mut found = self.base.find(matchers, range)?;
        for (labels, (time, _)) in &self.fresh {
            let fits = |m: &Matcher| m.matches(labels.get(m.name()).unwrap_or_default());
            let within = range.contains(Timestamp(*time)) && matchers.iter().all(fits);
            if within && found.iter().all(|known| known.labels != *labels) {
                // The key is never used: a fresh series is looked up by its labels.
                found.push(Found { labels: labels.clone(), key: u64::MAX });
            }
        }
        Ok(found)
    }

    fn read(&self, series: &Found, range: TimeRange, out: &mut Samples) -> Result<(), SelectError> {
        let Some((time, value)) = self.fresh.get(&series.labels) else {
            return self.base.read(series, range, out);
        };
        out.clear();
        if let Some(below) = self.below(&series.labels, range)? {
            self.base.read(&below, range, out)?;
        }
        if range.contains(Timestamp(*time)) && out.times.last().is_none_or(|last| last < time) {
            out.push(*time, *value);
        }
        Ok(())
    }

    fn full_from(&self) -> Option<Timestamp> {
        self.base.full_from()
    }

    fn tiers(&self) -> Vec<Tier> {
        self.base.tiers()
    }

    fn read_tier(
        &self,
        tier: usize,
        figure: Figure,
        series: &Found,
        range: TimeRange,
        out: &mut Samples,
    ) -> Result<(), SelectError> {
        if !self.fresh.contains_key(&series.labels) {
            return self.base.read_tier(tier, figure, series, range, out);
        }
        out.clear();
        match self.below(&series.labels, range)? {
            Some(below) => self.base.read_tier(tier, figure, &below, range, out),
            None => Ok(()),
        }
    }
}
