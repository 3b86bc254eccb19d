//! ntfy's messages as JSON: its headers could not hold every text, and would be one more place to escape for.
//! <https://docs.ntfy.sh/publish/#publish-as-json>

use serde_json::{Value, json};

use super::escape::{as_it_is, escaped_within, octets};
use super::facts::Severity;
use super::words::Words;

/// A longer message becomes a file, in octets.
const MESSAGE: usize = 4000;
const TITLE: usize = 240;

/// The body that is posted to the server's root.
pub(crate) fn ntfy_body(words: &Words, topic: &str) -> Value {
    let (priority, tag) = match words.severity {
        Severity::Good => (3, "white_check_mark"),
        Severity::Info => (2, "information_source"),
        Severity::Warning => (4, "warning"),
        Severity::Critical => (5, "rotating_light"),
    };
    let text = words.plain();
    let message = if text.is_empty() { &words.title } else { &text };
    let mut body = json!({
        "topic": topic,
        "title": escaped_within(&words.title, TITLE, octets, as_it_is),
        "message": escaped_within(message, MESSAGE, octets, as_it_is),
        "priority": priority,
        "tags": [tag],
        "markdown": false,
    });
    if let Some(url) = &words.url {
        body["click"] = url.as_str().into();
    }
    body
}
