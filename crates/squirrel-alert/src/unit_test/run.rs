//! Runs one unit test: the rules over its series, from the epoch on.

use std::collections::BTreeMap;

use squirrel_model::{Elapsed, Labels, Timestamp, duration_text};
use squirrel_promql::{EvalOptions, Value, evaluate_instant};

use super::{AlertCase, Case, QueryCase, TestFailure, UnitTests};
use crate::memory::Memory;
use crate::{AlertState, Group, Health, RuleFile, Surroundings};

/// Most evaluations of all groups in one test.
const MAX_EVALUATIONS: i64 = 1_000_000;

/// Labels and annotations, as they are compared.
type Shown = (Labels, BTreeMap<String, String>);

pub(super) fn case(tests: &UnitTests, case: &Case, rules: &[RuleFile]) -> Vec<TestFailure> {
    let last_ms =
        case.alerts.iter().map(|one| one.at_ms).chain(case.queries.iter().map(|one| one.at_ms)).max().unwrap_or(0);
    let failure = |place, message: String| TestFailure { test: case.name.clone(), place, message };
    if last_ms / tests.interval_ms > MAX_EVALUATIONS {
        let message = format!("more than {MAX_EVALUATIONS} evaluations until {}", duration_text(last_ms));
        return vec![failure(None, message)];
    }
    let mut groups = groups(tests, rules);
    let options = EvalOptions::default();
    let around = Surroundings {
        external_labels: &case.external_labels,
        external_url: &case.external_url,
        options: &options,
        query_offset_ms: 0,
        stop: &|| false,
        elapsed: &Elapsed::default,
    };
    let mut store = Memory::default();
    let mut loaded = 0;
    let mut failures = Vec::new();
    for step in 0..=last_ms / tests.interval_ms {
        let now = step * tests.interval_ms;
        load(&mut store, case, &mut loaded, now);
        for group in &mut groups {
            for sample in group.evaluate(&store, Timestamp(now), &around) {
                store.append(&sample.labels, sample.time.millis(), sample.value);
            }
        }
        let bad = groups.iter().flat_map(Group::rules).filter_map(|status| match &status.health {
            Health::Bad(reason) => Some(format!("rule {:?} at {}: {reason}", status.rule.name, duration_text(now))),
            Health::Ok | Health::Unknown => None,
        });
        failures.extend(bad.map(|message| failure(None, message)));
        if failures.iter().any(|one| one.place.is_none()) {
            return failures;
        }
        let due = case.alerts.iter().filter(|one| (now..now + tests.interval_ms).contains(&one.at_ms));
        failures.extend(due.filter_map(|one| Some(failure(Some(one.place), alerts_differ(one, &groups)?))));
    }
    load(&mut store, case, &mut loaded, last_ms);
    failures.extend(
        case.queries.iter().filter_map(|one| Some(failure(Some(one.place), query_differs(one, &store, &options)?))),
    );
    failures
}

/// All groups, those named in `group_eval_order` first.
fn groups(tests: &UnitTests, rules: &[RuleFile]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for file in rules {
        groups.extend(file.groups.iter().map(|group| Group::new(&file.name, group.clone())));
    }
    let rank = |group: &Group| tests.order.iter().position(|name| *name == group.name).unwrap_or(tests.order.len());
    groups.sort_by_key(rank);
    groups
}

/// Appends the samples of the series up to `now`; `loaded` counts the steps that are in already.
fn load(store: &mut Memory, case: &Case, loaded: &mut usize, now: i64) {
    let until = (now / case.interval_ms) as usize + 1;
    for step in *loaded..until {
        for (labels, values) in &case.series {
            if let Some(Some(value)) = values.get(step) {
                store.append(labels, step as i64 * case.interval_ms, *value);
            }
        }
    }
    *loaded = until.max(*loaded);
}

fn alerts_differ(wanted: &AlertCase, groups: &[Group]) -> Option<String> {
    let alerting = groups.iter().flat_map(Group::rules).filter(|status| status.rule.alert.is_some());
    let named = alerting.filter(|status| status.rule.name == wanted.name);
    let firing = named.flat_map(crate::RuleStatus::active_alerts).filter(|alert| alert.state == AlertState::Firing);
    let mut got: Vec<Shown> = firing.map(|alert| (alert.labels.clone(), alert.annotations.clone())).collect();
    got.sort();
    (got != wanted.wanted).then(|| {
        format!(
            "alert {:?} at {}:\n  expected {}\n  got      {}",
            wanted.name,
            duration_text(wanted.at_ms),
            shown_alerts(&wanted.wanted),
            shown_alerts(&got)
        )
    })
}

fn shown_alerts(alerts: &[Shown]) -> String {
    let shown: Vec<String> = alerts.iter().map(|(labels, texts)| format!("{labels} {texts:?}")).collect();
    if shown.is_empty() { "no alert that fires".to_owned() } else { shown.join("\n           ") }
}

fn query_differs(wanted: &QueryCase, store: &Memory, options: &EvalOptions) -> Option<String> {
    let at = duration_text(wanted.at_ms);
    let answer = match evaluate_instant(&wanted.expr, store, Timestamp(wanted.at_ms), options, &|| false) {
        Ok(answer) => answer,
        Err(e) => return Some(format!("{} at {at}: {e}", wanted.text)),
    };
    let mut got: Vec<(Labels, f64)> = match answer.value {
        Value::Vector(samples) => samples.into_iter().map(|one| (one.labels, one.value)).collect(),
        Value::Scalar(_, value) => vec![(Labels::empty(), value)],
        Value::String(_) | Value::Matrix(_) => return Some(format!("{} at {at}: this yields no samples", wanted.text)),
    };
    got.sort_by(|a, b| a.0.cmp(&b.0));
    let same = |(a, b): (&(Labels, f64), &(Labels, f64))| a.0 == b.0 && (a.1 == b.1 || a.1.is_nan() && b.1.is_nan());
    let all = got.len() == wanted.wanted.len() && got.iter().zip(&wanted.wanted).all(same);
    (!all).then(|| {
        format!(
            "{} at {at}:\n  expected {}\n  got      {}",
            wanted.text,
            shown_samples(&wanted.wanted),
            shown_samples(&got)
        )
    })
}

fn shown_samples(samples: &[(Labels, f64)]) -> String {
    let shown: Vec<String> = samples.iter().map(|(labels, value)| format!("{labels} {value}")).collect();
    if shown.is_empty() { "nothing".to_owned() } else { shown.join(", ") }
}
