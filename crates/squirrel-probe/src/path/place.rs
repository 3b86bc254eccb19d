//! One place of a flow: who answers there, and the figures of each.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use squirrel_model::Elapsed;

use super::report::Address;
use super::{Answer, Probe, Said};
use crate::ping::Clock;

/// Hosts at one place of one flow at most: more, and somebody makes them up.
const MOST_HOSTS: usize = 64;
/// Reigns of hosts at one place that are remembered, so that a loss is counted at the host of its time.
const MOST_REIGNS: usize = 32;
/// So many returns of a host that had been replaced, and the place has several at once: each packet takes a way of
/// its own, and nothing changes.
const RETURNS: u32 = 3;

/// What an answer did to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Same,
    Changed {
        from: Option<IpAddr>,
    },
    /// It came from behind the end of the path, where nothing is counted.
    Beyond,
    /// The place has too many hosts.
    TooMany,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// Who answered from which question on.
    reigns: VecDeque<(u32, IpAddr)>,
    /// Figures of each host; of nobody while none has answered.
    pub(super) figures: BTreeMap<Option<IpAddr>, Address>,
    /// Losses since the last answer.
    pub(super) missed: u32,
    /// Answers from behind the end of the path while that was in doubt.
    pub(super) evidence: u32,
    returns: u32,
}

impl Place {
    /// Who stands here now.
    pub(super) fn host(&self) -> Option<IpAddr> {
        self.reigns.back().map(|(_, host)| *host)
    }

    /// Whether several hosts stand here, one for each packet.
    pub(super) fn alternates(&self) -> bool {
        self.returns >= RETURNS
    }

    /// Who stood here when a question was sent.
    pub(super) fn host_of(&self, number: u32) -> Option<IpAddr> {
        let reign = self.reigns.iter().rev().find(|(from, _)| *from <= number).or_else(|| self.reigns.front());
        reign.map(|(_, host)| *host)
    }

    /// Seats the host of an answer; none when there is no seat left.
    pub(super) fn seat(&mut self, probe: Probe, answer: &Answer) -> Option<Taken> {
        let (by, before) = (answer.by, self.host());
        if before == Some(by) || self.reigns.back().is_some_and(|(from, _)| *from > probe.number) {
            return Some(Taken::Same);
        }
        let known = self.figures.contains_key(&Some(by));
        if !known && self.figures.len() >= MOST_HOSTS {
            return None;
        }
        // Losses before anybody had answered are the first one's.
        let unseen = if before.is_none() { self.figures.remove(&None) } else { None };
        let figures = self.figures.entry(Some(by)).or_insert_with(|| unseen.unwrap_or_default());
        if !known {
            figures.since = answer.arrival.at;
        }
        let from = if before.is_none() { 0 } else { probe.number };
        if self.reigns.len() == MOST_REIGNS {
            self.reigns.pop_front();
        }
        self.reigns.push_back((from, by));
        self.returns += u32::from(known);
        let changed = before.is_some() && !self.alternates();
        Some(if changed { Taken::Changed { from: before } } else { Taken::Same })
    }

    /// The target turned out to be farther away: what was lost since its last answer here was not its loss.
    pub(super) fn disown(&mut self) {
        let (Some(host), missed) = (self.host(), std::mem::take(&mut self.missed)) else { return };
        let Some(figures) = self.figures.get_mut(&Some(host)) else { return };
        let disowned = figures.disown(missed);
        self.reigns.clear();
        self.figures.insert(None, disowned);
    }
}

impl Address {
    pub(super) fn take(&mut self, probe: Probe, answer: &Answer, time: Duration, clock: Clock, window: usize) {
        self.received += 1;
        self.times.add(time);
        self.timed_by_user += u64::from(clock == Clock::User);
        self.reply_ttl = answer.arrival.ttl.or(self.reply_ttl);
        self.flows.insert(probe.flow);
        if !answer.labels.is_empty() {
            self.labels.clone_from(&answer.labels);
        }
        self.tos = answer.tos.or(self.tos);
        self.mtu = answer.mtu.or(self.mtu);
        if let Said::Refused(kind) = answer.said {
            *self.refused.entry(kind).or_default() += 1;
        }
        self.last_seen = self.last_seen.max(answer.arrival.at);
        self.note(Some(time), window);
    }

    pub(super) fn lose(&mut self, window: usize) {
        self.lost += 1;
        self.note(None, window);
    }

    fn note(&mut self, outcome: Option<Duration>, window: usize) {
        if self.recent.len() == window {
            self.recent.pop_front();
        }
        self.recent.push_back(outcome);
    }

    /// Gives the last losses away.
    fn disown(&mut self, losses: u32) -> Self {
        let mut other = Self { since: Elapsed::default(), ..Self::default() };
        for _ in 0..losses {
            if self.recent.back() == Some(&None) {
                self.recent.pop_back();
            }
            self.lost = self.lost.saturating_sub(1);
            other.lost += 1;
            other.recent.push_back(None);
        }
        other
    }
}
