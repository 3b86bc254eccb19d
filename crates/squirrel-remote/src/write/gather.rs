//! From the store's samples to the requests of each shard.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use squirrel_exchange::{Metadata, Sample, Series};
use squirrel_model::{Found, Labels, NAME_LABEL, Samples, Select, TimeRange, Timestamp};

use super::Target;
use super::thin::thin;
use crate::metadata::Describe;

/// What is sent by one shard: requests, one after the other.
pub(super) type Shard = Vec<Vec<Series>>;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) shards: Vec<Shard>,
    /// Series that the disk does not give.
    pub(super) unreadable: usize,
}

/// Reads, relabels and divides. What relabelling makes of a series is kept.
pub(super) struct Gatherer {
    target: Arc<Target>,
    describe: Describe,
    /// By the store's key of the series. `None`: it is not sent.
    labels: HashMap<u64, Option<Labels>>,
    metadata: HashMap<String, Metadata>,
    samples: Samples,
}

/// As many results are kept; then all are made anew, since most belong to series that have ended.
const MOST_KEPT: usize = 2_000_000;

/// Names of metrics whose meaning is kept.
const MOST_NAMES: usize = 50_000;

impl Gatherer {
    pub(super) fn new(target: Arc<Target>, describe: Describe) -> Self {
        Self { target, describe, labels: HashMap::new(), metadata: HashMap::new(), samples: Samples::default() }
    }

    /// The samples of some series in a window.
    pub(super) fn gather(&mut self, snapshot: &dyn Select, found: &[Found], window: TimeRange) -> Gathered {
        if self.labels.len() > MOST_KEPT {
            self.labels.clear();
        }
        let (mut out, mut series) = (Gathered::default(), Vec::with_capacity(found.len()));
        for one in found {
            let target = &self.target;
            let relabelled = || target.relabelling.apply(&one.labels);
            let Some(labels) = self.labels.entry(one.key).or_insert_with(relabelled).clone() else { continue };
            let mut samples = std::mem::take(&mut self.samples);
            match snapshot.read(one, window, &mut samples) {
                Ok(()) => self.add(&mut series, &labels, &samples),
                Err(_) => out.unreadable += 1,
            }
            self.samples = samples;
        }
        out.shards = self.divide(series);
        out
    }

    /// Samples that came late, in the order in which they came.
    pub(super) fn late(&mut self, samples: Vec<(Labels, Timestamp, f64)>) -> Vec<Shard> {
        let mut by_series: BTreeMap<Labels, Vec<(i64, f64)>> = BTreeMap::new();
        for (labels, at, value) in samples {
            by_series.entry(labels).or_default().push((at.millis(), value));
        }
        let mut series = Vec::new();
        for (labels, mut pairs) in by_series {
            let Some(labels) = self.target.relabelling.apply(&labels) else { continue };
            pairs.sort_by_key(|(at, _)| *at);
            pairs.dedup_by_key(|(at, _)| *at);
            let (times, values) = pairs.into_iter().unzip();
            self.add(&mut series, &labels, &Samples { times, values });
        }
        self.divide(series)
    }

    fn add(&mut self, out: &mut Vec<Series>, labels: &Labels, samples: &Samples) {
        if samples.is_empty() {
            return;
        }
        let metadata = if self.target.metadata { self.metadata(labels.metric_name()) } else { Metadata::default() };
        let Some(reduced) = self.target.thin else {
            return out.push(series(labels.clone(), metadata, samples));
        };
        let (last, greatest) = thin(samples, reduced.step_ms);
        out.push(series(labels.clone(), metadata, &last));
        if reduced.max {
            let mut named = labels.to_builder();
            named.set(NAME_LABEL, format!("{}:max", labels.metric_name()));
            // A name with a colon more is one.
            if let Ok(named) = named.build() {
                out.push(series(named, Metadata::default(), &greatest));
            }
        }
    }

    fn metadata(&mut self, name: &str) -> Metadata {
        if let Some(known) = self.metadata.get(name) {
            return known.clone();
        }
        if self.metadata.len() >= MOST_NAMES {
            self.metadata.clear();
        }
        let found = (self.describe)(name);
        self.metadata.insert(name.to_owned(), found.clone());
        found
    }

    /// Requests for each shard; all samples of a series are in one shard, in order.
    fn divide(&self, series: Vec<Series>) -> Vec<Shard> {
        let most = self.target.request_samples.max(1);
        let samples: usize = series.iter().map(|one| one.samples.len()).sum();
        let count = samples.div_ceil(most).clamp(1, self.target.shards.max(1));
        let mut shards = vec![Shard::new(); count];
        let mut room = vec![0; count];
        for mut one in series {
            let mut hasher = DefaultHasher::new();
            one.labels.hash(&mut hasher);
            let place = (hasher.finish() % count as u64) as usize;
            let (Some(shard), Some(room)) = (shards.get_mut(place), room.get_mut(place)) else { continue };
            while !one.samples.is_empty() {
                if *room == 0 {
                    shard.push(Vec::new());
                    *room = most;
                }
                let rest = one.samples.split_off(one.samples.len().min(*room));
                *room -= one.samples.len();
                let part = Series { labels: one.labels.clone(), metadata: one.metadata.clone(), samples: one.samples };
                if let Some(request) = shard.last_mut() {
                    request.push(part);
                }
                one.samples = rest;
            }
        }
        shards.retain(|shard| !shard.is_empty());
        shards
    }
}

fn series(labels: Labels, metadata: Metadata, samples: &Samples) -> Series {
    let pairs = samples.times.iter().zip(&samples.values);
    let samples = pairs.map(|(at, value)| Sample { at: Timestamp(*at), value: *value, start: None }).collect();
    Series { labels, metadata, samples }
}
