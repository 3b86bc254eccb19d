//! Discord's embeds. Every sign of Markdown in strangers' texts stands behind a backslash, and mentions are switched
//! off for the whole message. <https://discord.com/developers/docs/resources/webhook>

use serde_json::{Value, json};

use super::escape::{as_it_is, escaped_within, markdown, utf16_units};
use super::webhook::rfc3339;
use super::words::Words;

/// Discord's limits: title and description of an embed, embeds of a message, and all their texts together.
const TITLE: usize = 256;
const DESCRIPTION: usize = 4096;
const EMBEDS: usize = 10;
const TOGETHER: usize = 6000;

/// The body for a webhook; `at_ms` is shown in each reader's own time.
pub(crate) fn discord_body(words: &Words, at_ms: i64) -> Value {
    let mut left = TOGETHER;
    let title = taken(&words.title, TITLE, &mut left);
    let intro = words.custom.as_ref().map_or_else(|| words.notes.join("\n"), |_| words.plain());
    let mut first = json!({
        "title": title,
        "color": words.severity.colour(),
        "timestamp": rfc3339(at_ms),
    });
    if !intro.is_empty() {
        first["description"] = taken(&intro, DESCRIPTION, &mut left).into();
    }
    if let Some(url) = &words.url {
        first["url"] = url.as_str().into();
    }
    let mut embeds = vec![first];
    let alerts = if words.custom.is_some() { &[][..] } else { &words.alerts };
    let mut told = 0;
    for alert in alerts.iter().take(EMBEDS - 2) {
        // What is left is kept for "and n more".
        if left < 200 {
            break;
        }
        let mut room = left - 100;
        let before = room;
        let text = taken(&alert.plain(), DESCRIPTION, &mut room);
        left -= before - room;
        embeds.push(json!({"description": text, "color": alert.severity.colour()}));
        told += 1;
    }
    let more = if words.custom.is_some() { 0 } else { words.more + alerts.len() - told };
    if more > 0 {
        embeds.push(json!({"description": format!("and {more} more")}));
    }
    json!({"embeds": embeds, "allowed_mentions": {"parse": []}})
}

fn taken(text: &str, most: usize, left: &mut usize) -> String {
    let taken =
        escaped_within(
            text,
            most.min(*left),
            utf16_units,
            |c, out| {
                if c == '\n' { as_it_is(c, out) } else { markdown(c, out) }
            },
        );
    *left -= utf16_units(&taken).min(*left);
    taken
}
