//! What a group does over time that unit-test files cannot say: restarts, failures, limits, health.

use squirrel_alert::{AlertState, Group, Health, NewSample, RuleFile, Surroundings};
use squirrel_model::{Elapsed, Labels, Timestamp, is_stale};
use squirrel_promql::EvalOptions;
use squirrel_testkit::MemorySelect;

const MINUTE: i64 = 60_000;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    Labels::new(pairs.iter().copied()).expect("labels of a test")
}

/// A group, the store that its samples go to, and a clock that is turned by hand.
struct Host {
    group: Group,
    store: MemorySelect,
}

impl Host {
    fn new(rules: &str) -> Self {
        Self { group: Group::new("f.yml", spec(rules)), store: MemorySelect::default() }
    }

    fn set(&mut self, name: &str, value: f64, minute: i64) {
        self.store.put(&labels(&[("__name__", "m"), ("name", name)]), minute * MINUTE, value);
    }

    fn evaluate(&mut self, minute: i64) -> Vec<NewSample> {
        let samples = evaluate(&mut self.group, &self.store, Timestamp(minute * MINUTE));
        for one in &samples {
            self.store.put(&one.labels, one.time.millis(), one.value);
        }
        samples
    }

    fn states(&self) -> Vec<(String, AlertState)> {
        let alerts = self.group.rules()[0].alerts();
        alerts.map(|alert| (alert.labels.get("name").unwrap_or_default().to_owned(), alert.state)).collect()
    }
}

fn spec(rules: &str) -> squirrel_alert::RuleGroup {
    let text = format!("groups:\n- {{name: g, {rules}}}\n");
    RuleFile::parse("f.yml", &text).expect("rules of a test").groups.remove(0)
}

fn evaluate(group: &mut Group, store: &MemorySelect, at: Timestamp) -> Vec<NewSample> {
    let around = Surroundings {
        external_labels: &Labels::empty(),
        external_url: "",
        options: &EvalOptions::default(),
        query_offset_ms: 0,
        stop: &|| false,
        elapsed: &Elapsed::default,
    };
    group.evaluate(store, at, &around)
}

#[test]
fn an_alert_that_is_over_is_known_for_a_quarter_of_an_hour_and_may_come_back() {
    let mut host = Host::new("rules: [{alert: A, expr: m > 0}]");
    host.set("a", 1.0, 0);
    host.evaluate(0);
    assert_eq!(host.states(), [("a".to_owned(), AlertState::Firing)]);
    host.set("a", 0.0, 1);
    let samples = host.evaluate(1);
    assert!(samples.len() == 2 && samples.iter().all(|one| is_stale(one.value)), "{samples:?}");
    let over = host.group.rules()[0].alerts().next().unwrap().clone();
    assert_eq!(
        (over.state, over.fired_at, over.resolved_at),
        (AlertState::Inactive, Some(Timestamp(0)), Some(Timestamp(MINUTE)))
    );
    assert_eq!(host.group.rules()[0].active_alerts().count(), 0);
    host.set("a", 1.0, 3);
    host.evaluate(3);
    let again = host.group.rules()[0].alerts().next().unwrap();
    assert_eq!((again.active_at, again.resolved_at), (Timestamp(3 * MINUTE), None));
    host.set("a", 0.0, 4);
    host.evaluate(4);
    host.evaluate(19);
    assert_eq!(host.states().len(), 1, "until the quarter of an hour is over");
    host.evaluate(20);
    assert_eq!(host.states(), []);
}

#[test]
fn a_failed_evaluation_changes_no_alert_and_is_told() {
    let mut host = Host::new("rules: [{alert: A, expr: m > 0, labels: {name: same}}]");
    host.set("a", 1.0, 0);
    host.evaluate(0);
    assert_eq!(host.states(), [("same".to_owned(), AlertState::Firing)]);
    host.set("b", 1.0, 1);
    let samples = host.evaluate(1);
    assert_eq!(samples, [], "neither samples nor stale markers");
    assert!(matches!(&host.group.rules()[0].health, Health::Bad(reason) if reason.contains("same labels")));
    assert_eq!(host.states(), [("same".to_owned(), AlertState::Firing)]);
    host.store.put(&labels(&[("__name__", "m"), ("name", "b")]), 2 * MINUTE, 0.0);
    host.evaluate(2);
    assert_eq!(host.group.rules()[0].health, Health::Ok);
}

#[test]
fn beyond_the_limit_nothing_is_recorded_and_no_alert_is_kept() {
    let mut host = Host::new("limit: 1, rules: [{alert: A, expr: m > 0}, {record: r, expr: m * 2}]");
    host.set("a", 1.0, 0);
    assert_eq!(host.evaluate(0).len(), 3);
    host.set("b", 1.0, 1);
    assert_eq!(host.evaluate(1), []);
    assert_eq!(host.states(), []);
    for status in host.group.rules() {
        assert!(matches!(&status.health, Health::Bad(reason) if reason.contains("limit of 1")), "{:?}", status.health);
    }
}

#[test]
fn the_query_offset_moves_the_question_and_its_samples() {
    let mut host = Host::new("query_offset: 1m, rules: [{record: r, expr: m}]");
    host.set("a", 1.0, 0);
    host.set("a", 2.0, 1);
    let samples = host.evaluate(1);
    assert_eq!(
        samples,
        [NewSample { labels: labels(&[("__name__", "r"), ("name", "a")]), time: Timestamp(0), value: 1.0 }]
    );
}

/// Runs an alert with `for` of `hold` minutes until `down`, and starts again at `up`: since when it then
/// counts, in minutes.
fn since_after_restart(hold: i64, down: i64, up: i64) -> f64 {
    let rules = format!("rules: [{{alert: A, expr: m > 0, for: {hold}m}}]");
    let mut host = Host::new(&rules);
    for minute in 0..=up {
        host.set("a", 1.0, minute);
        if minute <= down {
            host.evaluate(minute);
        }
    }
    host.group = Group::after_start("f.yml", spec(&rules));
    assert_eq!(host.evaluate(up), [], "the samples of the last run are not hidden before they were read");
    host.group.restore(&host.store, Timestamp(up * MINUTE)).expect("a store in memory is read");
    assert_eq!(host.evaluate(up).len(), 2);
    let alert = host.group.rules()[0].alerts().next().expect("the alert is active");
    alert.active_at.millis() as f64 / MINUTE as f64
}

#[test]
fn after_a_restart_waiting_goes_on_where_it_stood() {
    // 5 of 60 minutes had been waited, and 10 the program was away: those are added.
    assert_eq!(since_after_restart(60, 5, 15), 10.0);
    // It was firing: it is at once again.
    assert_eq!(since_after_restart(20, 30, 40), 0.0);
    // Less than the grace period remained: it fires ten minutes after the start.
    assert_eq!(since_after_restart(30, 25, 40), 20.0);
    // Short waits begin anew, and so does what was away for longer than an hour.
    assert_eq!(since_after_restart(5, 3, 20), 20.0);
    assert_eq!(since_after_restart(60, 5, 80), 80.0);
}

/// What fired until minute 3 and the program was away until minute 20, when the condition held or not.
fn after_an_outage(rules: &str, holds: bool) -> Host {
    let mut host = Host::new(rules);
    for minute in 0..=3 {
        host.set("a", 1.0, minute);
        host.evaluate(minute);
    }
    host.set("a", if holds { 1.0 } else { 0.0 }, 20);
    host.group = Group::after_start("f.yml", spec(rules));
    assert_eq!(host.evaluate(20), []);
    host.group.restore(&host.store, Timestamp(20 * MINUTE)).expect("a store in memory is read");
    host
}

#[test]
fn what_fired_before_a_restart_fires_on_or_is_over() {
    let rules = "rules: [{alert: A, expr: m > 0, for: 2m, labels: {tier: one}}]";
    let host = after_an_outage(rules, true);
    let alert = host.group.rules()[0].alerts().next().expect("it is known");
    assert_eq!(
        (alert.state, alert.active_at, alert.fired_at),
        (AlertState::Firing, Timestamp(0), Some(Timestamp(2 * MINUTE))),
        "without waiting again"
    );
    let host = after_an_outage(rules, false);
    let alert = host.group.rules()[0].alerts().next().expect("it is known");
    assert_eq!((alert.state, alert.resolved_at), (AlertState::Inactive, Some(Timestamp(20 * MINUTE))));
    // Another rule of that name has nothing to do with it, and neither has one whose alerts ended.
    let mut other = Group::after_start(
        "f.yml",
        spec("rules: [{alert: A, expr: m > 0, labels: {tier: two}}, {alert: B, expr: m > 0}]"),
    );
    other.restore(&host.store, Timestamp(20 * MINUTE)).expect("a store in memory is read");
    assert_eq!(other.rules().iter().flat_map(squirrel_alert::RuleStatus::alerts).count(), 0);
}

#[test]
fn what_is_kept_firing_is_kept_over_a_restart_too() {
    let mut host = after_an_outage("rules: [{alert: A, expr: m > 0, keep_firing_for: 5m}]", false);
    assert_eq!(host.states(), [("a".to_owned(), AlertState::Firing)]);
    for (minute, state) in [(24, AlertState::Firing), (26, AlertState::Inactive)] {
        host.set("a", 0.0, minute);
        host.evaluate(minute);
        assert_eq!(host.states(), [("a".to_owned(), state)], "minute {minute}");
    }
}

#[test]
fn a_reload_keeps_the_alerts_of_rules_that_stay_and_ends_the_series_of_those_that_go() {
    let old = "rules: [{alert: A, expr: m > 0}, {alert: B, expr: m > 0}, {record: r, expr: m}, {record: s, expr: m}]";
    let mut host = Host::new(old);
    host.set("a", 1.0, 0);
    host.evaluate(0);
    let new = spec("rules: [{alert: B, expr: m >= 0, for: 1h}, {record: r, expr: m * 2}]");
    let before = std::mem::replace(&mut host.group, Group::new("f.yml", new));
    let gone: Vec<String> =
        host.group.take_over(before).iter().map(|alert| alert.labels.get("alertname").unwrap().to_owned()).collect();
    assert_eq!(gone, ["A"]);
    assert_eq!(host.states(), [("a".to_owned(), AlertState::Firing)], "B goes on firing");
    host.set("a", 1.0, 1);
    let ended: Vec<String> = host
        .evaluate(1)
        .into_iter()
        .filter(|one| is_stale(one.value))
        .map(|one| format!("{}{}", one.labels.metric_name(), one.labels.get("alertname").unwrap_or_default()))
        .collect();
    assert_eq!(ended, ["ALERTSA", "ALERTS_FOR_STATEA", "s"]);
    assert_eq!(host.evaluate(2).iter().filter(|one| is_stale(one.value)).count(), 0, "once");
    assert_eq!(host.group.farewell(Timestamp(3 * MINUTE)).len(), 3);
}
