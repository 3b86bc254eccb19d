//! One target: the questions that may still be answered, and the figures.

use std::collections::VecDeque;
use std::time::Duration;

use squirrel_model::Elapsed;
use squirrel_wire::icmp::ErrorKind;

use super::{Arrival, Cadence, Clock, Report, Window};
use crate::Spread;

/// Questions that are remembered at most, so that what comes late or twice is known as that.
const REMEMBERED: usize = 1 << 16;
/// How much longer than the wall by its own clock a time by the kernel's stamps may be; more, and one of the clocks
/// was set.
const SLACK: Duration = Duration::from_millis(1);

/// What became of a question so far.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Given out, not yet sent.
    Asked,
    Open,
    /// Answered, not yet timed.
    Arrived(Arrival),
    Answered,
    Lost,
    Refused,
    Failed,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    sent_at: Duration,
    stamp_ns: Option<u64>,
    state: State,
}

/// What became of one of the last questions.
#[derive(Clone, Copy, Debug)]
struct Recent {
    number: u32,
    /// The time of its answer; none for a loss.
    time: Option<Duration>,
    reordered: bool,
    duplicate: bool,
}

/// What an answer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    First,
    Again,
    Late(Duration),
    /// Not asked, or so long ago that nobody remembers.
    Unknown,
}

#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    /// When it is asked next.
    pub(super) next: Option<Duration>,
    /// Whether the times of all answers are kept.
    keeps_times: bool,
    slots: VecDeque<Slot>,
    /// Number of the first slot's question.
    first: u32,
    /// The last outcomes.
    recent: VecDeque<Recent>,
    window: usize,
    /// Highest number that was answered.
    highest: Option<u32>,
    figures: Report,
}

impl Target {
    pub(super) fn new(window: usize, cadence: Cadence) -> Self {
        let mut target = Self { keeps_times: true, ..Self::absent(window) };
        target.set(Some(cadence));
        target
    }

    /// One that is not asked, and whose times are not kept once it is.
    pub(super) fn absent(window: usize) -> Self {
        Self {
            interval: Duration::ZERO,
            timeout: Duration::ZERO,
            next: None,
            keeps_times: false,
            slots: VecDeque::new(),
            first: 0,
            recent: VecDeque::new(),
            window: window.max(1),
            highest: None,
            figures: Report::default(),
        }
    }

    pub(super) fn set(&mut self, cadence: Option<Cadence>) {
        self.next = cadence.map(|cadence| cadence.first.0);
        if let Some(cadence) = cadence {
            (self.interval, self.timeout) = (cadence.interval, cadence.timeout);
        }
    }

    pub(super) fn sent_at(&self, number: u32) -> Option<Elapsed> {
        self.slots.get(number.checked_sub(self.first)? as usize).map(|slot| Elapsed(slot.sent_at))
    }

    /// Gives out the next question's number.
    pub(super) fn ask(&mut self, now: Duration) -> u32 {
        let old = now.saturating_sub(self.timeout * 4).saturating_sub(Duration::from_secs(10));
        while self.slots.front().is_some_and(|slot| slot.sent_at < old && !slot.is_pending())
            || self.slots.len() >= REMEMBERED
        {
            self.slots.pop_front();
            self.first += 1;
        }
        self.slots.push_back(Slot { sent_at: now, stamp_ns: None, state: State::Asked });
        self.first + self.slots.len() as u32 - 1
    }

    /// Whether it was given out and not yet sent; then it is.
    pub(super) fn sent(&mut self, number: u32, at: Duration) -> bool {
        let Some(slot) = self.slot(number).filter(|slot| slot.state == State::Asked) else { return false };
        slot.sent_at = at;
        slot.state = State::Open;
        self.figures.sent += 1;
        true
    }

    pub(super) fn fail(&mut self, number: u32) {
        if let Some(slot) = self.slot(number).filter(|slot| slot.state == State::Asked) {
            slot.state = State::Failed;
            self.figures.not_sent += 1;
        }
    }

    pub(super) fn stamp(&mut self, number: u32, stamp_ns: u64) {
        if let Some(slot) = self.slot(number) {
            slot.stamp_ns = Some(stamp_ns);
        }
    }

    pub(super) fn forget_stamp(&mut self, number: u32) {
        if let Some(slot) = self.slot(number) {
            slot.stamp_ns = None;
        }
    }

    pub(super) fn answer(&mut self, number: u32, arrival: Arrival) -> Answered {
        let Some(slot) = self.slot(number) else { return Answered::Unknown };
        match slot.state {
            State::Open => {
                slot.state = State::Arrived(arrival);
                Answered::First
            }
            State::Arrived(_) | State::Answered => {
                self.figures.duplicates += 1;
                // The last ones are the likely ones.
                if let Some(recent) = self.recent.iter_mut().rev().find(|recent| recent.number == number) {
                    recent.duplicate = true;
                }
                Answered::Again
            }
            State::Lost | State::Refused => {
                let after = arrival.at.0.saturating_sub(slot.sent_at);
                slot.state = State::Answered;
                self.figures.late += 1;
                Answered::Late(after)
            }
            State::Asked | State::Failed => Answered::Unknown,
        }
    }

    pub(super) fn settle(&mut self, number: u32) -> Option<(Duration, Clock, Arrival)> {
        let slot = self.slot(number)?;
        let State::Arrived(arrival) = slot.state else { return None };
        slot.state = State::Answered;
        let own = arrival.at.0.saturating_sub(slot.sent_at);
        let (time, clock) = round_trip(slot.sent_at, slot.stamp_ns, &arrival);
        let figures = &mut self.figures;
        figures.received += 1;
        if self.keeps_times {
            figures.times.add(time);
        }
        figures.ttl = arrival.ttl.or(figures.ttl);
        match clock {
            Clock::Kernel if self.keeps_times => figures.local_delay.add(own.saturating_sub(time)),
            Clock::Kernel => {}
            Clock::User => figures.timed_by_user += 1,
        }
        let reordered = self.highest.is_some_and(|highest| number < highest);
        figures.reordered += u64::from(reordered);
        self.highest = self.highest.max(Some(number));
        self.note(Recent { number, time: Some(time), reordered, duplicate: false });
        Some((time, clock, arrival))
    }

    pub(super) fn is_open(&mut self, number: u32) -> bool {
        self.slot(number).is_some_and(|slot| slot.is_pending())
    }

    pub(super) fn lose(&mut self, number: u32) {
        if let Some(slot) = self.slot(number).filter(|slot| slot.state == State::Open) {
            slot.state = State::Lost;
            self.figures.lost += 1;
            self.note(Recent { number, time: None, reordered: false, duplicate: false });
        }
    }

    /// Whether it was open; then it is refused, and lost with that.
    pub(super) fn refuse(&mut self, number: u32, kind: ErrorKind) -> bool {
        let Some(slot) = self.slot(number).filter(|slot| slot.state == State::Open) else { return false };
        slot.state = State::Refused;
        self.figures.lost += 1;
        *self.figures.refused.entry(kind).or_default() += 1;
        self.note(Recent { number, time: None, reordered: false, duplicate: false });
        true
    }

    /// What is open counts as never sent.
    pub(super) fn abandon(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| matches!(slot.state, State::Open)) {
            slot.state = State::Failed;
            self.figures.sent -= 1;
        }
    }

    pub(super) fn by_sequence(&self, sequence: u16) -> Option<u32> {
        let last = self.first.checked_add(u32::try_from(self.slots.len()).ok()?)?.checked_sub(1)?;
        let back = (last as u16).wrapping_sub(sequence);
        last.checked_sub(u32::from(back)).filter(|number| *number >= self.first)
    }

    pub(super) fn report(&self) -> Report {
        let mut times = Spread::default();
        self.recent.iter().filter_map(|recent| recent.time).for_each(|time| times.add(time));
        let count = |is: fn(&Recent) -> bool| self.recent.iter().filter(|recent| is(recent)).count() as u64;
        let window = Window {
            questions: self.recent.len() as u64,
            times,
            duplicates: count(|recent| recent.duplicate),
            reordered: count(|recent| recent.reordered),
            outcomes: self.recent.iter().map(|recent| recent.time).collect(),
        };
        Report { window, ..self.figures.clone() }
    }

    /// Losses among the last questions, and all of them.
    pub(super) fn standing(&self) -> (u64, u64) {
        (self.recent.iter().filter(|recent| recent.time.is_none()).count() as u64, self.figures.lost)
    }

    fn note(&mut self, outcome: Recent) {
        if self.recent.len() == self.window {
            self.recent.pop_front();
        }
        self.recent.push_back(outcome);
    }

    fn slot(&mut self, number: u32) -> Option<&mut Slot> {
        self.slots.get_mut(number.checked_sub(self.first)? as usize)
    }
}

/// The time from a question to its answer: by the kernel's stamps if there are two of one clock, else by this
/// program's.
pub(crate) fn round_trip(sent_at: Duration, stamp_ns: Option<u64>, arrival: &Arrival) -> (Duration, Clock) {
    let own = arrival.at.0.saturating_sub(sent_at);
    let kernel = stamp_ns.zip(arrival.stamp_ns).and_then(|(left, came)| came.checked_sub(left));
    let kernel = kernel.map(Duration::from_nanos).filter(|kernel| *kernel <= own + SLACK);
    kernel.map_or((own, Clock::User), |kernel| (kernel, Clock::Kernel))
}

impl Slot {
    fn is_pending(&self) -> bool {
        matches!(self.state, State::Asked | State::Open | State::Arrived(_))
    }
}
