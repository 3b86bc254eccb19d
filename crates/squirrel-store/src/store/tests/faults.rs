//! Disks that fail, fill up, lose power, and give back something else than was written.

use super::*;
use crate::dir::{Dir, ENOSPC, FaultyDir, Trouble};

const EIO: i32 = 5;

fn small() -> StoreOptions {
    StoreOptions {
        block_ms: 20_000,
        grace_ms: 2000,
        segment_ms: 10_000,
        reserve_bytes: 100_000,
        compact_ms: 60_000,
        ..options()
    }
}

fn faulty() -> (Arc<MemoryDir>, FaultyDir) {
    let memory = Arc::new(MemoryDir::new());
    (memory.clone(), FaultyDir::new(memory))
}

/// Appends ticks with maintenance between them; gives the model and what was acknowledged as logged.
fn run(store: &Store, ticks: std::ops::Range<i64>, model: &mut Model) -> usize {
    let mut failures = 0;
    for tick in ticks {
        let at = T + tick * 1000;
        let batch = batch(tick, 4);
        failures += usize::from(!store.append(Timestamp(at), &batch).unwrap().logged);
        model.append(at, &batch);
        if tick % 5 == 4 {
            store.maintain(Timestamp(at));
        }
    }
    failures
}

#[test]
fn whichever_operation_fails_nothing_is_lost_and_writing_resumes() {
    for errno in [EIO, ENOSPC] {
        for from in 0..150 {
            check_writing_resumes(errno, from);
        }
    }
}

/// Six operations in a row fail, the `from`-th first: nothing is lost, and writing resumes without a restart.
#[track_caller]
pub(super) fn check_writing_resumes(errno: i32, from: u64) {
    let (memory, dir) = faulty();
    let (store, _) = Store::open(Arc::new(dir.clone()), small(), Timestamp(T)).unwrap();
    let mut model = Model::default();
    dir.set(Some(Trouble { from, count: 6, errno, tears: from.is_multiple_of(2), only_growth: false }));
    let failures = run(&store, 0..70, &mut model);
    assert!(dir.failures() > 0 || from > 100, "operation {from} was never reached");
    same(&store, &model);
    let report = store.report();
    assert_eq!(report.degraded, None, "error {errno} at operation {from}: writing resumed without a restart");
    assert!(failures <= 6);
    drop(store);
    let (store, report) = open(&Arc::new(memory.after_kill()), small());
    same(&store, &model);
    let lost = (report.lost_frames, report.unusable_blocks, report.nameless_samples);
    assert_eq!(lost, (0, 0, 0), "error {errno} at operation {from}: {report:?}");
}

#[test]
fn opening_with_any_operation_failing_is_an_error_or_a_whole_store() {
    let (memory, dir) = faulty();
    let (store, _) = Store::open(Arc::new(dir), small(), Timestamp(T)).unwrap();
    let mut model = Model::default();
    run(&store, 0..50, &mut model);
    drop(store);
    for from in 0..12 {
        for count in [1, 100] {
            let copy = Arc::new(memory.after_kill());
            let dir = FaultyDir::new(copy.clone());
            dir.set(Some(Trouble { from, count, errno: EIO, tears: true, only_growth: false }));
            if let Ok((store, _)) = Store::open(Arc::new(dir.clone()), small(), Timestamp(T)) {
                same(&store, &model);
            }
            same(&open(&copy, small()).0, &model);
        }
    }
}

#[test]
fn a_full_disk_for_minutes_keeps_every_tick_in_memory_and_catches_up() {
    let (memory, dir) = faulty();
    let (store, _) = Store::open(Arc::new(dir.clone()), small(), Timestamp(T)).unwrap();
    let mut model = Model::default();
    run(&store, 0..33, &mut model);
    dir.set(Some(Trouble { from: 0, count: u64::MAX, errno: ENOSPC, tears: true, only_growth: true }));
    let failures = run(&store, 33..400, &mut model);
    assert_eq!(failures, 367, "no tick is claimed to be on disk");
    let problem = store.report().degraded.unwrap();
    assert!(problem.contains("No space left") && problem.contains("memory"), "{problem}");
    same(&store, &model);
    dir.set(None);
    run(&store, 400..420, &mut model);
    assert_eq!(store.report().degraded, None);
    same(&store, &model);
    let (store, report) = open(&Arc::new(memory.after_kill()), small());
    same(&store, &model);
    assert!(report.blocks > 2);
}

#[test]
fn the_reserve_lets_blocks_be_finished_on_a_full_disk_and_is_made_again() {
    // Creating works, but no write goes through until the reserve was given up.
    #[derive(Debug)]
    struct Full {
        inner: MemoryDir,
        limit: std::sync::atomic::AtomicU64,
        removed: std::sync::Mutex<Vec<String>>,
    }
    #[derive(Debug)]
    struct FullFile(Box<dyn crate::dir::Append>, MemoryDir, u64);
    impl crate::dir::Append for FullFile {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
            if self.1.total_len() + bytes.len() as u64 > self.2 {
                return Err(std::io::Error::from_raw_os_error(ENOSPC));
            }
            self.0.write(bytes)
        }
        fn sync(&mut self) -> std::io::Result<()> {
            self.0.sync()
        }
    }
    impl Dir for Full {
        fn place(&self) -> String {
            self.inner.place()
        }
        fn lock(&self) -> std::io::Result<Box<dyn crate::dir::Lock>> {
            self.inner.lock()
        }
        fn create(&self, path: &str) -> std::io::Result<Box<dyn crate::dir::Append>> {
            let limit = self.limit.load(std::sync::atomic::Ordering::Relaxed);
            Ok(Box::new(FullFile(self.inner.create(path)?, self.inner.clone(), limit)))
        }
        fn open(&self, path: &str) -> std::io::Result<Arc<dyn crate::dir::ReadAt>> {
            self.inner.open(path)
        }
        fn list(&self, folder: &str) -> std::io::Result<Vec<crate::dir::Entry>> {
            self.inner.list(folder)
        }
        fn make_folder(&self, folder: &str) -> std::io::Result<()> {
            self.inner.make_folder(folder)
        }
        fn rename(&self, from: &str, to: &str) -> std::io::Result<()> {
            self.inner.rename(from, to)
        }
        fn remove(&self, path: &str) -> std::io::Result<()> {
            self.removed.lock().unwrap().push(path.to_owned());
            self.inner.remove(path)
        }
        fn truncate(&self, path: &str, len: u64) -> std::io::Result<()> {
            self.inner.truncate(path, len)
        }
        fn sync_folder(&self, folder: &str) -> std::io::Result<()> {
            self.inner.sync_folder(folder)
        }
    }
    let dir = Arc::new(Full { inner: MemoryDir::new(), limit: u64::MAX.into(), removed: std::sync::Mutex::default() });
    let (store, _) = Store::open(dir.clone(), small(), Timestamp(T)).unwrap();
    let mut model = Model::default();
    for tick in 0..60 {
        store.append(Timestamp(T + tick * 1000), &batch(tick, 4)).unwrap();
        model.append(T + tick * 1000, &batch(tick, 4));
    }
    // The series files have room; the block has not.
    dir.limit.store(dir.inner.total_len() + 600, std::sync::atomic::Ordering::Relaxed);
    let report = store.maintain(Timestamp(T + 60_000));
    assert!(report.blocks_written > 0 && report.segments_deleted > 0, "{report:?}");
    assert!(dir.removed.lock().unwrap().contains(&"reserve".to_owned()), "the reserve was given up");
    same(&store, &model);
    dir.limit.store(u64::MAX, std::sync::atomic::Ordering::Relaxed);
    store.maintain(Timestamp(T + 60_000));
    assert_eq!(dir.inner.read("reserve").unwrap().len(), 100_000, "and made again");
}

#[test]
fn after_any_loss_of_power_what_was_synced_is_there_and_nothing_is_invented() {
    for seed in 0..150u64 {
        let dir = Arc::new(MemoryDir::new());
        let (store, _) = open(&dir, small());
        let (mut model, ticks) = (Model::default(), 20 + seed as i64 % 60);
        run(&store, 0..ticks, &mut model);
        let after = Arc::new(dir.after_power_loss(seed));
        let (store, report) = open(&after, small());
        same(&store, &model);
        assert_eq!((report.lost_frames, report.nameless_samples), (0, 0), "seed {seed}: {report:?}");
        // And life goes on.
        run(&store, ticks..ticks + 30, &mut model);
        same(&store, &model);
    }
}

#[test]
fn with_seconds_between_syncs_a_loss_of_power_takes_no_more_than_those() {
    for seed in 0..100u64 {
        let dir = Arc::new(MemoryDir::new());
        let options = || StoreOptions { sync: SyncPolicy::Every { ms: 5000 }, ..small() };
        let (store, _) = open(&dir, options());
        let (mut model, ticks) = (Model::default(), 20 + seed as i64 % 60);
        run(&store, 0..ticks, &mut model);
        let (store, _) = open(&Arc::new(dir.after_power_loss(seed)), options());
        let got = content(store.reader().snapshot().as_ref(), TimeRange::ALL);
        let old = TimeRange::new(Timestamp(0), Timestamp(T + (ticks - 6) * 1000));
        for (name, want) in model.between(old) {
            assert!(want.iter().all(|(at, bits)| got[&name].get(at) == Some(bits)), "seed {seed} {name}");
        }
        for (name, samples) in &got {
            assert!(samples.iter().all(|(at, bits)| model.series[name].get(at) == Some(bits)), "seed {seed} {name}");
        }
    }
}

/// A store with two blocks, a log and series files, closed by a kill.
fn specimen() -> (Arc<MemoryDir>, Model) {
    let dir = Arc::new(MemoryDir::new());
    let (store, _) = open(&dir, small());
    let mut model = Model::default();
    run(&store, 0..47, &mut model);
    drop(store);
    (dir, model)
}

#[test]
fn one_flipped_byte_in_any_file_costs_only_its_record_and_is_reported() {
    let (dir, model) = specimen();
    let whole: usize = model.series.values().map(BTreeMap::len).sum();
    let mut kinds = std::collections::BTreeSet::new();
    for path in dir.files() {
        let good = dir.read(&path).unwrap();
        let step = (good.len() / 120).max(1);
        for at in (0..good.len()).step_by(step) {
            let copy = Arc::new(dir.after_kill());
            let mut bad = good.clone();
            bad[at] ^= 0x11;
            copy.put(&path, bad);
            let (store, report) = open(&copy, small());
            let got = content(store.reader().snapshot().as_ref(), TimeRange::ALL);
            for (name, samples) in &got {
                assert!(
                    samples.iter().all(|(t, bits)| model.series[name].get(t) == Some(bits)),
                    "{path} byte {at} invents"
                );
            }
            let lost = whole - got.values().map(BTreeMap::len).sum::<usize>();
            let mut batch = Batch::default();
            store.metrics(&mut batch);
            let figure = |name: &str| batch.rows.iter().filter(|r| r.metric.name == name).map(|r| r.value).sum::<f64>();
            let corrupt = figure("squirrel_store_corrupt_chunks_total");
            let kind = path.rsplit('.').next().unwrap_or(&path).to_owned();
            match kind.as_str() {
                "wal" => assert!(report.lost_anything() && lost <= 47 * 8, "{path} byte {at}: {lost} {report:?}"),
                "series" => assert!(lost == 0 && report.damaged_series_bytes > 0, "{path} byte {at}: {lost}"),
                "block" => assert!((lost == 0) == (corrupt == 0.0), "{path} byte {at}: {lost} lost, {corrupt} counted"),
                "reserve" => assert_eq!(lost, 0),
                _ => assert!(lost == 0 && !report.notes.is_empty(), "{path} byte {at}: {lost}"),
            }
            kinds.insert(kind);
        }
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["SQUIRREL-STORE", "block", "reserve", "series", "wal"]);
}

#[test]
fn a_file_cut_short_or_missing_or_empty_never_keeps_the_store_from_opening() {
    let (dir, model) = specimen();
    for path in dir.files() {
        let good = dir.read(&path).unwrap();
        for len in [0, 1, 31, 32, good.len() / 2, good.len().saturating_sub(1)] {
            let copy = Arc::new(dir.after_kill());
            copy.put(&path, good.get(..len).unwrap_or(&good).to_vec());
            let (store, _) = open(&copy, small());
            let got = content(store.reader().snapshot().as_ref(), TimeRange::ALL);
            for (name, samples) in &got {
                assert!(samples.iter().all(|(t, bits)| model.series[name].get(t) == Some(bits)), "{path} cut to {len}");
            }
            assert!(store.append(Timestamp(T + HOUR), &batch(50, 4)).unwrap().logged);
        }
        let copy = Arc::new(dir.after_kill());
        copy.remove(&path).unwrap();
        let (store, _) = open(&copy, small());
        assert!(store.append(Timestamp(T + HOUR), &batch(50, 4)).unwrap().logged, "without {path}");
    }
}

#[test]
fn without_the_series_files_every_name_comes_back_from_log_and_blocks() {
    let (dir, model) = specimen();
    for path in dir.files().into_iter().filter(|path| path.starts_with("series/")) {
        dir.remove(&path).unwrap();
    }
    let (store, report) = open(&Arc::new(dir.after_kill()), small());
    same(&store, &model);
    assert_eq!(report.nameless_samples, 0);
}

#[test]
fn a_crash_at_any_point_of_maintenance_loses_nothing_and_repeats_nothing() {
    // The disk "dies" at operation k: everything from there on fails, and the program is killed.
    for from in 0..60 {
        let (memory, dir) = faulty();
        let (store, _) = Store::open(Arc::new(dir.clone()), small(), Timestamp(T)).unwrap();
        let mut model = Model::default();
        for tick in 0..50 {
            store.append(Timestamp(T + tick * 1000), &batch(tick, 4)).unwrap();
            model.append(T + tick * 1000, &batch(tick, 4));
        }
        dir.set(Some(Trouble { from, count: u64::MAX, errno: EIO, tears: true, only_growth: false }));
        store.maintain(Timestamp(T + 50_000));
        drop(store);
        for (what, after) in [("kill", memory.after_kill()), ("power", memory.after_power_loss(from))] {
            let (store, report) = open(&Arc::new(after), small());
            same(&store, &model);
            assert_eq!(report.lost_frames, 0, "operation {from}, {what}");
        }
    }
}
