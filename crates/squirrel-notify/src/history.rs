//! What happened to alerts, and what was decided: the newest, as many as there is room for.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use squirrel_model::Timestamp;

/// Most entries that are kept.
pub const MAX_HISTORY: usize = 2_000;
/// Most characters of an entry's texts.
const MAX_TEXT: usize = 300;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An alert fires.
    Fired,
    /// An alert is over.
    Resolved,
    /// A channel was told.
    Told,
    /// An alert is held back, and by what.
    Held,
    /// Nothing holds an alert back any more.
    Released,
    /// Somebody takes care.
    Acknowledged,
    /// An acknowledgement has ended, and why.
    AcknowledgementEnded,
    /// An alert comes and goes too often.
    FlappingBegan,
    /// It has settled.
    FlappingEnded,
    /// A silence was made or changed.
    Silenced,
    /// A silence was ended by hand.
    SilenceExpired,
    /// Something could not be taken or told, and why.
    Lost,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
    /// What.
    pub event: Event,
    /// The alert, where it is about one.
    pub fingerprint: Option<u64>,
    /// What it is about: an alert's labels, a group's key, a silence's id.
    pub subject: String,
    /// Who or why; empty where there is nothing to say.
    pub detail: String,
}

/// The newest entries, and how many were given up.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) entries: VecDeque<HistoryEntry>,
    pub(crate) forgotten: u64,
}

impl History {
    pub(crate) fn add(&mut self, at: Timestamp, event: Event, fingerprint: Option<u64>, subject: &str, detail: &str) {
        self.put(HistoryEntry { at_ms: at.millis(), event, fingerprint, subject: cut(subject), detail: cut(detail) });
    }

    pub(crate) fn put(&mut self, entry: HistoryEntry) {
        if self.entries.len() >= MAX_HISTORY {
            self.entries.pop_front();
            self.forgotten += 1;
        }
        self.entries.push_back(entry);
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_given_up_and_counted_and_texts_are_cut() {
        let mut history = History::default();
        for number in 0..=MAX_HISTORY {
            history.add(Timestamp(number as i64), Event::Fired, None, &"ü".repeat(400), "");
        }
        assert_eq!((history.entries.len(), history.forgotten), (MAX_HISTORY, 1));
        let first = history.entries.front().expect("full");
        assert_eq!((first.at_ms, first.subject.chars().count()), (1, MAX_TEXT + 1));
    }
}
