//! A channel's lanes, in the order in which they are due, with its rate and its pauses.

use std::collections::{BTreeMap, BTreeSet};

use squirrel_model::Timestamp;

use super::journal::StoredEntry;
use super::lane::{Entry, Lane, Told};
use super::{Ticket, Work};
use crate::render::Circumstances;
use crate::settings::Policy;

/// A moment farther away than anything here waits for was written under another clock.
const MAX_AHEAD_MS: i64 = 12 * 3_600_000;
/// Attempts in a row that fail, and how long, before a channel counts as failing.
const FAILURES: u32 = 3;
const FAILING_MS: i64 = 60_000;

/// A channel with what waits for it.
#[derive(Debug)]
pub(super) struct ChannelState {
    pub(super) policy: Policy,
    pub(super) lanes: BTreeMap<String, Lane>,
    /// Lanes whose first message is not under way, by the moment it may be sent.
    due: BTreeSet<(i64, String)>,
    /// Size of all messages on disk.
    pub(super) bytes: usize,
    /// Messages that wait or are under way; those told again from time to time do not count.
    pub(super) waiting: usize,
    under_way: usize,
    tokens: f64,
    filled_ms: i64,
    /// The whole channel rests until then.
    pub(super) not_before_ms: i64,
    pub(super) failures: u32,
    pub(super) failing_since_ms: Option<i64>,
}

/// What a channel wants at a moment.
pub(super) enum Turn {
    /// Deliver this.
    Now(Work),
    /// Ask again then.
    At(i64),
    /// Nothing waits, or enough is under way.
    Nothing,
}

impl ChannelState {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            tokens: f64::from(policy.rate.count),
            policy,
            lanes: BTreeMap::new(),
            due: BTreeSet::new(),
            bytes: 0,
            waiting: 0,
            under_way: 0,
            filled_ms: i64::MIN,
            not_before_ms: i64::MIN,
            failures: 0,
            failing_since_ms: None,
        }
    }

    /// Another rule: its address may be another too, so that it is tried at once. Until that succeeds it counts as what
    /// it was.
    pub(super) fn set_policy(&mut self, policy: Policy) {
        self.tokens = self.tokens.min(f64::from(policy.rate.count));
        self.policy = policy;
        self.not_before_ms = i64::MIN;
    }

    /// Takes the next message that is due, and marks it as under way.
    pub(super) fn next(&mut self, at: Timestamp) -> Turn {
        if self.under_way >= self.policy.at_once {
            return Turn::Nothing;
        }
        let Some((due_ms, group)) = self.due.first().cloned() else { return Turn::Nothing };
        let due_ms = within_reach(due_ms, at);
        let rest_ms = within_reach(self.not_before_ms, at);
        let ready_ms = due_ms.max(rest_ms).max(self.token_at(at));
        if ready_ms > at.0 {
            return Turn::At(ready_ms);
        }
        let Some(lane) = self.lanes.get_mut(&group) else { return Turn::Nothing };
        let Some(entry) = lane.entries.front_mut() else { return Turn::Nothing };
        entry.is_under_way = true;
        let work = Work {
            ticket: Ticket { channel: entry.channel.clone(), number: entry.number, group: group.clone() },
            notification: entry.notification.clone(),
            circumstances: Circumstances {
                at,
                is_first_word: entry.is_first_word,
                instead_of: entry.instead_of.clone(),
            },
        };
        self.tokens -= 1.0;
        self.under_way += 1;
        self.index(&group);
        Turn::Now(work)
    }

    /// When the next attempt is allowed by the rate.
    fn token_at(&mut self, at: Timestamp) -> i64 {
        let per_ms = self.policy.rate.per.as_millis() as f64 / f64::from(self.policy.rate.count);
        let passed = at.0.saturating_sub(self.filled_ms).max(0) as f64;
        self.tokens = (self.tokens + passed / per_ms).min(f64::from(self.policy.rate.count));
        self.filled_ms = at.0;
        if self.tokens >= 1.0 { at.0 } else { at.0 + ((1.0 - self.tokens) * per_ms).ceil() as i64 }
    }

    /// Removes the messages of a lane that are not under way and for which `is_taken` holds.
    pub(super) fn take_waiting(&mut self, group: &str, is_taken: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let Some(lane) = self.lanes.get_mut(group) else { return Vec::new() };
        let all = std::mem::take(&mut lane.entries);
        let (taken, kept) = all.into_iter().partition::<Vec<_>, _>(|entry| !entry.is_under_way && is_taken(entry));
        lane.entries = kept.into();
        for entry in &taken {
            self.count_out(entry);
        }
        self.index(group);
        taken
    }

    /// Removes one message, wherever it stands.
    pub(super) fn take(&mut self, group: &str, number: u64) -> Option<Entry> {
        let lane = self.lanes.get_mut(group)?;
        let place = lane.entries.iter().position(|entry| entry.number == number)?;
        let entry = lane.entries.remove(place)?;
        self.count_out(&entry);
        if entry.is_under_way {
            self.under_way -= 1;
        }
        self.index(group);
        Some(entry)
    }

    /// Puts a message into its lane, or back there after an attempt.
    pub(super) fn put_in(&mut self, mut entry: Entry) {
        entry.is_under_way = false;
        let group = entry.group.clone();
        self.bytes += entry.bytes;
        self.waiting += usize::from(!entry.is_resend);
        self.lanes.entry(group.clone()).or_default().insert(entry);
        self.index(&group);
    }

    /// Takes the first message of a lane out if the next one says all of it: one came while it was under way.
    pub(super) fn take_overtaken(&mut self, group: &str) -> Option<(Entry, StoredEntry)> {
        let lane = self.lanes.get(group)?;
        let (first, next) = (lane.entries.front()?, lane.entries.get(1)?);
        if !lane.replaced_by(next, self.policy.each_state).contains(&first.number) {
            return None;
        }
        let first = self.take(group, first.number)?;
        let next = self.lanes.get_mut(group)?.entries.front_mut()?;
        self.bytes -= next.bytes;
        next.inherit(&first);
        let stored = next.stored();
        self.bytes += next.bytes;
        self.index(group);
        Some((first, stored))
    }

    fn count_out(&mut self, entry: &Entry) {
        self.bytes -= entry.bytes;
        self.waiting -= usize::from(!entry.is_resend);
    }

    /// Whether a message is under way here in another channel's place.
    pub(super) fn stands_in_for(&self, channel: &str, group: &str) -> bool {
        let lane = self.lanes.get(group);
        let is_it = |one: &Entry| one.is_under_way && one.instead_of.as_deref() == Some(channel);
        lane.is_some_and(|lane| lane.entries.iter().any(is_it))
    }

    /// Whether the group was told as firing, here or in this channel's place, or is about to.
    pub(super) fn awaits_end(&self, group: &str) -> bool {
        self.lanes.get(group).is_some_and(|lane| {
            let told = lane.told.as_ref().is_some_and(|told| !told.is_end);
            told || lane.entries.iter().any(|one| one.is_under_way && !one.is_end())
        })
    }

    /// Remembers what the group's receiver was told.
    pub(super) fn tell(&mut self, group: &str, told: Told) -> &Told {
        let known = &mut self.lanes.entry(group.to_owned()).or_default().told;
        // Who was told of it in this channel's place is told its end, whoever told what came between.
        let goes_on = |known: &Told| !known.is_end || known.number == told.number;
        let via = known.take().filter(goes_on).and_then(|known| known.via);
        known.insert(Told { via: told.via.or(via), ..told })
    }

    /// Forgets what receivers were told, where `is_old` holds.
    pub(super) fn forget(&mut self, is_old: impl Fn(&Told) -> bool) {
        self.lanes.retain(|_, lane| {
            lane.told = lane.told.take().filter(|told| !is_old(told));
            lane.told.is_some() || !lane.entries.is_empty()
        });
    }

    /// The message that waits longest.
    pub(super) fn take_oldest(&mut self) -> Option<Entry> {
        let waits = |entry: &&Entry| !entry.is_under_way;
        let oldest = self.entries().filter(waits).min_by_key(|entry| (entry.accepted_ms, entry.number))?;
        let (group, number) = (oldest.group.clone(), oldest.number);
        self.take(&group, number)
    }

    /// Keeps the index true after a lane has changed, and drops a lane that has nothing to remember.
    fn index(&mut self, group: &str) {
        let Some(lane) = self.lanes.get_mut(group) else { return };
        let due = lane.entries.front().filter(|entry| !entry.is_under_way).map(|entry| entry.not_before_ms);
        if due != lane.due_ms {
            if let Some(old) = lane.due_ms {
                self.due.remove(&(old, group.to_owned()));
            }
            if let Some(new) = due {
                self.due.insert((new, group.to_owned()));
            }
            lane.due_ms = due;
        }
        if lane.entries.is_empty() && lane.told.is_none() {
            self.lanes.remove(group);
        }
    }

    /// Notes that an attempt failed: the whole channel rests, longer each time.
    pub(super) fn rest(&mut self, until_ms: i64, at: Timestamp) {
        self.not_before_ms = until_ms;
        self.note_failure(at);
    }

    pub(super) fn note_failure(&mut self, at: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        let since = self.failing_since_ms.get_or_insert(at.0);
        // The clock was set back.
        *since = (*since).min(at.0);
    }

    pub(super) fn note_success(&mut self) {
        self.failures = 0;
        self.failing_since_ms = None;
        self.not_before_ms = i64::MIN;
    }

    /// Whether it has failed long enough for its fallback to be told.
    pub(super) fn is_failing(&self, at: Timestamp) -> bool {
        self.failures >= FAILURES && self.failing_since_ms.is_some_and(|since| at.0 - since >= FAILING_MS)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.lanes.values().flat_map(|lane| &lane.entries)
    }

    pub(super) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.lanes.values_mut().flat_map(|lane| &mut lane.entries)
    }

    pub(super) fn into_entries(self) -> impl Iterator<Item = Entry> {
        self.lanes.into_values().flat_map(|lane| lane.entries)
    }
}

/// A moment to wait for, or now where no clock of ours can have meant it.
fn within_reach(ms: i64, at: Timestamp) -> i64 {
    if ms.saturating_sub(at.0) > MAX_AHEAD_MS { at.0 } else { ms }
}
