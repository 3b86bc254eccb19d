//! `kill -9` of a program that writes, at arbitrary moments: everything that it acknowledged is
//! there afterwards, and nothing that it did not write.
//!
//! The writer is this test binary, started again with a folder in its environment. It acknowledges
//! each tick on its standard output, which outlives it in the pipe.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use squirrel_model::{Batch, Kind, Labels, Metric, Samples, TimeRange, Timestamp, Unit};
use squirrel_store::dir::RealDir;
use squirrel_store::{OpenReport, Store, StoreOptions, SyncPolicy};

/// Held by each test: a process that is being started holds, for a moment, a copy of every descriptor of this one,
/// and with it the lock of a store that another test has just closed.
static ALONE: Mutex<()> = Mutex::new(());

static COUNTER: Metric = Metric::new("crash_bytes_total", Kind::Counter, Unit::Bytes, "Bytes.");
static GAUGE: Metric = Metric::new("crash_seconds", Kind::Gauge, Unit::Seconds, "Seconds.");

const T: i64 = 1_699_999_200_000;
const DEVICES: usize = 40;
const FOLDER: &str = "SQUIRREL_CRASH_FOLDER";
const FROM: &str = "SQUIRREL_CRASH_FROM";
const SYNC: &str = "SQUIRREL_CRASH_SYNC";

/// Blocks of 50 s, so that a run of some hundred ticks is killed in every kind of work.
fn options(sync: bool) -> StoreOptions {
    let sync = if sync { SyncPolicy::EveryTick } else { SyncPolicy::Never };
    let target = Labels::new([("job", "crash")]).unwrap();
    StoreOptions {
        block_ms: 50_000,
        grace_ms: 3000,
        segment_ms: 20_000,
        reserve_bytes: 1 << 16,
        sync,
        ..StoreOptions::new(target)
    }
}

fn value(n: usize, tick: i64) -> f64 {
    if n.is_multiple_of(2) { (tick * 1000 + tick * tick % 977 * n as i64) as f64 } else { (tick % 89) as f64 / 1000.0 }
}

fn batch(tick: i64) -> Batch {
    let mut batch = Batch::default();
    for n in 0..DEVICES {
        let labels = Labels::new([("device", format!("eth{n:02}"))]).unwrap();
        batch.put(if n.is_multiple_of(2) { &COUNTER } else { &GAUGE }, &labels, value(n, tick));
    }
    batch
}

fn open(folder: &Path, sync: bool) -> (Store, OpenReport) {
    Store::open(Arc::new(RealDir::open(folder).unwrap()), options(sync), Timestamp(T)).unwrap()
}

/// Writes ticks until `end`, with maintenance beside it, and acknowledges each.
fn write(folder: &Path, sync: bool, ticks: std::ops::Range<i64>, mut acknowledge: impl FnMut(i64)) {
    let (store, _) = open(folder, sync);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                store.maintain(Timestamp(T));
                std::thread::yield_now();
            }
        });
        for tick in ticks {
            let report = store.append(Timestamp(T + tick * 1000), &batch(tick)).unwrap();
            assert!(report.logged && report.dropped.is_none(), "{report:?}");
            acknowledge(tick);
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// Checks that exactly the ticks up to one of `last` are there, every series whole.
#[track_caller]
fn check(store: &Store, last: std::ops::RangeInclusive<i64>) -> i64 {
    let select = store.reader().snapshot();
    let found = select.find(&[], TimeRange::ALL).unwrap();
    let mut samples = Samples::default();
    let mut ends = Vec::new();
    for series in &found {
        select.read(series, TimeRange::ALL, &mut samples).unwrap();
        let n: usize = series.labels.get("device").unwrap()[3..].parse().unwrap();
        for (i, (time, got)) in samples.times.iter().zip(&samples.values).enumerate() {
            assert_eq!(*time, T + i as i64 * 1000, "eth{n:02}: no tick is missing or doubled");
            assert_eq!(got.to_bits(), value(n, i as i64).to_bits(), "eth{n:02} at tick {i}");
        }
        ends.push(samples.len() as i64 - 1);
    }
    let end = ends.first().copied().unwrap_or(-1);
    assert!(ends.iter().all(|other| *other == end), "series end together: {ends:?}");
    assert!(last.contains(&end), "the last tick is {end}, acknowledged and in flight were {last:?}");
    assert!(end < 0 || found.len() == DEVICES);
    end
}

#[test]
fn the_writer_of_the_crash_test_writes_what_it_acknowledges() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        check_the_writer_that_is_killed(Path::new(&folder));
    } else {
        let _alone = ALONE.lock();
        check_the_writer_that_ends();
    }
}

/// The child: it is killed while it writes.
fn check_the_writer_that_is_killed(folder: &Path) {
    let from: i64 = std::env::var(FROM).unwrap().parse().unwrap();
    write(folder, std::env::var_os(SYNC).is_some(), from..i64::from(u32::MAX), |tick| {
        let mut out = std::io::stdout().lock();
        out.write_all(format!("ack {tick}\n").as_bytes()).and_then(|()| out.flush()).unwrap();
    });
}

fn check_the_writer_that_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    write(folder.path(), false, 0..200, |tick| acknowledged.push(tick));
    assert_eq!(acknowledged, (0..200).collect::<Vec<_>>());
    assert_eq!(check(&open(folder.path(), false).0, 199..=199), 199);
}

/// Starts the writer and kills it after `acks` acknowledgements; answers the last one.
fn run_and_kill(folder: &Path, sync: bool, from: i64, acks: u64) -> i64 {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "the_writer_of_the_crash_test_writes_what_it_acknowledges", "--nocapture"]);
    command.env(FOLDER, folder).env(FROM, from.to_string()).stdout(Stdio::piped()).stderr(Stdio::null());
    if sync {
        command.env(SYNC, "1");
    }
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut last = from - 1;
    let mut seen = 0;
    while let Some(Ok(line)) = lines.next() {
        // The test harness writes its own words before the first one.
        if let Some((_, tick)) = line.split_once("ack ") {
            last = tick.parse().unwrap();
            seen += 1;
        }
        if seen == acks {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(seen >= acks, "the writer ended by itself after {seen} ticks");
    last
}

#[test]
fn nothing_acknowledged_is_lost_when_the_writer_is_killed_at_any_moment() {
    const ROUNDS: u64 = 60;
    let _alone = ALONE.lock();
    let mut random = 0x5eed_u64;
    let mut folder = tempfile::tempdir().unwrap();
    let mut next = 0;
    let (mut torn, mut blocks) = (0, 0);
    for round in 0..ROUNDS {
        if round % 10 == 0 {
            folder = tempfile::tempdir().unwrap();
            next = 0;
        }
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // A few runs end within the first ticks, most after one or more blocks.
        let acks = 1 + (random >> 33) % if round % 4 == 0 { 5 } else { 150 };
        let last = run_and_kill(folder.path(), round % 2 == 0, next, acks);
        let (store, report) = open(folder.path(), true);
        // One tick may have been on its way when the end came.
        next = check(&store, last..=last + 1) + 1;
        assert_eq!((report.lost_frames, report.damaged_log_bytes, report.unusable_blocks), (0, 0, 0), "{report:?}");
        torn += u64::from(report.torn_bytes > 0);
        blocks += report.blocks;
        drop(store);
        assert_eq!(open(folder.path(), true).1.torn_bytes, 0, "a torn tail is reported once");
    }
    assert!(blocks > 0, "some rounds were to have blocks");
    println!("{ROUNDS} rounds, {torn} torn tails, {blocks} blocks met");
}
