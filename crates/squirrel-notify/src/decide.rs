//! What is to be told now.

use std::collections::{BTreeMap, BTreeSet};

use squirrel_alert::AlertState;
use squirrel_model::Timestamp;

use crate::group::{Draft, Group, Line, News};
use crate::history::Event;
use crate::message::{Envelope, write};
use crate::notifier::{LONGEST_NAP_MS, Notifier};
use crate::plan::texts;
use crate::record::Record;
use crate::suppression::{Suppression, judge};
use crate::{Notification, Reason, Texts};

/// How long at least nothing must be heard of an alert until it is taken for over: Alertmanager's `resolve_timeout`.
const SILENCE_MS: i64 = 5 * 60_000;
/// The key of messages that tell what quiet hours held back.
const HELD_KEY: &str = "quiet hours";

/// What quiet hours held back of one group, for one channel.
struct Held {
    key: String,
    news: News,
    repeat: Vec<u64>,
}

impl Notifier {
    /// The messages that are to be delivered now.
    pub fn due(&mut self, at: Timestamp) -> Vec<Notification> {
        let now_ms = self.advance(at);
        self.end_unheard(at, now_ms);
        self.pass_time(at, now_ms);
        self.hold(at, now_ms);
        let quiet = self.plan.quiet.as_ref().is_some_and(|quiet| quiet.hours.current(at).is_some());
        let morning = self.quiet && !quiet;
        self.revision += u64::from(self.quiet != quiet);
        self.quiet = quiet;
        let mut wake_ms = i64::MAX;
        let mut out = Vec::new();
        if morning {
            self.tell_held(at, now_ms, &mut out);
        }
        self.tell(at, now_ms, &mut wake_ms, &mut out);
        self.escalate(at, now_ms, &mut wake_ms, &mut out);
        self.forget(now_ms);
        self.wake = self.next(at, wake_ms);
        out
    }

    /// Alerts whose rule is gone or is not evaluated any more are over. That is counted in time of waiting, so that
    /// neither a step of the clock nor an absence of the program ends any.
    fn end_unheard(&mut self, at: Timestamp, now_ms: i64) {
        let unheard = self.records.values().filter(|record| {
            let patience = record.rule.interval_ms.saturating_mul(4).max(SILENCE_MS);
            record.state != AlertState::Inactive && now_ms.saturating_sub(record.seen_ms) > patience
        });
        for number in unheard.map(|record| record.facts.fingerprint).collect::<Vec<_>>() {
            self.end(at, now_ms, number);
        }
    }

    /// Flapping settles, acknowledgements and silences end.
    fn pass_time(&mut self, at: Timestamp, now_ms: i64) {
        let mut worst: BTreeMap<u64, u8> = BTreeMap::new();
        for (number, record) in &mut self.records {
            let flapped = record.flap.flapping;
            record.flap.pass(now_ms, record.rule.interval_ms, &self.plan.flapping);
            if flapped && !record.flap.flapping {
                self.history.add(at, Event::FlappingEnded, Some(*number), &record.labels.to_string(), "");
                self.revision += 1;
            }
            if record.is_trouble() && !self.acknowledgements.is_empty() {
                let rank = worst.entry(record.facts.subject).or_default();
                *rank = record.facts.rank.max(*rank);
            }
        }
        let ended = self.acknowledgements.iter().filter_map(|(subject, said)| match worst.get(subject) {
            None => Some((*subject, "it is over")),
            Some(rank) if *rank > said.rank => Some((*subject, "it got worse")),
            Some(_) if said.until.is_some_and(|until| at >= until) => Some((*subject, "the time is up")),
            Some(_) => None,
        });
        for (subject, why) in ended.collect::<Vec<_>>() {
            self.end_acknowledgement(at, subject, why);
        }
        self.revision += u64::from(self.silences.forget(at));
    }

    /// Looks at what holds each alert back. One that is released is nobody's fault so far: its escalation waits anew.
    fn hold(&mut self, at: Timestamp, now_ms: i64) {
        let before: BTreeMap<u64, Vec<Suppression>> =
            self.records.iter_mut().map(|(number, record)| (*number, std::mem::take(&mut record.held))).collect();
        judge(&self.plan, &mut self.records, &self.silences, at, now_ms);
        for (number, record) in &mut self.records {
            let before = before.get(number).map(Vec::as_slice).unwrap_or_default();
            if before == record.held {
                continue;
            }
            self.revision += 1;
            if record.is_free() {
                record.told_ms = record.told_ms.map(|_| now_ms);
            }
            if record.is_trouble() {
                let event = if record.is_free() { Event::Released } else { Event::Held };
                let why: Vec<String> = record.held.iter().map(Suppression::text).collect();
                self.history.add(at, event, Some(*number), &record.labels.to_string(), &why.join(", "));
            }
        }
    }

    /// Goes over all groups and channels, and tells what may be told.
    fn tell(&mut self, at: Timestamp, now_ms: i64, wake_ms: &mut i64, out: &mut Vec<Notification>) {
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

    fn channels_of(&self, group: &Group) -> BTreeSet<String> {
        let route = group.route.and_then(|place| self.plan.routes.get(place));
        route.into_iter().flat_map(|route| &route.channels).chain(group.lines.keys()).cloned().collect()
    }

    fn is_routed(&self, group: &Group, channel: &str) -> bool {
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

    fn unattended(&self, group: &Group, line: &Line) -> Vec<u64> {
        group.unattended(line, &self.records, |record| self.acknowledgement_of(record).is_some())
    }

    /// Writes a message and notes that it was told.
    fn send(
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

    fn message(&mut self, envelope: Envelope<'_>, draft: &Draft) -> Notification {
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

    fn note(&mut self, now_ms: i64, line: &mut Line, draft: &Draft) {
        line.note(draft, &self.records, now_ms);
        for number in &draft.alerts {
            if let Some(record) = self.records.get_mut(number).filter(|record| record.is_firing()) {
                record.told_ms.get_or_insert(now_ms);
            }
        }
    }

    /// In the morning: what was held back for a channel is one message, if it is of more than one group. (That of
    /// a single group is told as ever, and so stays in its thread.)
    fn tell_held(&mut self, at: Timestamp, now_ms: i64, out: &mut Vec<Notification>) {
        let mut held: BTreeMap<String, Vec<Held>> = BTreeMap::new();
        let none = Line::default();
        for (key, group) in &self.groups {
            for channel in self.channels_of(group) {
                let line = group.lines.get(&channel).unwrap_or(&none);
                let routed = self.is_routed(group, &channel);
                let news = News { flapping: Vec::new(), ..group.news(line, routed, &self.records) };
                let route = group.route.and_then(|place| self.plan.routes.get(place)).filter(|_| routed);
                let repeats =
                    route.zip(line.sent_ms).is_some_and(|(route, sent)| now_ms.saturating_sub(sent) >= route.repeat_ms);
                let repeat = if repeats { self.unattended(group, line) } else { Vec::new() };
                if !news.is_empty() || !repeat.is_empty() {
                    held.entry(channel).or_default().push(Held { key: key.clone(), news, repeat });
                }
            }
        }
        for (channel, parts) in held {
            if parts.len() == 1 {
                // Its waiting is over as well.
                for part in parts {
                    let Some(group) = self.groups.get_mut(&part.key) else { continue };
                    let route = group.route.and_then(|place| self.plan.routes.get(place));
                    let waited_ms = route.map_or(0, |route| route.wait_ms);
                    let line = group.lines.entry(channel.clone()).or_default();
                    line.news_ms = Some(now_ms.saturating_sub(waited_ms));
                }
                continue;
            }
            let draft = |part: &Held| {
                let alerts = part.news.fresh.iter().chain(&part.news.over).chain(&part.repeat).copied();
                Draft { reason: Reason::Held, fresh: part.news.fresh.clone(), alerts: alerts.collect() }
            };
            let mut whole = Draft { reason: Reason::Held, fresh: Vec::new(), alerts: Vec::new() };
            for part in parts.iter().map(draft) {
                whole.fresh.extend(part.fresh);
                whole.alerts.extend(part.alerts);
            }
            for list in [&mut whole.fresh, &mut whole.alerts] {
                list.sort_unstable();
                list.dedup();
            }
            let sequence = self.messages;
            let envelope =
                Envelope { channel: &channel, group_key: HELD_KEY, group_labels: Texts::new(), sequence, at };
            out.push(self.message(envelope, &whole));
            for part in &parts {
                let Some(mut group) = self.groups.remove(&part.key) else { continue };
                let mut line = group.lines.remove(&channel).unwrap_or_default();
                self.note(now_ms, &mut line, &draft(part));
                group.lines.insert(channel.clone(), line);
                self.groups.insert(part.key.clone(), group);
            }
        }
    }

    /// Tells the next persons of alerts that nobody took care of.
    fn escalate(&mut self, at: Timestamp, now_ms: i64, wake_ms: &mut i64, out: &mut Vec<Notification>) {
        let mut due: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
        let open = self.records.values().filter(|record| {
            record.is_firing()
                && record.is_free()
                && record.told_ms.is_some()
                && self.acknowledgement_of(record).is_none()
        });
        let open: Vec<u64> = open.map(|record| record.facts.fingerprint).collect();
        for number in open {
            let Some(record) = self.records.get_mut(&number) else { continue };
            let Some(escalation) = self.plan.escalations.iter().find(|one| one.matchers.matches(&record.labels)) else {
                continue;
            };
            let since = record.told_ms.unwrap_or(now_ms);
            // It is told in the thread of its first route.
            let routes =
                self.plan.routes_of(&record.labels).into_iter().filter_map(|place| self.plan.routes.get(place));
            let mut keys = routes.flat_map(|route| route.group_keys(&record.labels));
            let Some(key) = keys.find(|key| self.groups.contains_key(key)) else { continue };
            while let Some(step) = escalation.steps.get(record.steps) {
                let due_ms = since.saturating_add(step.after.0);
                if now_ms < due_ms {
                    *wake_ms = due_ms.min(*wake_ms);
                    break;
                }
                record.steps += 1;
                self.revision += 1;
                for channel in &step.channels {
                    due.entry((key.clone(), channel.clone())).or_default().push(number);
                }
            }
        }
        for ((key, channel), alerts) in due {
            let Some(mut group) = self.groups.remove(&key) else { continue };
            let mut line = group.lines.remove(&channel).unwrap_or_default();
            let draft = Draft { reason: Reason::Escalated, fresh: alerts.clone(), alerts };
            out.push(self.send(at, now_ms, (&key, &texts(&group.labels)), &channel, &mut line, &draft));
            group.lines.insert(channel, line);
            self.groups.insert(key, group);
        }
    }

    /// Forgets alerts that are over, of which everybody was told who has to be, and that nothing depends on.
    fn forget(&mut self, now_ms: i64) {
        let settle_ms = self.plan.dependencies.iter().map(|one| one.settle.0).max().unwrap_or_default();
        let mut done: BTreeSet<u64> = self
            .records
            .values()
            .filter(|record| record.state == AlertState::Inactive && record.flap.bits == 0 && !record.flap.flapping)
            .filter(|record| now_ms.saturating_sub(record.ended_ms) >= settle_ms)
            .map(|record| record.facts.fingerprint)
            .collect();
        if done.is_empty() {
            return;
        }
        for told in self.groups.values().flat_map(|group| group.lines.values()).flat_map(|line| line.told.keys()) {
            done.remove(told);
        }
        self.revision += u64::from(!done.is_empty());
        self.records.retain(|number, _| !done.contains(number));
        self.groups.retain(|_, group| {
            group.members.retain(|number| !done.contains(number));
            !group.members.is_empty()
        });
    }

    fn next(&self, at: Timestamp, wake_ms: i64) -> Option<Timestamp> {
        if self.records.is_empty() {
            return None;
        }
        let windows = self.plan.windows.iter().filter_map(|window| window.when.next_change(at));
        let quiet = self.plan.quiet.as_ref().and_then(|quiet| quiet.hours.next_change(at));
        let until = self.acknowledgements.values().filter_map(|said| said.until);
        let moments = windows.chain(quiet).chain(self.silences.next_change(at)).chain(until);
        let waiting = Some(wake_ms).filter(|ms| *ms < i64::MAX).map(|ms| self.awake.wall_of(ms));
        moments.chain(waiting).filter(|moment| *moment > at).chain([at.plus_ms(LONGEST_NAP_MS)]).min()
    }
}
