//! One line for a log: `key=value`, quoted, with nothing in it that could be another line.

use squirrel_notify::Notification;

use super::escape::one_line;
use super::words::Words;

/// Longest line, in characters.
const LINE: usize = 4000;

/// The line of a message.
pub(crate) fn log_line(notification: &Notification, words: &Words) -> String {
    let firing = notification.alerts.iter().filter(|alert| alert.firing).count();
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut line = format!(
        "channel={} title={} firing={firing} over={} more={} group={}",
        quoted(&one_line(&notification.channel, 64)),
        quoted(&words.title),
        notification.alerts.len() - firing,
        notification.more,
        quoted(&one_line(&notification.group_key, 256)),
    );
    for note in &words.notes {
        line += &format!(" note={}", quoted(note));
    }
    let text = match &words.custom {
        Some(custom) => custom.clone(),
        None => words
            .alerts
            .iter()
            .map(|a| format!("{}: value {}; {}{}", a.summary, a.value, a.when, a.labels_line()))
            .collect::<Vec<_>>()
            .join("; "),
    };
    line += &format!(" text={}", quoted(&one_line(&text, LINE)));
    one_line(&line, LINE)
}
