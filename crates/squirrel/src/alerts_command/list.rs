//! `squirrel alerts`: what fires and what is about to.

use anyhow::Context as _;
use serde::Serialize;
use squirrel_api::client::ClientError;
use squirrel_api::reply::Reply;
use squirrel_api::rules::{Rule, RuleAlert, RuleGroups};

use super::args::List;
use super::number;
use crate::failure::{Class, classed};
use crate::live_client::client;
use crate::output;
use crate::table::{Column, lines};

#[derive(Debug, Serialize)]
struct Document {
    schema: u32,
    alerts: Vec<Listed>,
}

/// An alert and the rule that it is of.
#[derive(Debug, Serialize)]
struct Listed {
    alert: String,
    group: String,
    file: String,
    query: String,
    #[serde(flatten)]
    one: RuleAlert,
}

const COLUMNS: &[Column] = &[
    Column::left("STATE", 0),
    Column::left("SEVERITY", 0),
    Column::left("ALERT", 12),
    Column::left("SINCE", 0),
    Column::right("VALUE"),
    Column::left("SUMMARY", 20),
];

pub(super) fn run(args: &List) -> anyhow::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?;
    let asked = runtime.block_on(async {
        let parameters = [("type", "alert".to_owned())];
        client(&args.server).get_resource::<Reply<RuleGroups>>("/api/v1/rules", &parameters).await
    });
    let reply = asked.map_err(|error| match error {
        ClientError::NotRunning { .. } => classed(Class::Unreachable, &error.into()),
        error => error.into(),
    })?;
    let mut alerts: Vec<Listed> = Vec::new();
    for group in reply.data.unwrap_or_default().groups {
        for rule in group.rules {
            let Rule::Alerting(rule) = rule else { continue };
            alerts.extend(rule.alerts.into_iter().map(|one| Listed {
                alert: rule.name.clone(),
                group: group.name.clone(),
                file: group.file.clone(),
                query: rule.query.clone(),
                one,
            }));
        }
    }
    // What fires first, the gravest of it before the rest, the newest before the older.
    alerts.sort_by_key(|listed| {
        (listed.one.state != "firing", grade(listed), std::cmp::Reverse(listed.one.active_at.clone()))
    });
    if args.json {
        return output::print_json(&Document { schema: 1, alerts });
    }
    if alerts.is_empty() {
        return Ok(output::print("no alert fires or is about to\n")?);
    }
    let rows: Vec<Vec<String>> = alerts.iter().map(row).collect();
    let width = squirrel_sys::terminal::size().map(|(_, columns)| columns);
    Ok(output::print_lines(&lines(COLUMNS, &rows, width, true))?)
}

/// Smaller is graver.
fn grade(listed: &Listed) -> u8 {
    match listed.one.labels.get("severity").map(String::as_str) {
        Some("critical" | "page") => 0,
        Some("warning") => 1,
        None => 2,
        Some(_) => 3,
    }
}

fn row(listed: &Listed) -> Vec<String> {
    let one = &listed.one;
    let text = |name: &str| one.annotations.get(name).filter(|text| !text.is_empty()).cloned();
    let labels = || {
        let labels = one.labels.iter().filter(|(name, _)| *name != "alertname");
        labels.map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>().join(" ")
    };
    vec![
        one.state.clone(),
        one.labels.get("severity").cloned().unwrap_or_default(),
        listed.alert.clone(),
        one.active_at.clone(),
        one.value.parse().map_or_else(|_| one.value.clone(), number),
        text("summary").or_else(|| text("description")).unwrap_or_else(labels),
    ]
}
