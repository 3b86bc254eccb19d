//! A day's blocks become one, and nobody who asks can tell.

use super::*;
use crate::dir::Dir;

/// Days of 1,000 s with four blocks each.
fn short_days() -> StoreOptions {
    StoreOptions { block_ms: 250_000, grace_ms: 20_000, segment_ms: 100_000, compact_ms: 1_000_000, ..options() }
}

/// Fills `seconds` from `T` on, with maintenance now and then.
fn filled(dir: &Arc<MemoryDir>, seconds: i64) -> (Store, Model) {
    let (store, _) = open(dir, short_days());
    let mut model = Model::default();
    for tick in 0..seconds {
        let at = T + tick * 1000;
        let batch = batch(tick, 8);
        store.append(Timestamp(at), &batch).unwrap();
        model.append(at, &batch);
        if tick % 50 == 49 {
            assert_eq!(store.maintain(Timestamp(at)).problems, Vec::<String>::new());
        }
    }
    (store, model)
}

fn blocks(dir: &MemoryDir) -> Vec<String> {
    let mut names: Vec<String> = dir.list("t0").unwrap().into_iter().map(|entry| entry.name).collect();
    names.sort();
    names
}

#[test]
fn finished_days_are_one_block_each_and_hold_the_same() {
    let dir = Arc::new(MemoryDir::new());
    let (store, model) = filled(&dir, 3400);
    // Days begin at multiples of 1,000 s: T lies 200 s into one.
    let spans: Vec<i64> = store.shared.view().blocks.iter().map(|b| b.meta.end_ms - b.meta.start_ms).collect();
    assert!(spans.iter().filter(|span| **span == 1_000_000).count() == 3, "{spans:?}");
    assert!(spans.iter().filter(|span| **span == 250_000).count() <= 3, "{spans:?}");
    assert_eq!(blocks(&dir).len(), spans.len(), "the parts are deleted");
    same(&store, &model);
    for range in [(T + 990_000, T + 1_010_000), (T + 100_000, T + 100_000), (T + 2_000_000, T + 9_000_000)] {
        let range = TimeRange::new(Timestamp(range.0), Timestamp(range.1));
        same_content(&content(store.reader().snapshot().as_ref(), range), &model.between(range));
    }
    drop(store);
    let (store, report) = open(&dir, short_days());
    assert!(!report.lost_anything(), "{report:?}");
    same(&store, &model);
    assert_eq!(store.maintain(Timestamp(T + 3_400_000)).blocks_compacted, 0, "done is done");
}

#[test]
fn what_comes_late_to_a_day_that_is_one_block_is_kept_and_wins() {
    let dir = Arc::new(MemoryDir::new());
    let (store, mut model) = filled(&dir, 2400);
    let labels = Labels::new([("__name__", "pushed"), ("job", "other")]).unwrap();
    for value in [1.0, 2.0] {
        store.append_samples(Timestamp(T + 2_500_000), &[(labels.clone(), Timestamp(T + 300_500), value)]).unwrap();
        model.insert(&labels, T + 300_500, value);
        for tick in [2400, 2700].map(|tick| tick + value as i64 * 400) {
            store.append(Timestamp(T + tick * 1000), &batch(tick, 8)).unwrap();
            model.append(T + tick * 1000, &batch(tick, 8));
            store.maintain(Timestamp(T + tick * 1000));
        }
        same(&store, &model);
    }
    drop(store);
    let (store, _) = open(&dir, short_days());
    same(&store, &model);
}

#[test]
fn a_crash_between_the_larger_block_and_the_end_of_its_parts_doubles_nothing() {
    let dir = Arc::new(MemoryDir::new());
    let (store, model) = filled(&dir, 800);
    let parts: Vec<(String, Vec<u8>)> = blocks(&dir)
        .into_iter()
        .map(|name| {
            let path = format!("t0/{name}");
            let file = dir.open(&path).unwrap();
            let mut bytes = vec![0; file.len().unwrap() as usize];
            file.read_at(0, &mut bytes).unwrap();
            (path, bytes)
        })
        .collect();
    assert!(parts.len() >= 2, "there is something to put together");
    let mut model = model;
    for tick in [850, 900, 1000] {
        store.append(Timestamp(T + tick * 1000), &batch(tick, 8)).unwrap();
        model.append(T + tick * 1000, &batch(tick, 8));
        store.maintain(Timestamp(T + tick * 1000));
    }
    assert_eq!(store.shared.view().blocks.first().unwrap().meta.end_ms, T + 800_000, "the day is one block");
    drop(store);
    let whole = blocks(&dir);
    for (path, bytes) in &parts {
        if !whole.iter().any(|name| path.ends_with(name.as_str())) {
            let mut file = dir.create(path).unwrap();
            file.write(bytes).unwrap();
            file.sync().unwrap();
        }
    }
    let (store, report) = open(&dir, short_days());
    assert!(!report.lost_anything(), "{report:?}");
    same(&store, &model);
    assert_eq!(blocks(&dir), whole, "what was left over is deleted");
}

#[test]
fn a_damaged_block_stays_as_it_is_and_the_others_with_it() {
    let dir = Arc::new(MemoryDir::new());
    let (store, _) = filled(&dir, 800);
    let before = blocks(&dir);
    drop(store);
    let path = format!("t0/{}", before[1]);
    let file = dir.open(&path).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_at(0, &mut bytes).unwrap();
    bytes[100] ^= 1;
    dir.remove(&path).unwrap();
    let mut file = dir.create(&path).unwrap();
    file.write(&bytes).unwrap();
    file.sync().unwrap();
    let (store, _) = open(&dir, short_days());
    for tick in [850, 1000, 1150] {
        store.append(Timestamp(T + tick * 1000), &batch(tick, 8)).unwrap();
        let report = store.maintain(Timestamp(T + tick * 1000));
        assert_eq!(report.problems, Vec::<String>::new());
    }
    let after = blocks(&dir);
    assert!(before.iter().all(|name| after.contains(name)), "{before:?} {after:?}");
    assert!(after.iter().all(|name| !name.starts_with("tmp-")), "{after:?}");
}

#[test]
fn above_the_limit_of_size_the_oldest_blocks_go() {
    let dir = Arc::new(MemoryDir::new());
    let (store, model) = filled(&dir, 2400);
    let total: u64 = store.shared.view().blocks.iter().map(|block| block.len).sum();
    drop(store);
    let (store, _) = open(&dir, StoreOptions { retention_bytes: total / 2, ..short_days() });
    let report = store.maintain(Timestamp(T + 2_400_000));
    assert!(report.blocks_deleted >= 1 && report.problems.is_empty(), "{report:?}");
    let blocks: Vec<(i64, u64)> = store.shared.view().blocks.iter().map(|b| (b.meta.min_ms, b.len)).collect();
    assert!(blocks.iter().map(|(_, len)| len).sum::<u64>() <= total / 2, "{blocks:?} of {total}");
    let from = blocks.iter().map(|(min, _)| *min).min().unwrap();
    let range = TimeRange::new(Timestamp(from), Timestamp(T + 9_000_000));
    same_content(&content(store.reader().snapshot().as_ref(), TimeRange::ALL), &model.between(range));
}
