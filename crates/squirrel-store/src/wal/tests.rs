//! What was logged comes back; what is damaged is known, counted, and hides nothing behind it.

use std::collections::BTreeMap;
use std::sync::Arc;

use squirrel_model::{Labels, stale_marker};

use super::replay::Damage;
use super::writer::Limits;
use super::*;
use crate::dir::{Dir, FaultyDir, MemoryDir, Trouble};
use crate::head::{Layout, LooseRow, Row, TickRow};
use crate::options::SyncPolicy;
use crate::series::{Definition, Index, SeriesId};

const WINDOW: i64 = 7_200_000;

fn series(id: u64) -> Definition {
    (SeriesId(id), Labels::new([("__name__", format!("m{id}")), ("job", "squirrel".to_owned())]).unwrap())
}

fn index(n: u64) -> Index {
    Index::new((1..=n).map(series).collect())
}

fn names(index: &Index) -> Names<'_> {
    Names { new: &[], undurable: &[], index }
}

fn writer(dir: Arc<dyn Dir>, sync: SyncPolicy) -> LogWriter {
    let limits = Limits { window_ms: WINDOW, segment_ms: 900_000, segment_bytes: 64 << 20 };
    LogWriter::new(dir, sync, limits, (1, 1), Vec::new())
}

fn memory() -> Arc<MemoryDir> {
    let dir = Arc::new(MemoryDir::new());
    dir.make_folder(FOLDER).unwrap();
    dir
}

/// Values that exercise every form: counters, unchanged runs, decimals, full precision, markers.
fn value(id: u64, tick: i64) -> f64 {
    match id % 5 {
        0 => tick as f64 * 1000.0 + (tick * tick % 97) as f64,
        1 | 2 => 7.0,
        3 => (tick % 13) as f64 / 1000.0,
        _ => (tick as f64 + 0.1).sqrt(),
    }
}

fn tick(log: &mut LogWriter, at: i64, ids: impl Iterator<Item = u64>, ended: &[u64]) -> Row {
    let ids: Vec<u64> = ids.collect();
    Row::Tick(Arc::new(TickRow {
        seq: log.take_seq(),
        time_ms: at * 1000,
        values: ids.iter().map(|id| value(*id, at)).collect(),
        layout: Arc::new(Layout { ids: ids.into_iter().map(SeriesId).collect() }),
        ended: ended.iter().map(|id| SeriesId(*id)).collect(),
    }))
}

type Content = BTreeMap<(u64, i64), u64>;

fn add(content: &mut Content, row: &Row) {
    match row {
        Row::Tick(row) => {
            let values = row.layout.ids.iter().zip(&row.values).map(|(id, value)| (id.0, value.to_bits()));
            let ended = row.ended.iter().map(|id| (id.0, stale_marker().to_bits()));
            content.extend(values.chain(ended).map(|(id, bits)| ((id, row.time_ms), bits)));
        }
        Row::Loose(row) => content.extend(row.samples().iter().map(|(id, time, v)| ((id.0, *time), v.to_bits()))),
    }
}

fn read(dir: &dyn Dir) -> (Content, Replayed) {
    let mut content = Content::new();
    let replayed = replay(dir, WINDOW, 0, |row, _| {
        add(&mut content, &row);
        true
    })
    .unwrap();
    (content, replayed)
}

/// Writes `n` ticks of ten series, some of which come and go, and a loose row; gives the content
/// after each append.
fn written(dir: &Arc<MemoryDir>, n: i64) -> Vec<Content> {
    let index = index(10);
    let mut log = writer(dir.clone(), SyncPolicy::EveryTick);
    let mut contents = vec![Content::new()];
    for at in 0..n {
        let row = match at % 10 {
            5 => tick(&mut log, at, 1..8, &[8, 9, 10]),
            6 => tick(&mut log, at, (1..8).chain([9]), &[]),
            8 => Row::Loose(Arc::new(LooseRow::new(
                log.take_seq(),
                vec![(SeriesId(2), at * 1000 - 5, 1.5), (SeriesId(2), at * 1000 + 5, f64::NAN), (SeriesId(4), 3, -0.0)],
            ))),
            _ => tick(&mut log, at, 1..=10, &[]),
        };
        let mut content = contents.last().unwrap().clone();
        add(&mut content, &row);
        contents.push(content);
        log.append(row, at * 1000, names(&index)).unwrap();
    }
    contents
}

#[test]
fn everything_comes_back_over_many_key_frames_and_segments() {
    let dir = memory();
    let contents = written(&dir, 2000);
    let (content, replayed) = read(dir.as_ref());
    assert_eq!(dir.files().len(), 3, "a segment each quarter of an hour");
    assert!(&content == contents.last().unwrap());
    assert_eq!((replayed.damage, replayed.frames, replayed.next_seq), (Damage::default(), 2000, 2001));
}

#[test]
fn definitions_come_with_the_first_use_and_with_each_segment() {
    let dir = memory();
    let index = index(3);
    let mut log = writer(dir.clone(), SyncPolicy::EveryTick);
    let row = tick(&mut log, 0, 1..=2, &[]);
    log.append(row, 0, names(&index)).unwrap();
    let row = tick(&mut log, 1, 1..=3, &[]);
    let new = [series(3)];
    log.append(row, 1000, Names { new: &new, undurable: &new, index: &index }).unwrap();
    let row = tick(&mut log, 1000, 1..=3, &[]);
    log.append(row, 1_000_000, names(&index)).unwrap();
    let mut defined = Vec::new();
    replay(dir.as_ref(), WINDOW, 0, |_, definitions| {
        defined.push(definitions.iter().map(|(id, _)| id.0).collect::<Vec<_>>());
        true
    })
    .unwrap();
    assert_eq!(defined, [vec![1, 2], vec![3], vec![1, 2, 3]]);
}

#[test]
fn while_many_series_come_the_log_defines_each_a_few_times_and_not_with_every_frame() {
    const FRAMES: u64 = 200;
    let dir = memory();
    let all: Vec<Definition> = (1..=FRAMES * 10).map(series).collect();
    let index = Index::new(all.clone());
    let mut log = writer(dir.clone(), SyncPolicy::EveryTick);
    for (at, new) in all.chunks(10).enumerate() {
        let samples = new.iter().map(|(id, _)| (*id, at as i64, 1.0)).collect();
        let row = Row::Loose(Arc::new(LooseRow::new(log.take_seq(), samples)));
        let undurable = &all[..(at + 1) * 10];
        log.append(row, 0, Names { new, undurable, index: &index }).unwrap();
    }
    let (mut defined, mut known) = (0, std::collections::BTreeSet::new());
    replay(dir.as_ref(), WINDOW, 0, |row, definitions| {
        defined += definitions.len();
        known.extend(definitions.iter().map(|(id, _)| *id));
        let Row::Loose(row) = row else { panic!("a tick") };
        assert!(row.samples().iter().all(|(id, _, _)| known.contains(id)), "defined before use");
        true
    })
    .unwrap();
    assert_eq!(known.len(), all.len());
    assert!((all.len() + 1..=3 * all.len()).contains(&defined), "repeated now and then: {defined}");
}

#[test]
fn a_torn_tail_is_cut_and_reported_whatever_its_length() {
    let dir = memory();
    let contents = written(&dir, 12);
    let file = path(1);
    let whole = dir.read(&file).unwrap();
    let shorter = {
        let other = memory();
        written(&other, 11);
        other.read(&file).unwrap().len()
    };
    for len in shorter..whole.len() {
        for zeros in [0, 40] {
            let torn = memory();
            let mut bytes = whole[..len].to_vec();
            bytes.resize(len + zeros, 0);
            let lost = bytes.len() - shorter;
            torn.put(&file, bytes);
            let (content, replayed) = read(torn.as_ref());
            assert!(content == contents[11], "cut at {len}");
            assert_eq!(replayed.damage.tail_bytes, lost as u64);
            assert_eq!(torn.read(&file).unwrap().len(), shorter, "the tail is gone from the file");
            assert_eq!(read(torn.as_ref()).1.damage, Damage::default(), "and is reported once");
        }
    }
}

#[test]
fn one_flipped_byte_costs_at_most_a_minute_and_the_loss_is_counted_exactly() {
    let dir = memory();
    let contents = written(&dir, 150);
    let whole = contents.last().unwrap();
    let file = path(1);
    let good = dir.read(&file).unwrap();
    for at in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 0x20;
        let torn = memory();
        torn.put(&file, bad);
        let (content, replayed) = read(torn.as_ref());
        assert!(content.iter().all(|(key, bits)| whole.get(key) == Some(bits)), "byte {at}: nothing is invented");
        let damage = replayed.damage;
        assert!(damage.bytes + damage.tail_bytes > 0, "byte {at} goes unseen");
        let in_tail = damage.tail_bytes > 0;
        let missing = 150 - replayed.frames;
        // The first frame's number is not known when it is the damaged one; a torn tail is bytes.
        assert!(
            damage.frames == missing || in_tail || damage.frames + 1 == missing && at < 2000,
            "byte {at}: {damage:?}"
        );
        assert!(missing <= 61, "byte {at}: {missing} frames");
    }
}

#[test]
fn damage_in_an_earlier_segment_leaves_the_later_ones_whole() {
    let dir = memory();
    let contents = written(&dir, 1800);
    let first = dir.read(&path(1)).unwrap();
    dir.put(&path(1), first[..first.len() / 2].to_vec());
    let (content, replayed) = read(dir.as_ref());
    let second: Content =
        contents.last().unwrap().iter().filter(|((_, t), _)| *t >= 905_000).map(|(k, v)| (*k, *v)).collect();
    assert!(second.iter().all(|(key, bits)| content.get(key) == Some(bits)));
    assert_eq!(replayed.damage.frames + replayed.frames, 1800, "the gap is known to the frame");
    assert_eq!(replayed.damage.tail_bytes, 0, "only the last segment has a tail that a crash explains");
}

#[test]
fn a_file_that_was_made_and_never_written_is_no_damage() {
    for empty in [1, 4] {
        let dir = memory();
        let contents = written(&dir, 12);
        let whole = dir.read(&path(1)).unwrap();
        // Before the file with content, and after it: as a crash leaves it that comes before the header.
        dir.put(&path(1), Vec::new());
        dir.put(&path(2), whole);
        dir.put(&path(empty), Vec::new());
        let (content, replayed) = read(dir.as_ref());
        assert!(content == contents[12]);
        assert_eq!(replayed.damage, Damage::default(), "nothing is said where nothing is lost");
    }
}

#[test]
fn a_failed_sync_or_write_loses_nothing_for_any_operation_that_fails() {
    for policy in [SyncPolicy::EveryTick, SyncPolicy::Every { ms: 3000 }, SyncPolicy::Never] {
        for from in 0..40 {
            for tears in [false, true] {
                let memory = memory();
                let faulty = FaultyDir::new(memory.clone());
                let index = index(10);
                let mut log = writer(Arc::new(faulty.clone()), policy);
                let mut want = Content::new();
                faulty.set(Some(Trouble { from, count: 3, errno: 5, tears, only_growth: false }));
                let mut at = 0;
                while at < 20 || faulty.operations() < from + 10 {
                    let row = tick(&mut log, at, 1..=10, &[]);
                    add(&mut want, &row);
                    let _ = log.append(row, at * 1000, names(&index));
                    at += 1;
                }
                assert_eq!(faulty.failures(), 3);
                log.close_segment().unwrap();
                let (content, replayed) = read(memory.as_ref());
                assert!(content == want, "operation {from} with {policy:?}");
                assert_eq!(replayed.damage.frames, 0);
            }
        }
    }
}

#[test]
fn what_was_synced_outlasts_any_loss_of_power() {
    for seed in 0..200 {
        let dir = memory();
        let index = index(10);
        let mut log = writer(dir.clone(), SyncPolicy::Every { ms: 3000 });
        let (mut all, mut synced) = (Content::new(), Content::new());
        for at in 0..=(seed as i64 % 30) {
            let row = tick(&mut log, at, 1..=10, &[]);
            add(&mut all, &row);
            if log.append(row, at * 1000, names(&index)).unwrap().synced {
                synced = all.clone();
            }
        }
        let (content, _) = read(&dir.after_power_loss(seed));
        assert!(synced.iter().all(|(key, bits)| content.get(key) == Some(bits)), "seed {seed}");
        assert!(content.iter().all(|(key, bits)| all.get(key) == Some(bits)), "seed {seed}: nothing is invented");
    }
}

#[test]
fn a_covered_segment_is_removed_and_one_with_open_windows_stays() {
    let dir = memory();
    written(&dir, 2000);
    let (_, replayed) = read(dir.as_ref());
    let limits = Limits { window_ms: WINDOW, segment_ms: 900_000, segment_bytes: 64 << 20 };
    let mut log = LogWriter::new(dir.clone(), SyncPolicy::Never, limits, (9, 2001), replayed.segments);
    let closed = log.closed_numbers();
    assert_eq!(log.remove_covered(&closed, &[0].into()).unwrap(), 0);
    assert_eq!(log.remove_covered(&closed[..1], &[].into()).unwrap(), 1);
    assert_eq!(dir.files(), [path(2), path(3)]);
}

proptest::proptest! {
    #[test]
    fn frames_of_any_content_are_read_without_a_panic(
        payloads in proptest::collection::vec((0u8..5, proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)), 0..6),
    ) {
        let dir = memory();
        written(&dir, 3);
        let mut bytes = dir.read(&path(1)).unwrap();
        for (kind, mut payload) in payloads {
            payload.insert(0, kind);
            crate::format::put_frame(&mut bytes, |out| out.extend_from_slice(&payload));
        }
        dir.put(&path(1), bytes);
        let (content, _) = read(dir.as_ref());
        proptest::prop_assert!(content.len() >= 30);
    }
}
