//! A mail's parts: subject, text, HTML with the chart, and what puts it into its thread.

use ring::digest::{SHA256, digest};
use squirrel_notify::Notification;

use super::escape::{hex, html_text, one_line};
use super::words::{AlertWords, Words};
use crate::chart;

/// The chart's name within the mail.
pub(crate) const CHART_ID: &str = "chart@squirrel";
/// Longest subject, in characters.
const SUBJECT: usize = 160;

/// What a mail is put together from.
#[derive(Clone, Debug)]
pub(crate) struct MailParts {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    /// The picture, as PNG.
    pub(crate) chart: Option<Vec<u8>>,
    /// This mail's own identifier, without angle brackets: the same at each attempt, so that a server or a reader can
    /// tell a repetition.
    pub(crate) message_id: String,
    /// The identifier that all mails of a group refer to. No mail has it itself: readers put together what refers to
    /// the same, and so a thread needs no memory of what was sent.
    pub(crate) thread_id: String,
}

/// The parts of a message; `domain` is the right side of its identifiers.
pub(crate) fn mail_parts(notification: &Notification, words: &Words, domain: &str) -> MailParts {
    let chart = notification.chart.as_ref().and_then(chart::png);
    MailParts {
        subject: one_line(&words.title, SUBJECT),
        text: text(words),
        html: html(words, chart.is_some()),
        chart,
        message_id: format!("squirrel-{:016x}-{}@{domain}", notification.id, short_hash(&notification.channel)),
        thread_id: format!("squirrel-thread-{}@{domain}", short_hash(&notification.group_key)),
    }
}

fn short_hash(text: &str) -> String {
    hex(&digest(&SHA256, text.as_bytes()).as_ref()[..12])
}

fn text(words: &Words) -> String {
    let mut text = words.plain();
    if let Some(url) = &words.url {
        text += &format!("\n\n-- \nSquirrel: {url}");
    }
    text + "\n"
}

fn html(words: &Words, has_chart: bool) -> String {
    let colour = words.severity.colour();
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body style=\"margin:0;padding:16px;font:15px/1.45 system-ui,sans-serif;color:#1f2328;background:#fff\">\
         <div style=\"border-left:6px solid #{colour:06x};padding:2px 12px\">\
         <h1 style=\"font-size:19px;margin:0 0 8px\">{title}</h1>\n",
        title = html_text(&words.title),
    );
    for note in &words.notes {
        out += &format!("<p><em>{}</em></p>\n", html_text(note));
    }
    if has_chart {
        out += &format!(
            "<p><img src=\"cid:{CHART_ID}\" width=\"{}\" height=\"{}\" alt=\"The value over time\"></p>\n",
            chart::WIDTH,
            chart::HEIGHT
        );
    }
    if let Some(custom) = &words.custom {
        out += &format!("<div style=\"white-space:pre-wrap\">{}</div>\n", html_text(custom));
    } else {
        words.alerts.iter().for_each(|alert| out += &one(alert));
        if words.more > 0 {
            out += &format!("<p>and {} more</p>\n", words.more);
        }
    }
    if let Some(url) = &words.url {
        out += &format!("<p><a href=\"{}\">Squirrel</a></p>\n", html_text(url));
    }
    out + "</div></body></html>\n"
}

fn one(alert: &AlertWords) -> String {
    let colour = alert.severity.colour();
    let mut out = format!(
        "<h2 style=\"font-size:16px;margin:16px 0 4px\"><span style=\"color:#{colour:06x}\">{}</span> {}</h2>\n",
        alert.state,
        html_text(&alert.summary)
    );
    if !alert.description.is_empty() {
        out += &format!("<p style=\"white-space:pre-wrap;margin:4px 0\">{}</p>\n", html_text(&alert.description));
    }
    out += &format!(
        "<p style=\"margin:4px 0\">Value <b>{}</b>; {}</p>\n",
        html_text(&alert.value),
        html_text(&alert.when)
    );
    if !alert.checks.is_empty() {
        out += "<ol style=\"margin:4px 0\">";
        alert.checks.iter().for_each(|check| out += &format!("<li>{}</li>", html_text(check)));
        out += "</ol>\n";
    }
    if let Some(name) = &alert.acknowledged_by {
        out += &format!("<p style=\"margin:4px 0\">Acknowledged by {}</p>\n", html_text(name));
    }
    out += "<table style=\"font-size:13px;border-collapse:collapse\">";
    for (name, value) in [("alertname".to_owned(), alert.name.clone())].iter().chain(&alert.labels) {
        out += &format!(
            "<tr><td style=\"padding:1px 8px 1px 0;color:#59636e\">{}</td><td>{}</td></tr>",
            html_text(name),
            html_text(value)
        );
    }
    out += "</table>\n";
    for (url, what) in [(&alert.runbook, "Runbook"), (&alert.url, "The rule's values")] {
        if let Some(url) = url {
            out += &format!("<p style=\"margin:4px 0\"><a href=\"{}\">{what}</a></p>\n", html_text(url));
        }
    }
    out
}
