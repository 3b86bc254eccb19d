//! Ping: when to ask which target, and what each answer means.

mod question;
mod report;
mod target;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use squirrel_model::Elapsed;
use squirrel_wire::icmp::ErrorKind;

pub use question::{Arrival, Clock, Event, Plan, Question, Step};
pub use report::{Report, Window};
use target::Target;
pub(crate) use target::round_trip;

/// The longest that a question may be late, and which part of an interval.
const SLACK: Duration = Duration::from_millis(2);
const SLACK_PART: u32 = 50;

/// The questions to all targets.
#[derive(Clone, Debug)]
pub struct Ping {
    plan: Plan,
    targets: Vec<Target>,
    /// When each target is to be asked next. What does not agree with the target itself is of a former cadence.
    due: BinaryHeap<Reverse<(Duration, u32)>>,
    /// Targets that are to be asked once beside that.
    once: VecDeque<u32>,
    /// Questions without an answer in the order in which they are given up.
    open: BinaryHeap<Reverse<(Duration, Question)>>,
    /// Targets with an answer that is not timed yet.
    arrived: Vec<Question>,
    end: Option<Duration>,
    missed: u64,
    /// The shortest interval that a target ever had.
    shortest: Duration,
}

/// How one target is asked, where each has a way of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// When it is asked first.
    pub first: Elapsed,
    /// Time from one question to the next.
    pub interval: Duration,
    /// How long an answer is waited for.
    pub timeout: Duration,
}

impl Ping {
    /// Questions to so many targets, from `start` on.
    pub fn new(plan: Plan, targets: u32, start: Elapsed) -> Self {
        let (interval, timeout) = (plan.interval, plan.timeout);
        let step = if plan.spread { 1.0 / f64::from(targets.max(1)) } else { 0.0 };
        let end = plan.duration.map(|duration| start.0 + duration);
        let mut ping = Self { end, shortest: interval, ..Self::empty(plan) };
        for index in 0..targets {
            let first = Elapsed(start.0 + interval.mul_f64(f64::from(index) * step));
            let cadence = Cadence { first, interval, timeout };
            ping.targets.push(Target::new(ping.plan.window, cadence));
            ping.due.push(Reverse((cadence.first.0, index)));
        }
        ping
    }

    fn empty(plan: Plan) -> Self {
        Self {
            plan,
            targets: Vec::new(),
            due: BinaryHeap::new(),
            once: VecDeque::new(),
            open: BinaryHeap::new(),
            arrived: Vec::new(),
            end: None,
            missed: 0,
            shortest: Duration::MAX,
        }
    }

    /// Questions without end to targets that come and go: see [`Ping::set`]. Events tell of each; reports, which would
    /// grow with the time, have no round-trip times.
    pub fn endless() -> Self {
        Self::empty(Plan { window: 1, ..Plan::default() })
    }

    /// Asks a target from now on so, or no more. What is open of it is neither answered nor lost.
    ///
    /// Its questions are counted on, so that no answer to an old one is taken for a new one's.
    pub fn set(&mut self, target: u32, cadence: Option<Cadence>) {
        while self.targets.len() <= target as usize {
            self.targets.push(Target::absent(self.plan.window));
        }
        self.once.retain(|once| *once != target);
        if let Some(one) = self.targets.get_mut(target as usize) {
            one.abandon();
            one.set(cadence);
        }
        if let Some(cadence) = cadence {
            self.shortest = self.shortest.min(cadence.interval);
            self.due.push(Reverse((cadence.first.0, target)));
        }
    }

    /// Asks a target once more, beside its cadence, if it has one.
    pub fn ask(&mut self, target: u32) {
        let is_asked = self.targets.get(target as usize).is_some_and(|one| one.next.is_some());
        if is_asked && !self.once.contains(&target) {
            self.once.push_back(target);
        }
    }

    /// Questions that were not asked because whoever carries the machine was held up for longer than an interval.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// By how much a question may be late without anybody missing it: a small part of the shortest interval.
    pub fn slack(&self) -> Duration {
        (self.shortest / SLACK_PART).min(SLACK)
    }

    /// When a question was sent, while that is remembered.
    pub fn sent_at(&self, question: Question) -> Option<Elapsed> {
        self.targets.get(question.target as usize)?.sent_at(question.number)
    }

    /// Questions to one of so many targets alone.
    pub fn only(plan: Plan, target: u32, targets: u32, start: Elapsed) -> Self {
        let mut ping = Self::new(plan, targets, start);
        ping.due.retain(|Reverse((_, index))| *index == target);
        ping
    }

    /// No more questions; what is open is waited for.
    pub fn stop(&mut self) {
        self.due.clear();
        self.once.clear();
    }

    /// No more questions, and what is open is neither answered nor lost.
    pub fn abandon(&mut self) {
        self.stop();
        self.open.clear();
        self.targets.iter_mut().for_each(Target::abandon);
    }

    /// Whether the next step gives a question up: answers that lie in a queue are to be told before.
    pub fn gives_up(&self, now: Elapsed) -> bool {
        self.open.peek().is_some_and(|Reverse((deadline, _))| *deadline <= now.0)
    }

    /// Gives up what is overdue, and says what is to be done at `now`.
    pub fn step(&mut self, now: Elapsed, events: &mut Vec<Event>) -> Step {
        let now = now.0;
        while let Some(Reverse((deadline, question))) = self.open.peek().copied() {
            let Some(target) = self.targets.get_mut(question.target as usize) else { break };
            if target.is_open(question.number) {
                if deadline > now {
                    break;
                }
                target.lose(question.number);
                events.push(Event::Lost(question));
            }
            self.open.pop();
        }
        if let Some(index) = self.once.pop_front() {
            return Step::Send(Question { target: index, number: self.targets[index as usize].ask(now) });
        }
        while let Some(Reverse((at, index))) = self.due.peek()
            && self.targets[*index as usize].next != Some(*at)
        {
            self.due.pop();
        }
        let due = self.due.peek().map(|Reverse((at, index))| (*at, *index));
        let due = due.filter(|(at, _)| self.end.is_none_or(|end| *at < end));
        if let Some((at, index)) = due
            && at <= now
        {
            self.due.pop();
            let target = &mut self.targets[index as usize];
            let number = target.ask(now);
            let (next, missed) = after(at, target.interval, now);
            self.missed += missed;
            target.next = Some(next).filter(|_| self.plan.count.is_none_or(|count| number + 1 < count));
            if let Some(next) = target.next {
                self.due.push(Reverse((next, index)));
            }
            return Step::Send(Question { target: index, number });
        }
        let give_up = self.open.peek().map(|Reverse((deadline, _))| *deadline);
        match (due.map(|(at, _)| at), give_up) {
            (None, None) => Step::Done,
            (due, give_up) => Step::Wait(Elapsed(due.into_iter().chain(give_up).min().unwrap_or(now))),
        }
    }

    /// The question was handed to the kernel at `at`, read just before.
    pub fn sent(&mut self, question: Question, at: Elapsed) {
        if let Some(target) = self.target(question)
            && target.sent(question.number, at.0)
        {
            let deadline = at.0 + target.timeout;
            self.open.push(Reverse((deadline, question)));
        }
    }

    /// The kernel did not take it.
    pub fn not_sent(&mut self, question: Question, why: String, events: &mut Vec<Event>) {
        if let Some(target) = self.target(question) {
            target.fail(question.number);
            events.push(Event::NotSent(question, why));
        }
    }

    /// The kernel gave it to the device at this time, in nanoseconds of the wall clock.
    pub fn stamped(&mut self, question: Question, stamp_ns: u64) {
        if let Some(target) = self.target(question) {
            target.stamp(question.number, stamp_ns);
        }
    }

    /// An answer came. Its time is known after [`Ping::settle`], since the time at which the question left may be
    /// told after it.
    pub fn answered(&mut self, question: Question, arrival: Arrival, events: &mut Vec<Event>) {
        let Some(target) = self.target(question) else { return };
        match target.answer(question.number, arrival) {
            target::Answered::First => self.arrived.push(question),
            target::Answered::Again => events.push(Event::Duplicate(question)),
            target::Answered::Late(after) => events.push(Event::Late(question, after)),
            target::Answered::Unknown => {}
        }
    }

    /// A host on the way sent an error for a question.
    pub fn refused(
        &mut self,
        question: Question,
        by: Option<IpAddr>,
        kind: ErrorKind,
        mtu: Option<u32>,
        events: &mut Vec<Event>,
    ) {
        if let Some(target) = self.target(question)
            && target.refuse(question.number, kind)
        {
            events.push(Event::Refused { question, by, kind, mtu });
        }
    }

    /// The wall clock was set: time stamps of the kernel from before it do not go with those after it.
    pub fn clock_was_set(&mut self) {
        for Reverse((_, question)) in &self.open {
            if let Some(target) = self.targets.get_mut(question.target as usize) {
                target.forget_stamp(question.number);
            }
        }
    }

    /// Times the answers that came since the last call. Call it after the kernel's time stamps were read.
    pub fn settle(&mut self, events: &mut Vec<Event>) {
        let arrived = std::mem::take(&mut self.arrived);
        for question in &arrived {
            if let Some((time, clock, arrival)) =
                self.targets.get_mut(question.target as usize).and_then(|target| target.settle(question.number))
            {
                events.push(Event::Answer { question: *question, time, clock, arrival });
            }
        }
        self.arrived = arrived;
        self.arrived.clear();
    }

    /// How it stands with a target.
    pub fn report(&self, target: u32) -> Report {
        self.targets.get(target as usize).map(Target::report).unwrap_or_default()
    }

    /// The targets, those with the most losses among their last questions first, then by all their losses.
    pub fn worst_first(&self) -> Vec<u32> {
        let mut order: Vec<_> = (0..).zip(&self.targets).map(|(number, target)| (number, target.standing())).collect();
        order.sort_by_key(|(number, standing)| (std::cmp::Reverse(*standing), *number));
        order.into_iter().map(|(number, _)| number).collect()
    }

    /// The number of the question whose lower 16 bits these are, among those that are remembered: answers without
    /// room for a tag say no more.
    pub fn by_sequence(&self, target: u32, sequence: u16) -> Option<Question> {
        let number = self.targets.get(target as usize)?.by_sequence(sequence)?;
        Some(Question { target, number })
    }

    fn target(&mut self, question: Question) -> Option<&mut Target> {
        self.targets.get_mut(question.target as usize)
    }
}

/// The next moment to ask, and how many were missed: who was held up for longer than an interval does not ask at once
/// what he did not ask then.
fn after(asked_for: Duration, interval: Duration, now: Duration) -> (Duration, u64) {
    let next = asked_for + interval;
    let behind = now.saturating_sub(next);
    let missed = u32::try_from(behind.as_nanos() / interval.as_nanos().max(1)).unwrap_or(u32::MAX);
    (next + interval * missed, missed.into())
}

#[cfg(test)]
mod tests;
