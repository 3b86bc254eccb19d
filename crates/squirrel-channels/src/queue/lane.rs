//! One group's messages at one channel, in their order.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use squirrel_model::Timestamp;
use squirrel_notify::{Notification, Reason};

use super::delivery::{Delivery, State};

/// Messages that wait in one lane; a group that changes faster than its channel takes messages is told its newest state.
const MAX_IN_LANE: usize = 8;

/// A message at a channel.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and written down")]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) channel: String,
    pub(super) group: String,
    pub(super) notification: Arc<Notification>,
    pub(super) accepted_ms: i64,
    pub(super) not_before_ms: i64,
    pub(super) attempts: u32,
    pub(super) refusals: u32,
    pub(super) answer: Option<String>,
    /// A beginning that was not told is told with this end.
    pub(super) is_first_word: bool,
    /// The channel that it was meant for.
    pub(super) instead_of: Option<String>,
    /// The fallback channel has a copy.
    pub(super) is_handed_over: bool,
    /// It was delivered, and is told again from time to time.
    pub(super) is_resend: bool,
    #[serde(skip)]
    pub(super) is_under_way: bool,
    /// Its size on disk.
    #[serde(skip)]
    pub(super) bytes: usize,
}

/// What a receiver was told last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) id: u64,
    pub(super) is_end: bool,
    pub(super) at_ms: i64,
    /// The channel that told it in this one's place.
    pub(super) via: Option<String>,
    /// The message's place in the order of all.
    #[serde(default)]
    pub(super) number: u64,
    /// When it was decided; what several channels are told of one decision is the same.
    #[serde(default)]
    pub(super) decided_ms: i64,
    /// It was meant for another channel.
    #[serde(default)]
    pub(super) is_copy: bool,
    /// It told of a part of the group only.
    #[serde(default)]
    pub(super) is_part: bool,
}

/// A group at a channel.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) entries: VecDeque<Entry>,
    pub(super) told: Option<Told>,
    /// Where the channel's index has it.
    pub(super) due_ms: Option<i64>,
}

/// Which lane a message goes to. Trials of a channel wait for nothing and replace nothing.
pub(super) fn lane_key(notification: &Notification) -> String {
    match notification.reason {
        Reason::Test => format!("test:{}", notification.id),
        _ => notification.group_key.clone(),
    }
}

impl Lane {
    /// Whether one more may wait without standing for another.
    pub(super) fn has_room(&self) -> bool {
        self.entries.len() < MAX_IN_LANE
    }

    /// Whether a message waits or was told last: itself, or the same decision in another channel's place.
    pub(super) fn knows(&self, message: &Notification) -> bool {
        let is_it = |told: &Told| told.id == message.id || (told.is_copy && told.decided_ms == message.at_ms);
        self.told.as_ref().is_some_and(is_it) || self.entries.iter().any(|entry| entry.notification.id == message.id)
    }

    /// Whether the receiver knows as much as a copy says, or more, or is about to.
    pub(super) fn is_past(&self, copy: &Entry) -> bool {
        let at_ms = copy.notification.at_ms;
        let is_past = |number: u64, decided_ms: i64| number > copy.number || decided_ms == at_ms;
        let told = self.told.as_ref().is_some_and(|told| !told.is_part && is_past(told.number, told.decided_ms));
        told || self.entries.iter().any(|other| !other.is_part() && is_past(other.number, other.notification.at_ms))
    }

    /// The older messages that wait and that this one says all of. A receiver that wants each state
    /// ([`crate::settings::Policy::each_state`]) is told again of a beginning only where no end lies between.
    pub(super) fn replaced_by(&self, newer: &Entry, each_state: bool) -> Vec<u64> {
        let older = self.entries.iter().rev().filter(|older| older.number < newer.number && !older.is_under_way);
        let same = |older: &&Entry| older.is_resend || !each_state || older.is_end() == newer.is_end();
        older.take_while(same).map(|older| older.number).collect()
    }

    /// Puts a message into its place: in the order of numbers, behind one that is under way.
    pub(super) fn insert(&mut self, entry: Entry) {
        let is_before = |other: &Entry| other.is_under_way || other.number <= entry.number;
        let place = self.entries.iter().take_while(|other| is_before(other)).count();
        self.entries.insert(place, entry);
    }
}

impl Entry {
    pub(super) fn new(
        number: u64,
        channel: &str,
        group: String,
        notification: Arc<Notification>,
        at: Timestamp,
    ) -> Self {
        Self {
            number,
            channel: channel.to_owned(),
            group,
            notification,
            accepted_ms: at.0,
            not_before_ms: at.0,
            attempts: 0,
            refusals: 0,
            answer: None,
            is_first_word: false,
            instead_of: None,
            is_handed_over: false,
            is_resend: false,
            is_under_way: false,
            bytes: 0,
        }
    }

    pub(super) fn is_end(&self) -> bool {
        self.notification.reason == Reason::Resolved
    }

    /// Whether it tells of a part of its group only.
    pub(super) fn is_part(&self) -> bool {
        self.notification.reason == Reason::Escalated
    }

    /// Takes over what the older message has still to tell.
    pub(super) fn inherit(&mut self, older: &Self) {
        let is_news = |reason| matches!(reason, Reason::New | Reason::Escalated);
        if self.is_end() {
            self.is_first_word |= older.is_first_word || older.notification.reason == Reason::New;
        } else if !older.is_end() && is_news(older.notification.reason) && !is_news(self.notification.reason) {
            Arc::make_mut(&mut self.notification).reason = older.notification.reason;
        }
        // A receiver that is away does not begin to be tried anew with each message.
        self.attempts = self.attempts.max(older.attempts);
        self.not_before_ms = self.not_before_ms.max(older.not_before_ms);
    }

    /// The entry as it is written down; its size becomes known.
    pub(super) fn stored(&mut self) -> super::journal::StoredEntry {
        let stored = super::journal::StoredEntry::of(self);
        self.bytes = stored.len();
        stored
    }

    pub(super) fn delivery(&self) -> Delivery {
        Delivery {
            number: self.number,
            id: self.notification.id,
            channel: self.channel.clone(),
            group: self.group.clone(),
            reason: self.notification.reason,
            state: if self.is_resend { State::Delivered } else { State::Waiting },
            attempts: self.attempts,
            accepted_ms: self.accepted_ms,
            at_ms: self.not_before_ms,
            answer: self.answer.clone(),
            instead_of: self.instead_of.clone(),
        }
    }
}

/// A message of at most `most` octets, with as many alerts as have room: those at the end are counted and not told, and
/// what then is still too large goes without its picture.
pub(super) fn within(mut notification: Notification, most: usize) -> Notification {
    // The count of those left out grows by some digits.
    const DIGITS: usize = 20;
    let mut size = octets(&notification);
    if size <= most {
        return notification;
    }
    while size > most.saturating_sub(DIGITS) && notification.alerts.len() > 1 {
        let Some(last) = notification.alerts.pop() else { break };
        // With the comma before it.
        size = size.saturating_sub(octets(&last) + 1);
        notification.more += 1;
    }
    if size > most {
        notification.chart = None;
    }
    notification
}

/// How long something is as JSON.
fn octets<T: Serialize>(value: &T) -> usize {
    serde_json::to_vec(value).map_or(0, |json| json.len())
}
