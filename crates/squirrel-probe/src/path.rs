//! Path tracing: which hosts stand on the way to a target, and what each answers.
//!
//! A round asks each distance once for each flow. Questions of one flow look the same to a router that spreads
//! traffic over several ways by what flows have in common, so that they take one way (the idea of Paris traceroute).
//! Counts of an address begin when it is first seen at its place: a path that changes is an event, not a loss.

pub mod drive;
mod find;
mod flow;
pub mod mtu;
mod packet;
mod place;
mod question;
mod report;
pub mod simulated;
pub mod verdict;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use squirrel_model::Elapsed;

use crate::ping::round_trip;
use find::{Slot, State};
use flow::Flow;
use place::Taken;
pub use question::{Answer, Event, Plan, Probe, Said, Step};
pub use report::{Address, Change, Hop, Report};

/// Questions that are remembered at most, so that what comes late or twice is known as that. Sequence numbers of ICMP
/// tell so many apart.
const REMEMBERED: usize = 1 << 16;
/// Changes of the path that a report tells one by one.
const MOST_CHANGES: usize = 1000;
/// Distances beyond the farthest host that answered which are asked too: so many silent hosts in a row are passed.
const AHEAD: u8 = 8;
/// Longest time between two questions of a round.
const MOST_GAP: Duration = Duration::from_millis(20);

/// The questions along a path.
#[derive(Clone, Debug)]
pub struct Trace {
    plan: Plan,
    target: IpAddr,
    flows: Vec<Flow>,
    slots: VecDeque<Slot>,
    /// Number of the first slot's question.
    first: u32,
    /// Questions without an answer in the order in which they are given up.
    open: VecDeque<(Duration, u32)>,
    arrived: Vec<u32>,
    round: u32,
    /// When the next round begins.
    next_round: Duration,
    /// When the next question of this round may be asked.
    due: Duration,
    end: Option<Duration>,
    stopped: bool,
    changes: Vec<Change>,
    changed: u64,
    strange: u64,
}

impl Trace {
    /// Questions along the path to a target, from `start` on.
    pub fn new(plan: Plan, target: IpAddr, start: Elapsed) -> Self {
        let flows = (0..plan.flows.max(1)).map(|_| Flow::new(&plan)).collect();
        let end = plan.duration.map(|duration| start.0 + duration);
        Self {
            target,
            flows,
            slots: VecDeque::new(),
            first: 0,
            open: VecDeque::new(),
            arrived: Vec::new(),
            round: 0,
            next_round: start.0 + plan.interval,
            due: start.0,
            end,
            stopped: false,
            changes: Vec::new(),
            changed: 0,
            strange: 0,
            plan,
        }
    }

    /// No more questions; what is open is waited for.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// No more questions, and what is open is neither answered nor lost.
    pub fn abandon(&mut self) {
        self.stopped = true;
        self.open.clear();
        for slot in self.slots.iter_mut().filter(|slot| matches!(slot.state, State::Open)) {
            slot.state = State::Failed;
        }
    }

    /// Gives up what is overdue, and says what is to be done at `now`.
    pub fn step(&mut self, now: Elapsed, events: &mut Vec<Event>) -> Step {
        let now = now.0;
        self.give_up(now, events);
        if !self.stopped && self.next_round <= now {
            self.begin_round(now);
        }
        let wanted = if self.stopped { None } else { self.next_flow() };
        let ready = wanted.filter(|_| !self.plan.one_at_a_time).or_else(|| wanted.and_then(|_| self.next_free_flow()));
        if let Some(flow) = ready
            && self.due <= now
        {
            return Step::Send(self.ask(flow, now));
        }
        let give_up = self.open.front().map(|(deadline, _)| *deadline);
        let due = ready.map(|_| self.due);
        let waits = wanted.is_none() && !self.stopped && !self.is_last_round();
        let next_round = waits.then_some(self.next_round);
        due.into_iter().chain(next_round).chain(give_up).min().map_or(Step::Done, |at| Step::Wait(Elapsed(at)))
    }

    fn is_last_round(&self) -> bool {
        self.plan.rounds.is_some_and(|rounds| self.round + 1 >= rounds)
            || self.end.is_some_and(|end| self.next_round >= end)
    }

    /// Whoever was held up for longer than an interval does not make up for what was missed.
    fn begin_round(&mut self, now: Duration) {
        // The last round lasts as long as answers may show more of the path, and each until every place was asked.
        if self.is_last_round() || self.next_flow().is_some() {
            return;
        }
        self.round += 1;
        self.due = now;
        self.next_round += self.plan.interval;
        if self.next_round <= now {
            self.next_round = now + self.plan.interval;
        }
        self.flows.iter_mut().for_each(Flow::begin_round);
    }

    fn ask(&mut self, flow: u16, now: Duration) -> Probe {
        let old = now.saturating_sub(self.plan.timeout * 4).saturating_sub(Duration::from_secs(10));
        while self.slots.len() >= REMEMBERED || self.slots.front().is_some_and(|slot| slot.sent_at < old) {
            self.slots.pop_front();
            self.first += 1;
        }
        let number = self.first + self.slots.len() as u32;
        let places: u32 = self.flows.iter().map(|flow| u32::from(flow.reach())).sum();
        self.due = now + (self.plan.interval / 2 / places.max(1)).min(MOST_GAP);
        let ttl = self.flows.get_mut(usize::from(flow)).and_then(Flow::ask).unwrap_or(1);
        let probe = Probe { number, round: self.round, flow, ttl };
        self.slots.push_back(Slot { probe, sent_at: now, stamp_ns: None, state: State::Asked });
        probe
    }

    fn give_up(&mut self, now: Duration, events: &mut Vec<Event>) {
        while let Some((deadline, number)) = self.open.front().copied() {
            let is_open = self.slot(number).is_some_and(|slot| matches!(slot.state, State::Open));
            if is_open {
                if deadline > now {
                    break;
                }
                let Some(slot) = self.slot(number) else { break };
                slot.state = State::Lost;
                let probe = slot.probe;
                if self.flow(probe).is_some_and(|flow| flow.lose(probe)) {
                    events.push(Event::Lost(probe));
                }
            }
            self.open.pop_front();
        }
    }

    /// The question was handed to the kernel at `at`, read just before.
    pub fn sent(&mut self, probe: Probe, at: Elapsed) {
        let deadline = at.0 + self.plan.timeout;
        if let Some(slot) = self.slot(probe.number).filter(|slot| matches!(slot.state, State::Asked)) {
            slot.sent_at = at.0;
            slot.state = State::Open;
            self.open.push_back((deadline, probe.number));
        }
    }

    /// The kernel did not take it.
    pub fn not_sent(&mut self, probe: Probe, why: String, events: &mut Vec<Event>) {
        if let Some(slot) = self.slot(probe.number).filter(|slot| matches!(slot.state, State::Asked)) {
            slot.state = State::Failed;
            events.push(Event::NotSent(probe, why));
        }
    }

    /// The kernel gave it to the device at this time, in nanoseconds of the wall clock.
    pub fn stamped(&mut self, number: u32, stamp_ns: u64) {
        if let Some(slot) = self.slot(number) {
            slot.stamp_ns = Some(stamp_ns);
        }
    }

    /// The wall clock was set: time stamps of the kernel from before it do not go with those after it.
    pub fn clock_was_set(&mut self) {
        for slot in &mut self.slots {
            slot.stamp_ns = None;
        }
    }

    /// An answer came. Its time is known after [`Trace::settle`], since the time at which the question left may be
    /// told after it.
    pub fn answered(&mut self, number: u32, answer: Answer, events: &mut Vec<Event>) {
        let Some(slot) = self.slot(number) else {
            self.strange += 1;
            return;
        };
        let (probe, after) = (slot.probe, answer.arrival.at.0.saturating_sub(slot.sent_at));
        match &mut slot.state {
            State::Open => {
                slot.state = State::Arrived(answer, 0);
                self.arrived.push(number);
            }
            // Its host has no figures yet.
            State::Arrived(first, more) if first.by == answer.by => {
                *more += 1;
                events.push(Event::Duplicate(probe));
            }
            State::Arrived(..) | State::Answered => {
                if self.flow(probe).is_some_and(|flow| flow.duplicate(probe, answer.by)) {
                    events.push(Event::Duplicate(probe));
                }
            }
            State::Lost => {
                slot.state = State::Answered;
                if self.flow(probe).is_some_and(|flow| flow.late(probe, &answer)) {
                    events.push(Event::Late(probe, answer.by, after));
                }
            }
            State::Asked | State::Failed => self.strange += 1,
        }
    }

    /// Times the answers that came since the last call. Call it after the kernel's time stamps were read.
    pub fn settle(&mut self, events: &mut Vec<Event>) {
        for number in std::mem::take(&mut self.arrived) {
            let Some(slot) = self.slot(number) else { continue };
            let State::Arrived(answer, more) = std::mem::replace(&mut slot.state, State::Answered) else { continue };
            let (probe, sent_at) = (slot.probe, slot.sent_at);
            let (time, clock) = round_trip(sent_at, slot.stamp_ns, &answer.arrival);
            let Some(flow) = self.flow(probe) else { continue };
            match flow.answer(probe, &answer, more, time, clock) {
                Taken::Beyond => continue,
                Taken::TooMany => {
                    self.strange += 1;
                    continue;
                }
                Taken::Same => {}
                Taken::Changed { from } => {
                    let change =
                        Change { at: answer.arrival.at, flow: probe.flow, ttl: probe.ttl, from, to: answer.by };
                    self.changed += 1;
                    if self.changes.len() < MOST_CHANGES {
                        self.changes.push(change);
                    }
                    events.push(Event::Changed(change));
                }
            }
            events.push(Event::Answer { probe, by: answer.by, said: answer.said, time, clock });
        }
    }

    /// How it stands with the path.
    pub fn report(&self) -> Report {
        let mut report = report::of(&self.flows, self.target);
        report.rounds = self.round + u32::from(!self.slots.is_empty() || self.first > 0);
        report.sent_tos = self.plan.tos;
        report.changes.clone_from(&self.changes);
        report.changed = self.changed;
        report.strange = self.strange;
        report
    }

    fn slot(&mut self, number: u32) -> Option<&mut Slot> {
        self.slots.get_mut(number.checked_sub(self.first)? as usize)
    }

    fn flow(&mut self, probe: Probe) -> Option<&mut Flow> {
        self.flows.get_mut(usize::from(probe.flow))
    }
}

#[cfg(test)]
mod tests;
