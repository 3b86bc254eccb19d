//! The state as pages and the API show it.

use std::collections::BTreeMap;

use squirrel_alert::AlertState;
use squirrel_model::Timestamp;

use crate::notification::texts;
use crate::notifier::Notifier;
use crate::record::Record;
use crate::view::{AlertView, Counts, GroupView, SilenceView, Views, WindowView};
use crate::{Silence, Suppression};

impl Notifier {
    /// Everything, as it stood when [`Notifier::due`] was called last.
    pub fn views(&self, at: Timestamp) -> Views {
        let mut told: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for (channel, line) in self.groups.values().flat_map(|group| &group.lines) {
            for number in line.told.keys() {
                let channels = told.entry(*number).or_default();
                if !channels.contains(channel) {
                    channels.push(channel.clone());
                }
            }
        }
        let mut records: Vec<&Record> = self.records.values().collect();
        records.sort_by_key(|record| {
            (std::cmp::Reverse((record.state, record.facts.rank)), record.starts_at, record.facts.fingerprint)
        });
        let told = |record: &Record| told.get(&record.facts.fingerprint).cloned().unwrap_or_default();
        let windows = self.plan.windows.iter().map(|window| WindowView {
            name: window.name.clone(),
            matchers: window.matchers.texts(),
            until: window.when.current(at).map(|range| range.end),
            next_change: window.when.next_change(at),
        });
        Views {
            alerts: records.into_iter().map(|record| self.alert_view(record, told(record))).collect(),
            groups: self.group_views(),
            windows: windows.collect(),
            quiet_until: self.plan.quiet.as_ref().and_then(|quiet| quiet.hours.current(at)).map(|range| range.end),
        }
    }

    fn alert_view(&self, record: &Record, told: Vec<String>) -> AlertView {
        let acknowledgement = self.acknowledgement_of(record).filter(|_| record.is_trouble()).cloned();
        let routes = self.plan.routes_of(&record.labels).into_iter().filter_map(|place| self.plan.routes.get(place));
        let mut receivers: Vec<String> = routes.flat_map(|route| route.channels.iter().cloned()).collect();
        receivers.sort();
        receivers.dedup();
        let waits = record.is_firing() && record.is_free() && acknowledgement.is_none();
        let escalation = self.plan.escalations.iter().find(|one| one.matchers.matches(&record.labels));
        let step = escalation.and_then(|one| one.steps.get(record.steps)).filter(|_| waits);
        let due_ms = step.zip(record.told_ms).map(|(step, told)| told.saturating_add(step.after.0));
        AlertView {
            alert: record.notified(acknowledgement.as_ref().map(|said| said.who.clone()), &self.plan.external_url),
            state: record.state,
            severity_rank: record.facts.rank,
            source: record.rule.source.clone(),
            suppressed: record.held.clone(),
            flapping_percent: record.flap.percent(),
            told,
            receivers,
            escalates_at: due_ms.map(|ms| self.awake.wall_of(ms)),
            acknowledgement,
        }
    }

    /// Groups with an alert that is going on, or that somebody takes for going on.
    fn group_views(&self) -> Vec<GroupView> {
        let groups = self.groups.iter().filter_map(|(key, group)| {
            let live = |number: &&u64| {
                let told = group.lines.values().any(|line| line.told.contains_key(number));
                told || self.records.get(number).is_some_and(Record::is_trouble)
            };
            let members: Vec<u64> = group.members.iter().filter(live).copied().collect();
            let route = group.route.and_then(|place| self.plan.routes.get(place));
            let routed =
                route.into_iter().flat_map(|route| route.channels.iter().map(|channel| (channel.clone(), None)));
            let mut channels: BTreeMap<String, Option<Timestamp>> = routed.collect();
            for (channel, line) in &group.lines {
                channels.insert(channel.clone(), line.sent_ms.map(|ms| self.awake.wall_of(ms)));
            }
            (!members.is_empty()).then(|| GroupView {
                key: key.clone(),
                labels: texts(&group.labels),
                members,
                channels: channels.into_iter().collect(),
            })
        });
        groups.collect()
    }

    /// All silences: active ones first, then those to come, then those that are over.
    pub fn silences(&self, at: Timestamp) -> Vec<SilenceView> {
        let mut takes: BTreeMap<&str, usize> = BTreeMap::new();
        for record in self.records.values().filter(|record| record.state == AlertState::Firing) {
            for held in &record.held {
                if let Suppression::Silence { id } = held {
                    *takes.entry(id).or_default() += 1;
                }
            }
        }
        let mut views: Vec<SilenceView> = self
            .silences
            .all
            .values()
            .map(|silence| SilenceView {
                silence: silence.clone(),
                state: silence.state(at),
                takes: takes.get(silence.id.as_str()).copied().unwrap_or_default(),
            })
            .collect();
        views.sort_by(|a, b| {
            (a.state, a.silence.ends_at, &a.silence.id).cmp(&(b.state, b.silence.ends_at, &b.silence.id))
        });
        views
    }

    /// The silence of this id.
    pub fn silence(&self, id: &str) -> Option<&Silence> {
        self.silences.all.get(id)
    }

    /// Names of the channels, as they were given.
    pub fn channels(&self) -> &[String] {
        &self.plan.channels
    }

    /// How much there is.
    pub fn counts(&self) -> Counts {
        let firing = || self.records.values().filter(|record| record.is_firing());
        Counts {
            alerts: self.records.len(),
            firing: firing().count(),
            suppressed: firing().filter(|record| !record.is_free()).count(),
            groups: self.groups.len(),
            silences: self.silences.all.len(),
            acknowledgements: self.acknowledgements.len(),
            messages: self.messages,
            refused: self.refused,
            history_forgotten: self.history.forgotten,
        }
    }
}
