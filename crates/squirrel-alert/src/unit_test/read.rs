//! A tree of YAML to unit tests, with all that is wrong in it.

use std::collections::BTreeMap;

use squirrel_model::{Labels, LabelsBuilder};
use squirrel_promql::{ParseOptions, parse};
use squirrel_yaml::{Node, Problem, Problems, document};

use super::{AlertCase, Case, QueryCase, UnitTests, series};
use crate::alert::ALERT_NAME;

/// Milliseconds between evaluations when the file does not say.
const DEFAULT_MS: i64 = 60_000;

pub(super) fn file(name: &str, text: &str) -> Result<UnitTests, Vec<Problem>> {
    let document = document(text).map_err(|problem| vec![problem])?;
    let mut problems = Problems::with_fields_as_written(&["expr"]);
    let mut out =
        UnitTests { name: name.to_owned(), rule_files: vec![], interval_ms: DEFAULT_MS, order: vec![], cases: vec![] };
    if let Some(root) = &document.root {
        let known = ["rule_files", "evaluation_interval", "group_eval_order", "tests", "fuzzy_compare"];
        let [files, interval, order, tests, fuzzy] = problems.fields(root, "a file of unit tests", known);
        if let Some(node) = fuzzy.filter(|node| node.text() != Some("false")) {
            problems.add(node, "fuzzy_compare is not known here: write the value as it is computed");
        }
        let texts = |problems: &mut Problems, node, what: &str| {
            let items = problems.items(node, what);
            items.into_iter().filter_map(|item| problems.text(Some(item), what)).collect::<Vec<_>>()
        };
        out.rule_files = texts(&mut problems, files, "rule_files");
        out.order = texts(&mut problems, order, "group_eval_order");
        out.interval_ms = problems.duration(interval, "evaluation_interval").filter(|ms| *ms > 0).unwrap_or(DEFAULT_MS);
        for node in problems.items(tests, "tests") {
            let case = case(&mut problems, node, out.interval_ms);
            out.cases.push(case);
        }
    }
    if problems.is_empty() { Ok(out) } else { Err(problems.into_list()) }
}

fn case(problems: &mut Problems, node: &Node, default_ms: i64) -> Case {
    let known =
        ["name", "interval", "input_series", "alert_rule_test", "promql_expr_test", "external_labels", "external_url"];
    let [name, interval, input, alerts, queries, external_labels, url] = problems.fields(node, "a test", known);
    let name = problems.text(name, "name").unwrap_or_default();
    let interval_ms = problems.duration(interval, "interval").filter(|ms| *ms > 0).unwrap_or(default_ms);
    let external_labels = label_set(problems, external_labels, "external label", None);
    let external_url = problems.text(url, "external_url").unwrap_or_default();
    let mut out =
        Case { name, interval_ms, series: vec![], alerts: vec![], queries: vec![], external_labels, external_url };
    for node in problems.items(input, "input_series") {
        out.series.extend(input_series(problems, node));
    }
    for node in problems.items(alerts, "alert_rule_test") {
        out.alerts.extend(alert_case(problems, node));
    }
    for node in problems.items(queries, "promql_expr_test") {
        out.queries.extend(query_case(problems, node));
    }
    out
}

fn input_series(problems: &mut Problems, node: &Node) -> Option<(Labels, Vec<Option<f64>>)> {
    let [name, values] = problems.fields(node, "a series", ["series", "values"]);
    let (Some(name), Some(values)) = (name, values) else {
        problems.add(node, "a series needs series: with its labels and values: with its samples");
        return None;
    };
    let labels = taken(problems, name, series::labels(name.text().unwrap_or_default()));
    let values = taken(problems, values, series::values(values.text().unwrap_or_default()));
    Some((labels?, values?))
}

fn taken<T>(problems: &mut Problems, node: &Node, result: Result<T, String>) -> Option<T> {
    result.map_err(|message| problems.add(node, message)).ok()
}

fn alert_case(problems: &mut Problems, node: &Node) -> Option<AlertCase> {
    let known = ["eval_time", "alertname", "exp_alerts"];
    let [at, name, wanted] = problems.fields(node, "an alert test", known);
    let Some(name) = problems.text(name, "alertname").filter(|name| !name.is_empty()) else {
        problems.add(node, "an alert test needs alertname: with the name of the alert");
        return None;
    };
    let at_ms = problems.duration(at, "eval_time").unwrap_or(0);
    let mut alerts = Vec::new();
    for node in problems.items(wanted, "exp_alerts") {
        let [labels, texts] = problems.fields(node, "an expected alert", ["exp_labels", "exp_annotations"]);
        let labels = label_set(problems, labels, "label", Some(&name));
        let texts = problems.texts(texts, "annotation");
        let texts: BTreeMap<String, String> =
            texts.into_iter().map(|(key, _, text)| (key.text().unwrap_or_default().to_owned(), text)).collect();
        alerts.push((labels, texts));
    }
    alerts.sort();
    Some(AlertCase { at_ms, name, wanted: alerts, place: node.place })
}

fn label_set(problems: &mut Problems, node: Option<&Node>, what: &str, alert: Option<&str>) -> Labels {
    let mut builder = LabelsBuilder::default();
    for (key, _, text) in problems.texts(node, what) {
        builder.set(key.text().unwrap_or_default(), text);
    }
    if let Some(alert) = alert {
        builder.set(ALERT_NAME, alert);
    }
    match (builder.build(), node) {
        (Ok(labels), _) => labels,
        (Err(e), Some(node)) => {
            problems.add(node, e.to_string());
            Labels::empty()
        }
        (Err(_), None) => Labels::empty(),
    }
}

fn query_case(problems: &mut Problems, node: &Node) -> Option<QueryCase> {
    let [expr, at, wanted] = problems.fields(node, "a query test", ["expr", "eval_time", "exp_samples"]);
    let at_ms = problems.duration(at, "eval_time").unwrap_or(0);
    let mut samples = Vec::new();
    for node in problems.items(wanted, "exp_samples") {
        let [labels, value] = problems.fields(node, "an expected sample", ["labels", "value"]);
        let value = problems.number(value, "value").unwrap_or(0.0);
        let labels = match labels {
            None => Some(Labels::empty()),
            Some(node) => taken(problems, node, series::labels(node.text().unwrap_or_default())),
        };
        samples.push((labels.unwrap_or_default(), value));
    }
    samples.sort_by(|a, b| a.0.cmp(&b.0));
    let Some(expr) = expr else {
        problems.add(node, "a query test needs expr: with what to evaluate");
        return None;
    };
    let text = expr.text().unwrap_or_default();
    let parsed = parse(text, &ParseOptions::default()).map_err(|e| format!("expr is no PromQL, at {e}"));
    let parsed = taken(problems, expr, parsed)?;
    Some(QueryCase { at_ms, text: text.to_owned(), expr: parsed, wanted: samples, place: node.place })
}
