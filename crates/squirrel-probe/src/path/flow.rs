//! One flow: a row of places, who answers at each, and where the path ends.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use squirrel_model::Elapsed;

use super::report::Address;
use super::{AHEAD, Answer, Plan, Probe, Said};
use crate::ping::Clock;

/// Hosts at one place of one flow at most: more, and somebody makes them up.
const MOST_HOSTS: usize = 64;
/// Reigns of hosts at one place that are remembered, so that a loss is counted at the host of its time.
const MOST_REIGNS: usize = 32;
/// Losses of the target in a row after which it is looked for farther away too.
const DOUBT: u32 = 3;
/// Answers of the target at a farther place after which it is believed to be there, none having come from where it
/// was. Were both places the same to it, which of them is answered first would be chance: so many in a row are 1 of 256.
const EVIDENCE: u32 = 8;
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

/// Where a flow ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) ttl: u8,
    pub(super) said: Said,
    pub(super) by: IpAddr,
    /// Round in which that was found out.
    round: u32,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// Who answered from which question on.
    reigns: VecDeque<(u32, IpAddr)>,
    /// Figures of each host; of nobody while none has answered.
    pub(super) figures: BTreeMap<Option<IpAddr>, Address>,
    /// Losses since the last answer.
    missed: u32,
    /// Answers from behind the end of the path while that was in doubt.
    evidence: u32,
    returns: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// The first is of the plan's nearest hop.
    pub(super) places: Vec<Place>,
    pub(super) end: Option<End>,
    first_ttl: u8,
    max_ttl: u8,
    window: usize,
    next_ttl: u8,
}

impl Flow {
    pub(super) fn new(plan: &Plan) -> Self {
        let first_ttl = plan.first_ttl.max(1);
        Self {
            places: Vec::new(),
            end: None,
            first_ttl,
            max_ttl: plan.max_ttl.max(first_ttl),
            window: plan.window.max(1),
            next_ttl: first_ttl,
        }
    }

    pub(super) fn begin_round(&mut self) {
        self.next_ttl = self.first_ttl;
    }

    pub(super) fn ttl_of(&self, index: usize) -> u8 {
        self.first_ttl.saturating_add(u8::try_from(index).unwrap_or(u8::MAX))
    }

    /// The farthest place that is asked: the end, or some beyond the farthest that is known.
    pub(super) fn reach(&self) -> u8 {
        let known = self.places.iter().rposition(|place| place.host().is_some());
        let farthest = known.map_or(self.first_ttl - 1, |index| self.ttl_of(index));
        match self.end {
            Some(end) if self.place(end.ttl).is_none_or(|place| place.missed < DOUBT) => end.ttl,
            Some(end) => end.ttl.saturating_add(AHEAD).min(self.max_ttl).max(end.ttl),
            None => farthest.saturating_add(AHEAD).min(self.max_ttl),
        }
    }

    /// The next place of this round.
    pub(super) fn next_ttl(&self) -> Option<u8> {
        (self.next_ttl <= self.reach()).then_some(self.next_ttl)
    }

    pub(super) fn ask(&mut self) -> Option<u8> {
        let ttl = self.next_ttl()?;
        self.next_ttl = ttl.checked_add(1)?;
        while self.places.len() <= usize::from(ttl - self.first_ttl) {
            self.places.push(Place::default());
        }
        Some(ttl)
    }

    fn place(&self, ttl: u8) -> Option<&Place> {
        self.places.get(usize::from(ttl.checked_sub(self.first_ttl)?))
    }

    fn place_mut(&mut self, ttl: u8) -> Option<&mut Place> {
        self.places.get_mut(usize::from(ttl.checked_sub(self.first_ttl)?))
    }

    /// Whether this host answered at this place.
    pub(super) fn is_at(&self, ttl: u8, by: IpAddr) -> bool {
        self.place(ttl).is_some_and(|place| place.figures.contains_key(&Some(by)))
    }

    /// Takes an answer in, which came `more` times more.
    pub(super) fn answer(&mut self, probe: Probe, answer: &Answer, more: u64, time: Duration, clock: Clock) -> Taken {
        if !self.moves_end(probe, answer) {
            return Taken::Beyond;
        }
        let window = self.window;
        let Some(place) = self.place_mut(probe.ttl) else { return Taken::Beyond };
        let Some(taken) = place.seat(probe, answer) else { return Taken::TooMany };
        let figures = place.figures.entry(Some(answer.by)).or_default();
        figures.take(probe, answer, time, clock, window);
        figures.duplicates += more;
        place.missed = 0;
        taken
    }

    /// Brings the end of the path up to what an answer says. False for one from behind the end.
    fn moves_end(&mut self, probe: Probe, answer: &Answer) -> bool {
        let ends = answer.said != Said::Passing;
        let found = End { ttl: probe.ttl, said: answer.said, by: answer.by, round: probe.round };
        match self.end {
            None if ends => {
                self.end = Some(found);
                self.places.truncate(usize::from(probe.ttl - self.first_ttl) + 1);
            }
            Some(end) if probe.ttl < end.ttl && ends => {
                self.end = Some(found);
                self.places.truncate(usize::from(probe.ttl - self.first_ttl) + 1);
            }
            Some(end) if probe.ttl == end.ttl => {
                self.end = if ends { Some(End { round: end.round, ..found }) } else { None };
                // What was asked behind it while it was in doubt says nothing.
                self.places.truncate(usize::from(probe.ttl - self.first_ttl) + 1);
            }
            // Farther away, and not of the time before the end was known: the path may have grown by silent hosts.
            Some(end) if probe.ttl > end.ttl => {
                if probe.round <= end.round || self.place(end.ttl).is_none_or(|place| place.missed < DOUBT) {
                    return false;
                }
                let Some(farther) = self.place_mut(probe.ttl) else { return false };
                farther.evidence += 1;
                // A host that passes packets on behind the end leaves no doubt.
                if ends && farther.evidence < EVIDENCE {
                    return false;
                }
                if let Some(place) = self.place_mut(end.ttl) {
                    place.disown();
                }
                self.end = ends.then_some(found);
                if ends {
                    self.places.truncate(usize::from(probe.ttl - self.first_ttl) + 1);
                }
            }
            _ => {}
        }
        true
    }

    /// Counts a loss at the host of its time; false when it is behind the end of the path.
    pub(super) fn lose(&mut self, probe: Probe) -> bool {
        let window = self.window;
        if self.end.is_some_and(|end| probe.ttl == end.ttl && matches!(end.said, Said::Refused(_))) {
            // Whoever refused does so no more.
            self.end = None;
        }
        if self.end.is_some_and(|end| probe.ttl > end.ttl) {
            return false;
        }
        let Some(place) = self.place_mut(probe.ttl) else { return false };
        place.missed += 1;
        let host = place.host_of(probe.number);
        place.figures.entry(host).or_default().lose(window);
        true
    }

    pub(super) fn duplicate(&mut self, probe: Probe, by: IpAddr) -> bool {
        let figures = self.place_mut(probe.ttl).and_then(|place| place.figures.get_mut(&Some(by)));
        figures.map(|figures| figures.duplicates += 1).is_some()
    }

    /// A late answer is no answer, but it names the host of a place that had none.
    pub(super) fn late(&mut self, probe: Probe, answer: &Answer) -> bool {
        if self.end.is_some_and(|end| probe.ttl > end.ttl) {
            return false;
        }
        let Some(place) = self.place_mut(probe.ttl) else { return false };
        if place.host().is_none() && place.seat(probe, answer).is_none() {
            return false;
        }
        place.figures.get_mut(&Some(answer.by)).map(|figures| figures.late += 1).is_some()
    }
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
    fn host_of(&self, number: u32) -> Option<IpAddr> {
        let reign = self.reigns.iter().rev().find(|(from, _)| *from <= number).or_else(|| self.reigns.front());
        reign.map(|(_, host)| *host)
    }

    /// Seats the host of an answer; none when there is no seat left.
    fn seat(&mut self, probe: Probe, answer: &Answer) -> Option<Taken> {
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
    fn disown(&mut self) {
        let (Some(host), missed) = (self.host(), std::mem::take(&mut self.missed)) else { return };
        let Some(figures) = self.figures.get_mut(&Some(host)) else { return };
        let disowned = figures.disown(missed);
        self.reigns.clear();
        self.figures.insert(None, disowned);
    }
}

impl Address {
    fn take(&mut self, probe: Probe, answer: &Answer, time: Duration, clock: Clock, window: usize) {
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

    fn lose(&mut self, window: usize) {
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
