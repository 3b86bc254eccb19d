//! What a message says to people, before a channel dresses it.

use squirrel_alert::Template;
use squirrel_model::Timestamp;
use squirrel_notify::{Notification, NotifiedAlert, Reason, Texts};

use super::escape::{lines, link, one_line};
use super::facts::{Severity, moment, number, span};
use super::template::tree;

/// Alerts that a message for people tells one by one.
const MAX_TOLD: usize = 20;
/// Longest title, in characters.
const TITLE: usize = 200;
/// Longest summary.
const SUMMARY: usize = 300;
/// Longest description, and longest text from a template.
const TEXT: usize = 16_000;
/// Labels of an alert that are told, and the longest value.
const LABELS: usize = 32;
const LABEL: usize = 256;

/// What the queue knows of a message that its sender did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Circumstances {
    /// When it is sent.
    pub(crate) at: Timestamp,
    /// The message about the beginning never arrived.
    pub(crate) is_first_word: bool,
    /// The channel that did not take it.
    pub(crate) instead_of: Option<String>,
}

/// A message in words: every text is clean and bounded, none is escaped for a language.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) title: String,
    /// In place of the alerts, when the channel has a template.
    pub(crate) custom: Option<String>,
    pub(crate) alerts: Vec<AlertWords>,
    /// Alerts that are not told one by one.
    pub(crate) more: usize,
    /// What a reader must know about the message itself.
    pub(crate) notes: Vec<String>,
    pub(crate) severity: Severity,
    /// Squirrel's pages.
    pub(crate) url: Option<String>,
}

/// One alert in words.
#[derive(Clone, Debug)]
pub(crate) struct AlertWords {
    /// `FIRING` or `RESOLVED`.
    pub(crate) state: &'static str,
    pub(crate) severity: Severity,
    pub(crate) name: String,
    pub(crate) summary: String,
    pub(crate) description: String,
    /// `0.93, threshold 0.8`.
    pub(crate) value: String,
    /// `since 2026-11-21 15:24:00 UTC, for 5m`.
    pub(crate) when: String,
    /// What to look at first.
    pub(crate) checks: Vec<String>,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) acknowledged_by: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) runbook: Option<String>,
}

/// The words of a message. A template that fails is replaced by what would stand there without it, and the failure is
/// told beside it.
pub(crate) fn words(
    notification: &Notification,
    title: Option<&Template>,
    template: Option<&Template>,
    circumstances: &Circumstances,
) -> Words {
    let mut notes = Vec::new();
    if let Some(channel) = &circumstances.instead_of {
        notes.push(format!("Told here because the channel {channel} does not take its messages."));
    }
    if circumstances.is_first_word {
        notes.push(
            "It began and ended while this channel could not be reached: this is the first word of it.".to_owned(),
        );
    }
    let mut fill = |what: &str, template: &Template| match template.fill(
        &tree(notification),
        &notification.external_url,
        circumstances.at,
    ) {
        Ok(text) => Some(text),
        Err(error) => {
            notes.push(format!("The {what} of this channel failed: {}", one_line(&error.to_string(), 300)));
            None
        }
    };
    let own_title = title.and_then(|template| fill("title template", template));
    let custom = template.and_then(|template| fill("template", template));
    let title = own_title.map(|text| one_line(text.trim(), TITLE)).filter(|text| !text.is_empty());
    Words {
        title: title.unwrap_or_else(|| usual_title(notification)),
        custom: custom.map(|text| lines(text.trim(), TEXT)),
        alerts: notification.alerts.iter().take(MAX_TOLD).map(|alert| alert_words(alert, circumstances.at)).collect(),
        more: notification.more + notification.alerts.len().saturating_sub(MAX_TOLD),
        notes,
        severity: severity_of(notification),
        url: link(&notification.external_url).map(str::to_owned),
    }
}

/// The worst severity of what fires.
pub(super) fn severity_of(notification: &Notification) -> Severity {
    let firing = notification.alerts.iter().filter(|alert| alert.firing);
    let worst = firing.map(|alert| Severity::of(alert.labels.get("severity").map_or("", String::as_str))).max();
    worst.unwrap_or(if notification.reason == Reason::Resolved { Severity::Good } else { Severity::Info })
}

fn usual_title(notification: &Notification) -> String {
    let firing = notification.alerts.iter().filter(|alert| alert.firing).count();
    let state = match notification.reason {
        Reason::Test => "TEST".to_owned(),
        Reason::Resolved => "RESOLVED".to_owned(),
        reason => {
            let word = match reason {
                Reason::Escalated => "ESCALATED",
                Reason::Repeat => "STILL FIRING",
                _ => "FIRING",
            };
            let count = firing + notification.more;
            if count > 1 { format!("{word} ({count})") } else { word.to_owned() }
        }
    };
    let told = match notification.alerts.as_slice() {
        [alert] if notification.more == 0 => summary_of(alert),
        _ => group_name(notification),
    };
    one_line(&format!("{state}: {told}"), TITLE)
}

/// The name that alerts of a group share, and what else they were put together by.
pub(super) fn group_name(notification: &Notification) -> String {
    let name = |texts: &Texts| texts.get("alertname").map(|name| one_line(name, LABEL));
    let name = name(&notification.group_labels).or_else(|| name(&notification.common_labels));
    let others: Vec<String> = notification
        .group_labels
        .iter()
        .filter(|(key, _)| *key != "alertname")
        .map(|(key, value)| format!("{}={}", one_line(key, 64), one_line(value, 64)))
        .collect();
    let name = name.unwrap_or_else(|| "several alerts".to_owned());
    if others.is_empty() { name } else { format!("{name} ({})", others.join(", ")) }
}

fn name_of(alert: &NotifiedAlert) -> String {
    one_line(alert.labels.get("alertname").map_or("alert", String::as_str), LABEL)
}

fn summary_of(alert: &NotifiedAlert) -> String {
    match alert.annotations.get("summary").or_else(|| alert.annotations.get("title")) {
        Some(text) if !text.trim().is_empty() => one_line(text.trim(), SUMMARY),
        _ => name_of(alert),
    }
}

fn alert_words(alert: &NotifiedAlert, at: Timestamp) -> AlertWords {
    let severity = Severity::of(alert.labels.get("severity").map_or("", String::as_str));
    let description = alert.annotations.get("description").or_else(|| alert.annotations.get("message"));
    let threshold = alert.threshold.map(|limit| format!(", threshold {}", number(limit))).unwrap_or_default();
    let since = moment(alert.starts_at_ms);
    let when = match alert.ends_at_ms {
        Some(end) if !alert.firing => format!("{since} to {}, for {}", moment(end), span(end - alert.starts_at_ms)),
        _ => format!("since {since}, for {}", span(at.0 - alert.starts_at_ms)),
    };
    let checks = alert.annotations.iter().filter(|(name, text)| name.starts_with("check_") && !text.is_empty());
    AlertWords {
        state: if alert.firing { "FIRING" } else { "RESOLVED" },
        severity: if alert.firing { severity } else { Severity::Good },
        name: name_of(alert),
        summary: summary_of(alert),
        description: lines(description.map_or("", |text| text.trim()), TEXT / 8),
        value: format!("{}{threshold}", number(alert.value)),
        when,
        checks: checks.take(8).map(|(_, text)| one_line(text, SUMMARY)).collect(),
        labels: alert
            .labels
            .iter()
            .filter(|(name, _)| *name != "alertname")
            .take(LABELS)
            .map(|(name, value)| (one_line(name, 64), one_line(value, LABEL)))
            .collect(),
        acknowledged_by: alert.acknowledged_by.as_ref().map(|name| one_line(name, 64)),
        url: link(&alert.generator_url).map(str::to_owned),
        runbook: alert.annotations.get("runbook_url").and_then(|url| link(url)).map(str::to_owned),
    }
}

impl Words {
    /// All of it as lines of plain text.
    pub(crate) fn plain(&self) -> String {
        let mut out = String::new();
        for note in &self.notes {
            out += &format!("{note}\n");
        }
        if let Some(custom) = &self.custom {
            return out + custom;
        }
        for (i, alert) in self.alerts.iter().enumerate() {
            if i > 0 || !out.is_empty() {
                out.push('\n');
            }
            out += &alert.plain();
        }
        if self.more > 0 {
            out += &format!("\nand {} more\n", self.more);
        }
        out.truncate(out.trim_end().len());
        out
    }
}

impl AlertWords {
    /// The lines of one alert.
    pub(super) fn plain(&self) -> String {
        let mut out = format!("{}: {}\n", self.state, self.summary);
        if !self.description.is_empty() {
            out += &format!("{}\n", self.description);
        }
        out += &format!("Value {}; {}\n", self.value, self.when);
        for (i, check) in self.checks.iter().enumerate() {
            out += &format!("{}. {check}\n", i + 1);
        }
        if let Some(name) = &self.acknowledged_by {
            out += &format!("Acknowledged by {name}\n");
        }
        out += &format!("{}{}\n", self.name, self.labels_line());
        for url in [&self.runbook, &self.url].into_iter().flatten() {
            out += &format!("{url}\n");
        }
        out
    }

    /// ` {device="eth0", severity="warning"}`.
    pub(super) fn labels_line(&self) -> String {
        if self.labels.is_empty() {
            return String::new();
        }
        let labels: Vec<String> =
            self.labels.iter().map(|(name, value)| format!("{name}=\"{}\"", value.replace('"', "\\\""))).collect();
        format!(" {{{}}}", labels.join(", "))
    }
}
