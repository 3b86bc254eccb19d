//! Samples that are deleted, and samples that come from elsewhere.

use proptest::prelude::*;
use squirrel_model::{Figure, Found};

use super::*;
use crate::dir::{FaultyDir, Trouble};
use crate::offline;

fn named(name: &str) -> Vec<Matcher> {
    vec![Matcher::equal("__name__", name)]
}

fn between(from: i64, to: i64) -> TimeRange {
    TimeRange::new(Timestamp(from), Timestamp(to))
}

/// Five hours: blocks of each resolution, and a log.
fn filled(dir: &Arc<MemoryDir>) -> (Store, Model) {
    let (store, _) = open(dir, StoreOptions { step_ms: 10_000, ..options() });
    let mut model = Model::default();
    for tick in 0..1_800 {
        let (at, batch) = (T + tick * 10_000, batch(tick, 2));
        store.append(Timestamp(at), &batch).unwrap();
        model.append(at, &batch);
        if tick % 90 == 0 {
            store.maintain(Timestamp(at));
        }
    }
    (store, model)
}

/// Takes from the model what a deletion takes.
fn take(model: &mut Model, metric: &str, range: TimeRange) -> u64 {
    let mut gone = 0;
    for (_, samples) in model.series.iter_mut().filter(|(name, _)| name.starts_with(metric)) {
        let before = samples.len();
        samples.retain(|at, _| !range.contains(Timestamp(*at)));
        gone += (before - samples.len()) as u64;
    }
    model.series.retain(|_, samples| !samples.is_empty());
    gone
}

fn figures(store: &Store, tier: usize, figure: Figure, name: &str) -> BTreeMap<i64, f64> {
    let snapshot = store.reader().snapshot();
    let mut all = BTreeMap::new();
    let mut samples = Samples::default();
    let found: Vec<Found> = snapshot.find(&named(name), TimeRange::ALL).unwrap();
    for found in found {
        snapshot.read_tier(tier, figure, &found, TimeRange::ALL, &mut samples).unwrap();
        all.extend(samples.times.iter().copied().zip(samples.values.iter().copied()));
    }
    all
}

#[test]
fn what_was_deleted_is_gone_from_every_layout_and_the_rest_is_there() {
    let dir = Arc::new(MemoryDir::new());
    let (store, mut model) = filled(&dir);
    // From a block into the log.
    let range = between(T + HOUR, T + 4 * HOUR + 1_800_000);
    let gone = take(&mut model, LOAD.name.as_ref(), range);
    let would = crate::would_delete(store.reader().snapshot().as_ref(), &named(LOAD.name.as_ref()), range).unwrap();
    let report = store.delete(&named(LOAD.name.as_ref()), range);
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!((report.samples, report.series), (gone, 1));
    assert_eq!((would.samples, would.series), (gone, 1));
    same(&store, &model);
    drop(store);
    let (store, opened) = open(&dir, StoreOptions { step_ms: 10_000, ..options() });
    assert!(!opened.lost_anything(), "{opened:?}");
    same(&store, &model);
    assert!(offline::check(dir.as_ref(), &mut |_| ()).unwrap().is_sound());
    assert_eq!(store.delete(&named(LOAD.name.as_ref()), range).samples, 0, "and nothing is left to delete");
}

#[test]
fn minutes_and_hours_at_the_ends_are_computed_anew_and_those_between_are_gone() {
    let dir = Arc::new(MemoryDir::new());
    let (store, _) = filled(&dir);
    let wrong = figures(&store, 1, Figure::Count, LOAD.name.as_ref());
    assert_eq!(wrong[&(T + HOUR)], 360.0);
    // Half an hour from the first hour, the second whole, a minute and a half of the third.
    let range = between(T + 1_800_000, T + 2 * HOUR + 90_000 - 1);
    let report = store.delete(&named(LOAD.name.as_ref()), range);
    assert!(report.problems.is_empty() && report.figures > 0, "{report:?}");
    let hours = figures(&store, 1, Figure::Count, LOAD.name.as_ref());
    assert_eq!(hours.get(&(T + HOUR)), Some(&180.0));
    assert_eq!(hours.get(&(T + 2 * HOUR)), None);
    assert_eq!(hours.get(&(T + 3 * HOUR)), Some(&351.0));
    let minutes = figures(&store, 0, Figure::Count, LOAD.name.as_ref());
    assert_eq!(minutes.get(&(T + 1_800_000)), Some(&6.0), "the minute before");
    assert_eq!(minutes.get(&(T + 1_860_000)), None);
    assert_eq!(minutes.get(&(T + 2 * HOUR + 120_000)), Some(&3.0), "half of it was deleted");
    assert_eq!(figures(&store, 0, Figure::Count, RTT.name.as_ref()).len(), 300, "others keep theirs");
}

#[test]
fn a_series_without_samples_is_forgotten_and_an_emptied_store_goes_on() {
    let dir = Arc::new(MemoryDir::new());
    let (store, mut model) = filled(&dir);
    drop(store);
    let (store, _) = open(&dir, StoreOptions { step_ms: 10_000, ..options() });
    let report = store.delete(&[], TimeRange::ALL);
    assert_eq!((report.series, report.problems), (4, vec![]));
    assert!(report.blocks_removed > 0 && report.blocks_rewritten == 0);
    assert_eq!(content(store.reader().snapshot().as_ref(), TimeRange::ALL).len(), 0);
    assert!(dir.files().iter().all(|path| !path.starts_with('t')), "{:?}", dir.files());
    model.series.clear();
    drop(store);
    let (store, _) = open(&dir, StoreOptions { step_ms: 10_000, ..options() });
    let mut fresh = Model::default();
    for tick in 0..800 {
        let (at, batch) = (T + tick * 10_000, batch(tick, 2));
        store.append(Timestamp(at), &batch).unwrap();
        fresh.append(at, &batch);
        store.maintain(Timestamp(at));
    }
    same(&store, &fresh);
    drop(store);
    let (store, _) = open(&dir, StoreOptions { step_ms: 10_000, ..options() });
    same(&store, &fresh);
    assert!(!figures(&store, 1, Figure::Count, LOAD.name.as_ref()).is_empty());
}

#[test]
fn a_disk_that_fills_at_any_operation_leaves_each_block_old_or_done() {
    let range = between(T + HOUR, T + 3 * HOUR);
    for from in 0.. {
        let memory = Arc::new(MemoryDir::new());
        let (store, mut model) = filled(&memory);
        drop(store);
        let faulty = FaultyDir::new(memory.clone());
        let wide = StoreOptions { step_ms: 10_000, ..options() };
        let (store, _) = Store::open(Arc::new(faulty.clone()), wide.clone(), Timestamp(T)).unwrap();
        let before = model.clone();
        faulty.set(Some(Trouble { from, count: u64::MAX, errno: 28, tears: from % 2 == 0, only_growth: true }));
        let report = store.delete(&named(LOAD.name.as_ref()), range);
        let failures = faulty.failures();
        faulty.set(None);
        if failures == 0 {
            assert!(from > 3, "the deletion writes");
            return;
        }
        assert!(!report.problems.is_empty(), "operation {from} failed in silence");
        drop(store);
        let (store, _) = open(&memory, wide);
        let got = content(store.reader().snapshot().as_ref(), TimeRange::ALL);
        for (name, samples) in &before.series {
            let lost = samples.iter().find(|(at, bits)| got[name].get(at) != Some(bits));
            let asked =
                lost.is_none_or(|(at, _)| name.starts_with(LOAD.name.as_ref()) && range.contains(Timestamp(*at)));
            assert!(asked, "operation {from}: {name} lost {lost:?}");
        }
        let again = store.delete(&named(LOAD.name.as_ref()), range);
        assert_eq!(again.problems, Vec::<String>::new());
        take(&mut model, LOAD.name.as_ref(), range);
        same(&store, &model);
    }
}

#[test]
fn what_was_deleted_does_not_come_back_after_a_loss_of_power() {
    for (seed, range) in (0..24).zip([TimeRange::ALL, between(T + HOUR, T + 6 * HOUR)].into_iter().cycle()) {
        let dir = Arc::new(MemoryDir::new());
        let (store, mut model) = filled(&dir);
        let report = store.delete(&[], range);
        assert_eq!(report.problems, Vec::<String>::new());
        take(&mut model, "", range);
        let after = Arc::new(dir.after_power_loss(seed));
        let (store, opened) = open(&after, StoreOptions { step_ms: 10_000, ..options() });
        assert!(!opened.lost_anything(), "{opened:?}");
        same(&store, &model);
    }
}

#[test]
fn a_damaged_block_is_left_alone_and_named() {
    let dir = Arc::new(MemoryDir::new());
    let (store, _) = filled(&dir);
    store.finish_import();
    drop(store);
    let path = dir.files().into_iter().find(|path| path.starts_with("t0/")).unwrap();
    let mut bytes = dir.read(&path).unwrap();
    bytes[40] ^= 1;
    dir.put(&path, bytes.clone());
    let (store, _) = open(&dir, StoreOptions { step_ms: 10_000, ..options() });
    let report = store.delete(&named(LOAD.name.as_ref()), TimeRange::ALL);
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert!(report.problems[0].contains(&path), "{:?}", report.problems);
    assert_eq!(dir.read(&path).unwrap(), bytes);
}

#[test]
fn imported_samples_of_years_ago_get_minutes_and_hours() {
    let dir = Arc::new(MemoryDir::new());
    let (store, _) = open(&dir, options());
    let labels = Labels::new([("__name__", "old_total")]).unwrap();
    let years_ago = T - 3 * 365 * 24 * HOUR;
    let samples: Vec<_> =
        (0..48).map(|hour| (labels.clone(), Timestamp(years_ago + hour * HOUR), hour as f64)).collect();
    assert_eq!(store.append_samples(Timestamp(T), &samples).unwrap().refused, 48, "too old for full resolution");
    assert_eq!(store.import(Timestamp(T), &samples).unwrap().samples, 48);
    assert_eq!(store.finish_import().problems, Vec::<String>::new());
    assert_eq!(figures(&store, 1, Figure::Last, "old_total").len(), 48);
    drop(store);
    assert!(dir.files().iter().all(|path| !path.starts_with("wal/")), "all of it is in blocks: {:?}", dir.files());
    let (store, _) = open(&dir, options());
    assert_eq!(content(store.reader().snapshot().as_ref(), TimeRange::ALL).values().next().unwrap().len(), 48);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn any_range_is_deleted_exactly(start in 0i64..18_000, len in 0i64..12_000, which in 0usize..3, reopen: bool) {
        let dir = Arc::new(MemoryDir::new());
        let (mut store, mut model) = filled(&dir);
        if reopen {
            drop(store);
            store = open(&dir, StoreOptions { step_ms: 10_000, ..options() }).0;
        }
        let metric = [&BYTES, &RTT, &LOAD][which].name.as_ref();
        let range = between(T + start * 1000, T + (start + len) * 1000);
        let gone = take(&mut model, metric, range);
        let report = store.delete(&named(metric), range);
        prop_assert_eq!((report.samples, report.problems), (gone, vec![]));
        same(&store, &model);
    }
}
