//! The entries of the text: alerts, groups, silences and acknowledgements as they are written down, and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use squirrel_alert::AlertState;
use squirrel_model::{Labels, Timestamp};

use crate::acknowledgement::Acknowledgement;
use crate::flap::Flap;
use crate::group::{Group, Line, Told};
use crate::notification::texts;
use crate::record::{Facts, Record};
use crate::silences::Silence;
use crate::suppression::Suppression;
use crate::{Matchers, RuleFacts, Texts};

/// No program has waited longer.
pub(super) const LONGEST_MS: i64 = 1 << 50;

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedRule {
    expr: String,
    #[serde(with = "crate::number::option")]
    threshold: Option<f64>,
    source: String,
    interval_ms: i64,
}

impl SavedRule {
    pub(super) fn of(rule: &RuleFacts) -> Self {
        Self {
            expr: rule.expr.clone(),
            threshold: rule.threshold,
            source: rule.source.clone(),
            interval_ms: rule.interval_ms,
        }
    }

    pub(super) fn facts(self) -> RuleFacts {
        RuleFacts { expr: self.expr, threshold: self.threshold, source: self.source, interval_ms: self.interval_ms }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedAlert {
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

fn state_of(word: &str) -> Option<AlertState> {
    [AlertState::Inactive, AlertState::Pending, AlertState::Firing].into_iter().find(|state| state.word() == word)
}

impl SavedAlert {
    pub(super) fn of(record: &Record, rule: usize) -> Self {
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

    pub(super) fn record(self, rules: &[Arc<RuleFacts>], now_ms: i64) -> Option<Record> {
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

#[derive(Serialize, Deserialize)]
pub(super) struct SavedGroup {
    pub(super) key: String,
    pub(super) labels: Texts,
    pub(super) lines: Vec<SavedLine>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedLine {
    pub(super) channel: String,
    /// Number, begin, whether it was told as one that flaps.
    pub(super) told: Vec<(u64, i64, bool)>,
    sent_ms: Option<i64>,
    news_ms: Option<i64>,
    messages: u64,
}

impl SavedGroup {
    pub(super) fn of(key: &str, group: &Group) -> Self {
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
    pub(super) fn line(self, now_ms: i64) -> (String, Line) {
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

#[derive(Serialize, Deserialize)]
pub(super) struct SavedSilence {
    id: String,
    matchers: Vec<String>,
    starts_at_ms: i64,
    ends_at_ms: i64,
    updated_at_ms: i64,
    author: String,
    comment: String,
}

impl SavedSilence {
    pub(super) fn of(silence: &Silence) -> Self {
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

    pub(super) fn silence(self) -> Option<Silence> {
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

#[derive(Serialize, Deserialize)]
pub(super) struct SavedAcknowledgement {
    pub(super) subject: u64,
    who: String,
    comment: String,
    at_ms: i64,
    until_ms: Option<i64>,
    rank: u8,
}

impl SavedAcknowledgement {
    pub(super) fn of(subject: u64, said: &Acknowledgement) -> Self {
        Self {
            subject,
            who: said.who.clone(),
            comment: said.comment.clone(),
            at_ms: said.at.millis(),
            until_ms: said.until.map(Timestamp::millis),
            rank: said.rank,
        }
    }

    pub(super) fn acknowledgement(self) -> Acknowledgement {
        Acknowledgement {
            who: self.who,
            comment: self.comment,
            at: Timestamp(self.at_ms),
            until: self.until_ms.map(Timestamp),
            rank: self.rank,
        }
    }
}
