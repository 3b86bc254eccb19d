//! Time that misbehaves, rows that repeat, series that go, and folders that are no stores.

use super::*;
use crate::dir::{Dir, RealDir};
use crate::error::StoreError;
use crate::report::Dropped;

fn one(value: f64) -> Batch {
    let mut batch = Batch::default();
    batch.put_plain(&LOAD, value);
    batch
}

fn values(store: &Store, name: &str) -> Vec<(i64, f64)> {
    let select = store.reader().snapshot();
    let found = select.find(&[Matcher::equal("__name__", name)], TimeRange::ALL).unwrap();
    let mut samples = Samples::default();
    let mut all = Vec::new();
    for series in found {
        select.read(&series, TimeRange::ALL, &mut samples).unwrap();
        all.extend(samples.times.iter().map(|t| (t - T) / 1000).zip(samples.values.iter().copied()));
    }
    all
}

fn append(store: &Store, second: i64, value: f64) -> AppendReport {
    store.append(Timestamp(T + second * 1000), &one(value)).unwrap()
}

#[test]
fn rows_get_the_targets_labels_and_the_grids_time() {
    let (store, _) = open(&Arc::new(MemoryDir::new()), options());
    let mut batch = Batch::default();
    batch.put(&BYTES, &Labels::new([("device", "eth0"), ("job", "mine")]).unwrap(), 1.0);
    let report = store.append(Timestamp(T + 1999), &batch).unwrap();
    assert_eq!((report.at, report.samples, report.new_series), (Timestamp(T + 1000), 1, 1));
    let found = store.reader().snapshot().find(&[], TimeRange::ALL).unwrap();
    assert_eq!(
        found[0].labels.to_string(),
        r#"node_network_receive_bytes_total{device="eth0",exported_job="mine",instance="host:7775",job="squirrel"}"#
    );
}

#[test]
fn of_rows_that_name_a_series_twice_the_last_counts_and_the_rest_is_counted() {
    let (store, _) = open(&Arc::new(MemoryDir::new()), options());
    for tick in 0..3 {
        let mut batch = one(1.0);
        batch.put_plain(&RTT, 5.0);
        batch.put_plain(&LOAD, 2.0);
        let report = store.append(Timestamp(T + tick * 1000), &batch).unwrap();
        assert_eq!((report.samples, report.duplicates), (2, 1));
    }
    assert_eq!(values(&store, "squirrel_load"), [(0, 2.0), (1, 2.0), (2, 2.0)]);
}

#[test]
fn a_changed_order_of_rows_changes_nothing() {
    let (store, _) = open(&Arc::new(MemoryDir::new()), options());
    for tick in 0..6 {
        let mut batch = Batch::default();
        for n in [[0, 1, 2], [2, 1, 0], [1, 0, 2]][tick as usize % 3] {
            batch.put(&BYTES, &device(n), (n * 10) as f64 + tick as f64);
        }
        let report = store.append(Timestamp(T + tick * 1000), &batch).unwrap();
        assert_eq!((report.new_series, report.ended_series), (if tick == 0 { 3 } else { 0 }, 0));
    }
    let all = content(store.reader().snapshot().as_ref(), TimeRange::ALL);
    for (n, samples) in all.values().enumerate() {
        let want: Vec<u64> = (0..6).map(|tick| ((n * 10) as f64 + f64::from(tick)).to_bits()).collect();
        assert_eq!(samples.values().copied().collect::<Vec<_>>(), want);
    }
}

#[test]
fn a_clock_set_back_by_seconds_drops_ticks_and_by_an_hour_covers_the_time_twice() {
    let (store, _) = open(&Arc::new(MemoryDir::new()), options());
    assert!(append(&store, 100, 1.0).dropped.is_none());
    assert_eq!(append(&store, 100, 2.0).dropped, Some(Dropped::SameTick));
    assert_eq!(append(&store, 95, 3.0).dropped, Some(Dropped::ClockBehind));
    assert!(append(&store, 101, 4.0).dropped.is_none());
    assert!(append(&store, 3700, 5.0).dropped.is_none(), "an hour forward");
    assert!(append(&store, 99, 6.0).dropped.is_none(), "an hour back");
    assert!(append(&store, 100, 7.0).dropped.is_none());
    let want = [(99, 6.0), (100, 7.0), (101, 4.0), (3700, 5.0)];
    assert_eq!(values(&store, "squirrel_load"), want);
    let mut batch = Batch::default();
    store.metrics(&mut batch);
    let figure = |name: &str| batch.rows.iter().find(|row| row.metric.name == name).unwrap().value;
    assert_eq!(figure("squirrel_store_out_of_order_total"), 2.0);
    assert_eq!(figure("squirrel_store_clock_steps_back_total"), 1.0);
}

#[test]
fn a_clock_that_jumps_by_ten_years_and_back_leaves_everything_in_its_place() {
    let dir = Arc::new(MemoryDir::new());
    let (store, _) = open(&dir, options());
    let years = 10 * 365 * 24 * 3600;
    for second in [1, 2, years, years + 1, 3, 4] {
        append(&store, second, second as f64);
        store.maintain(Timestamp(T + second * 1000));
    }
    append(&store, 8000, 8000.0);
    store.maintain(Timestamp(T + 8_000_000));
    let want: Vec<(i64, f64)> = [1, 2, 3, 4, 8000, years, years + 1].map(|s| (s, s as f64)).to_vec();
    assert_eq!(values(&store, "squirrel_load"), want);
    assert!(store.report().blocks >= 2, "windows of the past and of the made-up future are both in blocks");
    drop(store);
    let (store, report) = open(&dir, options());
    assert_eq!(values(&store, "squirrel_load"), want);
    assert!(report.notes.iter().any(|note| note.contains("future")), "{report:?}");
}

#[test]
fn a_clock_out_of_all_range_is_refused_without_harm() {
    let (store, _) = open(&Arc::new(MemoryDir::new()), options());
    for at in [Timestamp::MIN, Timestamp(-1), Timestamp::MAX, Timestamp(253_402_300_800_000)] {
        assert_eq!(store.append(at, &one(1.0)).unwrap().dropped, Some(Dropped::ClockUnusable));
    }
    assert!(append(&store, 0, 1.0).logged);
}

#[test]
fn closing_ends_every_series_and_a_second_life_goes_on_behind_it() {
    let dir = Arc::new(MemoryDir::new());
    let (store, _) = open(&dir, options());
    let mut model = Model::default();
    store.append(Timestamp(T), &batch(0, 3)).unwrap();
    model.append(T, &batch(0, 3));
    store.close(Timestamp(T)).unwrap();
    model.end_all(T + 1000);
    same(&store, &model);
    assert!(matches!(store.append(Timestamp(T + 5000), &batch(1, 3)), Err(StoreError::Closed)));
    drop(store);
    let (store, report) = open(&dir, options());
    assert!(!report.lost_anything() && report.notes.is_empty(), "{report:?}");
    same(&store, &model);
    store.append(Timestamp(T + 9000), &batch(9, 2)).unwrap();
    model.append(T + 9000, &batch(9, 2));
    same(&store, &model);
}

#[test]
fn a_restart_in_the_second_of_the_stop_loses_no_second() {
    let dir = Arc::new(MemoryDir::new());
    let (store, _) = open(&dir, options());
    append(&store, 0, 1.0);
    store.close(Timestamp(T + 200)).unwrap();
    drop(store);
    let (store, _) = open(&dir, options());
    // The stop marked the end at the next second.
    assert_eq!(append(&store, 0, 7.0).dropped, Some(Dropped::ClockBehind), "that second has its sample");
    assert_eq!(append(&store, 1, 3.0).dropped, None);
    assert_eq!(append(&store, 1, 4.0).dropped, Some(Dropped::SameTick));
    append(&store, 2, 5.0);
    let want = [(0, 1.0), (1, 3.0), (2, 5.0)];
    let kept = |store: &Store| -> Vec<(i64, f64)> {
        values(store, "squirrel_load").into_iter().filter(|(_, value)| !squirrel_model::is_stale(*value)).collect()
    };
    assert_eq!(kept(&store), want);
    store.maintain(Timestamp(T + 8_000_000));
    assert_eq!(kept(&store), want, "packed into a block");
    drop(store);
    let (store, _) = open(&dir, options());
    assert_eq!(kept(&store), want, "read again");
}

#[test]
fn after_a_kill_the_series_that_did_not_come_back_are_ended() {
    let dir = Arc::new(MemoryDir::new());
    let (store, _) = open(&dir, options());
    store.append(Timestamp(T), &batch(0, 3)).unwrap();
    let (store, _) = open(&Arc::new(dir.after_kill()), options());
    let report = store.append(Timestamp(T + 5000), &batch(0, 2)).unwrap();
    assert_eq!(report.ended_series, 1);
}

#[test]
fn samples_with_their_own_times_are_kept_and_the_later_given_counts() {
    let dir = Arc::new(MemoryDir::new());
    let remote = |host: &str| Labels::new([("__name__", "up"), ("instance", host)]).unwrap();
    let mut model = Model::default();
    let (mut store, _) = open(&dir, StoreOptions { block_ms: 100_000, grace_ms: 0, segment_ms: 1000, ..options() });
    for round in 0..300i64 {
        let at = T + round * 1000;
        store.append(Timestamp(at), &batch(round, 2)).unwrap();
        model.append(at, &batch(round, 2));
        let times = [at - 50_123, at + 7, at + 7, at - round % 3];
        let samples: Vec<(Labels, Timestamp, f64)> = times
            .iter()
            .enumerate()
            .map(|(i, t)| (remote(["a", "b"][i % 2]), Timestamp(*t), (round + i as i64) as f64))
            .collect();
        let report = store.append_samples(Timestamp(at), &samples).unwrap();
        assert!(report.logged && report.refused == 0);
        for (labels, t, v) in &samples {
            model.insert(labels, t.millis(), *v);
        }
        if round % 40 == 39 {
            store.maintain(Timestamp(at));
        }
        if round == 150 {
            drop(store);
            store = open(&dir, StoreOptions { block_ms: 100_000, grace_ms: 0, segment_ms: 1000, ..options() }).0;
        }
    }
    same(&store, &model);
    assert!(store.report().blocks >= 2);
    drop(store);
    same(&open(&dir, options()).0, &model);
}

#[test]
fn samples_beyond_retention_or_reason_are_refused_and_counted() {
    let (store, _) = open(&Arc::new(MemoryDir::new()), options());
    let labels = Labels::new([("__name__", "up")]).unwrap();
    let day = 24 * HOUR;
    let samples = [
        (labels.clone(), Timestamp(T - 15 * day), 1.0),
        (labels.clone(), Timestamp(-5), 1.0),
        (labels.clone(), Timestamp::MAX, 1.0),
        (Labels::empty(), Timestamp(T), 1.0),
        (labels, Timestamp(T), 1.0),
    ];
    let report = store.append_samples(Timestamp(T), &samples).unwrap();
    assert_eq!((report.refused, report.samples), (4, 1));
}

#[test]
fn old_blocks_go_with_the_series_that_only_they_had_and_ids_are_not_given_again() {
    let dir = Arc::new(MemoryDir::new());
    let short =
        || StoreOptions { block_ms: 100_000, grace_ms: 0, segment_ms: 1000, retention_ms: 300_000, ..options() };
    let (store, _) = open(&dir, short());
    let mut retired = 0;
    let mut model = Model::default();
    for tick in 0..1000i64 {
        let mut batch = Batch::default();
        batch.put(&BYTES, &device((tick / 100) as usize), tick as f64);
        store.append(Timestamp(T + tick * 1000), &batch).unwrap();
        model.append(T + tick * 1000, &batch);
        if tick % 20 == 19 {
            let report = store.maintain(Timestamp(T + tick * 1000));
            assert_eq!(report.problems, Vec::<String>::new());
            retired += report.series_retired;
        }
    }
    let report = store.report();
    assert!((3..=6).contains(&report.blocks) && retired >= 4 && report.series <= 6, "{report:?} {retired}");
    let recent = TimeRange::new(Timestamp(T + 700_000), Timestamp::MAX);
    same_content(&content(store.reader().snapshot().as_ref(), recent), &model.between(recent));
    // The first device comes back: it is a new series, and nothing of its first life is there.
    let mut batch = Batch::default();
    batch.put(&BYTES, &device(0), 7.0);
    assert_eq!(store.append(Timestamp(T + 1_000_000), &batch).unwrap().new_series, 1);
    drop(store);
    let (store, report) = open(&dir, short());
    assert!(!report.lost_anything(), "{report:?}");
    let found = store.reader().snapshot().find(&[Matcher::equal("device", "eth0")], TimeRange::ALL).unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].key > 10, "id {}", found[0].key);
}

#[test]
fn many_new_series_are_found_before_and_after_they_reach_the_series_files() {
    let dir = Arc::new(MemoryDir::new());
    let (mut store, _) = open(&dir, options());
    let count = |store: &Store| {
        store.reader().snapshot().find(&[Matcher::equal("job", "squirrel")], TimeRange::ALL).unwrap().len()
    };
    for tick in 0..40i64 {
        let mut batch = Batch::default();
        for n in 0..50 {
            batch.put(&BYTES, &device(tick as usize * 50 + n), 1.0);
        }
        store.append(Timestamp(T + tick * 1000), &batch).unwrap();
        assert_eq!(count(&store), (tick as usize + 1) * 50);
        if tick % 3 == 0 {
            store.maintain(Timestamp(T + tick * 1000));
        }
        if tick % 9 == 8 {
            drop(store);
            store = open(&dir, options()).0;
        }
    }
    assert_eq!(count(&store), 2000);
}

#[test]
fn a_second_program_is_told_who_holds_the_folder_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let dir: Arc<dyn Dir> = Arc::new(RealDir::open(folder.path()).unwrap());
    let first = Store::open(dir.clone(), options(), Timestamp(T)).unwrap();
    let error = Store::open(dir.clone(), options(), Timestamp(T)).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }));
    let text = error.to_string();
    let pid = format!("process {}", std::process::id());
    assert!(text.contains(&pid) && text.contains("--data-dir") && text.contains("lock"), "{text}");
    drop(first);
    assert!(Store::open(dir, options(), Timestamp(T)).is_ok());
}

#[test]
fn a_folder_of_something_else_is_refused_untouched() {
    let dir = Arc::new(MemoryDir::new());
    dir.put("holiday.jpg", vec![1, 2, 3]);
    let error = Store::open(dir.clone(), options(), Timestamp(T)).unwrap_err();
    assert!(matches!(&error, StoreError::Foreign { found, .. } if found == "holiday.jpg"));
    assert!(error.to_string().contains("nothing was changed"));
    assert_eq!(dir.files(), ["holiday.jpg"]);
}

#[test]
fn foreign_files_beside_a_store_are_left_alone() {
    let dir = Arc::new(MemoryDir::new());
    drop(open(&dir, options()));
    dir.put("notes.txt", vec![1]);
    dir.put("t0/readme", vec![2]);
    drop(open(&dir, options()));
    assert!(dir.files().contains(&"notes.txt".to_owned()) && dir.files().contains(&"t0/readme".to_owned()));
}

#[test]
fn a_folder_that_cannot_be_made_or_read_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let text = RealDir::open(file.join("data")).unwrap_err().to_string();
    assert!(text.contains("--data-dir") && text.contains("file/data"), "{text}");
}

#[test]
fn a_newer_format_is_refused_for_every_kind_of_file() {
    let dir = Arc::new(MemoryDir::new());
    let small = || StoreOptions { block_ms: 10_000, grace_ms: 0, ..options() };
    let (store, _) = open(&dir, small());
    (0..30).for_each(|s| drop(append(&store, s, 1.0)));
    store.maintain(Timestamp(T + 30_000));
    append(&store, 30, 1.0);
    drop(store);
    for suffix in [".wal", ".series"] {
        let copy = Arc::new(dir.after_kill());
        let path = copy.files().into_iter().find(|path| path.ends_with(suffix)).unwrap();
        let mut bytes = copy.read(&path).unwrap();
        bytes[8] = 9;
        let sum = crc32c::crc32c(&bytes[..28]);
        bytes[28..32].copy_from_slice(&sum.to_le_bytes());
        copy.put(&path, bytes);
        let before = copy.total_len();
        let error = Store::open(copy.clone(), small(), Timestamp(T)).unwrap_err();
        assert!(matches!(&error, StoreError::Newer { subject, version: 9, .. } if *subject == path), "{error}");
        assert_eq!(copy.total_len(), before, "nothing was changed");
    }
}

#[test]
fn options_without_sense_are_refused_by_name() {
    for (options, name) in [
        (StoreOptions { step_ms: 0, ..options() }, "step_ms"),
        (StoreOptions { block_ms: 5, ..options() }, "block_ms"),
        (StoreOptions { retention_ms: 1000, ..options() }, "retention_ms"),
        (StoreOptions { grace_ms: -1, ..options() }, "grace_ms"),
    ] {
        let error = Store::open(Arc::new(MemoryDir::new()), options, Timestamp(T)).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn every_figure_of_the_store_is_declared_with_a_meaning() {
    let (store, _) = open(&Arc::new(MemoryDir::new()), options());
    append(&store, 0, 1.0);
    let mut batch = Batch::default();
    store.metrics(&mut batch);
    for row in &batch.rows {
        assert!(crate::METRICS.iter().any(|metric| metric.name == row.metric.name), "{}", row.metric.name);
    }
    for metric in crate::METRICS {
        assert!(batch.rows.iter().any(|row| row.metric.name == metric.name), "{} is never brought", metric.name);
        assert!(!metric.help.is_empty() && !metric.why.is_empty(), "{}", metric.name);
        assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
    }
}

#[test]
fn syncs_are_made_as_the_policy_says() {
    for (policy, want) in [(SyncPolicy::EveryTick, 30), (SyncPolicy::Every { ms: 10_000 }, 3), (SyncPolicy::Never, 0)] {
        let (store, _) = open(&Arc::new(MemoryDir::new()), StoreOptions { sync: policy, ..options() });
        let synced = (0..30).filter(|second| append(&store, *second, 1.0).synced).count();
        assert_eq!(synced, want, "{policy:?}");
    }
}

/// Files of each format as its first version wrote them: two blocks, series files and a log.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");

/// Puts the golden files of a format into a folder.
fn golden(format: &str) -> Arc<MemoryDir> {
    let dir = Arc::new(MemoryDir::new());
    let place = std::path::Path::new(GOLDEN).join(format);
    for folder in ["", "series", "t0", "wal"] {
        if !folder.is_empty() {
            dir.make_folder(folder).unwrap();
        }
        for entry in std::fs::read_dir(place.join(folder)).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                let path = format!("{folder}/{}", entry.file_name().display());
                dir.put(path.trim_start_matches('/'), std::fs::read(entry.path()).unwrap());
            }
        }
    }
    dir
}

/// The store that the golden files are of. From format 2 on it has a series of noise, which takes codes.
fn small_store(dir: &Arc<MemoryDir>, format: u16) -> (Store, Model) {
    let options = StoreOptions { block_ms: 20_000, grace_ms: 2000, segment_ms: 10_000, ..options() };
    let (store, _) = open(dir, options);
    let mut model = Model::default();
    for tick in 0..47 {
        let (at, batch) = (T + tick * 1000, batch(tick, 4));
        store.append(Timestamp(at), &batch).unwrap();
        model.append(at, &batch);
        let labels = Labels::new([("__name__", "up")]).unwrap();
        store.append_samples(Timestamp(at), &[(labels.clone(), Timestamp(at + 7), tick as f64)]).unwrap();
        model.insert(&labels, at + 7, tick as f64);
        let noise = Labels::new([("__name__", "noise")]).unwrap();
        for i in (0..20).filter(|_| format > 1) {
            let time = at + 9 + 50 * i;
            let value = (time.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64) >> 40) as f64;
            store.append_samples(Timestamp(at), &[(noise.clone(), Timestamp(time), value)]).unwrap();
            model.insert(&noise, time, value);
        }
        if tick % 5 == 4 {
            store.maintain(Timestamp(at));
        }
    }
    (store, model)
}

#[test]
fn what_format_1_wrote_is_read_for_ever() {
    let (_store, model) = small_store(&Arc::new(MemoryDir::new()), 1);
    let (store, report) = open(&golden("format-1"), options());
    assert!(report.notes.is_empty() && report.blocks == 2, "{report:?}");
    same(&store, &model);
}

#[test]
fn what_format_2_wrote_is_read_for_ever_and_written_the_same() {
    let (golden, fresh) = (golden("format-2"), Arc::new(MemoryDir::new()));
    let (_store, model) = small_store(&fresh, 2);
    assert_eq!(golden.files(), fresh.files());
    for path in fresh.files() {
        let same = golden.read(&path).unwrap() == fresh.read(&path).unwrap();
        assert!(same, "{path} is written otherwise than before: raise the version");
    }
    let (store, report) = open(&golden, options());
    assert!(report.notes.is_empty() && report.blocks == 2, "{report:?}");
    same(&store, &model);
}

#[test]
fn a_folder_that_is_taken_away_is_said_and_writing_resumes_when_it_is_back() {
    let place = tempfile::tempdir().unwrap();
    let (folder, aside) = (place.path().join("data"), place.path().join("aside"));
    let dir = Arc::new(RealDir::open(&folder).unwrap());
    let (store, _) = Store::open(dir, options(), Timestamp(T)).unwrap();
    assert!(append(&store, 0, 1.0).logged);

    std::fs::rename(&folder, &aside).unwrap();
    let report = append(&store, 1, 2.0);
    assert!(!report.logged && report.problem.is_some_and(|text| text.contains("restart squirrel")));
    assert!(store.report().degraded.is_some());

    // Another folder of that name is not the one that is held.
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("lock"), "").unwrap();
    assert!(!append(&store, 2, 3.0).logged);

    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::rename(&aside, &folder).unwrap();
    assert!(append(&store, 3, 4.0).logged);
    assert_eq!(store.report().degraded, None);
    assert_eq!(values(&store, "squirrel_load"), [(0, 1.0), (1, 2.0), (2, 3.0), (3, 4.0)]);
}
