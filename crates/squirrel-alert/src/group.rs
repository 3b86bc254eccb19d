//! A group of rules over time: what to append to the store, which alerts there are, how each rule does.
//!
//! The method is that of Prometheus (`rules/group.go`, `rules/alerting.go`), so that files behave here as
//! they do there.

mod carry;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use squirrel_model::{Elapsed, Labels, NAME_LABEL, Select, Timestamp, stale_marker};
use squirrel_promql::{Engine, EvalOptions, ParseOptions, parse};

use crate::alert::{ALERT_NAME, Alert, AlertState, Alerts};
use crate::source::Source;
use crate::{Rule, RuleGroup, TemplateData};

/// A sample to append.
#[derive(Clone, Debug, PartialEq)]
pub struct NewSample {
    /// Its series.
    pub labels: Labels,
    /// Its moment.
    pub time: Timestamp,
    /// Its value; the stale marker where a series ended.
    pub value: f64,
}

/// What all evaluations share.
pub struct Surroundings<'a> {
    /// Labels that this Squirrel adds to everything it tells others.
    pub external_labels: &'a Labels,
    /// Where its pages are found.
    pub external_url: &'a str,
    /// Lookback and limits of queries; another engine has its own.
    pub options: &'a EvalOptions,
    /// By how many milliseconds queries look into the past, unless a group says otherwise.
    pub query_offset_ms: i64,
    /// Asked now and then during queries; yes ends them.
    pub stop: &'a dyn Fn() -> bool,
    /// The monotonic clock, by which evaluations are timed.
    pub elapsed: &'a dyn Fn() -> Elapsed,
}

/// How a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Not evaluated yet.
    Unknown,
    /// The last evaluation had a result.
    Ok,
    /// The last evaluation failed, and why.
    Bad(String),
}

/// A rule, its alerts, and how it does.
#[derive(Clone, Debug)]
pub struct RuleStatus {
    /// The rule.
    pub rule: Rule,
    /// How it does.
    pub health: Health,
    /// How long the last evaluation took.
    pub took: Duration,
    /// When it was evaluated last.
    pub last_evaluation: Option<Timestamp>,
    alerts: Alerts,
    /// Series of the last result, to mark those that end.
    returned: BTreeSet<Labels>,
}

impl RuleStatus {
    /// Alerts that are pending or firing, in the order of their labels.
    pub fn active_alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.iter().filter(|alert| alert.state != AlertState::Inactive)
    }

    /// All alerts, with those that ended within the last quarter of an hour.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.iter()
    }

    /// The highest state of its alerts.
    pub fn state(&self) -> AlertState {
        self.alerts.iter().map(|alert| alert.state).max().unwrap_or(AlertState::Inactive)
    }
}

/// A group and the state of its rules.
#[derive(Clone, Debug)]
pub struct Group {
    /// Name of the rule file.
    pub file: String,
    /// Name of the group.
    pub name: String,
    /// Milliseconds between evaluations; none for the default of the program.
    pub interval_ms: Option<i64>,
    /// Most series or alerts of one rule.
    pub limit: Option<u64>,
    /// When it was evaluated last.
    pub last_evaluation: Option<Timestamp>,
    /// How long that took.
    pub took: Duration,
    query_offset_ms: Option<i64>,
    rules: Vec<RuleStatus>,
    /// Whether the alerts' samples may be written: not before those of the last run were read.
    restored: bool,
    /// Series of rules that a reload took away, to be marked as ended.
    ended: BTreeSet<Labels>,
}

impl Group {
    /// A group whose alerts have no past.
    pub fn new(file: &str, group: RuleGroup) -> Self {
        let rules = group.rules.into_iter().map(|rule| RuleStatus {
            rule,
            health: Health::Unknown,
            took: Duration::ZERO,
            last_evaluation: None,
            alerts: Alerts::default(),
            returned: BTreeSet::new(),
        });
        Self {
            file: file.to_owned(),
            name: group.name,
            interval_ms: group.interval_ms,
            limit: group.limit,
            last_evaluation: None,
            took: Duration::ZERO,
            query_offset_ms: group.query_offset_ms,
            rules: rules.collect(),
            restored: true,
            ended: BTreeSet::new(),
        }
    }

    /// A group after a start of the program: evaluate it once, then call [`Group::restore`]. Until then its
    /// alerts write no samples, which would hide those of the last run.
    pub fn after_start(file: &str, group: RuleGroup) -> Self {
        Self { restored: false, ..Self::new(file, group) }
    }

    /// The rules, in the order of the text.
    pub fn rules(&self) -> &[RuleStatus] {
        &self.rules
    }

    /// Evaluates all rules at one moment, each seeing what those before it yielded. The answer is to be
    /// appended to the store.
    pub fn evaluate(&mut self, store: &dyn Select, at: Timestamp, around: &Surroundings<'_>) -> Vec<NewSample> {
        self.evaluate_over(Source::samples(store), at, around)
    }

    /// The same with another engine, which answers from its own samples. What rules yield is in its answers only
    /// after somebody brought it there: a rule sees what those before it yielded at an earlier evaluation, or
    /// never. While the engine gives no answer, alerts stay as they are and samples are missing.
    pub fn evaluate_by(&mut self, engine: &dyn Engine, at: Timestamp, around: &Surroundings<'_>) -> Vec<NewSample> {
        self.evaluate_over(Source::Engine(engine), at, around)
    }

    fn evaluate_over(&mut self, mut seen: Source<'_>, at: Timestamp, around: &Surroundings<'_>) -> Vec<NewSample> {
        let began = (around.elapsed)();
        let time = at.plus_ms(-self.query_offset_ms.unwrap_or(around.query_offset_ms));
        let mut out = Vec::new();
        for status in &mut self.rules {
            let rule_began = (around.elapsed)();
            let result = match &status.rule.alert {
                None => record(&status.rule, &seen, time, self.limit, around),
                Some(_) => alert(status, &seen, at, time, self.limit, around)
                    .map(|()| if self.restored { status.alerts.samples(time) } else { Vec::new() }),
            };
            match result {
                Ok(mut samples) => {
                    let now: BTreeSet<Labels> = samples.iter().map(|one| one.labels.clone()).collect();
                    for labels in status.returned.difference(&now) {
                        samples.push(NewSample { labels: labels.clone(), time, value: stale_marker() });
                    }
                    status.returned = now;
                    status.health = Health::Ok;
                    seen.add(&samples);
                    out.append(&mut samples);
                }
                Err(reason) => status.health = Health::Bad(reason),
            }
            status.last_evaluation = Some(at);
            status.took = (around.elapsed)().0.saturating_sub(rule_began.0);
        }
        // What another rule yields now has not ended.
        let gone = std::mem::take(&mut self.ended);
        let gone = gone.into_iter().filter(|labels| !self.rules.iter().any(|status| status.returned.contains(labels)));
        out.extend(gone.map(|labels| NewSample { labels, time, value: stale_marker() }));
        self.last_evaluation = Some(at);
        self.took = (around.elapsed)().0.saturating_sub(began.0);
        out
    }
}

const SAME: &str =
    "two results have the same labels after those of the rule were set: keep a label that tells them apart";

fn record(
    rule: &Rule,
    source: &Source<'_>,
    time: Timestamp,
    limit: Option<u64>,
    around: &Surroundings<'_>,
) -> Result<Vec<NewSample>, String> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for (labels, value) in source.instant(&rule.expr, time, around)? {
        let mut builder = labels.to_builder();
        builder.set(NAME_LABEL, &rule.name);
        for (name, value) in &rule.labels {
            builder.set(name, value.text());
        }
        let labels = builder.build().map_err(|e| e.to_string())?;
        if !seen.insert(labels.clone()) {
            return Err(SAME.to_owned());
        }
        out.push(NewSample { labels, time, value });
    }
    match limit {
        Some(limit) if out.len() as u64 > limit => {
            Err(format!("{} series are more than the limit of {limit}: none is recorded", out.len()))
        }
        _ => Ok(out),
    }
}

fn alert(
    status: &mut RuleStatus,
    source: &Source<'_>,
    at: Timestamp,
    time: Timestamp,
    limit: Option<u64>,
    around: &Surroundings<'_>,
) -> Result<(), String> {
    let Some(parts) = &status.rule.alert else { return Ok(()) };
    let query = |text: &str| {
        let expr = parse(text, &ParseOptions::default()).map_err(|e| e.to_string())?;
        source.instant(&expr, time, around)
    };
    let mut found: BTreeMap<Labels, Alert> = BTreeMap::new();
    for (labels, value) in source.instant(&status.rule.expr, time, around)? {
        let data = TemplateData {
            labels: &labels,
            value,
            external_labels: around.external_labels,
            external_url: around.external_url,
            now: at,
            query: &query,
        };
        let mut builder = labels.to_builder();
        builder.remove(NAME_LABEL);
        for (name, template) in &status.rule.labels {
            builder.set(name, template.expand_or_show(&data));
        }
        builder.set(ALERT_NAME, &status.rule.name);
        let alert_labels = builder.build().map_err(|e| e.to_string())?;
        let texts = parts.annotations.iter().map(|(name, text)| (name.clone(), text.expand_or_show(&data)));
        let alert = Alert::new(alert_labels.clone(), texts.collect(), value, at);
        if found.insert(alert_labels, alert).is_some() {
            return Err(SAME.to_owned());
        }
    }
    status.alerts.step(found, at, parts.for_ms, parts.keep_firing_for_ms, limit)
}
