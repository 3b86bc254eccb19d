//! `squirrel status`: is the daemon well, and the network with it, on one screen.

use serde::Serialize;
use squirrel_api::client::{Client, ClientError};
use squirrel_api::{CollectorState, CollectorStatus, Level, Verdict};
use squirrel_model::Untrusted;

use crate::cli;
use crate::failure::{Class, classed, judged_bad};
use crate::interrupts::runtime;
use crate::{live_client, output};

/// Findings and faults of each collector that are shown; `--json` has all.
const MOST: usize = 8;

/// The document of `--json`.
#[derive(Debug, Serialize)]
struct Status {
    /// The version of this document's form.
    schema: &'static str,
    /// The daemon that was asked.
    address: String,
    /// Its version, with the commit if that is known.
    version: String,
    verdict: Verdict,
    collectors: Vec<CollectorStatus>,
}

/// Asks and prints. All is well with 0; anything else, not knowing among it, with 1.
pub(crate) fn run(args: &cli::Status) -> anyhow::Result<()> {
    let client = live_client::client(&args.server);
    let asked = runtime()?.block_on(ask(&client, &args.server));
    let status = asked.map_err(|error| match error {
        ClientError::NotRunning { .. } => classed(Class::Unreachable, &error.into()),
        other => other.into(),
    })?;
    if args.json {
        output::print(&(output::escaped(serde_json::to_string(&status)?) + "\n"))?;
    } else {
        output::print_lines(&lines(&status))?;
    }
    if status.verdict.level == Level::Ok { Ok(()) } else { Err(judged_bad()) }
}

async fn ask(client: &Client, address: &str) -> Result<Status, ClientError> {
    let verdict = client.resource("/api/verdict").await?;
    let collectors = client.resource("/api/collectors").await?;
    let build: serde_json::Value = client.resource("/api/v1/status/buildinfo").await?;
    let version = build["data"]["revision"].as_str().unwrap_or_default().to_owned();
    Ok(Status { schema: "squirrel.status/1", address: address.to_owned(), version, verdict, collectors })
}

fn lines(status: &Status) -> Vec<String> {
    let shown = |text: &str| Untrusted(text).to_string();
    let mut lines = vec![shown(&status.verdict.sentence)];
    let findings = &status.verdict.findings;
    for finding in findings.iter().take(MOST) {
        let level = if finding.level == Level::Bad { "bad" } else { "warning" };
        lines.push(format!("  {level:<8} {}", shown(&finding.sentence)));
        lines.extend(finding.check_first.first().map(|first| format!("           look first: {}", shown(first))));
    }
    if findings.len() > MOST {
        lines.push(format!("  and {} more; --json has all", findings.len() - MOST));
    }
    lines.push(format!("daemon     {}, {}", shown(&status.address), shown(&status.version)));
    let count = |state: CollectorState| status.collectors.iter().filter(|one| one.state == state).count();
    lines.push(format!(
        "collectors {} running, {} with faults, {} not available here, {} switched off",
        count(CollectorState::Running),
        count(CollectorState::Degraded),
        count(CollectorState::Unavailable),
        count(CollectorState::Disabled),
    ));
    for one in &status.collectors {
        let faults = one.faults.iter().map(|fault| format!("{}: {}", fault.subject, fault.reason));
        let texts = std::iter::once(one.sentence.clone()).filter(|text| !text.is_empty()).chain(faults);
        for text in texts.take(MOST) {
            lines.push(format!("  {}: {}", shown(&one.name), shown(&text)));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use squirrel_api::{FaultReport, Finding};

    use super::*;

    fn collector(name: &str, state: CollectorState, faults: &[(&str, &str)]) -> CollectorStatus {
        let report = |(subject, reason): &(&str, &str)| FaultReport {
            subject: (*subject).to_owned(),
            reason: (*reason).to_owned(),
        };
        CollectorStatus {
            name: name.to_owned(),
            about: String::new(),
            state,
            sentence: String::new(),
            duration_seconds: 0.0,
            faults: faults.iter().map(report).collect(),
        }
    }

    #[test]
    fn one_screen_says_what_is_wrong_first_and_obeys_nobody() {
        let finding = |at: usize| Finding {
            check: "x".into(),
            level: if at == 0 { Level::Bad } else { Level::Warning },
            subject: "eth0".to_owned(),
            sentence: format!("finding {at}"),
            value: 1.0,
            expr: "x".into(),
            check_first: vec!["the cable".into()],
        };
        let verdict = Verdict {
            time: None,
            level: Level::Bad,
            sentence: "eth0 is \u{1b}[2J down.".to_owned(),
            findings: (0..10).map(finding).collect(),
            not_judged: Vec::new(),
        };
        let collectors = vec![
            collector("netdev", CollectorState::Running, &[]),
            collector("accounting", CollectorState::Degraded, &[("keeper", "the keeper did not answer")]),
        ];
        let (address, version) = ("127.0.0.1:7775".to_owned(), "squirrel 0.1.0 (abc)".to_owned());
        let lines = lines(&Status { schema: "squirrel.status/1", address, version, verdict, collectors });
        assert_eq!(lines[0], "eth0 is \\u{1b}[2J down.");
        assert_eq!(lines[1..3], ["  bad      finding 0", "           look first: the cable"]);
        assert!(lines.contains(&"  and 2 more; --json has all".to_owned()), "{lines:#?}");
        assert!(lines.contains(&"daemon     127.0.0.1:7775, squirrel 0.1.0 (abc)".to_owned()), "{lines:#?}");
        let counts = "collectors 1 running, 1 with faults, 0 not available here, 0 switched off";
        assert!(lines.contains(&counts.to_owned()), "{lines:#?}");
        assert_eq!(lines.last().map(String::as_str), Some("  accounting: keeper: the keeper did not answer"));
    }
}
