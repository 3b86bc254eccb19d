//! What is left of the seconds when they are gone.

use squirrel_model::{Figure, Found};

use super::*;
use crate::CoarseLimit;

const DAY: i64 = 24 * HOUR;
/// 2023-11-15T00:00:00Z.
const MIDNIGHT: i64 = T + 2 * HOUR;

/// A sample each ten seconds, seconds for a day only.
fn brief() -> StoreOptions {
    let coarse = [3, 30].map(|days| CoarseLimit { retention_ms: days * DAY, retention_bytes: 0 });
    StoreOptions { step_ms: 10_000, retention_ms: DAY, coarse, ..options() }
}

/// A counter that is reset each eight hours, and a gauge.
fn values(at: i64) -> (f64, f64) {
    let seconds = (at - MIDNIGHT) / 1000;
    ((seconds % 28_800 * 3) as f64, (seconds / 10 % 97) as f64)
}

fn filled(dir: &Arc<MemoryDir>, days: i64) -> Store {
    let (store, _) = open(dir, brief());
    let mut at = MIDNIGHT;
    while at < MIDNIGHT + days * DAY {
        let (counter, gauge) = values(at);
        let mut batch = Batch::default();
        batch.put_plain(&BYTES, counter);
        batch.put_plain(&LOAD, gauge);
        store.append(Timestamp(at), &batch).unwrap();
        if at % HOUR == 0 {
            let report = store.maintain(Timestamp(at));
            assert_eq!(report.problems, Vec::<String>::new());
        }
        at += 10_000;
    }
    store
}

fn series(select: &dyn Select, name: &str, range: TimeRange) -> Option<Found> {
    select.find(&[Matcher::equal("__name__", name)], range).unwrap().pop()
}

fn figures(select: &dyn Select, tier: usize, figure: Figure, name: &str, range: TimeRange) -> Vec<(i64, f64)> {
    let found = series(select, name, range).expect("the series is found in a coarse copy too");
    let mut samples = Samples::default();
    select.read_tier(tier, figure, &found, range, &mut samples).unwrap();
    assert!(samples.times.windows(2).all(|pair| pair[0] < pair[1]), "times rise");
    samples.times.into_iter().zip(samples.values).collect()
}

#[test]
fn minutes_and_hours_outlive_the_seconds_and_say_what_these_said() {
    let dir = Arc::new(MemoryDir::new());
    let mut store = filled(&dir, 5);
    let now = MIDNIGHT + 5 * DAY;
    for reopened in [false, true] {
        if reopened {
            drop(store);
            let (again, report) = open(&dir, brief());
            assert!(!report.lost_anything(), "{report:?}");
            store = again;
        }
        let select = store.reader().snapshot();
        let full = select.full_from().expect("the first days are in coarse copies only").millis();
        assert!(full > MIDNIGHT + 3 * DAY - 2 * HOUR, "full resolution begins at {full}");
        let tiers = select.tiers();
        assert_eq!(tiers.iter().map(|tier| tier.step_ms).collect::<Vec<_>>(), [60_000, HOUR]);
        assert!(tiers[0].from.millis() > MIDNIGHT && tiers[0].from.millis() < full, "{tiers:?}");
        assert!(tiers[1].from.millis() <= MIDNIGHT + HOUR, "{tiers:?}");
        assert_eq!(wholes(select.as_ref()), [false, true], "minutes of the first day are gone: {tiers:?}");

        // Hours over all five days, the last ones not yet in any block.
        let all = TimeRange::new(Timestamp(MIDNIGHT), Timestamp(now));
        let increase = figures(select.as_ref(), 1, Figure::Increase, "node_network_receive_bytes_total", all);
        assert_eq!(increase.len(), 120);
        let total: f64 = increase.iter().map(|(_, value)| value).sum();
        // 3 a second, but for what is not seen between the last sample before a reset and the reset.
        let resets = 5.0 * 3.0 - 1.0;
        assert_eq!(total, 3.0 * ((5 * DAY / 1000) as f64 - 10.0) - resets * 30.0);
        for figure in [Figure::Min, Figure::Max, Figure::Sum, Figure::Count, Figure::Last] {
            for (end, got) in figures(select.as_ref(), 1, figure, "squirrel_load", all) {
                let within: Vec<f64> = (0..360).map(|i| values(end - HOUR + i * 10_000).1).collect();
                let want = match figure {
                    Figure::Min => within.iter().copied().fold(f64::INFINITY, f64::min),
                    Figure::Max => within.iter().copied().fold(0.0, f64::max),
                    Figure::Sum => within.iter().sum(),
                    Figure::Count => 360.0,
                    _ => within[359],
                };
                assert_eq!(got, want, "{figure:?} of the hour that ends at {end}");
            }
        }
        // Minutes of the second day, whose seconds are gone.
        let second = TimeRange::new(Timestamp(MIDNIGHT + 30 * HOUR + 1), Timestamp(MIDNIGHT + 31 * HOUR));
        let found = series(select.as_ref(), "squirrel_load", second).expect("the series is found");
        let mut samples = Samples::default();
        select.read(&found, second, &mut samples).unwrap();
        assert!(samples.is_empty(), "no second is left");
        let counts = if tiers[0].from.millis() < MIDNIGHT + 30 * HOUR { 60 } else { 0 };
        assert_eq!(figures(select.as_ref(), 0, Figure::Count, "squirrel_load", second), {
            (1..=counts).map(|i| (MIDNIGHT + 30 * HOUR + i * 60_000, 6.0)).collect::<Vec<_>>()
        });
    }
}

fn wholes(select: &dyn Select) -> Vec<bool> {
    select.tiers().into_iter().map(|tier| tier.whole).collect()
}

#[test]
fn a_young_store_has_nothing_that_full_resolution_lacks() {
    let dir = Arc::new(MemoryDir::new());
    let store = filled(&dir, 1);
    let select = store.reader().snapshot();
    assert_eq!(select.full_from(), None);
    assert_eq!(wholes(select.as_ref()), [true, true], "copies that began with the first sample lack nothing either");
    let empty = open(&Arc::new(MemoryDir::new()), brief()).0.reader().snapshot();
    assert_eq!((empty.full_from(), empty.tiers()), (None, Vec::new()));
}

#[test]
fn coarse_copies_are_compacted_and_a_month_of_hours_is_one_block() {
    let dir = Arc::new(MemoryDir::new());
    let options = || StoreOptions { step_ms: 600_000, ..options() };
    let (store, _) = open(&dir, options());
    // A multiple of thirty days.
    let from = T.div_euclid(30 * DAY) * 30 * DAY;
    let mut at = from;
    while at < from + 32 * DAY {
        let mut batch = Batch::default();
        batch.put_plain(&LOAD, (at / 600_000 % 13) as f64);
        store.append(Timestamp(at), &batch).unwrap();
        store.maintain(Timestamp(at));
        at += 600_000;
    }
    let view = store.shared.view();
    let spans = |tier: usize, len: i64| {
        view.tier(tier).iter().filter(|block| block.meta.end_ms - block.meta.start_ms == len).count()
    };
    assert!(spans(1, DAY) >= 30 && spans(1, 2 * HOUR) <= 13, "{} {}", spans(1, DAY), spans(1, 2 * HOUR));
    assert_eq!((spans(2, 30 * DAY), spans(2, DAY)), (1, 1));
    let all = TimeRange::new(Timestamp(from), Timestamp(from + 31 * DAY));
    let counts = figures(store.reader().snapshot().as_ref(), 1, Figure::Count, "squirrel_load", all);
    assert!(counts.len() == 31 * 24 && counts.iter().all(|(_, count)| *count == 6.0));
}
