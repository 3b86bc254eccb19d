//! Files of unit tests: run here and by `promtool test rules`, with the same outcome.

#[path = "support/promtool.rs"]
mod promtool;

use promtool::promtool;
use squirrel_alert::{RuleFile, UnitTests};

const RULES: &str = "
groups:
- name: second
  rules:
  - {record: 'job:up:half', expr: 'job:up:sum / 2'}
- name: first
  rules:
  - {record: 'job:up:sum', expr: sum by (job) (up), labels: {from: rule}}
  - {record: 'job:up:twice', expr: 'job:up:sum * 2'}
- name: alerts
  rules:
  - alert: Down
    expr: up == 0
    for: 2m
    labels: {severity: page, job: '{{ $labels.job }}!'}
    annotations: {summary: '{{ $labels.instance }} is down ({{ $value }})', twice: '{{ query `job:up:twice{job=\"a\"}` | first | value }}'}
  - {alert: Kept, expr: up == 0, keep_firing_for: 3m}
  - {alert: Seen, expr: 'ALERTS{alertname=\"Down\",alertstate=\"firing\"}'}
  - {alert: Broken, expr: up == 0, annotations: {x: '{{ $externalLabels.site }}'}}
- name: limited
  limit: 1
  rules:
  - {alert: Few, expr: 'up{job=\"one\"} == 0'}
";

const SERIES: &str = "
  input_series:
  - {series: 'up{job=\"a\",instance=\"x\"}', values: '1 1 0x3 1 1 1 1 1'}
  - {series: 'up{job=\"a\",instance=\"y\"}', values: '1x6 _ 1 stale'}
  - {series: 'up{job=\"one\",instance=\"z\"}', values: '0x20'}
  - {series: 'ctr', values: '0+60x10'}
";

/// What stands under one test, and whether it holds.
const CASES: &[(&str, &str, bool)] = &[
    ("nothing is wanted", "", true),
    (
        "without a time of for it fires at once",
        "alert_rule_test: [{eval_time: 3m, alertname: Kept, exp_alerts: [{exp_labels: {job: a, instance: x}}, {exp_labels: {job: one, instance: z}}]}]",
        true,
    ),
    (
        "a recorded series",
        "promql_expr_test: [{expr: 'job:up:sum', eval_time: 1m, exp_samples: [{labels: 'job:up:sum{job=\"a\",from=\"rule\"}', value: 2}, {labels: 'job:up:sum{job=\"one\",from=\"rule\"}', value: 0}]}]",
        true,
    ),
    (
        "a later rule of the group sees it at once",
        "promql_expr_test: [{expr: 'job:up:twice{job=\"a\"}', eval_time: 0m, exp_samples: [{labels: 'job:up:twice{job=\"a\",from=\"rule\"}', value: 4}]}]",
        true,
    ),
    (
        "an earlier group sees it late",
        "promql_expr_test: [{expr: 'job:up:half{job=\"a\"}', eval_time: 0m, exp_samples: [{labels: 'job:up:half{job=\"a\",from=\"rule\"}', value: 1}]}]",
        false,
    ),
    (
        "the value is wrong",
        "promql_expr_test: [{expr: 'job:up:sum{job=\"a\"}', eval_time: 1m, exp_samples: [{labels: 'job:up:sum{job=\"a\",from=\"rule\"}', value: 3}]}]",
        false,
    ),
    ("a sample is missing", "promql_expr_test: [{expr: up, eval_time: 1m, exp_samples: []}]", false),
    ("nothing comes", "promql_expr_test: [{expr: 'none', eval_time: 1m}]", true),
    (
        "a rise",
        "promql_expr_test: [{expr: 'ctr - ctr offset 1m', eval_time: 8m, exp_samples: [{labels: '{}', value: 60}]}]",
        true,
    ),
    ("a scalar", "promql_expr_test: [{expr: '1 + 1', eval_time: 1m, exp_samples: [{value: 2}]}]", true),
    (
        "a stale series is gone",
        "promql_expr_test: [{expr: 'up{instance=\"y\"}', eval_time: 9m, exp_samples: []}]",
        true,
    ),
    (
        "a gap is bridged",
        "promql_expr_test: [{expr: 'up{instance=\"y\"}', eval_time: 7m, exp_samples: [{labels: 'up{job=\"a\",instance=\"y\"}', value: 1}]}]",
        true,
    ),
    ("not firing before the time of for", "alert_rule_test: [{eval_time: 1m, alertname: Down, exp_alerts: []}]", true),
    (
        "firing after it, with its texts",
        "alert_rule_test: [{eval_time: 4m, alertname: Down, exp_alerts: [{exp_labels: {job: 'a!', instance: x, severity: page}, exp_annotations: {summary: x is down (0), twice: '2'}}, {exp_labels: {job: 'one!', instance: z, severity: page}, exp_annotations: {summary: z is down (0), twice: '2'}}]}]",
        true,
    ),
    (
        "an annotation differs",
        "alert_rule_test: [{eval_time: 4m, alertname: Down, exp_alerts: [{exp_labels: {job: 'a!', instance: x, severity: page}, exp_annotations: {summary: x is up}}]}]",
        false,
    ),
    ("an alert is not wanted", "alert_rule_test: [{eval_time: 4m, alertname: Down}]", false),
    (
        "between two evaluations the one before counts",
        "alert_rule_test: [{eval_time: 150s, alertname: Down, exp_alerts: [{exp_labels: {job: 'one!', instance: z, severity: page}, exp_annotations: {summary: z is down (0), twice: '2'}}]}]",
        true,
    ),
    (
        "over when the condition is",
        "alert_rule_test: [{eval_time: 7m, alertname: Down, exp_alerts: [{exp_labels: {job: 'one!', instance: z, severity: page}, exp_annotations: {summary: z is down (0), twice: '4'}}]}]",
        true,
    ),
    (
        "kept firing",
        "alert_rule_test: [{eval_time: 8m, alertname: Kept, exp_alerts: [{exp_labels: {job: a, instance: x}}, {exp_labels: {job: one, instance: z}}]}]",
        true,
    ),
    (
        "kept no longer",
        "alert_rule_test: [{eval_time: 9m, alertname: Kept, exp_alerts: [{exp_labels: {job: one, instance: z}}]}]",
        true,
    ),
    (
        "the series of the alert",
        "promql_expr_test: [{expr: 'ALERTS{alertname=\"Down\",instance=\"x\"}', eval_time: 3m, exp_samples: [{labels: 'ALERTS{alertname=\"Down\",alertstate=\"pending\",instance=\"x\",job=\"a!\",severity=\"page\"}', value: 1}]}]",
        true,
    ),
    (
        "its state changes the series",
        "promql_expr_test: [{expr: 'ALERTS{alertname=\"Down\",instance=\"x\"}', eval_time: 4m, exp_samples: [{labels: 'ALERTS{alertname=\"Down\",alertstate=\"firing\",instance=\"x\",job=\"a!\",severity=\"page\"}', value: 1}]}]",
        true,
    ),
    (
        "its end ends the series",
        "promql_expr_test: [{expr: 'ALERTS{alertname=\"Down\",instance=\"x\"}', eval_time: 7m}]",
        true,
    ),
    (
        "since when",
        "promql_expr_test: [{expr: 'ALERTS_FOR_STATE{alertname=\"Down\",instance=\"x\"}', eval_time: 5m, exp_samples: [{labels: 'ALERTS_FOR_STATE{alertname=\"Down\",instance=\"x\",job=\"a!\",severity=\"page\"}', value: 120}]}]",
        true,
    ),
    (
        "an alert about alerts",
        "alert_rule_test: [{eval_time: 2m, alertname: Seen, exp_alerts: [{exp_labels: {alertstate: firing, job: 'one!', instance: z, severity: page}}]}]",
        true,
    ),
    (
        "labels from outside",
        "external_labels: {site: ams}\n  alert_rule_test: [{eval_time: 1m, alertname: Broken, exp_alerts: [{exp_labels: {job: one, instance: z}, exp_annotations: {x: ams}}]}]",
        true,
    ),
    (
        "within the limit",
        "alert_rule_test: [{eval_time: 1m, alertname: Few, exp_alerts: [{exp_labels: {job: one, instance: z}}]}]",
        true,
    ),
    (
        "beyond the limit",
        "input_series:\n  - {series: 'up{job=\"one\",instance=\"u\"}', values: '0x20'}\n  - {series: 'up{job=\"one\",instance=\"v\"}', values: '0x20'}\n  alert_rule_test: [{eval_time: 1m, alertname: Few}]",
        false,
    ),
    (
        "the same labels twice",
        "input_series:\n  - {series: 'up{job=\"a\",from=\"b\"}', values: '0'}\n  - {series: 'up{job=\"a\",from=\"c\"}', values: '1'}\n  promql_expr_test: [{expr: 'job:up:sum', eval_time: 0m, exp_samples: [{labels: 'job:up:sum{job=\"a\",from=\"rule\"}', value: 1}]}]",
        true,
    ),
];

fn file(case: &str) -> String {
    let series = if case.contains("input_series") { "" } else { SERIES };
    // All groups have their place: those that promtool is not told of, it evaluates in an order that changes.
    let first = if case.contains("half") { "second, first, " } else { "first, second, " };
    format!(
        "rule_files: [rules.yml]\nevaluation_interval: 1m\ngroup_eval_order: [{first}alerts, limited]\ntests:\n- interval: 1m{series}\n  {case}\n"
    )
}

#[test]
fn each_file_has_its_outcome() {
    let rules = [RuleFile::parse("rules.yml", RULES).unwrap()];
    let mut differ = Vec::new();
    for (name, case, holds) in CASES {
        let tests = UnitTests::parse("tests.yml", &file(case)).unwrap();
        assert_eq!(tests.rule_files, ["rules.yml"]);
        let failures = tests.run(&rules);
        if failures.is_empty() != *holds {
            differ.push(format!("{name}: {failures:?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn promtool_has_the_same_outcomes() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("rules.yml"), RULES).unwrap();
    let mut differ = Vec::new();
    for (name, case, holds) in CASES {
        std::fs::write(folder.path().join("tests.yml"), file(case)).unwrap();
        let Some(verdict) = promtool(folder.path(), &["test", "rules", "tests.yml"]) else {
            squirrel_testkit::skip("promtool_has_the_same_outcomes", "promtool is not installed");
            return;
        };
        if verdict.content != *holds {
            differ.push(format!("{name}: {}", verdict.words));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn a_failure_says_where_what_was_wanted_and_what_came() {
    let rules = [RuleFile::parse("rules.yml", RULES).unwrap()];
    let case = "name: mine\n  promql_expr_test:\n  - {expr: 'job:up:sum{job=\"a\"}', eval_time: 1m, exp_samples: [{labels: 'x', value: 3}]}";
    let failures = UnitTests::parse("t.yml", &file(case)).unwrap().run(&rules);
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].test, "mine");
    assert!(failures[0].place.is_some());
    for part in ["at 1m:", "expected x 3", "got      job:up:sum{from=\"rule\",job=\"a\"} 2"] {
        assert!(failures[0].message.contains(part), "{}", failures[0].message);
    }
}

#[test]
fn a_broken_file_of_tests_is_refused_with_all_its_places() {
    let text = "rule_files: [a.yml]\nevaluation_interval: soon\ntests:\n- input_series:\n  - {series: 'a{', values: '1 x'}\n  \
                promql_expr_test:\n  - {expr: 'up ==', eval_time: 1m}\n  alert_rule_tests: []\n";
    let said = UnitTests::parse("t.yml", text).unwrap_err().to_string();
    let places: Vec<&str> = said.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["t.yml:2:22", "t.yml:5:14", "t.yml:5:28", "t.yml:7:12", "t.yml:8:3"], "{said}");
}
