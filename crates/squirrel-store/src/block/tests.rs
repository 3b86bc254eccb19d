//! A block gives back what was put in, and damage costs only what it hits.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use squirrel_model::{Labels, Samples, TimeRange, Timestamp};

use super::*;
use crate::codec::MAX_SAMPLES;
use crate::dir::{Dir, MemoryDir};
use crate::head::{Part, PartBuilder};
use crate::series::{Index, SeriesId};

const N: u64 = 150;
/// Samples of the series that takes three chunks.
const LONG: i64 = 2 * MAX_SAMPLES as i64 + 100;

fn samples(id: u64) -> Samples {
    let n = if id == 3 { LONG } else { 5 + id as i64 };
    Samples {
        times: (0..n).map(|i| 1000 * i).collect(),
        values: (0..n).map(|i| (i * i) as f64 / if id.is_multiple_of(2) { 1.0 } else { 8.0 }).collect(),
    }
}

fn index() -> Index {
    Index::new((0..N).map(|id| (SeriesId(id * 2), Labels::new([("__name__", format!("m{id}"))]).unwrap())).collect())
}

fn block_in(dir: &MemoryDir) -> String {
    dir.make_folder("t0").unwrap();
    let mut builder = PartBuilder::new(0, 0);
    for id in 0..N {
        builder.push(SeriesId(id * 2), &samples(id));
    }
    let part: Arc<Part> = Arc::new(builder.build(None));
    let plan = BlockPlan { tier: 0, start_ms: 0, end_ms: 7_200_000, covers_seq: 42 };
    write_block(dir, plan, &[part], &index()).unwrap()
}

fn read(block: &Block, id: u64, range: TimeRange) -> Samples {
    let mut out = Samples::default();
    block.read(SeriesId(id * 2), range, &mut out).unwrap();
    out
}

#[test]
fn every_series_and_its_labels_come_back() {
    let dir = MemoryDir::new();
    let path = block_in(&dir);
    assert_eq!(covered_by_name(path.rsplit('/').next().unwrap()), Some(42));
    let block = Block::open(&dir, &path, Arc::default()).unwrap();
    for id in 0..N {
        assert_eq!(read(&block, id, TimeRange::ALL), samples(id), "series {id}");
    }
    assert!(read(&block, N, TimeRange::ALL).is_empty());
    assert_eq!(block.definitions().unwrap(), index().iter().cloned().collect::<Vec<_>>());
    assert_eq!((block.meta.series, block.meta.covers_seq), (N, 42));
    assert_eq!((block.meta.min_ms, block.meta.max_ms, block.meta.max_id), (0, 1000 * (LONG - 1), 298));
    assert_eq!(block.meta.chunks, N + 2);
    assert!(!block.bruised);
}

#[test]
fn only_chunks_in_the_range_are_read_and_marked() {
    let dir = MemoryDir::new();
    let path = block_in(&dir);
    let block = Block::open(&dir, &path, Arc::default()).unwrap();
    let second = 1000 * MAX_SAMPLES as i64;
    let late = TimeRange::new(Timestamp(second + 100_000), Timestamp(second + 200_000));
    assert_eq!(read(&block, 3, late).times.first(), Some(&second), "whole chunks, from the second on");
    let ids: Vec<SeriesId> = (0..N).map(|id| SeriesId(id * 2)).collect();
    let mut present = vec![false; ids.len()];
    block.mark(&ids, late, &mut present).unwrap();
    assert_eq!(present.iter().filter(|hit| **hit).count(), 1);
    block.mark(&ids, TimeRange::ALL, &mut present).unwrap();
    assert!(present.iter().all(|hit| *hit));
}

#[test]
fn one_flipped_byte_costs_a_chunk_or_a_page_or_nothing_and_is_counted() {
    let dir = MemoryDir::new();
    let path = block_in(&dir);
    let good = dir.read(&path).unwrap();
    // The first footer is the spare one: it is read only when the second is damaged.
    let end = 8 + good.windows(8).position(|w| w == b"SQRLEND\n").unwrap();
    let spare = 2 * end - good.len()..end;
    for at in (0..good.len()).step_by(3).chain(good.len() - 40..good.len()) {
        let mut bad = good.clone();
        bad[at] ^= 0x04;
        dir.put(&path, bad);
        let ledger = Arc::new(Ledger::default());
        let block = Block::open(&dir, &path, ledger.clone()).unwrap();
        let mut damaged_series = 0;
        for id in 0..N {
            let (got, want) = (read(&block, id, TimeRange::ALL), samples(id));
            let intact = got
                .times
                .iter()
                .zip(&got.values)
                .all(|(t, v)| want.times.binary_search(t).is_ok_and(|i| want.values[i].to_bits() == v.to_bits()));
            assert!(intact, "byte {at}: nothing is invented");
            damaged_series += usize::from(got != want);
        }
        let definitions = block.definitions().unwrap().len() as u64;
        let (chunks, pages) = (ledger.chunks.load(Ordering::Relaxed), ledger.pages.load(Ordering::Relaxed));
        match (chunks, pages) {
            (1, 0) => assert_eq!((damaged_series, definitions), (1, N), "byte {at}"),
            (0, 1) => assert!(damaged_series <= 64 && definitions >= N - 64, "byte {at}"),
            (0, 0) => {
                assert!(damaged_series == 0 && definitions == N, "byte {at} costs something");
                assert!(block.bruised || spare.contains(&at), "byte {at} goes unseen");
            }
            other => panic!("byte {at}: {other:?}"),
        }
    }
}

#[test]
fn a_block_cut_at_any_byte_is_refused_or_whole() {
    let dir = MemoryDir::new();
    let path = block_in(&dir);
    let good = dir.read(&path).unwrap();
    for len in (0..good.len()).step_by(11) {
        dir.put(&path, good[..len].to_vec());
        match Block::open(&dir, &path, Arc::default()) {
            Err(BlockFault::Damaged | BlockFault::Io(_)) => {}
            Err(other) => panic!("{other:?}"),
            Ok(block) => assert!((0..N).all(|id| read(&block, id, TimeRange::ALL) == samples(id)), "cut at {len}"),
        }
    }
}
