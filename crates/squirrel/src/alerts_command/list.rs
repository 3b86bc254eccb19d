//! `squirrel alerts`: what fires, what is about to, and who was told.

use serde::Serialize;
use squirrel_api::alerts::ShownAlert;
use squirrel_api::rules::moment;
use squirrel_model::{Timestamp, Untrusted};

use super::args::List;
use super::number;
use crate::output;
use crate::table::{Column, lines};

#[derive(Debug, Serialize)]
struct Document {
    schema: u32,
    time: f64,
    alerts: Vec<ShownAlert>,
    alerts_left_out: usize,
    problems: Vec<String>,
}

const COLUMNS: &[Column] = &[
    Column::left("STATE", 0),
    Column::left("SEVERITY", 0),
    Column::left("ALERT", 12),
    Column::left("SINCE", 0),
    Column::right("VALUE"),
    Column::right("LIMIT"),
    Column::left("SUMMARY", 20),
];

pub(super) fn run(args: &List) -> anyhow::Result<()> {
    let mut page = crate::alert_actions::ask(&args.server)?;
    page.alerts.retain(|alert| alert.state != "inactive");
    if args.json {
        let (alerts, problems) = (page.alerts, page.problems);
        let alerts_left_out = page.alerts_left_out;
        return output::print_json(&Document { schema: 1, time: page.time, alerts, alerts_left_out, problems });
    }
    for problem in page.problems.iter().flat_map(|problem| problem.lines()) {
        output::complain(&Untrusted(problem).to_string());
    }
    if page.alerts.is_empty() {
        return Ok(output::print("no alert fires or is about to\n")?);
    }
    let rows: Vec<Vec<String>> = page.alerts.iter().map(row).collect();
    let width = squirrel_sys::terminal::size().map(|(_, columns)| columns);
    let mut printed = lines(COLUMNS, &rows, width, true);
    if page.alerts_left_out > 0 {
        printed.push(format!("and {} more", page.alerts_left_out));
    }
    Ok(output::print_lines(&printed)?)
}

/// How far it has come, or what keeps people from being told.
fn state(alert: &ShownAlert) -> String {
    if alert.state != "firing" {
        alert.state.clone()
    } else if !alert.silenced_by.is_empty() {
        "silenced".to_owned()
    } else if alert.acknowledgement.is_some() {
        "acknowledged".to_owned()
    } else if alert.held.is_empty() {
        "firing".to_owned()
    } else {
        "held back".to_owned()
    }
}

/// A label's value; nothing where it has none of this name.
pub(super) fn label(alert: &ShownAlert, name: &str) -> String {
    alert.labels.get(name).cloned().unwrap_or_default()
}

/// What it is about: its own words, else its labels.
pub(super) fn summary(alert: &ShownAlert) -> String {
    let text = |name: &str| alert.annotations.get(name).filter(|text| !text.is_empty()).cloned();
    let labels = || {
        let labels = alert.labels.iter().filter(|(name, _)| *name != "alertname");
        labels.map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>().join(" ")
    };
    text("summary").or_else(|| text("description")).unwrap_or_else(labels)
}

fn row(alert: &ShownAlert) -> Vec<String> {
    vec![
        state(alert),
        label(alert, "severity"),
        label(alert, "alertname"),
        moment(Some(Timestamp::from_seconds(alert.starts_at))),
        alert.value.map_or_else(|| "-".to_owned(), number),
        alert.threshold.map_or_else(|| "-".to_owned(), number),
        summary(alert),
    ]
}
