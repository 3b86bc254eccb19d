//! The state as a text, and back. The text is JSON with a version; each entry is read for itself, so that what is
//! damaged costs nothing else.

mod entries;
mod notes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use squirrel_model::{Labels, Timestamp};

use self::entries::{LONGEST_MS, SavedAcknowledgement, SavedAlert, SavedGroup, SavedRule, SavedSilence};
use self::notes::Notes;
use crate::RuleFacts;
use crate::awake::Awake;
use crate::group::Group;
use crate::history::{HistoryEntry, MAX_HISTORY};
use crate::notifier::{MAX_ALERTS, MAX_GROUPS, Notifier};
use crate::silences::MAX_SILENCES;

/// The form of the text; a program that changes it counts on.
const VERSION: u64 = 1;

#[derive(Serialize)]
struct Saved {
    version: u64,
    clock: SavedClock,
    rules: Vec<SavedRule>,
    alerts: Vec<SavedAlert>,
    groups: Vec<SavedGroup>,
    silences: Vec<SavedSilence>,
    acknowledgements: Vec<SavedAcknowledgement>,
    history: Vec<HistoryEntry>,
}

#[derive(Default, Serialize, Deserialize)]
struct SavedClock {
    wall_ms: Option<i64>,
    awake_ms: i64,
    quiet: bool,
    messages: u64,
    refused: u64,
    silences_made: u64,
    history_forgotten: u64,
}

impl Notifier {
    /// The whole state as a text; the same state gives the same text.
    pub fn save(&self) -> String {
        let mut rules: Vec<SavedRule> = Vec::new();
        let mut places: BTreeMap<*const RuleFacts, usize> = BTreeMap::new();
        let mut place_of = |rule: &Arc<RuleFacts>| {
            *places.entry(Arc::as_ptr(rule)).or_insert_with(|| {
                let written = SavedRule::of(rule);
                rules.iter().position(|one| *one == written).unwrap_or_else(|| {
                    rules.push(written);
                    rules.len() - 1
                })
            })
        };
        let alerts = self.records.values().map(|record| SavedAlert::of(record, place_of(&record.rule))).collect();
        let groups = self.groups.iter().filter(|(_, group)| !group.lines.is_empty());
        let saved = Saved {
            version: VERSION,
            clock: SavedClock {
                wall_ms: self.awake.wall.map(Timestamp::millis),
                awake_ms: self.awake.ms,
                quiet: self.quiet,
                messages: self.messages,
                refused: self.refused,
                silences_made: self.silences.made,
                history_forgotten: self.history.forgotten,
            },
            alerts,
            rules,
            groups: groups.map(|(key, group)| SavedGroup::of(key, group)).collect(),
            silences: self.silences.all.values().map(SavedSilence::of).collect(),
            acknowledgements: self
                .acknowledgements
                .iter()
                .map(|(subject, said)| SavedAcknowledgement::of(*subject, said))
                .collect(),
            history: self.history.entries.iter().cloned().collect(),
        };
        // Texts and numbers alone: writing them into memory does not fail.
        serde_json::to_string(&saved).unwrap_or_default()
    }

    /// Takes up the state of the last run, as [`Notifier::save`] wrote it. Answers what could not be taken over,
    /// a sentence each; the rest is there nevertheless. Call it before anything else.
    pub fn restore(&mut self, saved: &str) -> Vec<String> {
        let mut notes = Notes::default();
        let Ok(Value::Object(mut parts)) = serde_json::from_str::<Value>(saved) else {
            notes.add("the saved state is damaged or cut, and begins anew: silences, acknowledgements, and who was told are lost");
            return notes.finish();
        };
        let version = parts.get("version").and_then(Value::as_u64);
        if version != Some(VERSION) {
            let version = version.map_or("none".to_owned(), |version| version.to_string());
            notes.add(&format!("the saved state has version {version}, this program reads {VERSION}: it begins anew"));
            return notes.finish();
        }
        let mut part = |name: &str| parts.remove(name).unwrap_or_default();
        let clock: SavedClock = notes.one("clock", part("clock")).unwrap_or_default();
        self.take_clock(&clock);
        let rules = notes.list::<SavedRule>("rule", part("rules"), MAX_ALERTS).into_iter();
        let rules: Vec<_> = rules.map(|rule| Arc::new(rule.facts())).collect();
        for alert in notes.list::<SavedAlert>("alert", part("alerts"), MAX_ALERTS) {
            match alert.record(&rules, self.awake.ms) {
                Some(record) => {
                    self.records.insert(record.facts.fingerprint, record);
                }
                None => notes.add("an alert has labels or a rule that cannot be, and is left out"),
            }
        }
        for silence in notes.list::<SavedSilence>("silence", part("silences"), MAX_SILENCES) {
            match silence.silence() {
                Some(silence) => {
                    self.silences.all.insert(silence.id.clone(), silence);
                }
                None => notes.add("a silence has conditions that cannot be read, and is left out"),
            }
        }
        for said in notes.list::<SavedAcknowledgement>("acknowledgement", part("acknowledgements"), MAX_ALERTS) {
            self.acknowledgements.insert(said.subject, said.acknowledgement());
        }
        for entry in notes.list::<HistoryEntry>("entry of the history", part("history"), MAX_HISTORY) {
            self.history.put(entry);
        }
        let members: Vec<(u64, Labels)> =
            self.records.iter().map(|(number, one)| (*number, one.labels.clone())).collect();
        for (number, labels) in members {
            self.enrol(&labels, number);
        }
        let mut homes: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for (key, group) in &self.groups {
            for number in &group.members {
                homes.entry(*number).or_default().push(key.clone());
            }
        }
        for group in notes.list::<SavedGroup>("group", part("groups"), 2 * MAX_GROUPS) {
            self.take_group(group, &homes, &mut notes);
        }
        self.wake = self.awake.wall.filter(|_| !self.records.is_empty());
        notes.finish()
    }

    fn take_clock(&mut self, clock: &SavedClock) {
        let ms = clock.awake_ms.clamp(0, LONGEST_MS);
        self.awake = Awake { wall: clock.wall_ms.map(Timestamp), ms, was_away: true };
        self.quiet = clock.quiet;
        self.messages = clock.messages;
        self.refused = clock.refused;
        self.silences.made = clock.silences_made;
        self.history.forgotten = clock.history_forgotten;
    }

    /// Takes over what the channels of a group were told. Where the configuration has the group no more, what they
    /// were told goes to the groups that the alerts are in now; what is in none is told its end.
    fn take_group(&mut self, saved: SavedGroup, homes: &BTreeMap<u64, Vec<String>>, notes: &mut Notes) {
        for line in saved.lines {
            if !self.plan.channels.contains(&line.channel) {
                let text =
                    format!("channel {:?} is gone: {} alerts that it was told of", line.channel, line.told.len());
                notes.add(&format!("{text} will not be told as over there"));
                continue;
            }
            let (channel, mut line) = line.line(self.awake.ms);
            line.told.retain(|number, _| self.records.contains_key(number));
            if let Some(group) = self.groups.get_mut(&saved.key).filter(|group| group.route.is_some()) {
                line.told.retain(|number, _| group.members.contains(number));
                group.lines.insert(channel, line);
                continue;
            }
            let mut homeless = BTreeSet::new();
            for (number, told) in &line.told {
                let mut at_home = false;
                for key in homes.get(number).into_iter().flatten() {
                    let Some(group) = self.groups.get_mut(key) else { continue };
                    let route = group.route.and_then(|place| self.plan.routes.get(place));
                    if route.is_some_and(|route| route.channels.contains(&channel)) {
                        let own = group.lines.entry(channel.clone()).or_default();
                        own.told.insert(*number, *told);
                        own.sent_ms = own.sent_ms.max(line.sent_ms);
                        at_home = true;
                    }
                }
                if !at_home {
                    homeless.insert(*number);
                }
            }
            line.told.retain(|number, _| homeless.contains(number));
            if !line.told.is_empty() {
                let labels = Labels::new(saved.labels.clone()).unwrap_or_default();
                let group = self.groups.entry(saved.key.clone()).or_insert_with(|| Group::new(None, labels));
                group.members.extend(homeless);
                group.lines.insert(channel, line);
            }
        }
    }
}
