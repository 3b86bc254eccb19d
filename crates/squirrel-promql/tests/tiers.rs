//! Questions that coarse copies answer: where full resolution is gone, and where nobody could tell.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use squirrel_model::{Figure, Found, Labels, Matcher, Samples, Select, SelectError, Tier, TimeRange, Timestamp};
use squirrel_promql::{Answer, EvalOptions, ParseOptions, Value, evaluate_instant, evaluate_range, parse};
use squirrel_testkit::MemorySelect;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Six hours of samples each ten seconds, of which full resolution has only those from `full_from` on. Figures are
/// computed when they are asked for, in the plainest way.
struct Copies {
    all: MemorySelect,
    full_from: i64,
    tiers: Vec<Tier>,
}

impl Copies {
    fn new(full_from: i64, minutes_from: i64) -> Self {
        let mut all = MemorySelect::default();
        let labels = |name: &str| Labels::new([("__name__", name), ("device", "eth0")]).unwrap();
        let (counter, gauge) = (labels("bytes_total"), labels("load"));
        for at in (0..=6 * HOUR).step_by(10_000) {
            // Begins again each two hours.
            all.put(&counter, at, ((at % (2 * HOUR)) / SECOND * 7) as f64);
            all.put(&gauge, at, (at / 10_000 % 53) as f64);
        }
        let tier = |step_ms: i64, from: i64| Tier { step_ms, from: Timestamp(from), whole: false };
        Self { all, full_from, tiers: vec![tier(MINUTE, minutes_from), tier(HOUR, HOUR)] }
    }

    fn ask(&self, query: &str, start: i64, end: i64, step: i64) -> Answer {
        let expr = parse(query, &ParseOptions::default()).unwrap();
        evaluate_range(&expr, self, Timestamp(start), Timestamp(end), step, &EvalOptions::default(), &|| false).unwrap()
    }
}

impl Select for Copies {
    fn find(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Found>, SelectError> {
        self.all.find(matchers, range)
    }

    fn read(&self, series: &Found, range: TimeRange, out: &mut Samples) -> Result<(), SelectError> {
        let start = range.start.max(Timestamp(self.full_from));
        self.all.read(series, TimeRange::new(start, range.end), out)
    }

    fn full_from(&self) -> Option<Timestamp> {
        (self.full_from > 0).then_some(Timestamp(self.full_from))
    }

    fn tiers(&self) -> Vec<Tier> {
        self.tiers.clone()
    }

    fn read_tier(
        &self,
        tier: usize,
        figure: Figure,
        series: &Found,
        range: TimeRange,
        out: &mut Samples,
    ) -> Result<(), SelectError> {
        out.clear();
        let tier = self.tiers[tier];
        let mut all = Samples::default();
        self.all.read(series, TimeRange::ALL, &mut all)?;
        let pairs: Vec<(i64, f64)> = all.times.iter().copied().zip(all.values.iter().copied()).collect();
        let mut end = tier.from.millis();
        while end <= range.end.millis() {
            let within: Vec<usize> =
                (0..pairs.len()).filter(|i| (end - tier.step_ms..end).contains(&pairs[*i].0)).collect();
            if end >= range.start.millis() && !within.is_empty() {
                let values = || within.iter().map(|i| pairs[*i].1);
                let rise = |i: &usize| match i.checked_sub(1).map(|before| pairs[before].1) {
                    Some(before) if pairs[*i].1 < before => pairs[*i].1,
                    Some(before) => pairs[*i].1 - before,
                    None => 0.0,
                };
                let value = match figure {
                    Figure::Last => values().next_back().unwrap(),
                    Figure::Min => values().fold(f64::INFINITY, f64::min),
                    Figure::Max => values().fold(f64::NEG_INFINITY, f64::max),
                    Figure::Sum => values().sum(),
                    Figure::Count => within.len() as f64,
                    Figure::Increase => within.iter().map(rise).sum(),
                };
                out.push(end, value);
            }
            end += tier.step_ms;
        }
        Ok(())
    }
}

fn samples(answer: &Answer) -> Vec<(i64, f64)> {
    let Value::Matrix(series) = &answer.value else { return Vec::new() };
    assert!(series.len() <= 1, "one series at most: {series:?}");
    series.iter().flat_map(|(_, s)| s.times.iter().copied().zip(s.values.iter().copied())).collect()
}

const QUERIES: [&str; 8] = [
    "rate(bytes_total[20m])",
    "increase(bytes_total[20m])",
    "sum_over_time(load[20m])",
    "count_over_time(load[20m])",
    "avg_over_time(load[20m])",
    "min_over_time(load[20m])",
    "max_over_time(load[20m])",
    "present_over_time(load[20m])",
];

#[test]
fn long_windows_are_answered_from_figures_and_the_same_within_a_sample() {
    let with = Copies::new(0, MINUTE);
    let without = Copies { tiers: Vec::new(), ..Copies::new(0, MINUTE) };
    for query in QUERIES {
        let (copied, full) =
            (with.ask(query, HOUR, 6 * HOUR, 20 * MINUTE), without.ask(query, HOUR, 6 * HOUR, 20 * MINUTE));
        assert!(copied.warnings.is_empty() && copied.infos.iter().any(|note| note.contains("each 1m")), "{copied:?}");
        assert!(full.infos.iter().all(|note| !note.contains("kept")), "{full:?}");
        let (copied, full) = (samples(&copied), samples(&full));
        assert_eq!(copied.len(), full.len(), "{query}");
        for ((at, got), (_, want)) in copied.iter().zip(&full) {
            // 120 samples a window: one more or less at its ends, and what a reset hides.
            assert!((got - want).abs() <= want.abs() * 0.02 + 1e-9, "{query} at {at}: {got}, in full {want}");
        }
    }
}

#[test]
fn short_or_crooked_windows_are_answered_in_full() {
    let with = Copies::new(0, MINUTE);
    let without = Copies { tiers: Vec::new(), ..Copies::new(0, MINUTE) };
    for (query, start, step) in [
        ("rate(bytes_total[5m])", HOUR, MINUTE),
        ("rate(bytes_total[20m])", HOUR + SECOND, 20 * MINUTE),
        ("rate(bytes_total[20m])", HOUR, 90 * SECOND),
        ("max_over_time(load[1201s])", HOUR, 20 * MINUTE),
        ("max_over_time(load[20m] offset 1s)", HOUR, 20 * MINUTE),
        ("quantile_over_time(0.5, load[20m])", HOUR, 20 * MINUTE),
        ("load", HOUR, 20 * MINUTE),
        ("max_over_time(load[20m:10s])", HOUR, 20 * MINUTE),
    ] {
        let answer = with.ask(query, start, 3 * HOUR, step);
        assert_eq!(answer, without.ask(query, start, 3 * HOUR, step), "{query}");
        assert!(!samples(&answer).is_empty(), "{query}");
    }
}

#[test]
fn what_is_gone_in_full_is_answered_from_the_finest_copy_with_a_warning() {
    let store = Copies::new(5 * HOUR, 2 * HOUR);
    for query in QUERIES.into_iter().chain(["load", "quantile_over_time(0.5, load[20m])", "bytes_total offset 1h"]) {
        let answer = store.ask(query, 4 * HOUR, 6 * HOUR, 20 * MINUTE);
        assert!(answer.warnings.iter().any(|note| note.contains("each 1m")), "{query}: {answer:?}");
        assert_eq!(samples(&answer).len(), 7, "{query}: {answer:?}");
    }
    // Further back than minutes: hours, and a window shorter than those is as long as one.
    let answer = store.ask("rate(bytes_total[5m])", 90 * MINUTE, 3 * HOUR, HOUR);
    assert!(answer.warnings.iter().any(|note| note.contains("each 1h")), "{answer:?}");
    let rates = samples(&answer);
    assert!(rates.len() == 2 && rates.iter().all(|(_, rate)| (rate - 7.0).abs() < 0.1), "{rates:?}");
    // Further back than anything: what there is.
    let answer = store.ask("load", 0, 6 * HOUR, HOUR);
    assert!(answer.warnings.iter().any(|note| note.contains("each 1h")), "{answer:?}");
    assert_eq!(samples(&answer).len(), 6, "{answer:?}");
}

#[test]
fn a_window_that_begins_before_all_samples_is_answered_from_figures_too() {
    // Everything began with the first sample: the copies lack nothing of what the windows want.
    let whole = |whole: bool| {
        let mut store = Copies::new(0, MINUTE);
        store.tiers.iter_mut().for_each(|tier| tier.whole = whole);
        store
    };
    let (with, without) = (whole(true), whole(false));
    for (query, step) in [("avg_over_time(load[10h])", "each 1h"), ("sum_over_time(load[490m])", "each 1m")] {
        let (copied, full) = (with.ask(query, 5 * HOUR, 5 * HOUR, HOUR), without.ask(query, 5 * HOUR, 5 * HOUR, HOUR));
        assert!(copied.warnings.is_empty() && copied.infos.iter().any(|note| note.contains(step)), "{copied:?}");
        assert!(full.infos.is_empty() && copied.samples < full.samples / 5, "{} of {}", copied.samples, full.samples);
        let (copied, full) = (samples(&copied)[0].1, samples(&full)[0].1);
        assert!((copied - full).abs() <= full.abs() * 0.01, "{query}: {copied}, in full {full}");
    }
}

#[test]
fn what_is_gone_in_full_is_answered_from_the_coarsest_copy_that_says_the_same() {
    let mut store = Copies::new(5 * HOUR, MINUTE);
    // Hours reach back to the first sample as minutes do.
    store.tiers[1].whole = true;
    let answer = store.ask("avg_over_time(load[10h])", 6 * HOUR, 6 * HOUR, HOUR);
    assert!(answer.warnings.iter().any(|note| note.contains("each 1h")), "{answer:?}");
    // One that does not begin and end with an hour needs minutes.
    let answer = store.ask("avg_over_time(load[610m])", 6 * HOUR, 6 * HOUR, HOUR);
    assert!(answer.warnings.iter().any(|note| note.contains("each 1m")), "{answer:?}");
}

#[test]
fn one_moment_long_ago_is_answered_too() {
    let store = Copies::new(5 * HOUR, 2 * HOUR);
    let expr = parse("load", &ParseOptions::default()).unwrap();
    let at = Timestamp(3 * HOUR + 30 * SECOND);
    let answer = evaluate_instant(&expr, &store, at, &EvalOptions::default(), &|| false).unwrap();
    let Value::Vector(vector) = &answer.value else { unreachable!("an instant vector: {answer:?}") };
    // The last value before the minute's end.
    assert_eq!(vector[0].value, ((3 * HOUR - 10_000) / 10_000 % 53) as f64);
    assert_eq!(answer.warnings.len(), 1);
}
