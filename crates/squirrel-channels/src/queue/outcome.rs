//! What follows from the end of an attempt: done, again later, elsewhere, or given up.

use std::time::Duration;

use squirrel_model::Timestamp;
use squirrel_notify::Reason;

use super::delivery::{State, kept_answer};
use super::journal::Record;
use super::lane::{Entry, Told};
use super::{Queue, Ticket};

/// The first pause of a message after a failure, and the longest.
const FIRST_MS: i64 = 5_000;
const LONGEST_MS: i64 = 600_000;
/// The same for the whole channel.
const CHANNEL_FIRST_MS: i64 = 1_000;
const CHANNEL_LONGEST_MS: i64 = 60_000;
/// The same after a refusal, which somebody has to mend.
const REFUSED_FIRST_MS: i64 = 300_000;
const REFUSED_LONGEST_MS: i64 = 6 * 3_600_000;
/// The longest `Retry-After` that is obeyed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);
/// Refusals before a message is given up.
const MAX_REFUSALS: u32 = 6;
/// Attempts that each message has, however old a clock says it is.
const LEAST_ATTEMPTS: u32 = 5;
/// Attempts that fail before the fallback channel is told.
const HANDED_OVER_AFTER: u32 = 3;
/// How long a group is told again that nobody spoke of any more.
const RESEND_MS: i64 = 24 * 3_600_000;

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it.
    Delivered {
        /// What it said.
        answer: String,
    },
    /// It did not, and may later.
    Failed {
        /// What it said, or what went wrong.
        answer: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// It does not want this message; somebody has to mend something.
    Refused {
        /// What it said.
        answer: String,
    },
}

impl Queue {
    /// Notes how an attempt ended. It is in memory only until [`Queue::commit`].
    pub fn done(&mut self, ticket: &Ticket, outcome: Outcome, at: Timestamp) {
        let Some(channel) = self.channels.get_mut(&ticket.channel) else { return };
        let Some(mut entry) = channel.take(&ticket.group, ticket.number) else { return };
        entry.attempts = entry.attempts.saturating_add(1);
        let has_failed = !matches!(outcome, Outcome::Delivered { .. });
        match outcome {
            Outcome::Delivered { answer } => {
                channel.note_success();
                entry.answer = Some(kept_answer(&answer));
                self.delivered(entry, at);
            }
            Outcome::Failed { answer, retry_after } => {
                let asked = retry_after.map_or(0, |time| time.min(LONGEST_RETRY_AFTER).as_millis() as i64);
                let channel_pause = doubled(CHANNEL_FIRST_MS, channel.failures, CHANNEL_LONGEST_MS);
                channel.rest(at.0 + jittered(&mut self.random, channel_pause).max(asked), at);
                let pause = jittered(&mut self.random, doubled(FIRST_MS, entry.attempts - 1, LONGEST_MS));
                self.counts.failed += 1;
                self.again(entry, &answer, pause.max(asked), at);
            }
            Outcome::Refused { answer } => {
                channel.note_failure(at);
                entry.refusals += 1;
                let pause = doubled(REFUSED_FIRST_MS, entry.refusals - 1, REFUSED_LONGEST_MS);
                let pause = jittered(&mut self.random, pause);
                self.counts.failed += 1;
                self.again(entry, &answer, pause, at);
            }
        }
        self.hand_over(&ticket.channel, has_failed, at);
    }

    fn delivered(&mut self, entry: Entry, at: Timestamp) {
        if entry.is_resend {
            self.told_again(entry, at);
            return;
        }
        self.finish(&entry, State::Delivered, None, at);
        // Who has a copy under way may be told of it too.
        let sending = self.channels.values().find(|other| other.stands_in_for(&entry.channel, &entry.group));
        let sending = sending.map(|other| other.policy.name.clone()).filter(|_| entry.instead_of.is_none());
        if !entry.group.starts_with("test:") {
            self.note_told(&entry, sending.clone(), at);
        }
        self.drop_copies(&entry, at);
        if entry.instead_of.is_some() {
            // Its own message of the same decision came while the copy was under way.
            let is_flapping = |one: &Entry| one.notification.reason == Reason::Flapping;
            let is_same = |own: &Entry| {
                let is_decision = own.notification.at_ms == entry.notification.at_ms && !own.is_part();
                is_decision && is_flapping(own) == is_flapping(&entry)
            };
            let same = self.channels.get_mut(&entry.channel).map(|channel| channel.take_waiting(&entry.group, is_same));
            self.replaced(same.unwrap_or_default(), "it was told in another channel's place", at);
        }
        // Who was told in another's place needs to hear what came meanwhile.
        let (from, to) = match &entry.instead_of {
            Some(origin) => (origin, Some(&entry.channel)),
            None => (&entry.channel, sending.as_ref()),
        };
        if let Some(to) = to {
            let is_later = |one: &Entry| one.group == entry.group && one.number > entry.number;
            self.copy_to(from, to, is_later, at);
        }
        self.begin_resending(entry, at);
    }

    /// Remembers what receivers were told by a message, and by whom.
    fn note_told(&mut self, entry: &Entry, via: Option<String>, at: Timestamp) {
        let told = Told {
            id: entry.notification.id,
            is_end: entry.is_end(),
            at_ms: at.0,
            via,
            number: entry.number,
            decided_ms: entry.notification.at_ms,
            is_copy: entry.instead_of.is_some(),
            is_part: entry.is_part(),
        };
        if let Some(origin) = &entry.instead_of {
            let told = Told { via: Some(entry.channel.clone()), is_copy: false, ..told.clone() };
            self.tell(origin, &entry.group, told);
        }
        self.tell(&entry.channel, &entry.group, told);
    }

    /// Copies of what was delivered have nothing left to tell, but for the end of what was told there.
    fn drop_copies(&mut self, entry: &Entry, at: Timestamp) {
        let mut copies = Vec::new();
        for other in self.channels.values_mut().filter(|other| other.policy.name != entry.channel) {
            let is_needed = entry.is_end() && other.awaits_end(&entry.group);
            copies.extend(other.take_waiting(&entry.group, |copy| copy.number == entry.number && !is_needed));
        }
        self.replaced(copies, &format!("{} delivered it", entry.channel), at);
    }

    /// Keeps a message whose receiver wants to hear again and again that it still holds.
    fn begin_resending(&mut self, mut entry: Entry, at: Timestamp) {
        let Some(channel) = self.channels.get_mut(&entry.channel) else { return };
        let fires = entry.notification.alerts.iter().any(|alert| alert.firing);
        let is_followed = channel.lanes.get(&entry.group).is_some_and(|lane| !lane.entries.is_empty());
        let Some(resend) = channel.policy.resend.filter(|_| fires && !is_followed) else { return };
        if !entry.group.starts_with("test:") {
            entry.is_resend = true;
            entry.attempts = 0;
            entry.not_before_ms = at.0 + resend.as_millis() as i64;
            self.unwritten.push(Record::Put(entry.stored()));
            channel.put_in(entry);
        }
    }

    fn told_again(&mut self, mut entry: Entry, at: Timestamp) {
        let Some(channel) = self.channels.get_mut(&entry.channel) else { return };
        let is_followed = channel.lanes.get(&entry.group).is_some_and(|lane| !lane.entries.is_empty());
        let is_forgotten = at.0 - entry.accepted_ms > RESEND_MS;
        match channel.policy.resend {
            Some(resend) if !is_followed && !is_forgotten => {
                entry.attempts = 0;
                entry.not_before_ms = at.0 + resend.as_millis() as i64;
                self.unwritten.push(tried(&entry));
                channel.put_in(entry);
            }
            _ => self.finish(&entry, State::Delivered, None, at),
        }
    }

    fn tell(&mut self, channel: &str, group: &str, told: Told) {
        let Some(state) = self.channels.get_mut(channel) else { return };
        let told = state.tell(group, told).clone();
        self.unwritten.push(Record::Told { channel: channel.to_owned(), group: group.to_owned(), told });
    }

    /// Puts an entry back to be tried after a pause, unless that has been done often enough.
    fn again(&mut self, mut entry: Entry, answer: &str, pause_ms: i64, at: Timestamp) {
        entry.answer = Some(kept_answer(answer));
        entry.not_before_ms = at.0 + pause_ms;
        let Some(channel) = self.channels.get_mut(&entry.channel) else { return };
        let age_ms = at.0.saturating_sub(entry.accepted_ms);
        let is_old = age_ms > channel.policy.give_up_after.as_millis() as i64 && entry.attempts >= LEAST_ATTEMPTS;
        if is_old || entry.refusals >= MAX_REFUSALS {
            self.finish(&entry, State::GivenUp, None, at);
            return;
        }
        self.unwritten.push(tried(&entry));
        let (name, group) = (entry.channel.clone(), entry.group.clone());
        channel.put_in(entry);
        self.drop_overtaken(&name, &group, at);
    }

    /// Gives the fallback channel copies of what this one does not take; `has_failed` says that a message was just
    /// not taken.
    pub(super) fn hand_over(&mut self, channel: &str, has_failed: bool, at: Timestamp) {
        let Some(state) = self.channels.get_mut(channel) else { return };
        let Some(fallback) = state.policy.fallback.clone() else { return };
        let is_failing = state.is_failing(at);
        if !has_failed && !is_failing {
            return;
        }
        let is_due = |entry: &Entry| is_failing || entry.attempts >= HANDED_OVER_AFTER || entry.refusals > 0;
        self.copy_to(channel, &fallback, is_due, at);
    }

    /// Copies messages that wait for one channel to another that has no copy of them.
    pub(super) fn copy_to(&mut self, from: &str, to: &str, is_wanted: impl Fn(&Entry) -> bool, at: Timestamp) {
        let Some(state) = self.channels.get_mut(from) else { return };
        let mut copies = Vec::new();
        for entry in state.entries_mut().filter(|entry| is_wanted(entry)) {
            if !entry.is_handed_over && !entry.is_resend {
                entry.is_handed_over = true;
                copies.push(entry.clone());
            }
        }
        for original in copies {
            self.unwritten.push(Record::HandedOver { channel: from.to_owned(), number: original.number });
            let mut copy = Entry::new(original.number, to, original.group, original.notification, at);
            copy.is_first_word = original.is_first_word;
            copy.instead_of = original.instead_of.or_else(|| Some(from.to_owned()));
            self.put(copy, at);
        }
    }
}

fn tried(entry: &Entry) -> Record {
    Record::Tried {
        channel: entry.channel.clone(),
        number: entry.number,
        attempts: entry.attempts,
        refusals: entry.refusals,
        not_before_ms: entry.not_before_ms,
        answer: entry.answer.clone(),
    }
}

/// A pause that doubles with each failure.
fn doubled(first_ms: i64, failures: u32, longest_ms: i64) -> i64 {
    first_ms.saturating_mul(1 << failures.min(20)).min(longest_ms)
}

/// Three to five quarters of a pause, so that many Squirrels do not come back at one moment.
fn jittered(random: &mut u64, pause_ms: i64) -> i64 {
    // splitmix64.
    *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *random;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let share = ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
    (pause_ms as f64 * (0.75 + share / 2.0)) as i64
}
