//! An entry for systemd's journal, in its native protocol: each value with its length before it, so that no value can
//! begin a field of its own. <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>

use squirrel_notify::Notification;

use super::facts::Severity;
use super::words::Words;

/// Largest entry: datagrams to the journal above some 200 KB would need a file descriptor.
const MOST: usize = 64 * 1024;

/// The datagram of a message.
pub(crate) fn journal_entry(notification: &Notification, words: &Words) -> Vec<u8> {
    // Priorities of syslog(3).
    let priority = match words.severity {
        Severity::Critical => "2",
        Severity::Warning => "4",
        Severity::Info => "6",
        Severity::Good => "5",
    };
    let text = words.plain();
    let message = if text.is_empty() { words.title.clone() } else { format!("{}\n{text}", words.title) };
    let mut entry = Vec::new();
    let names = [
        ("MESSAGE", message.as_str()),
        ("PRIORITY", priority),
        ("SYSLOG_IDENTIFIER", "squirrel"),
        ("SQUIRREL_CHANNEL", notification.channel.as_str()),
        ("SQUIRREL_GROUP", notification.group_key.as_str()),
        ("SQUIRREL_ALERT", notification.common_labels.get("alertname").map_or("", String::as_str)),
        ("SQUIRREL_SEVERITY", notification.common_labels.get("severity").map_or("", String::as_str)),
    ];
    for (name, value) in names.into_iter().filter(|(_, value)| !value.is_empty()) {
        let most = value.floor_char_boundary(MOST / 4);
        field(&mut entry, name, &value[..most]);
    }
    entry
}

fn field(entry: &mut Vec<u8>, name: &str, value: &str) {
    entry.extend_from_slice(name.as_bytes());
    entry.push(b'\n');
    entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    entry.extend_from_slice(value.as_bytes());
    entry.push(b'\n');
}
