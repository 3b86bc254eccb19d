//! What `config show` prints of who is told of alerts: the tables as they are written, without their secrets.

use std::fmt::Write as _;

use squirrel_model::{Untrusted, duration_text};
use squirrel_outbound::Destination;
use toml::{Table, Value};

use super::{section, word, words};
use crate::config::{Notify, Origin};

/// Keys of channels whose values may be seen. What is not here may be a secret.
const OPEN: &[&str] = &[
    "ca_file",
    "chat_id",
    "fallback",
    "from",
    "give_up_after",
    "hello",
    "host",
    "mode",
    "most_per_hour",
    "name",
    "password_file",
    "port",
    "protect",
    "public_only",
    "rate",
    "resend",
    "resolved",
    "routing_key_file",
    "secret_file",
    "socket",
    "template",
    "thread_id",
    "timeout",
    "title",
    "tls",
    "to",
    "token_file",
    "undo_after",
    "url_file",
    "username",
];
/// Keys whose values are addresses, of which the path may be a secret.
const ADDRESSES: &[&str] = &["api_url", "url"];

/// Adds the tables.
pub(super) fn add(text: &mut String, notify: &Notify) {
    grouping(text, notify);
    for (kind, channels) in notify.written.0.get("notify").and_then(Value::as_table).into_iter().flatten() {
        for channel in channels.as_array().into_iter().flatten().filter_map(Value::as_table) {
            let _ = writeln!(text, "\n[[notify.{kind}]]");
            for (key, value) in channel {
                let _ = writeln!(text, "{key} = {}", shown(key, value));
            }
        }
    }
    let others = notify.written.0.iter().filter(|(name, _)| !["grouping", "notify"].contains(&name.as_str()));
    let others: Table = others.map(|(name, value)| (name.clone(), harmless(value))).collect();
    if !others.is_empty() {
        let _ = write!(text, "\n{others}");
    }
}

/// `[grouping]` has a default for each key.
fn grouping(text: &mut String, notify: &Notify) {
    let written = notify.written.0.get("grouping").and_then(Value::as_table);
    let grouping = &notify.settings.grouping;
    section(text, "grouping");
    for (key, value) in [
        ("by", words(grouping.by.iter().cloned())),
        ("wait", word(&duration_text(grouping.wait.0))),
        ("interval", word(&duration_text(grouping.interval.0))),
        ("repeat", word(&duration_text(grouping.repeat.0))),
        ("max_alerts", grouping.max_alerts.to_string()),
    ] {
        let is_written = written.is_some_and(|table| table.contains_key(key));
        let origin = if is_written { Origin::File } else { Origin::Default };
        let _ = writeln!(text, "{key} = {value}  # {}", origin.word());
    }
}

/// A channel's value as TOML, or that it is not shown.
fn shown(key: &str, value: &Value) -> String {
    if OPEN.contains(&key) {
        return harmless(value).to_string();
    }
    let to = value.as_str().filter(|_| ADDRESSES.contains(&key)).and_then(|url| Destination::parse(url).ok());
    word(&to.map_or_else(|| "(not shown)".to_owned(), |to| format!("{to}/… (the path is not shown)")))
}

/// The same value with nothing in it that a terminal obeys.
fn harmless(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(Untrusted(text).to_string()),
        Value::Array(items) => Value::Array(items.iter().map(harmless).collect()),
        Value::Table(table) => {
            Value::Table(table.iter().map(|(key, value)| (Untrusted(key).to_string(), harmless(value))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::shown as whole;
    use crate::config::Config;

    #[test]
    fn who_is_told_is_shown_without_secrets() {
        let text = whole(&Config::of_text(
            "[grouping]\nmax_alerts = 7\n\
             [[notify.webhook]]\nname = \"hook\"\nurl = \"https://hooks.example/sesame?key=sesame\"\n\
             headers = { Authorization = \"sesame\" }\nsecret = \"sesame\"\nbody = { token = \"sesame\" }\n\
             [[notify.telegram]]\nname = \"chat\"\ntoken = \"1:sesame\"\nchat_id = \"@ops\"\n\
             [[notify.command]]\nname = \"act\"\ncommand = [\"/bin/act\", \"--key=sesame\"]\n\
             [[route]]\nmatch = ['severity=\"critical\"']\nchannels = [\"hook\"]\n\
             [quiet_hours]\nfrom = \"22:00\"\nto = \"07:00\"\n",
        ));
        assert!(!text.contains("sesame"), "{text}");
        for line in [
            "max_alerts = 7  # file",
            "interval = \"5m\"  # default",
            "[[notify.webhook]]",
            "name = \"hook\"",
            "url = \"https://hooks.example/… (the path is not shown)\"",
            "secret = \"(not shown)\"",
            "command = \"(not shown)\"",
            "chat_id = \"@ops\"",
            "[[route]]",
            "channels = [\"hook\"]",
            "from = \"22:00\"",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in:\n{text}");
        }
    }

    #[test]
    fn a_terminal_is_left_alone() {
        let text = whole(&Config::of_text("[[notify.log]]\nname = \"a\"\ntitle = \"\\u001b[2J\\u202e\"\n"));
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text:?}");
    }
}
