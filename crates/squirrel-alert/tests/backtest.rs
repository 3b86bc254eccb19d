//! Rules on the past.

use squirrel_alert::{BacktestError, RuleFile, Surroundings, backtest};
use squirrel_model::{Elapsed, Labels, TimeRange, Timestamp};
use squirrel_promql::EvalOptions;
use squirrel_testkit::MemorySelect;

const MINUTE: i64 = 60_000;

fn labels(name: &str) -> Labels {
    Labels::new([("__name__", name), ("name", "a")]).expect("labels of a test")
}

fn past() -> MemorySelect {
    let mut store = MemorySelect::default();
    let series = labels("m");
    // High in the minutes 10 to 19 and from 40 on.
    for minute in 0..60 {
        let high = (10..20).contains(&minute) || minute >= 40;
        store.put(&series, minute * MINUTE, if high { 5.0 + minute as f64 } else { 0.0 });
    }
    // What another version of the rule recorded in that time.
    store.put(&labels("m:double"), 30 * MINUTE, 1e9);
    store
}

fn run(rules: &str, step: Option<i64>, stop: bool) -> Result<squirrel_alert::Backtest, BacktestError> {
    let rules = RuleFile::parse("f.yml", rules).expect("rules of a test");
    let around = Surroundings {
        external_labels: &Labels::empty(),
        external_url: "",
        options: &EvalOptions::default(),
        query_offset_ms: 0,
        stop: &|| stop,
        elapsed: &Elapsed::default,
    };
    backtest(&rules, &past(), TimeRange::new(Timestamp(0), Timestamp(59 * MINUTE)), (step, MINUTE), &around)
}

const RULES: &str = "groups:\n- name: g\n  rules:\n  - {record: 'm:double', expr: m * 2}\n\
                     - name: h\n  rules:\n  - {alert: A, expr: 'm:double > 10', for: 2m, annotations: {s: '{{ $value }}'}}\n  \
                     - {alert: B, expr: 'm > 5', labels: {name: same, x: '{{ $value }}'}}\n  \
                     - {alert: C, expr: 'm > 1e6'}\n";

#[test]
fn what_would_have_fired_is_told_with_its_times_and_values() {
    let found = run(RULES, None, false).expect("it runs");
    let of_a: Vec<_> = found.episodes.iter().filter(|one| one.alert == "A").collect();
    let minutes = |at: Timestamp| at.millis() / MINUTE;
    let shown: Vec<_> = of_a
        .iter()
        .map(|one| (minutes(one.active_at), minutes(one.fired_at), one.resolved_at.map(minutes), one.values))
        .collect();
    assert_eq!(shown, [(10, 12, Some(20), (48.0, 34.0)), (40, 42, None, (128.0, 94.0))]);
    assert_eq!(of_a[0].annotations["s"], "48");
    assert!(found.episodes.iter().all(|one| one.alert != "C"));
    assert_eq!(found.evaluations, 120);
}

#[test]
fn a_step_may_be_longer_and_too_many_steps_are_refused() {
    assert_eq!(run(RULES, Some(10 * MINUTE), false).unwrap().evaluations, 12);
    let error = run(RULES, Some(1), false).unwrap_err();
    assert!(error.to_string().contains("take a longer step"), "{error}");
    assert_eq!(run(RULES, None, true), Err(BacktestError::Stopped));
}

#[test]
fn a_rule_that_fails_is_told_with_how_often() {
    let rules = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'm + on () group_left (x) (m or m2)', labels: {name: n}}\n  \
                 - {record: r, expr: 'label_replace(m or label_replace(m, \"name\", \"b\", \"\", \"\"), \"name\", \"c\", \"\", \"\")'}\n";
    let found = run(rules, None, false).unwrap();
    let (reason, times) = &found.failures["r"];
    assert!(*times == 60 && !reason.is_empty(), "{reason} {times}");
}
