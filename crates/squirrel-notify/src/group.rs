//! A group of alerts, and what each channel knows of it.
//!
//! A channel is told of a difference between what fires and what it was told. So nobody is told of an end who was
//! not told of a beginning, and what came and went while it was held back is not told at all.

use std::collections::{BTreeMap, BTreeSet};

use squirrel_model::{Labels, Timestamp};

use crate::Reason;
use crate::plan::PlannedRoute;
use crate::record::Record;

/// Alerts that are told together.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Its route; none when the configuration has it no more, and only ends are told.
    pub(crate) route: Option<usize>,
    pub(crate) labels: Labels,
    pub(crate) members: BTreeSet<u64>,
    /// By channel.
    pub(crate) lines: BTreeMap<String, Line>,
}

/// What a channel knows of a group. Moments are times of waiting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// Alerts that it takes for firing.
    pub(crate) told: BTreeMap<u64, Told>,
    /// When it was told last.
    pub(crate) sent_ms: Option<i64>,
    /// Since when there is something to tell.
    pub(crate) news_ms: Option<i64>,
    /// How many messages it got.
    pub(crate) messages: u64,
}

/// What a channel was told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Since when the alert fired; part of what makes two messages the same.
    pub(crate) starts_at: Timestamp,
    /// That it comes and goes.
    pub(crate) flapping: bool,
}

/// What there is to tell a channel of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// Alerts that fire, and it does not know.
    pub(crate) fresh: Vec<u64>,
    /// Alerts that it takes for firing, and are over.
    pub(crate) over: Vec<u64>,
    /// Alerts that come and go.
    pub(crate) flapping: Vec<u64>,
}

impl News {
    pub(crate) fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.over.is_empty() && self.flapping.is_empty()
    }
}

/// One message before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) reason: Reason,
    /// Alerts that the channel learns of, which come first.
    pub(crate) fresh: Vec<u64>,
    /// All alerts that it is told of.
    pub(crate) alerts: Vec<u64>,
}

impl Group {
    pub(crate) fn new(route: Option<usize>, labels: Labels) -> Self {
        Self { route, labels, members: BTreeSet::new(), lines: BTreeMap::new() }
    }

    /// What there is to tell a channel. `routed` says whether the route names it; otherwise it was told once, by an
    /// escalation or an earlier configuration, and is told how that went on.
    pub(crate) fn news(&self, line: &Line, routed: bool, records: &BTreeMap<u64, Record>) -> News {
        let mut news = News::default();
        for number in &self.members {
            let Some(record) = records.get(number) else { continue };
            let told = line.told.get(number);
            if record.only_flaps() {
                if told.map_or(routed, |told| !told.flapping) {
                    news.flapping.push(*number);
                }
            } else if record.is_free() {
                match told {
                    None if routed && record.is_firing() => news.fresh.push(*number),
                    Some(told) if told.flapping && record.is_firing() => news.fresh.push(*number),
                    Some(_) if !record.is_firing() => news.over.push(*number),
                    _ => {}
                }
            }
        }
        news
    }

    /// The messages that tell the news: one, but for alerts that begin to flap while others change.
    pub(crate) fn drafts(&self, line: &Line, routed: bool, news: &News, records: &BTreeMap<u64, Record>) -> Vec<Draft> {
        let mut out = Vec::new();
        if !news.fresh.is_empty() || !news.over.is_empty() {
            let stays = line.told.len() > news.over.len();
            let reason = match (line.told.is_empty(), stays || !news.fresh.is_empty()) {
                (true, _) => Reason::New,
                (false, true) => Reason::Changed,
                (false, false) => Reason::Resolved,
            };
            let firing = self.members.iter().filter(|number| {
                let fires = records.get(number).is_some_and(|record| record.is_firing() && record.is_free());
                fires && (routed || line.told.contains_key(number))
            });
            let alerts = firing.chain(&news.over).copied().collect();
            out.push(Draft { reason, fresh: news.fresh.clone(), alerts });
        }
        if !news.flapping.is_empty() {
            out.push(Draft { reason: Reason::Flapping, fresh: Vec::new(), alerts: news.flapping.clone() });
        }
        out
    }

    /// Alerts that nobody takes care of, for a repetition.
    pub(crate) fn unattended(
        &self,
        line: &Line,
        records: &BTreeMap<u64, Record>,
        is_acknowledged: impl Fn(&Record) -> bool,
    ) -> Vec<u64> {
        let told = line.told.keys().filter(|number| self.members.contains(number));
        let open = told.filter(|number| {
            records.get(number).is_some_and(|record| record.is_firing() && record.is_free() && !is_acknowledged(record))
        });
        open.copied().collect()
    }
}

impl Line {
    /// Whether the news are that everything is over which the channel takes for firing.
    fn is_end(&self, news: &News) -> bool {
        news.fresh.is_empty() && news.flapping.is_empty() && !news.over.is_empty() && news.over.len() >= self.told.len()
    }

    /// When the news may be told. The end of the whole group is told at once: somebody may be on the way to mend it.
    /// (Alertmanager lets it wait for the group's interval.) What only a part of the group does waits for the interval,
    /// and one that ends and begins all the time is soon told as flapping.
    pub(crate) fn ready_ms(&self, route: Option<&PlannedRoute>, news: &News, now_ms: i64) -> i64 {
        let since = self.news_ms.unwrap_or(now_ms);
        if self.is_end(news) {
            return since;
        }
        let (wait, interval) = route.map_or((0, 0), |route| (route.wait_ms, route.interval_ms));
        let wait = if news.fresh.is_empty() { 0 } else { wait };
        let gap = self.sent_ms.map_or(i64::MIN, |sent| sent.saturating_add(interval));
        since.saturating_add(wait).max(gap)
    }

    /// Notes that the channel was told.
    pub(crate) fn note(&mut self, draft: &Draft, records: &BTreeMap<u64, Record>, now_ms: i64) {
        let flapping = draft.reason == Reason::Flapping;
        for number in &draft.alerts {
            match records.get(number) {
                Some(record) if record.is_firing() || flapping => {
                    self.told.insert(*number, Told { starts_at: record.starts_at, flapping });
                }
                _ => {
                    self.told.remove(number);
                }
            }
        }
        self.messages += 1;
        self.news_ms = None;
        // What begins after all was over is new, and waits for nothing.
        self.sent_ms = Some(now_ms).filter(|_| !self.told.is_empty());
    }
}
