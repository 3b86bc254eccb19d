//! A store with samples laid over it that are not in it yet: rules of a group see what the rules
//! before them yielded at the same moment.

use std::collections::{BTreeMap, HashMap, HashSet};

use squirrel_model::{
    Figure, Found, Labels, MatchOp, Matcher, NAME_LABEL, Samples, Select, SelectError, Tier, TimeRange, Timestamp,
};

use crate::NewSample;

/// A frozen store, and samples that came after it was frozen.
pub(crate) struct Overlay<'a> {
    base: &'a dyn Select,
    /// By name of the metric, since selectors name one: a group may have thousands of rules, each with
    /// thousands of results.
    fresh: HashMap<String, BTreeMap<Labels, (i64, f64)>>,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(base: &'a dyn Select) -> Self {
        Self { base, fresh: HashMap::new() }
    }

    pub(crate) fn add(&mut self, samples: &[NewSample]) {
        for one in samples {
            let name = one.labels.metric_name().to_owned();
            self.fresh.entry(name).or_default().insert(one.labels.clone(), (one.time.millis(), one.value));
        }
    }

    fn fresh(&self, labels: &Labels) -> Option<(i64, f64)> {
        self.fresh.get(labels.metric_name())?.get(labels).copied()
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
        let named = matchers.iter().find(|m| m.name() == NAME_LABEL && m.op() == MatchOp::Equal);
        let one_name = named.and_then(|m| self.fresh.get(m.value()));
        let all = self.fresh.values().filter(|_| named.is_none());
        let fits = |labels: &Labels| matchers.iter().all(|m| m.matches(labels.get(m.name()).unwrap_or_default()));
        let fresh = one_name.into_iter().chain(all).flatten();
        let fresh = fresh.filter(|(labels, (time, _))| range.contains(Timestamp(*time)) && fits(labels));
        let known: HashSet<&Labels> = found.iter().map(|found| &found.labels).collect();
        // The key is never used: a fresh series is looked up by its labels.
        let new: Vec<Found> = fresh
            .filter(|(labels, _)| !known.contains(labels))
            .map(|(labels, _)| Found { labels: labels.clone(), key: u64::MAX })
            .collect();
        found.extend(new);
        Ok(found)
    }

    fn read(&self, series: &Found, range: TimeRange, out: &mut Samples) -> Result<(), SelectError> {
        let Some((time, value)) = self.fresh(&series.labels) else {
            return self.base.read(series, range, out);
        };
        out.clear();
        if let Some(below) = self.below(&series.labels, range)? {
            self.base.read(&below, range, out)?;
        }
        if range.contains(Timestamp(time)) && out.times.last().is_none_or(|last| *last < time) {
            out.push(time, value);
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
        if self.fresh(&series.labels).is_none() {
            return self.base.read_tier(tier, figure, series, range, out);
        }
        out.clear();
        match self.below(&series.labels, range)? {
            Some(below) => self.base.read_tier(tier, figure, &below, range, out),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use squirrel_testkit::MemorySelect;

    fn labels(name: u8, job: u8) -> Labels {
        Labels::new([("__name__", format!("m{name}")), ("job", format!("j{job}"))]).unwrap_or_default()
    }

    /// All that a query can see: labels, times, values.
    fn seen(store: &dyn Select, matchers: &[Matcher], range: TimeRange) -> Vec<(Labels, Samples)> {
        let mut out = Vec::new();
        for found in store.find(matchers, range).unwrap_or_default() {
            let mut samples = Samples::default();
            assert_eq!(store.read(&found, range, &mut samples), Ok(()));
            out.push((found.labels, samples));
        }
        out.sort_by(|a, b| a.0.cmp(&b.0));
        out
    }

    proptest! {
        #[test]
        fn what_lies_over_a_store_is_seen_as_if_it_had_been_appended(
            old in prop::collection::vec((0u8..3, 0u8..3, 0i64..10), 0..20),
            fresh in prop::collection::btree_set((0u8..4, 0u8..3), 0..6),
            name in 0u8..4,
            start in 0i64..12,
            length in 0i64..12,
        ) {
            let mut below = MemorySelect::default();
            for (name, job, time) in old {
                below.put(&labels(name, job), time, 1.0);
            }
            let mut whole = below.clone();
            let samples: Vec<NewSample> = fresh
                .into_iter()
                .map(|(name, job)| NewSample { labels: labels(name, job), time: Timestamp(10), value: 2.0 })
                .collect();
            for one in &samples {
                whole.put(&one.labels, 10, 2.0);
            }
            let mut over = Overlay::new(&below);
            over.add(&samples);
            let range = TimeRange::new(Timestamp(start), Timestamp(start + length));
            let named = [Matcher::equal("__name__", format!("m{name}"))];
            prop_assert_eq!(seen(&over, &named, range), seen(&whole, &named, range));
            prop_assert_eq!(seen(&over, &[], range), seen(&whole, &[], range));
        }
    }
}
