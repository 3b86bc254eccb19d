//! What the channels of a group are told: news when they have waited long enough, and repetitions.

use std::collections::BTreeSet;

use squirrel_model::Timestamp;

use crate::group::{Draft, Group, Line};
use crate::history::Event;
use crate::message::{Envelope, write};
use crate::notification::texts;
use crate::notifier::Notifier;
use crate::record::Record;
use crate::{Notification, Reason, Texts};

impl Notifier {
    /// Goes over all groups and channels, and tells what may be told.
    pub(super) fn tell(&mut self, at: Timestamp, now_ms: i64, wake_ms: &mut i64, out: &mut Vec<Notification>) {
        for (key, mut group) in std::mem::take(&mut self.groups) {
            for channel in self.channels_of(&group) {
                let mut line = group.lines.remove(&channel).unwrap_or_default();
                let drafts = self.drafts(&group, &channel, &mut line, now_ms, wake_ms);
                for draft in drafts {
                    out.push(self.send(at, now_ms, (&key, &texts(&group.labels)), &channel, &mut line, &draft));
                }
                if line.sent_ms.is_some() || line.news_ms.is_some() {
                    group.lines.insert(channel, line);
                }
            }
            self.groups.insert(key, group);
        }
    }

    pub(super) fn channels_of(&self, group: &Group) -> BTreeSet<String> {
        let route = group.route.and_then(|place| self.plan.routes.get(place));
        route.into_iter().flat_map(|route| &route.channels).chain(group.lines.keys()).cloned().collect()
    }

    pub(super) fn is_routed(&self, group: &Group, channel: &str) -> bool {
        let route = group.route.and_then(|place| self.plan.routes.get(place));
        route.is_some_and(|route| route.channels.iter().any(|one| one == channel))
    }

    /// What a channel is told of a group now, if anything.
    fn drafts(&mut self, group: &Group, channel: &str, line: &mut Line, now_ms: i64, wake_ms: &mut i64) -> Vec<Draft> {
        let routed = self.is_routed(group, channel);
        let route = group.route.and_then(|place| self.plan.routes.get(place));
        let news = group.news(line, routed, &self.records);
        if news.is_empty() {
            self.revision += u64::from(line.news_ms.take().is_some());
            let (Some(route), true) = (route, routed) else { return Vec::new() };
            let open = self.unattended(group, line);
            let again_ms = line.sent_ms.unwrap_or(now_ms).saturating_add(route.repeat_ms);
            if open.is_empty() || now_ms < again_ms {
                *wake_ms = if open.is_empty() { *wake_ms } else { again_ms.min(*wake_ms) };
                return Vec::new();
            }
            return vec![Draft { reason: Reason::Repeat, fresh: Vec::new(), alerts: open }];
        }
        if line.news_ms.is_none() {
            line.news_ms = Some(now_ms);
            self.revision += 1;
        }
        let ready_ms = line.ready_ms(route, &news, now_ms);
        if now_ms < ready_ms {
            *wake_ms = ready_ms.min(*wake_ms);
            return Vec::new();
        }
        group.drafts(line, routed, &news, &self.records)
    }

    pub(super) fn unattended(&self, group: &Group, line: &Line) -> Vec<u64> {
        group.unattended(line, &self.records, |record| self.acknowledgement_of(record).is_some())
    }

    /// Writes a message and notes that it was told.
    pub(super) fn send(
        &mut self,
        at: Timestamp,
        now_ms: i64,
        (key, labels): (&str, &Texts),
        channel: &str,
        line: &mut Line,
        draft: &Draft,
    ) -> Notification {
        let envelope = Envelope { channel, group_key: key, group_labels: labels.clone(), sequence: line.messages, at };
        let message = self.message(envelope, draft);
        self.note(now_ms, line, draft);
        message
    }

    pub(super) fn message(&mut self, envelope: Envelope<'_>, draft: &Draft) -> Notification {
        let who = |record: &Record| {
            self.acknowledgement_of(record).filter(|_| record.is_firing()).map(|said| said.who.clone())
        };
        let message = write(envelope, draft, &self.plan, &self.records, who);
        let told = format!("{}: {} (alerts: {})", message.channel, message.reason.word(), draft.alerts.len());
        let at = Timestamp(message.at_ms);
        self.history.add(at, Event::Told, None, &message.group_key, &told);
        self.messages += 1;
        self.revision += 1;
        message
    }

    pub(super) fn note(&mut self, now_ms: i64, line: &mut Line, draft: &Draft) {
        line.note(draft, &self.records, now_ms);
        for number in &draft.alerts {
            if let Some(record) = self.records.get_mut(number).filter(|record| record.is_firing()) {
                record.told_ms.get_or_insert(now_ms);
            }
        }
    }
}
