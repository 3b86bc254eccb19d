//! One flow: a row of places, and where the path ends.

use std::net::IpAddr;
use std::time::Duration;

use super::place::{Place, Taken};
use super::{AHEAD, Answer, Plan, Probe, Said};
use crate::ping::Clock;

/// Losses of the target in a row after which it is looked for farther away too.
const DOUBT: u32 = 3;
/// Answers of the target at a farther place after which it is believed to be there, none having come from where it
/// was. Were both places the same to it, which of them is answered first would be chance: so many in a row are 1 of 256.
const EVIDENCE: u32 = 8;
/// Where a flow ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) ttl: u8,
    pub(super) said: Said,
    pub(super) by: IpAddr,
    /// Round in which that was found out.
    round: u32,
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
