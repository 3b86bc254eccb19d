//! The machine between alerts and messages: what goes in. What comes out is decided in [`crate::decide`].

use std::collections::BTreeMap;

use squirrel_alert::AlertState;
use squirrel_model::{Labels, Timestamp};

use crate::acknowledgement::Acknowledgement;
use crate::awake::Awake;
use crate::flap::Flap;
use crate::group::Group;
use crate::history::{Event, History, HistoryEntry};
use crate::plan::Plan;
use crate::record::{Facts, Record};
use crate::settings::Settings;
use crate::silences::{NewSilence, SilenceError, Silences};
use crate::{Observed, SettingsError};

/// At least this often the clock is looked at while there are alerts.
pub(crate) const LONGEST_NAP_MS: i64 = 60_000;

/// Most alerts that are remembered. With texts of 1 KB each these are some 50 MB.
pub const MAX_ALERTS: usize = 20_000;
/// Most groups; alerts beyond come together in one group of their route.
pub const MAX_GROUPS: usize = 20_000;

/// From alerts to messages. Time is an argument everywhere, and the whole state can be written down and taken up
/// again ([`Notifier::save`], [`Notifier::restore`]).
///
/// After each evaluation of rules call [`Notifier::observe`], then [`Notifier::due`]; call `due` again at
/// [`Notifier::next_wake`]. Put the messages into the queue of deliveries, and write the state down after that: when
/// the program dies in between, the same messages come again, under the same ids.
#[derive(Debug)]
pub struct Notifier {
    pub(crate) plan: Plan,
    pub(crate) awake: Awake,
    pub(crate) records: BTreeMap<u64, Record>,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) silences: Silences,
    /// By the number of the labels without severity.
    pub(crate) acknowledgements: BTreeMap<u64, Acknowledgement>,
    pub(crate) history: History,
    /// Whether it was quiet when that was looked at last.
    pub(crate) quiet: bool,
    pub(crate) messages: u64,
    pub(crate) refused: u64,
    pub(crate) wake: Option<Timestamp>,
    pub(crate) revision: u64,
}

impl Notifier {
    /// A notifier without a past.
    ///
    /// # Errors
    /// Everything that is wrong with the settings.
    pub fn new(settings: &Settings, channels: &[String]) -> Result<Self, SettingsError> {
        Ok(Self {
            plan: settings.plan(channels)?,
            awake: Awake::default(),
            records: BTreeMap::new(),
            groups: BTreeMap::new(),
            silences: Silences::default(),
            acknowledgements: BTreeMap::new(),
            history: History::default(),
            quiet: false,
            messages: 0,
            refused: 0,
            wake: None,
            revision: 0,
        })
    }

    /// Changes whenever there is something new to write down. Values of alerts alone are nothing new.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// When [`Notifier::due`] wants to be called next: within a minute while there are alerts, so that a step of the
    /// clock is told from waiting.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.wake
    }

    /// Takes the alerts of one or more groups of rules as an evaluation left them: pending, firing, and those that
    /// are over.
    pub fn observe(&mut self, at: Timestamp, alerts: &[Observed]) {
        let now_ms = self.advance(at);
        for observed in alerts {
            let full = self.records.len() >= MAX_ALERTS;
            let facts = Facts::of(&observed.labels);
            match self.records.get_mut(&facts.fingerprint) {
                Some(record) => {
                    record.annotations.clone_from(&observed.annotations);
                    record.value = observed.value;
                    record.rule.clone_from(&observed.rule);
                    record.seen_ms = now_ms;
                    let restarted = record.from_last_run && record.is_firing() && observed.state == AlertState::Pending;
                    if record.state != observed.state && !restarted {
                        self.step(at, now_ms, facts.fingerprint, observed);
                    }
                    if let Some(record) = self.records.get_mut(&facts.fingerprint).filter(|_| !restarted) {
                        record.from_last_run = false;
                    }
                }
                None if observed.state == AlertState::Inactive => {}
                None if full => self.refuse(at, observed),
                None => {
                    self.records.insert(facts.fingerprint, fresh(observed, facts, now_ms));
                    self.enrol(&observed.labels, facts.fingerprint);
                    if observed.state == AlertState::Firing {
                        self.step(at, now_ms, facts.fingerprint, observed);
                    }
                }
            }
        }
        if !self.records.is_empty() {
            self.wake = Some(at);
        }
    }

    /// The time waited until now. While the program was away nobody could show it an alert.
    pub(crate) fn advance(&mut self, at: Timestamp) -> i64 {
        let (away, before) = (self.awake.was_away, self.awake.ms);
        let now_ms = self.awake.advance(at);
        let absence_ms = now_ms.saturating_sub(before);
        if away && absence_ms > LONGEST_NAP_MS {
            for record in self.records.values_mut() {
                record.seen_ms = record.seen_ms.saturating_add(absence_ms);
            }
        }
        now_ms
    }

    fn refuse(&mut self, at: Timestamp, observed: &Observed) {
        if self.refused == 0 {
            let why = format!("{MAX_ALERTS} alerts are remembered, there is no room for more");
            self.history.add(at, Event::Lost, None, &observed.labels.to_string(), &why);
        }
        self.refused += 1;
        self.revision += 1;
    }

    /// Moves an alert to another state.
    fn step(&mut self, at: Timestamp, now_ms: i64, number: u64, observed: &Observed) {
        let Some(record) = self.records.get_mut(&number) else { return };
        self.revision += 1;
        let fired = record.is_firing();
        record.state = observed.state;
        let fires = record.is_firing();
        if fired == fires {
            return;
        }
        let flapped = record.flap.flapping;
        record.flap.change(now_ms, record.rule.interval_ms, &self.plan.flapping);
        let flaps = record.flap.flapping;
        let subject = record.labels.to_string();
        if fires {
            record.starts_at = observed.active_at;
            record.ends_at = None;
            // Where it is still taken for firing, nothing has begun anew.
            if !is_told(&self.plan, &self.groups, record) {
                record.told_ms = None;
                record.steps = 0;
            }
            self.history.add(at, Event::Fired, Some(number), &subject, "");
        } else {
            record.ends_at = Some(observed.resolved_at.unwrap_or(at));
            record.ended_ms = now_ms;
            self.history.add(at, Event::Resolved, Some(number), &subject, "");
        }
        if flaps && !flapped {
            let text = format!("{:.0} % of the last 20 evaluations", record.flap.percent());
            self.history.add(at, Event::FlappingBegan, Some(number), &subject, &text);
        }
    }

    /// Ends an alert of which nothing is heard any more.
    pub(crate) fn end(&mut self, at: Timestamp, now_ms: i64, number: u64) {
        let Some(record) = self.records.get(&number) else { return };
        let last = Observed {
            labels: record.labels.clone(),
            annotations: record.annotations.clone(),
            state: AlertState::Inactive,
            value: record.value,
            active_at: record.starts_at,
            resolved_at: Some(at),
            rule: record.rule.clone(),
        };
        self.step(at, now_ms, number, &last);
    }

    /// Puts an alert into the groups of its routes.
    pub(crate) fn enrol(&mut self, labels: &Labels, number: u64) {
        for place in self.plan.routes_of(labels) {
            let Some(route) = self.plan.routes.get(place) else { continue };
            let mut own = route.group_labels(labels);
            let mut key = route.group_key(&own);
            if self.groups.len() >= MAX_GROUPS && !self.groups.contains_key(&key) {
                own = Labels::empty();
                key = route.group_key(&own);
            }
            let group = self.groups.entry(key).or_insert_with(|| Group::new(Some(place), own));
            group.members.insert(number);
        }
    }

    /// Adds a silence, or changes one. Answers its id.
    ///
    /// # Errors
    /// A silence that makes no sense, or for which there is no room.
    pub fn add_silence(&mut self, at: Timestamp, new: NewSilence) -> Result<String, SilenceError> {
        let text = format!("{} by {}: {}", new.matchers.joined(), new.author, new.comment);
        let id = self.silences.set(at, new)?;
        self.history.add(at, Event::Silenced, None, &id, &text);
        self.changed(at);
        Ok(id)
    }

    /// Ends a silence now.
    ///
    /// # Errors
    /// An id that no silence has, or one that is over.
    pub fn expire_silence(&mut self, at: Timestamp, id: &str) -> Result<(), SilenceError> {
        self.silences.expire(at, id)?;
        self.history.add(at, Event::SilenceExpired, None, id, "");
        self.changed(at);
        Ok(())
    }

    /// What happened and was decided, the oldest first.
    pub fn history(&self) -> impl DoubleEndedIterator<Item = &HistoryEntry> {
        self.history.entries.iter()
    }

    pub(crate) fn changed(&mut self, at: Timestamp) {
        self.revision += 1;
        if !self.records.is_empty() {
            self.wake = Some(at);
        }
    }
}

/// Whether a channel takes an alert for firing.
fn is_told(plan: &Plan, groups: &BTreeMap<String, Group>, record: &Record) -> bool {
    let routes = plan.routes_of(&record.labels).into_iter().filter_map(|place| plan.routes.get(place));
    let keys = routes.flat_map(|route| route.group_keys(&record.labels));
    let lines = keys.filter_map(|key| groups.get(&key)).flat_map(|group| group.lines.values());
    lines.into_iter().any(|line| line.told.contains_key(&record.facts.fingerprint))
}

/// An alert that is seen for the first time; not firing yet, so that its beginning is a change of state.
fn fresh(observed: &Observed, facts: Facts, now_ms: i64) -> Record {
    Record {
        labels: observed.labels.clone(),
        annotations: observed.annotations.clone(),
        rule: observed.rule.clone(),
        state: AlertState::Pending,
        value: observed.value,
        starts_at: observed.active_at,
        ends_at: None,
        seen_ms: now_ms,
        ended_ms: now_ms,
        flap: Flap { until: now_ms, ..Flap::default() },
        told_ms: None,
        steps: 0,
        held: Vec::new(),
        silences: (None, Vec::new()),
        facts,
        from_last_run: false,
    }
}
