//! When what is to be started: runs spread over their intervals, so many at once and no more, none twice at one time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use squirrel_model::Elapsed;

/// A run that was started. Hand it back to [`Schedule::ended`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// What runs: the number that it has for [`Schedule::set`].
    pub index: u32,
    /// Tells it from runs of what had that number before.
    number: u64,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Start it.
    Start(Run),
    /// Nothing before this moment, unless a run ends.
    Wait(Elapsed),
    /// Nothing until a run ends or something is set.
    Idle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Waiting,
    Running(u64),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    interval: Duration,
    next: Duration,
    state: State,
}

/// Runs that come again and again.
#[derive(Clone, Debug)]
pub struct Schedule {
    entries: Vec<Option<Entry>>,
    /// When each is due. What does not agree with the entry itself is of the past.
    due: BinaryHeap<Reverse<(Duration, u32)>>,
    /// Those that are due and wait for room, the longest first.
    waiting: VecDeque<u32>,
    at_once: usize,
    running: usize,
    started: u64,
    skipped: u64,
}

impl Schedule {
    /// A schedule that starts so many at once at most.
    pub fn new(at_once: usize) -> Self {
        Self {
            entries: Vec::new(),
            due: BinaryHeap::new(),
            waiting: VecDeque::new(),
            at_once: at_once.max(1),
            running: 0,
            started: 0,
            skipped: 0,
        }
    }

    /// Runs something each interval from its place in it on ([`next_turn`]), or no more. A run under way goes on.
    pub fn set(&mut self, index: u32, interval: Option<Duration>, now: Elapsed) {
        while self.entries.len() <= index as usize {
            self.entries.push(None);
        }
        let Some(place) = self.entries.get_mut(index as usize) else { return };
        let was_waiting = place.is_some_and(|entry| entry.state == State::Waiting);
        *place =
            interval.map(|interval| Entry { interval, next: next_turn(index, interval, now).0, state: State::Idle });
        if was_waiting {
            self.waiting.retain(|one| *one != index);
        }
        if let Some(entry) = place {
            self.due.push(Reverse((entry.next, index)));
        }
    }

    /// Makes it due at this moment if it would be later; its turns stay what they are.
    pub fn hasten(&mut self, index: u32, at: Elapsed) {
        if let Some(Some(entry)) = self.entries.get_mut(index as usize)
            && at.0 < entry.next
        {
            entry.next = at.0;
            self.due.push(Reverse((at.0, index)));
        }
    }

    /// What is to be done at `now`.
    pub fn step(&mut self, now: Elapsed) -> Step {
        let next = self.collect_due(now.0);
        if self.running < self.at_once
            && let Some(index) = self.waiting.pop_front()
            && let Some(Some(entry)) = self.entries.get_mut(index as usize)
        {
            self.started += 1;
            self.running += 1;
            entry.state = State::Running(self.started);
            return Step::Start(Run { index, number: self.started });
        }
        next.map_or(Step::Idle, |at| Step::Wait(Elapsed(at)))
    }

    /// Moves what is due to those that wait; gives when the next will be.
    fn collect_due(&mut self, now: Duration) -> Option<Duration> {
        while let Some(Reverse((at, index))) = self.due.peek().copied() {
            let entry = self.entries.get_mut(index as usize).and_then(Option::as_mut).filter(|entry| entry.next == at);
            let Some(entry) = entry else {
                self.due.pop();
                continue;
            };
            if at > now {
                return Some(at);
            }
            self.due.pop();
            // Whoever was held up for longer than an interval does not start at once what was missed.
            let missed = now.saturating_sub(at).as_nanos() / entry.interval.as_nanos().max(1);
            entry.next = next_turn(index, entry.interval, Elapsed(now)).0;
            if entry.next <= now {
                entry.next += entry.interval;
            }
            self.skipped += u64::try_from(missed).unwrap_or(u64::MAX);
            match entry.state {
                State::Idle => {
                    entry.state = State::Waiting;
                    self.waiting.push_back(index);
                }
                State::Waiting | State::Running(_) => self.skipped += 1,
            }
            self.due.push(Reverse((entry.next, index)));
        }
        None
    }

    /// A run ended.
    pub fn ended(&mut self, run: Run) {
        self.running = self.running.saturating_sub(1);
        if let Some(Some(entry)) = self.entries.get_mut(run.index as usize)
            && entry.state == State::Running(run.number)
        {
            entry.state = State::Idle;
        }
    }

    /// Runs that were started.
    pub fn started(&self) -> u64 {
        self.started
    }

    /// Runs that were not, because the one before had not ended or the machine was held up.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }
}

/// The next moment, not before `now`, at which it is the turn of number `index` of all that have this interval.
///
/// Turns are the multiples of the golden ratio: however many there are, they lie evenly in the interval, and one that
/// comes later takes a place between the others, which stay where they are.
pub fn next_turn(index: u32, interval: Duration, now: Elapsed) -> Elapsed {
    const GOLDEN: f64 = 0.618_033_988_749_894_8;
    let interval = interval.max(Duration::from_millis(1));
    let turn = interval.mul_f64((f64::from(index) * GOLDEN).fract());
    let whole = u32::try_from(now.0.as_nanos() / interval.as_nanos()).unwrap_or(u32::MAX);
    let at = interval.saturating_mul(whole).saturating_add(turn);
    Elapsed(if at < now.0 { at.saturating_add(interval) } else { at })
}

#[cfg(test)]
mod tests;
