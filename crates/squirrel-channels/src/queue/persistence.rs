//! The queue's beginning from what a journal holds, and its way back there.

use std::collections::BTreeMap;
use std::sync::Arc;

use squirrel_model::Timestamp;
use squirrel_store::dir::Dir;

use super::channel::ChannelState;
use super::delivery::{Deliveries, State};
use super::journal::{Journal, QueueError, Record, StoredEntry};
use super::lane::{Entry, Told};
use super::{Counts, Queue};
use crate::settings::Policy;

/// How long it is remembered what a receiver was told of a group that is over.
const REMEMBERED_MS: i64 = 24 * 3_600_000;
/// Groups of which it is remembered; beyond it those are forgotten whose word is oldest.
const MAX_TOLD: usize = 20_000;

/// What a start found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Messages that wait.
    pub waiting: usize,
    /// Lines of the journal that were damaged: the end of one that a crash cut, or a fault of the disk.
    pub damaged: usize,
    /// Why the queue is in memory alone for now, if the disk takes nothing; each commit tries again.
    pub unwritten: Option<String>,
}

pub(super) fn open(
    dir: &Arc<dyn Dir>,
    policies: Vec<Policy>,
    seed: u64,
    at: Timestamp,
) -> Result<(Queue, Recovery), QueueError> {
    let (journal, read) = Journal::read(dir)?;
    let mut deliveries = Deliveries::default();
    let mut entries: BTreeMap<(u64, String), Entry> = BTreeMap::new();
    let mut told: Vec<(String, String, Told)> = Vec::new();
    let mut next_number = 0;
    for record in read.records {
        match record {
            Record::Put(stored) => {
                let entry = stored.entry();
                next_number = next_number.max(entry.number);
                entries.insert((entry.number, entry.channel.clone()), entry);
            }
            Record::Tried { channel, number, attempts, refusals, not_before_ms, answer } => {
                if let Some(entry) = entries.get_mut(&(number, channel)) {
                    entry.attempts = attempts;
                    entry.refusals = refusals;
                    entry.not_before_ms = not_before_ms;
                    entry.answer = answer;
                }
            }
            Record::HandedOver { channel, number } => {
                if let Some(entry) = entries.get_mut(&(number, channel)) {
                    entry.is_handed_over = true;
                }
            }
            Record::Gone { channel, number, delivery } => {
                entries.remove(&(number, channel));
                next_number = next_number.max(number);
                if let Some(delivery) = delivery {
                    deliveries.push(delivery);
                }
            }
            Record::Told { channel, group, told: word } => told.push((channel, group, word)),
            Record::Ended(delivery) => {
                next_number = next_number.max(delivery.number);
                deliveries.push(delivery);
            }
        }
    }
    let channels = policies.into_iter().map(|policy| (policy.name.clone(), ChannelState::new(policy))).collect();
    let mut queue = Queue {
        channels,
        deliveries,
        journal,
        unwritten: Vec::new(),
        next_number,
        random: seed,
        counts: Counts::default(),
    };
    for (channel, group, word) in told {
        if let Some(channel) = queue.channels.get_mut(&channel) {
            channel.tell(&group, word);
        }
    }
    for entry in entries.into_values() {
        match queue.channels.get_mut(&entry.channel) {
            Some(channel) => channel.put_in(entry),
            None => queue.finish(&entry, State::GivenUp, Some("the channel is no longer configured"), at),
        }
    }
    let lanes = queue
        .channels
        .iter()
        .flat_map(|(name, channel)| channel.lanes.keys().map(|group| (name.clone(), group.clone())));
    for (channel, group) in lanes.collect::<Vec<_>>() {
        queue.drop_overtaken(&channel, &group, at);
    }
    let waiting = queue.channels.values().map(|channel| channel.waiting).sum();
    // A full disk is no reason to tell nobody: what was read is delivered all the same.
    let unwritten = queue.write_whole(at).err().map(|error| error.to_string());
    Ok((queue, Recovery { waiting, damaged: read.damaged, unwritten }))
}

pub(super) fn commit(queue: &mut Queue, at: Timestamp) -> Result<(), QueueError> {
    if queue.unwritten.is_empty() && !queue.journal.has_grown() {
        return Ok(());
    }
    if queue.journal.has_grown() {
        return queue.write_whole(at);
    }
    let records = std::mem::take(&mut queue.unwritten);
    queue.journal.append(&records)
}

impl Queue {
    /// Writes a new file that tells everything.
    fn write_whole(&mut self, at: Timestamp) -> Result<(), QueueError> {
        self.forget(at);
        let told = self.channels.iter().flat_map(|(channel, state)| {
            state.lanes.iter().filter_map(move |(group, lane)| {
                let told = lane.told.clone()?;
                Some(Record::Told { channel: channel.clone(), group: group.clone(), told })
            })
        });
        let ended = self.deliveries.iter().cloned().map(Record::Ended);
        let entries = self.channels.values().flat_map(ChannelState::entries).map(|e| Record::Put(StoredEntry::of(e)));
        self.journal.begin(ended.chain(told).chain(entries))?;
        self.unwritten.clear();
        Ok(())
    }

    /// Forgets what receivers were told of groups that are long over, and the oldest of too many.
    fn forget(&mut self, at: Timestamp) {
        let mut ages: Vec<i64> = self
            .channels
            .values()
            .flat_map(|channel| channel.lanes.values())
            .filter_map(|lane| lane.told.as_ref().map(|told| told.at_ms))
            .collect();
        ages.sort_unstable_by(|a, b| b.cmp(a));
        let oldest_kept = ages.get(MAX_TOLD).copied().unwrap_or(i64::MIN);
        for channel in self.channels.values_mut() {
            channel.forget(|told| (told.is_end && at.0 - told.at_ms > REMEMBERED_MS) || told.at_ms <= oldest_kept);
        }
    }
}
