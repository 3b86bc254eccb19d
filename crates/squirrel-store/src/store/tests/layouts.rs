//! One expectation, every layout, on the real disk and in memory.

use super::*;
use crate::dir::{Dir, RealDir};

#[derive(Clone, Copy, Debug)]
enum Layout {
    /// All rows as they came.
    Head,
    /// Packed in memory, never opened again.
    Packed,
    /// The program was killed and started again.
    Replayed,
    /// All in blocks.
    Blocks,
    /// Killed and started again, over blocks, log and memory.
    Mixed,
}

const TICKS: i64 = 1500;

/// Six windows of 250 s each.
fn small_blocks() -> StoreOptions {
    StoreOptions { block_ms: 250_000, grace_ms: 20_000, segment_ms: 100_000, ..options() }
}

fn filled(layout: Layout, dir: &Arc<dyn Dir>) -> (Store, Model) {
    let mut options = small_blocks();
    if matches!(layout, Layout::Head | Layout::Packed | Layout::Replayed) {
        options.block_ms = 2 * HOUR;
    }
    let open = || Store::open(dir.clone(), options.clone(), Timestamp(T)).unwrap();
    let mut store = open().0;
    let mut model = Model::default();
    for tick in 0..TICKS {
        let at = T + tick * 1000;
        let batch = batch(tick, 8);
        let report = store.append(Timestamp(at + 321), &batch).unwrap();
        assert!(report.logged && report.dropped.is_none());
        model.append(at, &batch);
        if tick % 50 == 7 && !matches!(layout, Layout::Head) {
            let report = store.maintain(Timestamp(at));
            assert_eq!(report.problems, Vec::<String>::new());
        }
        if matches!(layout, Layout::Mixed) && tick % 400 == 333 {
            drop(store);
            store = open().0;
        }
    }
    match layout {
        Layout::Blocks => {
            // A tick far behind makes every window due.
            let at = T + 2 * HOUR;
            store.append(Timestamp(at), &batch(0, 1)).unwrap();
            model.append(at, &batch(0, 1));
            store.maintain(Timestamp(at));
            assert_eq!(store.report().blocks, 7);
        }
        Layout::Replayed => {
            drop(store);
            let (opened, report) = open();
            assert!(!report.lost_anything(), "{report:?}");
            assert_eq!(report.log_frames, TICKS as u64);
            store = opened;
        }
        Layout::Mixed => assert!(store.report().blocks >= 4),
        Layout::Head | Layout::Packed => assert_eq!(store.report().blocks, 0),
    }
    (store, model)
}

/// Runs a check over every layout, in memory and on the real disk.
fn every_layout(check: impl Fn(&dyn Select, &Model)) {
    for layout in [Layout::Head, Layout::Packed, Layout::Replayed, Layout::Blocks, Layout::Mixed] {
        let folder = tempfile::tempdir().unwrap();
        let real: Arc<dyn Dir> = Arc::new(RealDir::open(folder.path()).unwrap());
        for dir in [Arc::new(MemoryDir::new()) as Arc<dyn Dir>, real] {
            let (store, model) = filled(layout, &dir);
            check(store.reader().snapshot().as_ref(), &model);
        }
    }
}

#[test]
fn every_sample_is_there_once_in_every_layout() {
    every_layout(|select, model| same_content(&content(select, TimeRange::ALL), &model.series));
}

#[test]
fn ranges_cut_to_the_millisecond_in_every_layout() {
    every_layout(|select, model| {
        for (from, to) in [(0, 0), (1, 999), (249_000, 250_000), (100_500, 900_499), (1_499_000, 1_499_000), (5, 3)] {
            let range = TimeRange::new(Timestamp(T + from), Timestamp(T + to));
            same_content(&content(select, range), &model.between(range));
        }
    });
}

#[test]
fn matchers_find_the_same_series_in_every_layout() {
    every_layout(|select, model| {
        let names = |matchers: &[Matcher]| {
            let mut names: Vec<String> =
                select.find(matchers, TimeRange::ALL).unwrap().into_iter().map(|f| f.labels.to_string()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&[]).len(), model.series.len());
        let matcher = |name: &str, op, value: &str| Matcher::new(name, op, value).unwrap();
        assert_eq!(names(&[matcher("device", MatchOp::Regex, "eth1|eth2")]).len(), 2);
        assert_eq!(names(&[matcher("device", MatchOp::Equal, "")]).len(), 2);
        assert_eq!(
            names(&[matcher("job", MatchOp::Equal, "squirrel"), matcher("device", MatchOp::NotRegex, "eth.*")]).len(),
            2
        );
        assert!(names(&[matcher("nothing", MatchOp::Regex, ".+")]).is_empty());
    });
}

#[test]
fn a_series_that_ended_is_not_found_afterwards_and_its_end_is_marked() {
    every_layout(|select, _| {
        // eth3 is absent while (tick / 200 + 3) % 3 == 0: in ticks 0..200, 600..800, 1200..1400.
        let eth3 = [Matcher::equal("device", "eth3")];
        let before = TimeRange::new(Timestamp(0), Timestamp(T + 150_000));
        assert!(select.find(&eth3, before).unwrap().is_empty());
        let found = select.find(&eth3, TimeRange::ALL).unwrap().remove(0);
        let mut samples = Samples::default();
        let absent = TimeRange::new(Timestamp(T + 601_000), Timestamp(T + 799_999));
        select.read(&found, absent, &mut samples).unwrap();
        assert!(samples.is_empty());
        select.read(&found, TimeRange::ALL, &mut samples).unwrap();
        let pairs = samples.times.iter().zip(&samples.values);
        let ends: Vec<i64> = pairs.filter(|(_, v)| is_stale(**v)).map(|(t, _)| (t - T) / 1000).collect();
        assert_eq!(ends.get(..2), Some([600, 1200].as_slice()));
    });
}

#[test]
fn a_snapshot_does_not_change_while_it_is_held() {
    let dir: Arc<dyn Dir> = Arc::new(MemoryDir::new());
    let store = Store::open(dir, small_blocks(), Timestamp(T)).unwrap().0;
    let reader = store.reader();
    let (mut model, mut held) = (Model::default(), Vec::new());
    for tick in 0..1200 {
        let at = T + tick * 1000;
        store.append(Timestamp(at), &batch(tick, 6)).unwrap();
        model.append(at, &batch(tick, 6));
        if tick % 97 == 0 {
            held.push((reader.snapshot(), model.clone()));
        }
        if tick % 50 == 0 {
            store.maintain(Timestamp(at));
        }
    }
    assert!(store.report().blocks >= 3);
    for (snapshot, model) in held {
        same_content(&content(snapshot.as_ref(), TimeRange::ALL), &model.series);
    }
}

#[test]
fn readers_and_maintenance_run_beside_the_writer_and_see_whole_ticks() {
    let dir: Arc<dyn Dir> = Arc::new(MemoryDir::new());
    let store = Store::open(dir, small_blocks(), Timestamp(T)).unwrap().0;
    let done = std::sync::atomic::AtomicBool::new(false);
    let running = || !done.load(std::sync::atomic::Ordering::Relaxed);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while running() {
                store.maintain(Timestamp(T));
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                let reader = store.reader();
                let mut before = 0;
                while running() {
                    let all = content(reader.snapshot().as_ref(), TimeRange::ALL);
                    let lens: Vec<usize> = all.values().map(BTreeMap::len).collect();
                    // The four series of each tick come and stay together.
                    assert!(lens.windows(2).all(|pair| pair[0] == pair[1]), "{lens:?}");
                    let len = lens.first().copied().unwrap_or(0);
                    assert!(len >= before, "samples disappeared: {before} to {len}");
                    before = len;
                }
            });
        }
        for tick in 0..2000 {
            store.append(Timestamp(T + tick * 1000), &batch(tick, 2)).unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(
        content(store.reader().snapshot().as_ref(), TimeRange::ALL).values().map(BTreeMap::len).max(),
        Some(2000)
    );
}
