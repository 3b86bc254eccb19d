//! One series found among many, whatever the snapshot is made of.

use super::*;
use crate::dir::MemoryDir;
use crate::{Store, StoreOptions};
use squirrel_model::{Batch, Kind, Labels, Metric, NAME_LABEL, Unit};

static LOAD: Metric = Metric::new("load", Kind::Gauge, Unit::None, "Load.");
/// 2023-11-14T22:00:00Z.
const T: i64 = 1_699_999_200_000;

fn name(n: usize) -> [Matcher; 2] {
    [Matcher::equal(NAME_LABEL, "load"), Matcher::equal("n", n.to_string())]
}

/// Each series that is asked for by itself is found where it has samples and nowhere else, and is then among those
/// that are found when all are asked for.
fn check_each(snapshot: &dyn Select, what: &str) {
    let range = |from: i64, to: i64| TimeRange::new(Timestamp(T + from * 1000), Timestamp(T + to * 1000));
    let mut samples = Samples::default();
    for range in [range(0, 200), range(39, 40), range(40, 41), range(41, 59), range(60, 60), range(120, 130)] {
        let all = snapshot.find(&[Matcher::equal(NAME_LABEL, "load")], range).unwrap();
        for n in [0, 7, 149, 150, 299] {
            let series = snapshot.find(&name(n), TimeRange::ALL).unwrap().remove(0);
            snapshot.read(&series, range, &mut samples).unwrap();
            let found = snapshot.find(&name(n), range).unwrap();
            assert_eq!(found.len(), usize::from(!samples.is_empty()), "{what}: series {n} in {range:?}");
            assert!(
                samples.is_empty() || all.iter().any(|one| one.key == series.key),
                "{what}: series {n} of all in {range:?}"
            );
        }
    }
}

#[test]
fn one_of_many_series_is_found_exactly_where_it_has_samples() {
    let options = StoreOptions { reserve_bytes: 0, ..StoreOptions::new(Labels::empty()) };
    let (store, _) = Store::open(Arc::new(MemoryDir::new()), options, Timestamp(T)).unwrap();
    // With the delivery below as many rows as are packed at once.
    for tick in 0..63 {
        let mut batch = Batch::default();
        // Half of the series end at second 40.
        for n in 0..if tick < 40 { 300 } else { 150 } {
            batch.put(&LOAD, &Labels::new([("n", n.to_string())]).unwrap(), f64::from(tick));
        }
        store.append(Timestamp(T + i64::from(tick) * 1000), &batch).unwrap();
    }
    let all = store.reader().snapshot().find(&[Matcher::equal(NAME_LABEL, "load")], TimeRange::ALL).unwrap();
    let late = |at: i64, found: &Found| (found.labels.clone(), Timestamp(T + at * 1000), 1.0);
    let rows: Vec<_> = all.iter().skip(1).map(|found| late(125, found)).collect();
    store.append_samples(Timestamp(T + 125_000), &rows).unwrap();
    check_each(store.reader().snapshot().as_ref(), "rows");
    store.maintain(Timestamp(T + 126_000));
    let view = store.reader().shared.view();
    assert!(!view.parts.is_empty() && view.blocks.is_empty());
    check_each(store.reader().snapshot().as_ref(), "packed");
}
