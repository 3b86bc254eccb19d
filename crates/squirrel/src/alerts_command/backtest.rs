//! `squirrel alerts backtest`: a rule file on the past.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Serialize;
use squirrel_alert::{Backtest as Found, Episode, RuleFile, Surroundings, backtest, built_in_rules};
use squirrel_api::params::parse_duration_ms;
use squirrel_api::rules::moment;
use squirrel_model::{Elapsed, TimeRange, Timestamp, Untrusted, duration_text};
use squirrel_promql::EvalOptions;
use squirrel_store::dir::RealDir;
use squirrel_store::offline;
use squirrel_sys::clock;

use super::args::Backtest;
use super::number;
use crate::config::{Config, Environment, Flags};
use crate::failure::{Class, classed};
use crate::table::{Column, lines};
use crate::{output, rule_files};

#[derive(Debug, Serialize)]
struct Document {
    schema: u32,
    file: String,
    from: String,
    to: String,
    evaluations: u64,
    alerts: Vec<Told>,
    alerts_left_out: usize,
    failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
struct Told {
    group: String,
    alert: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    active_at: String,
    fired_at: String,
    resolved_at: Option<String>,
    seconds: f64,
    greatest_value: f64,
    least_value: f64,
}

#[derive(Debug, Serialize)]
struct Failure {
    rule: String,
    reason: String,
    times: u64,
}

const COLUMNS: &[Column] = &[
    Column::left("ALERT", 12),
    Column::left("FIRED", 0),
    Column::right("FOR"),
    Column::right("MOST"),
    Column::right("LEAST"),
    Column::left("LABELS", 20),
];

pub(super) fn run(args: &Backtest, environment: &Environment) -> anyhow::Result<()> {
    let usage = |error: anyhow::Error| classed(Class::Usage, &error);
    let since_ms =
        parse_duration_ms(&args.since).with_context(|| format!("--since {:?}", args.since)).map_err(usage)?;
    let step_ms = args.step.as_ref().map(|step| parse_duration_ms(step).with_context(|| format!("--step {step:?}")));
    let step_ms = step_ms.transpose().map_err(usage)?.filter(|ms| *ms > 0);
    let flags = Flags { config: args.source.config.clone(), data_dir: args.data_dir.clone(), ..Flags::default() };
    let config = Config::load(&flags, environment).map_err(usage)?;
    let rules = match &args.file {
        Some(file) => rule_files::read(file).map_err(usage)?,
        None => built_in_rules(&config.alerts.thresholds)?,
    };
    let dir = RealDir::existing(&config.directory.value).map_err(crate::store_command::of_store)?;
    let now = clock::wall();
    let (select, report) = offline::snapshot(&dir, now).map_err(crate::store_command::of_store)?;
    // The newest reading, not now: a daemon that stopped yesterday left no faults today.
    let end = report.newest.unwrap_or(now).min(now);
    let range = TimeRange::new(end.plus_ms(-since_ms), end);
    let around = Surroundings {
        external_labels: &config.alerts.external_labels,
        external_url: &config.alerts.external_url.value,
        options: &EvalOptions::default(),
        query_offset_ms: 0,
        stop: &|| false,
        elapsed: &Elapsed::default,
    };
    let usual_ms = i64::try_from(config.alerts.interval.value.as_millis()).unwrap_or(i64::MAX);
    let found = backtest(&rules, select.as_ref(), range, (step_ms, usual_ms), &around).map_err(|e| usage(e.into()))?;
    if args.json {
        output::print_json(&document(&rules, range, found))
    } else {
        Ok(output::print(&shown(&rules, range, &found))?)
    }
}

fn document(rules: &RuleFile, range: TimeRange, found: Found) -> Document {
    let end = range.end;
    let failures = found.failures.into_iter().map(|(rule, (reason, times))| Failure { rule, reason, times });
    Document {
        schema: 1,
        file: rules.name.clone(),
        from: moment(Some(range.start)),
        to: moment(Some(end)),
        evaluations: found.evaluations,
        alerts: found.episodes.iter().map(|one| fired(one, end)).collect(),
        alerts_left_out: found.more,
        failures: failures.collect(),
    }
}

fn fired(episode: &Episode, end: Timestamp) -> Told {
    Told {
        group: episode.group.clone(),
        alert: episode.alert.clone(),
        labels: episode.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        annotations: episode.annotations.clone(),
        active_at: moment(Some(episode.active_at)),
        fired_at: moment(Some(episode.fired_at)),
        resolved_at: episode.resolved_at.map(|at| moment(Some(at))),
        seconds: length_ms(episode, end) as f64 / 1000.0,
        greatest_value: episode.values.0,
        least_value: episode.values.1,
    }
}

/// How long it fired, up to the end of the look.
fn length_ms(episode: &Episode, end: Timestamp) -> i64 {
    episode.resolved_at.unwrap_or(end).millis().saturating_sub(episode.fired_at.millis())
}

/// A table of what fired, then one line for each rule that did, then what failed.
fn shown(rules: &RuleFile, range: TimeRange, found: &Found) -> String {
    let rows: Vec<Vec<String>> = found
        .episodes
        .iter()
        .map(|one| {
            let length = duration_text(length_ms(one, range.end));
            let labels: Vec<String> = one
                .labels
                .iter()
                .filter(|(name, _)| *name != "alertname")
                .map(|(name, value)| format!("{name}={value:?}"))
                .collect();
            vec![
                one.alert.clone(),
                moment(Some(one.fired_at)),
                if one.resolved_at.is_some() { length } else { format!("{length}, on") },
                number(one.values.0),
                number(one.values.1),
                labels.join(" "),
            ]
        })
        .collect();
    let mut text = String::new();
    if !rows.is_empty() {
        for line in lines(COLUMNS, &rows, None, true) {
            text += &line;
            text.push('\n');
        }
    }
    if found.more > 0 {
        text += &format!("and {} more, which are not kept\n", found.more);
    }
    let mut sums: BTreeMap<&str, (usize, i64)> = BTreeMap::new();
    for one in &found.episodes {
        let sum = sums.entry(&one.alert).or_default();
        *sum = (sum.0 + 1, sum.1.saturating_add(length_ms(one, range.end)));
    }
    for (alert, (times, ms)) in &sums {
        let word = if *times == 1 { "time" } else { "times" };
        text += &format!("{} would have fired {times} {word}, {} in all\n", Untrusted(alert), duration_text(*ms));
    }
    let all = rules.groups.iter().flat_map(|group| &group.rules);
    let alerts = all.filter(|rule| rule.alert.is_some()).count();
    let quiet = alerts.saturating_sub(sums.len());
    text += &format!(
        "{quiet} of {alerts} alerts would have kept quiet from {} to {} ({} evaluations)\n",
        moment(Some(range.start)),
        moment(Some(range.end)),
        found.evaluations
    );
    for (rule, (reason, times)) in &found.failures {
        text += &format!("{} failed {times} times: {}\n", Untrusted(rule), Untrusted(reason));
    }
    text
}
