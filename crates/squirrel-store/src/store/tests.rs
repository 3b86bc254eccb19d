//! The store as its users meet it.
//!
//! `Model` is what a store should hold, kept in the plainest way. Each expectation is checked over
//! every layout of the same samples: in memory, replayed from the log, in blocks, and mixed.

mod behaviour;
mod compaction;
mod deletion;
mod faults;
mod layouts;
mod outside;
mod promises;
mod tiers;

use std::collections::BTreeMap;
use std::sync::Arc;

use squirrel_model::{
    Batch, Kind, Labels, MatchOp, Matcher, Metric, Samples, Select, TimeRange, Timestamp, Unit, is_stale,
};

use super::*;
use crate::dir::MemoryDir;
use crate::options::SyncPolicy;
use crate::report::{AppendReport, Dropped, OpenReport};

pub(super) static BYTES: Metric =
    Metric::new("node_network_receive_bytes_total", Kind::Counter, Unit::Bytes, "Bytes received.");
pub(super) static RTT: Metric = Metric::new("squirrel_rtt_seconds", Kind::Gauge, Unit::Seconds, "Round-trip time.");
pub(super) static LOAD: Metric = Metric::new("squirrel_load", Kind::Gauge, Unit::None, "Load.");

/// 2023-11-14T22:00:00Z, the start of a two-hour window.
pub(super) const T: i64 = 1_699_999_200_000;
pub(super) const HOUR: i64 = 3_600_000;

pub(super) fn options() -> StoreOptions {
    let target = Labels::new([("job", "squirrel"), ("instance", "host:7775")]).unwrap();
    StoreOptions { reserve_bytes: 0, ..StoreOptions::new(target) }
}

pub(super) fn device(n: usize) -> Labels {
    Labels::new([("device", format!("eth{n}"))]).unwrap()
}

/// A tick: a counter for each device, one decimal gauge, one of full precision. Devices from 3 on
/// come and go.
pub(super) fn batch(tick: i64, devices: usize) -> Batch {
    let mut batch = Batch::default();
    for n in 0..devices {
        if n < 3 || (tick / 200 + n as i64) % 3 != 0 {
            batch.put(&BYTES, &device(n), (tick * 1500 * (n as i64 + 1) + tick * tick % 977) as f64);
        }
    }
    batch.put_plain(&RTT, ((tick * 7919) % 1000) as f64 / 1e6);
    batch.put_plain(&LOAD, (tick as f64 + 0.1).sqrt());
    batch
}

/// What a store should hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Model {
    pub(super) series: BTreeMap<String, BTreeMap<i64, u64>>,
    active: Vec<String>,
}

impl Model {
    pub(super) fn append(&mut self, at: i64, batch: &Batch) {
        let mut now = Vec::new();
        for row in &batch.rows {
            let mut builder = row.labels.to_builder();
            builder.set("__name__", row.metric.name.as_ref()).set("job", "squirrel").set("instance", "host:7775");
            let name = builder.build().unwrap().to_string();
            self.series.entry(name.clone()).or_default().insert(at, row.value.to_bits());
            now.push(name);
        }
        for ended in self.active.iter().filter(|name| !now.contains(name)) {
            self.series.get_mut(ended).unwrap().insert(at, squirrel_model::stale_marker().to_bits());
        }
        self.active = now;
    }

    pub(super) fn end_all(&mut self, at: i64) {
        self.append(at, &Batch::default());
    }

    pub(super) fn insert(&mut self, labels: &Labels, at: i64, value: f64) {
        self.series.entry(labels.to_string()).or_default().insert(at, value.to_bits());
    }

    pub(super) fn between(&self, range: TimeRange) -> BTreeMap<String, BTreeMap<i64, u64>> {
        let cut = |samples: &BTreeMap<i64, u64>| -> BTreeMap<i64, u64> {
            samples.iter().filter(|(at, _)| range.contains(Timestamp(**at))).map(|(at, bits)| (*at, *bits)).collect()
        };
        self.series.iter().map(|(n, s)| (n.clone(), cut(s))).filter(|(_, s)| !s.is_empty()).collect()
    }
}

/// All that a snapshot gives in a range. Checks on the way that times rise and that a series comes
/// once.
pub(super) fn content(select: &dyn Select, range: TimeRange) -> BTreeMap<String, BTreeMap<i64, u64>> {
    let mut all = BTreeMap::new();
    let mut samples = Samples::default();
    for found in select.find(&[], range).unwrap() {
        select.read(&found, range, &mut samples).unwrap();
        assert!(samples.times.windows(2).all(|pair| pair[0] < pair[1]), "{}: times rise", found.labels);
        let map: BTreeMap<i64, u64> =
            samples.times.iter().copied().zip(samples.values.iter().map(|v| v.to_bits())).collect();
        if !map.is_empty() {
            assert!(all.insert(found.labels.to_string(), map).is_none(), "{} comes twice", found.labels);
        }
    }
    all
}

pub(super) fn open(dir: &Arc<MemoryDir>, options: StoreOptions) -> (Store, OpenReport) {
    Store::open(dir.clone(), options, Timestamp(T)).unwrap()
}

#[track_caller]
pub(super) fn same(store: &Store, model: &Model) {
    same_content(&content(store.reader().snapshot().as_ref(), TimeRange::ALL), &model.series);
}

/// Compares without printing a hundred thousand samples.
#[track_caller]
pub(super) fn same_content(got: &BTreeMap<String, BTreeMap<i64, u64>>, want: &BTreeMap<String, BTreeMap<i64, u64>>) {
    assert_eq!(got.keys().collect::<Vec<_>>(), want.keys().collect::<Vec<_>>());
    for (name, want) in want {
        let got = &got[name];
        let first = want.iter().find(|(at, bits)| got.get(at) != Some(bits));
        assert!(first.is_none(), "{name}: {first:?} is missing or wrong; {} of {} samples", got.len(), want.len());
        let extra = got.keys().find(|at| !want.contains_key(at));
        assert!(extra.is_none(), "{name}: {extra:?} was never written");
    }
}
