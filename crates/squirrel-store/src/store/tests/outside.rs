//! A store judged, measured and copied from outside, while it is written to.

use std::sync::Mutex;

use super::*;
use crate::dir::{Append, Dir, Entry, ReadAt};
use crate::offline;

/// A store of a few series with a block of each resolution, a series file, and a log that goes on.
fn small() -> (Arc<MemoryDir>, Store, Model) {
    let dir = Arc::new(MemoryDir::new());
    let (store, _) = open(&dir, options());
    let mut model = Model::default();
    let mut append = |at: i64| {
        let batch = batch((at - T) / 1000, 2);
        store.append(Timestamp(at), &batch).unwrap();
        model.append(at, &batch);
    };
    (0..40).for_each(|tick| append(T + tick * 1000));
    append(T + 2 * HOUR + 300_000);
    store.maintain(Timestamp(T + 2 * HOUR + 300_000));
    (1..6).for_each(|tick| append(T + 2 * HOUR + 300_000 + tick * 1000));
    (dir, store, model)
}

fn judged(dir: &MemoryDir) -> offline::CheckReport {
    offline::check(dir, &mut |_| ()).unwrap()
}

#[test]
fn a_store_in_use_is_sound_and_everything_in_it_is_counted() {
    let (dir, _store, model) = small();
    let report = judged(&dir);
    assert_eq!((report.findings, report.unfinished_bytes, report.notes), (vec![], 0, vec![]));
    let samples: u64 = model.series.values().map(|samples| samples.len() as u64).sum();
    assert_eq!(report.block_samples[0] + report.log_samples, samples);
    assert!(report.blocks == 3 && report.block_samples[1] > 0 && report.block_samples[2] > 0);
    assert_eq!(report.bytes, dir.total_len());
}

#[test]
fn any_flipped_byte_of_any_file_is_found() {
    let (dir, store, _) = small();
    drop(store);
    for path in dir.files() {
        let bytes = dir.read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 0x10;
            dir.put(&path, bad);
            let report = judged(&dir);
            let found = report.findings.iter().any(|finding| path.starts_with(&finding.file));
            // In the last record of a log a flipped byte looks like a write that was not finished.
            assert!(found || report.unfinished_bytes > 0, "{path}, byte {at}: {report:?}");
            if at % 5 == 0 {
                // The others go on with what there is.
                offline::stats(dir.as_ref(), Timestamp(T)).unwrap();
                offline::backup(dir.as_ref(), &MemoryDir::new(), &mut |_| ()).unwrap();
            }
        }
        dir.put(&path, bytes);
    }
    assert!(judged(&dir).is_sound());
}

#[test]
fn a_file_cut_at_any_byte_is_found_unless_the_cut_lies_between_two_records() {
    let (dir, store, _) = small();
    drop(store);
    for path in dir.files() {
        let bytes = dir.read(&path).unwrap();
        let mut between = 0;
        for len in 0..bytes.len() {
            dir.put(&path, bytes[..len].to_vec());
            let report = judged(&dir);
            between += usize::from(report.is_sound() && report.unfinished_bytes == 0);
        }
        let records = if path.starts_with("wal/") || path.starts_with("series/") { 50 } else { 0 };
        assert!(between <= records, "{path}: {between} cuts were not seen");
        dir.put(&path, bytes);
    }
}

#[test]
fn what_a_crash_left_over_is_noted_and_is_no_damage() {
    let (dir, store, _) = small();
    drop(store);
    dir.put("t0/tmp-0001-1.block", vec![1, 2, 3]);
    dir.put("t1/holiday.jpg", vec![1]);
    let report = judged(&dir);
    assert!(report.is_sound());
    assert_eq!(report.notes.len(), 2, "{:?}", report.notes);
}

#[test]
fn a_folder_that_is_no_store_is_said_to_be_none() {
    let dir = MemoryDir::new();
    assert!(matches!(offline::check(&dir, &mut |_| ()), Err(StoreError::NoStore { .. })));
    dir.put("letters/mother.txt", vec![1]);
    dir.put("t0/x", vec![1]);
    assert!(matches!(offline::check(&dir, &mut |_| ()), Err(StoreError::NoStore { .. })));
    assert_eq!(dir.files().len(), 2, "nothing was made");
}

#[test]
fn the_sum_of_the_parts_is_the_store() {
    let (dir, _store, model) = small();
    let stats = offline::stats(dir.as_ref(), Timestamp(T)).unwrap();
    assert_eq!(stats.bytes, dir.total_len());
    assert_eq!(stats.series, 4);
    assert_eq!(stats.metrics.iter().map(|metric| metric.series).sum::<u64>(), 4);
    let samples: u64 = model.series.values().map(|samples| samples.len() as u64).sum();
    assert_eq!(stats.tiers[0].samples + stats.log_samples, samples);
    assert_eq!(stats.tiers[0].span, Some(TimeRange::new(Timestamp(T), Timestamp(T + 39_000))));
    let [full, minutes, hours] = &stats.tiers;
    let shares: u64 = stats.metrics.iter().map(|metric| metric.bytes).sum();
    assert!(shares > 0 && shares < full.bytes + minutes.bytes + hours.bytes);
    assert!(stats.metrics.windows(2).all(|pair| pair[0].bytes >= pair[1].bytes));
}

/// A folder whose owner goes on between any two questions.
struct Busy {
    inner: Arc<MemoryDir>,
    between: Mutex<Box<dyn FnMut() + Send>>,
}

impl std::fmt::Debug for Busy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Busy")
    }
}

impl Busy {
    fn meanwhile(&self) {
        let mut between = self.between.lock().unwrap();
        (*between)();
    }
}

impl Dir for Busy {
    fn place(&self) -> String {
        self.inner.place()
    }
    fn lock(&self) -> std::io::Result<Box<dyn crate::dir::Lock>> {
        self.inner.lock()
    }
    fn create(&self, path: &str) -> std::io::Result<Box<dyn Append>> {
        self.inner.create(path)
    }
    fn open(&self, path: &str) -> std::io::Result<Arc<dyn ReadAt>> {
        self.meanwhile();
        self.inner.open(path)
    }
    fn list(&self, folder: &str) -> std::io::Result<Vec<Entry>> {
        self.meanwhile();
        self.inner.list(folder)
    }
    fn make_folder(&self, folder: &str) -> std::io::Result<()> {
        self.inner.make_folder(folder)
    }
    fn rename(&self, from: &str, to: &str) -> std::io::Result<()> {
        self.inner.rename(from, to)
    }
    fn remove(&self, path: &str) -> std::io::Result<()> {
        self.inner.remove(path)
    }
    fn truncate(&self, path: &str, len: u64) -> std::io::Result<()> {
        self.inner.truncate(path, len)
    }
    fn sync_folder(&self, folder: &str) -> std::io::Result<()> {
        self.inner.sync_folder(folder)
    }
}

/// Bounds the test: four days.
const MOST_TICKS: i64 = 35_000;

/// P10 of the promises: a backup taken while writing restores.
#[test]
fn a_backup_taken_while_blocks_are_cut_and_merged_has_every_acknowledged_sample_and_no_other() {
    for pause in [1, 90, 720] {
        let dir = Arc::new(MemoryDir::new());
        let wide = StoreOptions { step_ms: 10_000, retention_ms: 1 << 40, ..options() };
        let store = Arc::new(open(&dir, wide).0);
        let model = Arc::new(Mutex::new(Model::default()));
        let at = Arc::new(Mutex::new(T));
        let write = {
            let (store, model, at) = (store.clone(), model.clone(), at.clone());
            move |ticks: i64| {
                let mut at = at.lock().unwrap();
                // What is beyond the end of the test is not written.
                for _ in 0..ticks.min((T + MOST_TICKS * 10_000 - *at) / 10_000) {
                    *at += 10_000;
                    let batch = batch((*at - T) / 1000, 4);
                    assert!(store.append(Timestamp(*at), &batch).unwrap().logged);
                    model.lock().unwrap().append(*at, &batch);
                    if *at % 900_000 == 0 {
                        store.maintain(Timestamp(*at));
                    }
                }
            }
        };
        // Begins at different places between a cut and the merging of a day.
        write(9_000 + pause);
        let before = model.lock().unwrap().clone();
        let busy = Busy { inner: dir.clone(), between: Mutex::new(Box::new(move || write(pause))) };
        let copy = Arc::new(MemoryDir::new());
        let report = offline::backup(&busy, copy.as_ref(), &mut |_| ()).unwrap();
        assert_eq!(report.bytes, copy.total_len());
        assert!(offline::check(copy.as_ref(), &mut |_| ()).unwrap().is_sound());
        let (restored, opened) = open(&copy, StoreOptions { step_ms: 10_000, ..options() });
        assert!(!opened.lost_anything(), "{opened:?}");
        let got = content(restored.reader().snapshot().as_ref(), TimeRange::ALL);
        let after = model.lock().unwrap();
        for (name, wanted) in &before.series {
            let got = &got[name];
            let missing = wanted.iter().find(|(at, bits)| got.get(at) != Some(bits));
            assert!(missing.is_none(), "pause {pause}, {name}: {missing:?} was acknowledged before the backup");
            let invented = got.iter().find(|(at, bits)| after.series[name].get(at) != Some(bits));
            assert!(invented.is_none(), "pause {pause}, {name}: {invented:?} was never written");
        }
    }
}

#[test]
fn a_backup_goes_into_an_empty_folder_only() {
    let (dir, _store, _) = small();
    let target = MemoryDir::new();
    target.put("t0/mine", vec![1]);
    let refused = offline::backup(dir.as_ref(), &target, &mut |_| ());
    assert!(matches!(refused, Err(StoreError::NotEmpty { .. })), "{refused:?}");
    assert_eq!(target.files(), ["t0/mine"]);
}
