//! Telegram's HTML. Whatever a stranger may have written stands in `code` or `pre`: nothing within them is a tag, a
//! link, a mention or a command. <https://core.telegram.org/bots/api#html-style>

use serde_json::{Value, json};

use super::escape::{characters, escaped_within, html};
use super::words::{AlertWords, Words};

/// Telegram's limit of a message. It counts what is left of the text without tags, we the whole of it.
const MESSAGE: usize = 4096;
/// What is kept free for "and n more" and the link.
const KEPT: usize = 1200;
/// Longest text of one alert.
const ALERT: usize = 1500;

/// The body of `sendMessage`.
pub(crate) fn telegram_body(words: &Words, chat_id: &str, thread_id: Option<i64>) -> Value {
    let mark = match words.severity {
        super::facts::Severity::Good => "🟢",
        super::facts::Severity::Info => "🔵",
        super::facts::Severity::Warning => "🟠",
        super::facts::Severity::Critical => "🔴",
    };
    let mut text = format!("{mark} <code>{}</code>", escaped(&words.title, 600));
    for note in &words.notes {
        text += &format!("\n<code>{}</code>", escaped(note, 400));
    }
    let mut more = words.more;
    if let Some(custom) = &words.custom {
        let room = (MESSAGE - KEPT).saturating_sub(characters(&text)).max(200);
        text += &format!("\n<pre>{}</pre>", escaped(custom, room));
        more = 0;
    } else {
        for (told, alert) in words.alerts.iter().enumerate() {
            let piece = format!("\n<pre>{}</pre>", escaped(AlertWords::plain(alert).trim_end(), ALERT));
            if characters(&text) + characters(&piece) + KEPT > MESSAGE && told > 0 {
                more += words.alerts.len() - told;
                break;
            }
            text += &piece;
        }
    }
    if more > 0 {
        text += &format!("\nand {more} more");
    }
    if let Some(url) = &words.url {
        text += &format!("\n<a href=\"{}\">Squirrel</a>", super::escape::html_text(url));
    }
    let mut body = json!({
        "chat_id": chat_id,
        "text": text,
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": true},
    });
    if let Some(id) = thread_id {
        body["message_thread_id"] = id.into();
    }
    body
}

fn escaped(text: &str, most: usize) -> String {
    escaped_within(text, most, characters, html)
}
