//! What is to be told now: what time changed, who is held back, and when to look again.
//!
//! What the channels of a group are told stands in `decide/tell.rs`, what quiet hours held back in
//! `decide/morning.rs`, and what nobody took care of in `decide/escalate.rs`.

mod escalate;
mod morning;
mod tell;

use std::collections::{BTreeMap, BTreeSet};

use squirrel_alert::AlertState;
use squirrel_model::Timestamp;

use crate::Notification;
use crate::history::Event;
use crate::notifier::{LONGEST_NAP_MS, Notifier};
use crate::suppression::{Suppression, judge};

/// How long at least nothing must be heard of an alert until it is taken for over: Alertmanager's `resolve_timeout`.
const SILENCE_MS: i64 = 5 * 60_000;

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
