//! Slack's Block Kit, in an attachment whose colour is the severity.
//!
//! Strangers' texts are `plain_text` objects without emoji: Slack obeys no markup in them, makes no links and calls
//! nobody. <https://docs.slack.dev/reference/block-kit/blocks>

use serde_json::{Value, json};

use super::escape::{as_it_is, characters, escaped_within};
use super::words::{AlertWords, Words};

/// Slack's limits: characters of a header, of a section's text; blocks of a message.
const HEADER: usize = 150;
const SECTION: usize = 3000;
const BLOCKS: usize = 50;

/// The body for an incoming webhook.
pub(crate) fn slack_body(words: &Words) -> Value {
    let mut blocks = vec![json!({"type": "header", "text": plain(&words.title, HEADER)})];
    for note in &words.notes {
        blocks.push(section(note));
    }
    if let Some(custom) = &words.custom {
        blocks.push(section(custom));
    } else {
        // One for "and n more", one for the link.
        let room = BLOCKS - blocks.len() - 2;
        let told = words.alerts.len().min(room);
        blocks.extend(words.alerts.iter().take(told).map(|alert| section(&AlertWords::plain(alert))));
        let more = words.more + words.alerts.len() - told;
        if more > 0 {
            blocks.push(section(&format!("and {more} more")));
        }
    }
    if let Some(url) = &words.url {
        // The text within < > ends at >, and | would begin a label: link() refused addresses that hold them.
        blocks.push(json!({"type": "context", "elements": [
            {"type": "mrkdwn", "text": format!("<{}|Squirrel>", url.replace('&', "&amp;"))}
        ]}));
    }
    let colour = format!("#{:06x}", words.severity.colour());
    let fallback = escaped_within(&words.title, HEADER, characters, mrkdwn);
    json!({
        // What a phone's notification shows.
        "text": fallback,
        "attachments": [{"color": colour, "fallback": fallback, "blocks": blocks}],
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

fn section(text: &str) -> Value {
    // An empty text makes the whole message invalid.
    let text = if text.trim().is_empty() { "-" } else { text };
    json!({"type": "section", "text": plain(text, SECTION)})
}

fn plain(text: &str, most: usize) -> Value {
    json!({"type": "plain_text", "emoji": false, "text": escaped_within(text, most, characters, as_it_is)})
}

/// Slack's own escapes, and a joiner that ends words which would call somebody or format.
fn mrkdwn(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '*' | '_' | '~' | '`' | '@' | ':' => {
            out.push(c);
            out.push('\u{2060}');
        }
        c => out.push(c),
    }
}
