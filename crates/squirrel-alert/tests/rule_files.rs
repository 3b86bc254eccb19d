//! Good and bad rule files: judged here and by `promtool check rules`.

#[path = "support/promtool.rs"]
mod promtool;

use promtool::promtool;
use squirrel_alert::RuleFile;

/// Who takes a file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Taken {
    Both,
    /// Debian's promtool is of Prometheus 2.42: fields of Prometheus 3, and what `rules.rs` says of
    /// differences on purpose.
    OnlyHere,
    OnlyThere,
    /// With the beginning of the first thing that is said here.
    Neither(&'static str),
}
use Taken::{Both, Neither, OnlyHere, OnlyThere};

const RULE: &str = "groups:\n- name: g\n  rules:\n  - ";

/// A rule, or a whole file when it begins with a line break.
const FILES: &[(&str, Taken)] = &[
    ("alert: A\n    expr: up == 0", Both),
    ("record: a:b\n    expr: sum(up)", Both),
    ("record: a:b\n    expr: |\n      sum by (job) (\n        up\n      )", Both),
    ("alert: A\n    expr: up == 0\n    for: 5m\n    keep_firing_for: 1h30m", Both),
    ("alert: A\n    expr: up\n    for: 0", Both),
    ("alert: A\n    expr: up\n    for:", Both),
    ("alert: A\n    expr: 5", Both),
    ("alert: 'any name, even this'\n    expr: vector(1)", Both),
    ("alert: A\n    expr: up\n    labels: {severity: critical, tier: 1}", Both),
    ("alert: A\n    expr: up\n    labels:\n    annotations:", Both),
    ("alert: A\n    expr: up\n    annotations: {summary: '{{ $labels.job }} is {{ $value | humanize }}'}", Both),
    (
        "alert: A\n    expr: up\n    annotations: {s: '{{ if gt $value 5.0 }}a{{ else if eq $labels.x \"y\" }}b{{ else }}c{{ end }}'}",
        Both,
    ),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ range query \"up\" }}{{ .Labels.job }}{{ end }}'}", Both),
    (
        "alert: A\n    expr: up\n    annotations: {s: '{{ with $x := query \"up\" | first }}{{ $x.Value }}{{ end }}'}",
        Both,
    ),
    ("alert: A\n    expr: up\n    annotations: {s: '{{- /* c */ -}} {{ printf \"%.2f\" .Value }}'}", Both),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ (index (query \"up\") 0).Labels.job }}'}", Both),
    ("record: a\n    expr: up\n    labels: {x: '{{ $nothing }}'}", Both),
    ("record: a\n    expr: up\n    annotations: {}", Both),
    ("record: a\n    expr: up\n    for: 0s", Both),
    ("alert: 5\n    expr: 7", Both),
    ("alert: A\n    expr: up\n  - alert: A\n    expr: up == 1", Both),
    ("null", Both),
    ("alert: null\n    expr: null", Both),
    ("\ngroups: [null]\n", Both),
    ("\ngroups:\n- {name: g, limit: 1.0}\n", Both),
    ("\ngroups:\n- {name: g, limit: 0x10}\n", Both),
    ("\ngroups:\n- {name: g, limit: -1}\n", Both),
    ("\ngroups:\n- {name: g, limit: 1.5}\n", OnlyThere),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ nil }}'}", OnlyThere),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ $value | }}'}", OnlyThere),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ if 1 }}{{ $y := 1 }}{{ else }}{{ $y }}{{ end }}'}", OnlyThere),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ with 0 }}{{ else with 2 }}{{ end }}'}", OnlyHere),
    (
        "alert: A\n    expr: up\n    annotations: {s: '{{ with $x := 1 }}{{ end }}{{ $x }}'}",
        Neither("6:53: the template"),
    ),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ $labels.a-b }}'}", Neither("6:35: the template")),
    ("alert: A\n    expr: up\n    for: ''", Neither("6:10: for:")),
    ("alert: A\n    expr: up\n    for: 1m1h", Neither("6:10: for:")),
    ("\n", Both),
    ("\n# nothing\n", Both),
    ("\ngroups:\n", Both),
    ("\ngroups: []\n", Both),
    ("\ngroups:\n- name: g\n", Both),
    ("\ngroups:\n- {name: g, interval: 30s, limit: 10, rules: [{record: x, expr: up}]}\n", Both),
    ("\ngroups:\n- name: a\n  rules: &r\n  - {record: x, expr: up}\n- name: b\n  rules: *r\n", Both),
    ("\ngroups:\n- name: a\n  rules:\n  - &d {alert: x, expr: up, for: 5m}\n  - {<<: *d, alert: y}\n", Both),
    ("\ngroups: []\n---\ngroups: {}\n", Both),
    ("\ngroups:\n- {name: g, query_offset: 1m, rules: []}\n", OnlyHere),
    ("\ngroups:\n- {name: g, labels: {team: net}, rules: [{alert: x, expr: up}]}\n", OnlyHere),
    ("alert: A\n    expr: double_exponential_smoothing(up[5m], 0.5, 0.5)", Neither("5:11: expr is no PromQL")),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ define \"x\" }}{{ end }}'}", OnlyThere),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ js \"x\" }}'}", OnlyThere),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ now }}'}", OnlyHere),
    ("alert: A", Neither("4:5: the rule has no expr")),
    ("expr: up", Neither("4:5: a rule needs alert:")),
    ("alert: A\n    record: b\n    expr: up", Neither("4:5: a rule has record or alert")),
    ("alert: A\n    expr: up ==", Neither("5:16: expr is no PromQL")),
    ("alert: A\n    expr: |\n      sum(up)\n        + foo(", Neither("7:11: expr is no PromQL")),
    ("alert: A\n    expr: \"sum(up}\"", Neither("5:18: expr is no PromQL")),
    ("alert: A\n    expr: [up]", Neither("5:11: the rule has no expr")),
    ("alert: A\n    expr: up\n    for: 5", Neither("6:10: for: \"5\" is not a time")),
    ("alert: A\n    expr: up\n    for: 5 minutes", Neither("6:10: for:")),
    ("alert: A\n    expr: up\n    for: -5m", Neither("6:10: for:")),
    ("alert: A\n    expr: up\n    form: 5m", Neither("6:5: \"form\" is no field of a rule")),
    ("alert: A\n    alert: B\n    expr: up", Neither("5:5: \"alert\" is given twice")),
    ("alert: A\n    expr: up\n    labels: {a-b: x}", Neither("6:14: \"a-b\" is no label name")),
    ("alert: A\n    expr: up\n    labels: {__name__: x}", Neither("6:14: \"__name__\" is no label name")),
    ("alert: A\n    expr: up\n    labels: {a: [x]}", Neither("6:17: label \"a\" is a text")),
    ("alert: A\n    expr: up\n    labels: [a]", Neither("6:13: labels are a mapping")),
    ("alert: A\n    expr: up\n    annotations: {a-b: x}", Neither("6:19: \"a-b\" is no annotation name")),
    (
        "alert: A\n    expr: up\n    annotations: {s: '{{ $label.x }}'}",
        Neither("6:26: the template of \"s\": undefined variable $label"),
    ),
    (
        "alert: A\n    expr: up\n    annotations: {s: '{{ humanise $value }}'}",
        Neither("6:26: the template of \"s\": function \"humanise\""),
    ),
    ("alert: A\n    expr: up\n    annotations:\n      s: |\n        one\n        {{ if }}", Neither("9:")),
    (
        "alert: A\n    expr: up\n    annotations: {s: '{{ if $value }}x'}",
        Neither("6:23: the template of \"s\": this block has no end"),
    ),
    ("alert: A\n    expr: up\n    annotations: {s: 'x{{ end }}'}", Neither("6:24: the template")),
    (
        "alert: A\n    expr: up\n    annotations: {s: '{{ $value'}",
        Neither("6:23: the template of \"s\": this action has no end"),
    ),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ }}'}", Neither("6:23: the template")),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ $value | 5 }}'}", Neither("6:35: the template")),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ break }}'}", Neither("6:23: the template")),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ /* c */ }}'}", Neither("6:26: the template")),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ \"a }}'}", Neither("6:26: the template")),
    ("alert: A\n    expr: up\n    annotations: {s: '{{ (len \"a\" }}'}", Neither("6:34: the template")),
    ("alert: A\n    expr: up\n    labels: {s: '{{ $nothing }}'}", Neither("6:21: the template")),
    ("record: a-b\n    expr: up", Neither("4:13: \"a-b\" is no name of a metric")),
    ("record: a\n    expr: up\n    for: 5m", Neither("6:10: for belongs to alerts")),
    ("record: a\n    expr: up\n    keep_firing_for: 5m", Neither("6:22: keep_firing_for belongs")),
    ("record: a\n    expr: up\n    annotations: {s: x}", Neither("6:18: annotations belongs")),
    ("\ngroups:\n- rules: []\n", Neither("3:3: the group has no name")),
    ("\ngroups:\n- {name: g}\n- {name: g}\n", Neither("4:3: group \"g\" is there already, at 3:3")),
    ("\ngroups:\n- {name: g, interval: soon}\n", Neither("3:23: interval: \"soon\"")),
    ("\ngroups:\n- {name: g, limit: many}\n", Neither("3:20: limit is a whole number")),
    ("\ngroups:\n- {name: g, limit: '5'}\n", Neither("3:20: limit is a whole number")),
    ("\ngroups: {a: b}\n", Neither("2:9: groups is a list")),
    ("\nrules: []\n", Neither("2:1: \"rules\" is no field of a rule file")),
    ("\n- groups\n", Neither("2:1: a rule file is a mapping")),
    ("\ngroups: [\n", Neither("")),
    ("\ngroups:\n\t- name: g\n", Neither("")),
];

fn whole(text: &str) -> String {
    if text.starts_with('\n') { text.to_owned() } else { format!("{RULE}{text}\n") }
}

#[test]
fn each_file_is_taken_or_refused_with_the_place() {
    let mut differ = Vec::new();
    for (text, taken) in FILES {
        let said = RuleFile::parse("f.yml", &whole(text)).err().map(|e| e.to_string());
        let as_wanted = match (taken, &said) {
            (Both | OnlyHere, said) => said.is_none(),
            (OnlyThere, said) => said.is_some(),
            (Neither(words), said) => said.as_ref().is_some_and(|said| said.starts_with(&format!("f.yml:{words}"))),
        };
        if !as_wanted {
            differ.push(format!("{text}\n  wanted {taken:?}, said {said:?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn promtool_takes_and_refuses_the_same_files() {
    let folder = tempfile::TempDir::new().unwrap();
    for (text, taken) in FILES {
        std::fs::write(folder.path().join("f.yml"), whole(text)).unwrap();
        let Some(verdict) = promtool(folder.path(), &["check", "rules", "f.yml"]) else {
            squirrel_testkit::skip("promtool_takes_and_refuses_the_same_files", "promtool is not installed");
            return;
        };
        assert_eq!(verdict.content, matches!(taken, Both | OnlyThere), "{text}\n{}", verdict.words);
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once_in_the_order_of_the_text() {
    let text =
        "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up ==\n    labels: {a-b: x}\n  - expr: 5\n    for: x\n";
    let said = RuleFile::parse("net.yml", text).unwrap_err().to_string();
    let places: Vec<&str> = said.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["net.yml:5:16", "net.yml:6:14", "net.yml:7:5", "net.yml:8:10"], "{said}");
}

#[test]
fn rules_that_are_there_twice_are_told_and_taken() {
    let text = "groups:\n- name: g\n  rules:\n  - {record: a, expr: up}\n  - {record: a, expr: down}\n  - {record: a, expr: up, labels: {b: c}}\n";
    let file = RuleFile::parse("f.yml", text).unwrap();
    assert_eq!(file.rules(), 3);
    assert_eq!(file.warnings.len(), 1);
    assert!(file.warnings[0].message.contains("at 4:5"), "{:?}", file.warnings);
}

#[test]
fn labels_of_a_group_are_those_of_its_rules_unless_a_rule_has_its_own() {
    let text = "groups:\n- name: g\n  labels: {team: net, tier: one}\n  rules:\n  - {alert: A, expr: up, labels: {tier: two}}\n";
    let file = RuleFile::parse("f.yml", text).unwrap();
    let labels: Vec<_> = file.groups[0].rules[0].labels.iter().map(|(k, v)| (k.as_str(), v.text())).collect();
    assert_eq!(labels, [("team", "net"), ("tier", "two")]);
}
