//! The queue of deliveries: which message goes to which channel next. It does no I/O but to its journal, and time is
//! an argument.
//!
//! **What is promised.** A message that [`Queue::commit`] made durable is delivered, or the record of deliveries says why
//! not. A state is told once; only when this program ends between sending and writing down that it was sent, or a
//! receiver took a message and its answer was lost, it is told again. Messages of a group reach a channel in their
//! order, one at a time.
//!
//! **What stands for what.** A message is a picture of its whole group, so a newer one replaces an older one that still
//! waits: firing by firing, and an end after a beginning that was never told. Receivers that are machines
//! ([`Policy::each_state`]) are told of beginning and end even so; people get one message, which says from when to when
//! it was. A channel that is not told ends (`resolved = false`) is not told a beginning that is over already. What was
//! replaced stands in the record.
//!
//! **When a channel fails.** Each message waits longer after each failure, and so does the channel as a whole, so that
//! a receiver that comes back is not overrun. `Retry-After` is obeyed. After three failures, or a minute of them, the
//! fallback channel gets a copy; whichever delivers first ends the other. The end of a group goes to both.

mod channel;
mod delivery;
mod journal;
mod lane;
mod outcome;
mod persistence;
mod talk;

use std::collections::BTreeMap;
use std::sync::Arc;

use squirrel_model::Timestamp;
use squirrel_notify::{Notification, Reason};
use squirrel_store::dir::Dir;

pub use delivery::{Delivery, State};
pub use journal::QueueError;
pub use outcome::Outcome;
pub use persistence::Recovery;
pub use talk::{Accepted, Backlog, Counts, Next, Ticket, Work};

use crate::settings::Policy;
use channel::ChannelState;
use delivery::Deliveries;
use journal::{Journal, Record};
use lane::{Entry, Lane, lane_key};

/// Most messages that wait; beyond it the oldest of the fullest channel is lost, and counted.
pub const MAX_WAITING: usize = 20_000;
/// Most octets of messages that wait.
pub const MAX_WAITING_BYTES: usize = 32 << 20;
/// Largest message; of a larger one, the last alerts are counted and not told. A thousand alerts have room, of a
/// kilobyte each.
pub const MAX_MESSAGE: usize = 1 << 20;

/// Why a message was replaced.
const OVERTAKEN: &str = "a newer message of the group stands for it";

/// The queue.
#[derive(Debug)]
pub struct Queue {
    channels: BTreeMap<String, ChannelState>,
    deliveries: Deliveries,
    journal: Journal,
    /// What the journal does not hold yet.
    unwritten: Vec<Record>,
    next_number: u64,
    random: u64,
    counts: Counts,
}

impl Queue {
    /// Opens the queue in a folder of its own. What was under way when the last program ended waits again. Messages for
    /// channels that are no longer there are given up.
    ///
    /// # Errors
    /// When the folder can be neither read nor written.
    pub fn open(
        dir: &Arc<dyn Dir>,
        policies: Vec<Policy>,
        seed: u64,
        at: Timestamp,
    ) -> Result<(Self, Recovery), QueueError> {
        persistence::open(dir, policies, seed, at)
    }

    /// Takes a message. It is in memory only until [`Queue::commit`].
    pub fn accept(&mut self, notification: Notification, at: Timestamp) -> Accepted {
        let Some(channel) = self.channels.get(&notification.channel) else { return Accepted::NoSuchChannel };
        let group = lane_key(&notification);
        let lane = channel.lanes.get(&group);
        if lane.is_some_and(|lane| lane.knows(&notification)) {
            return Accepted::Known;
        }
        let (wants_ends, name) = (channel.policy.resolved, notification.channel.clone());
        let is_end = notification.reason == Reason::Resolved;
        let elsewhere = lane.and_then(|lane| lane.told.as_ref()).and_then(|told| told.via.clone());
        if is_end && !wants_ends {
            let mut unneeded = Vec::new();
            for (other, channel) in &mut self.channels {
                let is_its = |one: &Entry| *other == name || one.instead_of.as_ref() == Some(&name);
                unneeded.extend(channel.take_waiting(&group, is_its));
            }
            self.replaced(unneeded, "it was over before it could be told", at);
            return Accepted::NotWanted;
        }
        let notification = Arc::new(lane::within(notification, MAX_MESSAGE));
        let elsewhere = elsewhere.filter(|other| is_end && self.channels.contains_key(other));
        let number = self.take_number();
        let mut entry = Entry::new(number, &name, group.clone(), notification.clone(), at);
        entry.is_handed_over = elsewhere.is_some();
        self.put(entry, at);
        if let Some(other) = elsewhere {
            // Those who were told of the beginning there are told of its end there.
            let number = self.take_number();
            let mut copy = Entry::new(number, &other, group, notification, at);
            copy.instead_of = Some(name.clone());
            self.put(copy, at);
        }
        self.hand_over(&name, false, at);
        self.make_room(at);
        Accepted::Queued
    }

    /// The next message to deliver at this moment.
    pub fn next(&mut self, at: Timestamp) -> Next {
        let mut wait: Option<i64> = None;
        for channel in self.channels.values_mut() {
            match channel.next(at) {
                channel::Turn::Now(work) => return Next::Work(Box::new(work)),
                channel::Turn::At(ms) => wait = Some(wait.map_or(ms, |known| known.min(ms))),
                channel::Turn::Nothing => {}
            }
        }
        Next::Wait(wait.map(Timestamp))
    }

    /// Makes everything durable that was accepted and done so far.
    ///
    /// # Errors
    /// When the disk does not take it. Deliveries go on from memory, and the next call writes everything anew.
    pub fn commit(&mut self, at: Timestamp) -> Result<(), QueueError> {
        let result = persistence::commit(self, at);
        self.counts.unwritten += u64::from(result.is_err());
        result
    }

    /// Other channels, or other rules for them.
    pub fn set_policies(&mut self, policies: Vec<Policy>, at: Timestamp) {
        let mut old = std::mem::take(&mut self.channels);
        for policy in policies {
            let state = match old.remove(&policy.name) {
                Some(mut state) => {
                    state.set_policy(policy);
                    state
                }
                None => ChannelState::new(policy),
            };
            self.channels.insert(state.policy.name.clone(), state);
        }
        for entry in old.into_values().flat_map(ChannelState::into_entries) {
            self.finish(&entry, State::GivenUp, Some("the channel is no longer configured"), at);
        }
    }

    /// Messages that wait, with the last answer, and those that came to an end, newest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        let waiting = self.channels.values().flat_map(ChannelState::entries).map(Entry::delivery);
        let mut all: Vec<Delivery> = waiting.chain(self.deliveries.iter().cloned()).collect();
        all.sort_by_key(|delivery| std::cmp::Reverse((delivery.at_ms, delivery.number)));
        all
    }

    /// What happened since the start.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How many messages wait for a channel, and since when it takes none.
    pub fn backlog(&self) -> Vec<Backlog> {
        let one = |channel: &ChannelState| Backlog {
            channel: channel.policy.name.clone(),
            waiting: channel.waiting,
            failing_since_ms: channel.failing_since_ms,
        };
        self.channels.values().map(one).collect()
    }

    /// Whether nothing waits and nothing is under way, resends aside.
    pub fn is_idle(&self) -> bool {
        self.channels.values().all(|channel| channel.waiting == 0)
    }

    fn take_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Puts an entry into its lane; what it stands for goes.
    fn put(&mut self, mut entry: Entry, at: Timestamp) {
        let Some(channel) = self.channels.get_mut(&entry.channel) else { return };
        let lane = channel.lanes.get(&entry.group);
        let is_unwanted = entry.is_end() && !channel.policy.resolved;
        if entry.instead_of.is_some() && (is_unwanted || lane.is_some_and(|lane| lane.is_past(&entry))) {
            return self.finish(&entry, State::Replaced, Some("the channel needs no copy of it"), at);
        }
        let each_state = channel.policy.each_state && lane.is_none_or(Lane::has_room);
        let said = lane.map(|lane| lane.replaced_by(&entry, each_state)).unwrap_or_default();
        let replaced = channel.take_waiting(&entry.group, |older| said.contains(&older.number));
        for older in replaced.iter().filter(|older| !older.is_resend) {
            entry.inherit(older);
        }
        let (name, number) = (entry.channel.clone(), entry.number);
        let is_elsewhere = replaced.iter().any(|older| older.is_handed_over);
        self.unwritten.push(Record::Put(entry.stored()));
        channel.put_in(entry);
        self.replaced(replaced, OVERTAKEN, at);
        if is_elsewhere {
            self.follow(&name, number, at);
        }
    }

    /// Gives the fallback channel a message too, since it has the one that this stands for.
    fn follow(&mut self, channel: &str, number: u64, at: Timestamp) {
        let fallback = self.channels.get(channel).and_then(|state| state.policy.fallback.clone());
        if let Some(fallback) = fallback {
            self.copy_to(channel, &fallback, |one| one.number == number, at);
        }
    }

    /// Messages of a lane that a newer one stands for, which came while they were under way.
    fn drop_overtaken(&mut self, channel: &str, group: &str, at: Timestamp) {
        while let Some((old, newer)) = self.channels.get_mut(channel).and_then(|one| one.take_overtaken(group)) {
            let number = newer.number();
            self.unwritten.push(Record::Put(newer));
            self.finish(&old, State::Replaced, Some(OVERTAKEN), at);
            if old.is_handed_over {
                self.follow(channel, number, at);
            }
        }
    }

    fn replaced(&mut self, entries: Vec<Entry>, why: &str, at: Timestamp) {
        for entry in entries {
            self.finish(&entry, State::Replaced, Some(why), at);
        }
    }

    /// Writes down the end of an entry that is in no lane any more.
    fn finish(&mut self, entry: &Entry, state: State, why: Option<&str>, at: Timestamp) {
        let mut delivery = entry.delivery();
        delivery.state = state;
        delivery.at_ms = at.0;
        if let Some(why) = why {
            delivery.answer = Some(why.to_owned());
        }
        match state {
            State::Replaced if !entry.is_resend => self.counts.replaced += 1,
            State::GivenUp => self.counts.given_up += 1,
            State::Lost => self.counts.lost += 1,
            State::Delivered if !entry.is_resend => self.counts.delivered += 1,
            _ => {}
        }
        // That it is told again every minute is no news.
        let delivery = (!entry.is_resend).then_some(delivery);
        if let Some(delivery) = &delivery {
            self.deliveries.push(delivery.clone());
        }
        self.unwritten.push(Record::Gone { channel: entry.channel.clone(), number: entry.number, delivery });
    }

    /// While there are too many, the oldest of the channel that has most is lost.
    fn make_room(&mut self, at: Timestamp) {
        loop {
            let waiting: usize = self.channels.values().map(|channel| channel.waiting).sum();
            let bytes: usize = self.channels.values().map(|channel| channel.bytes).sum();
            if waiting <= MAX_WAITING && bytes <= MAX_WAITING_BYTES {
                return;
            }
            let fullest = self.channels.values_mut().max_by_key(|channel| channel.bytes);
            let Some(entry) = fullest.and_then(ChannelState::take_oldest) else { return };
            self.finish(&entry, State::Lost, Some("the queue had no room for it"), at);
        }
    }
}

#[cfg(test)]
mod tests;
