//! The state as a text, and back. The text is JSON with a version; each entry is read for itself, so that what is
//! damaged costs nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use squirrel_alert::AlertState;
use squirrel_model::{Labels, Timestamp};

use crate::acknowledgement::Acknowledgement;
use crate::awake::Awake;
use crate::flap::Flap;
use crate::group::{Group, Line, Told};
use crate::history::{HistoryEntry, MAX_HISTORY};
use crate::notifier::{MAX_ALERTS, MAX_GROUPS, Notifier};
use crate::plan::texts;
use crate::record::{Facts, Record};
use crate::silences::{MAX_SILENCES, Silence};
use crate::suppression::Suppression;
use crate::{Matchers, RuleFacts, Texts};

/// The form of the text; a program that changes it counts on.
const VERSION: u64 = 1;
/// Most notes on what could not be taken over; the others are counted.
const MAX_NOTES: usize = 20;
/// No program has waited longer.
const LONGEST_MS: i64 = 1 << 50;

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

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct SavedRule {
    expr: String,
    #[serde(with = "crate::number::option")]
    threshold: Option<f64>,
    source: String,
    interval_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct SavedAlert {
    labels: Texts,
    annotations: Texts,
    rule: usize,
    state: String,
    /// As text, so that each number comes back as it was.
    value: String,
    starts_at_ms: i64,
    ends_at_ms: Option<i64>,
    seen_ms: i64,
    ended_ms: i64,
    flap_bits: u32,
    flap_until_ms: i64,
    flapping: bool,
    told_ms: Option<i64>,
    steps: usize,
    held: Vec<Suppression>,
}

#[derive(Serialize, Deserialize)]
struct SavedGroup {
    key: String,
    labels: Texts,
    lines: Vec<SavedLine>,
}

#[derive(Serialize, Deserialize)]
struct SavedLine {
    channel: String,
    /// Number, begin, whether it was told as one that flaps.
    told: Vec<(u64, i64, bool)>,
    sent_ms: Option<i64>,
    news_ms: Option<i64>,
    messages: u64,
}

#[derive(Serialize, Deserialize)]
struct SavedSilence {
    id: String,
    matchers: Vec<String>,
    starts_at_ms: i64,
    ends_at_ms: i64,
    updated_at_ms: i64,
    author: String,
    comment: String,
}

#[derive(Serialize, Deserialize)]
struct SavedAcknowledgement {
    subject: u64,
    who: String,
    comment: String,
    at_ms: i64,
    until_ms: Option<i64>,
    rank: u8,
}

fn state_of(word: &str) -> Option<AlertState> {
    [AlertState::Inactive, AlertState::Pending, AlertState::Firing].into_iter().find(|state| state.word() == word)
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
                .map(|(subject, said)| SavedAcknowledgement {
                    subject: *subject,
                    who: said.who.clone(),
                    comment: said.comment.clone(),
                    at_ms: said.at.millis(),
                    until_ms: said.until.map(Timestamp::millis),
                    rank: said.rank,
                })
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
            return notes.0;
        };
        let version = parts.get("version").and_then(Value::as_u64);
        if version != Some(VERSION) {
            let version = version.map_or("none".to_owned(), |version| version.to_string());
            notes.add(&format!("the saved state has version {version}, this program reads {VERSION}: it begins anew"));
            return notes.0;
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
            let until = said.until_ms.map(Timestamp);
            let at = Timestamp(said.at_ms);
            let said_again = Acknowledgement { who: said.who, comment: said.comment, at, until, rank: said.rank };
            self.acknowledgements.insert(said.subject, said_again);
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

impl SavedRule {
    fn of(rule: &RuleFacts) -> Self {
        Self {
            expr: rule.expr.clone(),
            threshold: rule.threshold,
            source: rule.source.clone(),
            interval_ms: rule.interval_ms,
        }
    }

    fn facts(self) -> RuleFacts {
        RuleFacts { expr: self.expr, threshold: self.threshold, source: self.source, interval_ms: self.interval_ms }
    }
}

impl SavedAlert {
    fn of(record: &Record, rule: usize) -> Self {
        Self {
            labels: texts(&record.labels),
            annotations: record.annotations.clone(),
            rule,
            state: record.state.word().to_owned(),
            value: record.value.to_string(),
            starts_at_ms: record.starts_at.millis(),
            ends_at_ms: record.ends_at.map(Timestamp::millis),
            seen_ms: record.seen_ms,
            ended_ms: record.ended_ms,
            flap_bits: record.flap.bits,
            flap_until_ms: record.flap.until,
            flapping: record.flap.flapping,
            told_ms: record.told_ms,
            steps: record.steps,
            held: record.held.clone(),
        }
    }

    fn record(self, rules: &[Arc<RuleFacts>], now_ms: i64) -> Option<Record> {
        let labels = Labels::new(self.labels).ok()?;
        let state = state_of(&self.state)?;
        Some(Record {
            facts: Facts::of(&labels),
            labels,
            annotations: self.annotations,
            rule: Arc::clone(rules.get(self.rule)?),
            state,
            value: self.value.parse().ok()?,
            starts_at: Timestamp(self.starts_at_ms),
            ends_at: self.ends_at_ms.map(Timestamp),
            seen_ms: past(self.seen_ms, now_ms),
            ended_ms: past(self.ended_ms, now_ms),
            flap: Flap {
                bits: self.flap_bits & crate::flap::MASK,
                until: past(self.flap_until_ms, now_ms),
                flapping: self.flapping,
            },
            told_ms: self.told_ms.map(|ms| past(ms, now_ms)),
            steps: self.steps,
            held: self.held,
            silences: (None, Vec::new()),
            from_last_run: true,
        })
    }
}

/// A time of waiting that cannot be later than now.
fn past(ms: i64, now_ms: i64) -> i64 {
    ms.clamp(-LONGEST_MS, now_ms)
}

impl SavedGroup {
    fn of(key: &str, group: &Group) -> Self {
        let lines = group.lines.iter().map(|(channel, line)| SavedLine {
            channel: channel.clone(),
            told: line.told.iter().map(|(number, told)| (*number, told.starts_at.millis(), told.flapping)).collect(),
            sent_ms: line.sent_ms,
            news_ms: line.news_ms,
            messages: line.messages,
        });
        Self { key: key.to_owned(), labels: texts(&group.labels), lines: lines.collect() }
    }
}

impl SavedLine {
    fn line(self, now_ms: i64) -> (String, Line) {
        let told = self
            .told
            .into_iter()
            .map(|(number, starts_at, flapping)| (number, Told { starts_at: Timestamp(starts_at), flapping }));
        let told: BTreeMap<u64, Told> = told.collect();
        // Who was told was told at some time.
        let sent_ms = self.sent_ms.or(Some(now_ms).filter(|_| !told.is_empty())).map(|ms| past(ms, now_ms));
        let line = Line { told, sent_ms, news_ms: self.news_ms.map(|ms| past(ms, now_ms)), messages: self.messages };
        (self.channel, line)
    }
}

impl SavedSilence {
    fn of(silence: &Silence) -> Self {
        Self {
            id: silence.id.clone(),
            matchers: silence.matchers.texts(),
            starts_at_ms: silence.starts_at.millis(),
            ends_at_ms: silence.ends_at.millis(),
            updated_at_ms: silence.updated_at.millis(),
            author: silence.author.clone(),
            comment: silence.comment.clone(),
        }
    }

    fn silence(self) -> Option<Silence> {
        let matchers = Matchers::parse(&self.matchers).ok().filter(|one| !one.match_nothing_in_particular())?;
        Some(Silence {
            id: self.id,
            matchers,
            starts_at: Timestamp(self.starts_at_ms),
            ends_at: Timestamp(self.ends_at_ms),
            updated_at: Timestamp(self.updated_at_ms),
            author: self.author,
            comment: self.comment,
        })
    }
}

/// What could not be taken over.
#[derive(Default)]
struct Notes(Vec<String>, usize);

impl Notes {
    fn add(&mut self, text: &str) {
        if self.0.len() < MAX_NOTES {
            self.0.push(text.to_owned());
        } else {
            self.1 += 1;
        }
    }

    fn one<T: DeserializeOwned>(&mut self, what: &str, value: Value) -> Option<T> {
        let read = serde_json::from_value(value).ok();
        if read.is_none() {
            self.add(&format!("the saved {what} is damaged, and is left out"));
        }
        read
    }

    fn list<T: DeserializeOwned>(&mut self, what: &str, value: Value, most: usize) -> Vec<T> {
        let Value::Array(values) = value else {
            self.add(&format!("the list of each saved {what} is damaged, and is left out"));
            return Vec::new();
        };
        if values.len() > most {
            self.add(&format!("there is no room for {} of the saved list of each {what}", values.len() - most));
        }
        values.into_iter().take(most).filter_map(|value| self.one(what, value)).collect()
    }

    fn finish(mut self) -> Vec<String> {
        if self.1 > 0 {
            self.0.push(format!("and {} more like these", self.1));
        }
        self.0
    }
}
