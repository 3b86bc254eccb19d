//! A tree of YAML to rules, with all that is wrong in it.

use std::collections::{BTreeMap, HashMap};

use squirrel_model::{NAME_LABEL, is_label_name, is_metric_name};
use squirrel_promql::{Expr, ParseOptions, parse};
use squirrel_yaml::{Kind, Node, Place, Problem, Problems, document};

use super::{AlertParts, Rule, RuleFile, RuleGroup};
use crate::Template;

/// Fields whose text counts as it is written, as Prometheus reads them: `null` is a metric there.
const AS_WRITTEN: &[&str] = &["record", "alert", "expr"];

pub(super) fn file(name: &str, text: &str) -> Result<RuleFile, Vec<Problem>> {
    let document = document(text).map_err(|problem| vec![problem])?;
    let mut reader = Reader { problems: Problems::with_fields_as_written(AS_WRITTEN), lines: text.lines().collect() };
    let mut groups = Vec::new();
    if let Some(root) = &document.root {
        let [listed] = reader.problems.fields(root, "a rule file", ["groups"]);
        let mut names: HashMap<String, Place> = HashMap::new();
        for node in reader.problems.items(listed, "groups") {
            let group = reader.group(node);
            if let Some(first) = names.insert(group.name.clone(), node.place).filter(|_| !group.name.is_empty()) {
                let message = format!("group {:?} is there already, at {first}: take another name", group.name);
                reader.problems.add(node, message);
            }
            groups.push(group);
        }
    }
    if !reader.problems.is_empty() {
        return Err(reader.problems.into_list());
    }
    let mut warnings = document.warnings;
    warnings.extend(duplicates(&groups));
    Ok(RuleFile { name: name.to_owned(), groups, warnings })
}

/// Rules that yield the same series: one overwrites the other.
fn duplicates(groups: &[RuleGroup]) -> Vec<Problem> {
    let mut seen = HashMap::new();
    let mut out = Vec::new();
    for rule in groups.iter().flat_map(|group| &group.rules) {
        let labels: Vec<_> = rule.labels.iter().map(|(name, value)| (name.as_str(), value.text())).collect();
        if let Some(first) = seen.insert((rule.name.as_str(), labels), rule.place) {
            let message = format!(
                "{:?} with the same labels is there already, at {first}: give one of them another label",
                rule.name
            );
            out.push(Problem::new(rule.place, message));
        }
    }
    out
}

struct Reader<'a> {
    problems: Problems,
    lines: Vec<&'a str>,
}

impl Reader<'_> {
    fn group(&mut self, node: &Node) -> RuleGroup {
        let known = ["name", "interval", "query_offset", "limit", "labels", "rules"];
        let [name, interval, query_offset, limit, labels, rules] = self.problems.fields(node, "a group", known);
        let name = self.problems.text(name, "a group's name").unwrap_or_default();
        if name.is_empty() {
            self.problems.add(node, "the group has no name: write name: and one that no other group of the file has");
        }
        let common = self.labels(labels, true);
        let interval_ms = self.problems.duration(interval, "interval").filter(|ms| *ms > 0);
        let query_offset_ms = self.problems.duration(query_offset, "query_offset");
        let limit = self.problems.integer(limit, "limit").and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
        let nodes = self.problems.items(rules, "rules");
        let rules = nodes.into_iter().filter_map(|node| self.rule(node, &common)).collect();
        RuleGroup { name, interval_ms, limit, query_offset_ms, rules }
    }

    fn rule(&mut self, node: &Node, common: &BTreeMap<String, Template>) -> Option<Rule> {
        let known = ["record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"];
        let [record, alert, expr, hold, keep, labels, annotations] = self.problems.fields(node, "a rule", known);
        let record_name = self.problems.text(record, "record").filter(|name| !name.is_empty());
        let alert_name = self.problems.text(alert, "alert").filter(|name| !name.is_empty());
        let for_ms = self.problems.duration(hold, "for").unwrap_or(0);
        let keep_firing_for_ms = self.problems.duration(keep, "keep_firing_for").unwrap_or(0);
        match (&record_name, &alert_name) {
            (Some(_), Some(_)) => self.problems.add(node, "a rule has record or alert, not both: make it two rules"),
            (None, None) => self
                .problems
                .add(node, "a rule needs alert: with the name of the alert, or record: with the name of a new metric"),
            (Some(name), None) => {
                self.record_only(name, record, [hold, keep, annotations], [for_ms, keep_firing_for_ms]);
            }
            (None, Some(_)) => {}
        }
        let is_alert = alert_name.is_some();
        let mut own = self.labels(labels, is_alert);
        for (name, value) in common {
            own.entry(name.clone()).or_insert_with(|| value.clone());
        }
        let annotations = self.annotations(annotations, is_alert);
        let expr = self.expr(node, expr);
        let alert = is_alert.then_some(AlertParts { for_ms, keep_firing_for_ms, annotations });
        Some(Rule { name: alert_name.or(record_name)?, expr: expr?, alert, labels: own, place: node.place })
    }

    /// What a recording rule may not have.
    fn record_only(&mut self, name: &str, record: Option<&Node>, given: [Option<&Node>; 3], spans: [i64; 2]) {
        if let Some(record) = record.filter(|_| !is_metric_name(name)) {
            let message =
                format!("{name:?} is no name of a metric: letters, digits, _ and :, not beginning with a digit");
            self.problems.add(record, message);
        }
        let empty = |node: &Node| matches!(&node.kind, Kind::Map(pairs) if pairs.is_empty());
        let [hold, keep, annotations] = given;
        let wrong = [
            ("for", hold.filter(|_| spans[0] != 0)),
            ("keep_firing_for", keep.filter(|_| spans[1] != 0)),
            ("annotations", annotations.filter(|node| !empty(node))),
        ];
        for (field, node) in wrong {
            if let Some(node) = node {
                self.problems.add(node, format!("{field} belongs to alerts: take it out of this recording rule"));
            }
        }
    }

    fn expr(&mut self, rule: &Node, node: Option<&Node>) -> Option<Expr> {
        let Some(node) = node.filter(|node| node.text().is_some_and(|text| !text.is_empty())) else {
            self.problems.add(node.unwrap_or(rule), "the rule has no expr: write what to evaluate, in PromQL");
            return None;
        };
        let text = node.text().unwrap_or_default();
        match parse(text, &ParseOptions::default()) {
            Ok(expr) => Some(expr),
            Err(e) => {
                let place = self.inside(node, text, e.span.line, e.span.column);
                self.problems.push(Problem::new(place, format!("expr is no PromQL: {}", e.message)));
                None
            }
        }
    }

    fn labels(&mut self, node: Option<&Node>, templates: bool) -> BTreeMap<String, Template> {
        let mut out = BTreeMap::new();
        for (key, value, text) in self.problems.texts(node, "label") {
            let name = key.text().unwrap_or_default();
            if !is_label_name(name) || name == NAME_LABEL {
                let message = format!(
                    "{name:?} is no label name: letters, digits and _, not beginning with a digit, not __name__"
                );
                self.problems.add(key, message);
            }
            self.template(&mut out, name, value, &text, templates);
        }
        out
    }

    fn annotations(&mut self, node: Option<&Node>, templates: bool) -> BTreeMap<String, Template> {
        let mut out = BTreeMap::new();
        for (key, value, text) in self.problems.texts(node, "annotation") {
            let name = key.text().unwrap_or_default();
            if !is_label_name(name) {
                let message =
                    format!("{name:?} is no annotation name: letters, digits and _, not beginning with a digit");
                self.problems.add(key, message);
            }
            self.template(&mut out, name, value, &text, templates);
        }
        out
    }

    fn template(&mut self, out: &mut BTreeMap<String, Template>, name: &str, node: &Node, text: &str, parsed: bool) {
        let template = if parsed { Template::parse(text) } else { Ok(Template::plain(text)) };
        match template {
            Ok(template) => {
                out.insert(name.to_owned(), template);
            }
            Err(e) => {
                let place = self.inside(node, text, e.line, e.column);
                self.problems.push(Problem::new(place, format!("the template of {name:?}: {}", e.message)));
            }
        }
    }

    /// The place in the file of a place in a value: where the value's line stands as it is, that line,
    /// else (folded or escaped text) where the value begins.
    fn inside(&self, node: &Node, text: &str, line: u32, column: u32) -> Place {
        let wanted = text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
        let from = node.place.line.saturating_sub(1) as usize;
        let written = self.lines.iter().enumerate().skip(from).take(text.lines().count() + 2);
        let skipped = |i: usize| if i == from { node.place.column.saturating_sub(1) as usize } else { 0 };
        for (i, source) in written.filter(|_| !wanted.trim().is_empty()) {
            let start = source.char_indices().nth(skipped(i)).map_or(source.len(), |(at, _)| at);
            if let Some(at) = source[start..].find(wanted) {
                let before = source[..start + at].chars().count() as u32;
                return Place { line: i as u32 + 1, column: before + column };
            }
        }
        node.place
    }
}
