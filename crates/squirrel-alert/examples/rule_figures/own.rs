//! This crate's groups over Squirrel's store.

use std::collections::BTreeMap;
use std::sync::Arc;

use squirrel_alert::{Group, Health, NewSample, RuleFile, Surroundings};
use squirrel_model::{Elapsed, Labels, Timestamp, is_stale};
use squirrel_promql::EvalOptions;
use squirrel_store::dir::RealDir;
use squirrel_store::{Store, StoreOptions, SyncPolicy};
use squirrel_sys::bulk::thread_cpu;

use crate::Outcome;
use crate::load::value;
use crate::prometheus::Yielded;

pub(crate) struct Own {
    store: Store,
    groups: BTreeMap<String, Group>,
    /// All that the rules yielded.
    pub(crate) yielded: Yielded,
    _folder: tempfile::TempDir,
}

/// Seconds that this thread ran.
fn seconds() -> f64 {
    let cpu = thread_cpu();
    (cpu.user + cpu.system).as_secs_f64()
}

impl Own {
    pub(crate) fn open(rules: &str, now: Timestamp) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let options = StoreOptions { sync: SyncPolicy::Never, ..StoreOptions::new(Labels::empty()) };
        let (store, _) = Store::open(Arc::new(RealDir::open(folder.path())?), options, now)?;
        let file = RuleFile::parse("bench", rules)?;
        let groups = file.groups.into_iter().map(|group| (group.name.clone(), Group::new("bench", group))).collect();
        Ok(Self { store, groups, yielded: Yielded::new(), _folder: folder })
    }

    /// Takes the samples of one moment.
    pub(crate) fn write(&self, all: &[Labels], tick: usize, at: Timestamp) -> Outcome<()> {
        let rows: Vec<_> = all.iter().enumerate().map(|(n, labels)| (labels.clone(), at, value(n, tick))).collect();
        self.store.append_samples(at, &rows)?;
        self.store.maintain(at);
        Ok(())
    }

    /// Evaluates a group and stores what it yields; the seconds of this thread. Maintenance is part of them, as
    /// Prometheus' is part of its process.
    pub(crate) fn evaluate(&mut self, group: &str, at: Timestamp) -> Outcome<f64> {
        let group = self.groups.get_mut(group).ok_or("there is no such group")?;
        let around = Surroundings {
            external_labels: &Labels::empty(),
            external_url: "",
            options: &EvalOptions::default(),
            query_offset_ms: 0,
            stop: &|| false,
            elapsed: &Elapsed::default,
        };
        let begin = seconds();
        let samples = group.evaluate(self.store.reader().snapshot().as_ref(), at, &around);
        let rows: Vec<_> = samples.into_iter().map(|one: NewSample| (one.labels, one.time, one.value)).collect();
        self.store.append_samples(at, &rows)?;
        self.store.maintain(at);
        let took = seconds() - begin;
        if let Some(bad) = group.rules().iter().find(|rule| rule.health != Health::Ok) {
            return Err(format!("{} cannot be evaluated: {:?}", bad.rule.name, bad.health).into());
        }
        self.yielded.extend(rows.into_iter().filter(|row| !is_stale(row.2)).map(|(labels, at, v)| ((labels, at), v)));
        Ok(took)
    }
}
