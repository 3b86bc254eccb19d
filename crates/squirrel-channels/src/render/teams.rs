//! An Adaptive Card for a workflow of Microsoft Teams.
//!
//! Strangers' texts stand in `RichTextBlock`s, whose runs know no Markdown; `TextBlock` would obey it.
//! <https://learn.microsoft.com/adaptive-cards/authoring-cards/card-schema>

use serde_json::{Value, json};

use super::escape::{as_it_is, escaped_within, octets};
use super::facts::Severity;
use super::words::Words;

/// Teams refuses messages above 28 KB: what texts may take of it, escaped in JSON as they are.
const TEXTS: usize = 14_000;
/// Longest text of one alert.
const ALERT: usize = 2_000;

/// The body for a workflow.
pub(crate) fn teams_body(words: &Words) -> Value {
    let mut left = TEXTS;
    let colour = match words.severity {
        Severity::Good => "good",
        Severity::Info => "accent",
        Severity::Warning => "warning",
        Severity::Critical => "attention",
    };
    let mut body = vec![block(&[json!({
        "type": "TextRun", "text": take(&words.title, 600, &mut left), "weight": "bolder", "size": "large", "color": colour
    })])];
    let mut paragraphs = |text: &str, left: &mut usize| {
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            if *left < 64 {
                return false;
            }
            body.push(block(&[json!({"type": "TextRun", "text": take(line, ALERT, left)})]));
        }
        true
    };
    for note in &words.notes {
        paragraphs(note, &mut left);
    }
    let mut more = words.more;
    if let Some(custom) = &words.custom {
        paragraphs(custom, &mut left);
    } else {
        more += words.alerts.iter().skip_while(|alert| paragraphs(&alert.plain(), &mut left)).count();
    }
    if more > 0 {
        body.push(block(&[json!({"type": "TextRun", "text": format!("and {more} more"), "isSubtle": true})]));
    }
    let actions: Vec<Value> =
        words.url.iter().map(|url| json!({"type": "Action.OpenUrl", "title": "Squirrel", "url": url})).collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": {"width": "Full"},
                "body": body,
                "actions": actions,
            },
        }],
    })
}

fn block(runs: &[Value]) -> Value {
    json!({"type": "RichTextBlock", "inlines": runs})
}

/// As much of a text as has room, counted as JSON writes it.
fn take(text: &str, most: usize, left: &mut usize) -> String {
    let in_json = |piece: &str| serde_json::to_string(piece).map_or_else(|_| octets(piece), |text| text.len() - 2);
    let taken = escaped_within(text, most.min(*left), in_json, as_it_is);
    *left -= in_json(&taken).min(*left);
    taken
}
