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

    /// Makes it due at once, beside its turn if `beside`, else in its place.
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(millis: u64) -> Elapsed {
        Elapsed(Duration::from_millis(millis))
    }

    /// Lets a schedule run for so long, each run taking `takes`; gives the starts.
    fn simulate(schedule: &mut Schedule, until: Duration, takes: Duration) -> Vec<(Duration, u32)> {
        let (mut now, mut starts) = (Duration::ZERO, Vec::new());
        let mut ends: BinaryHeap<Reverse<(Duration, u32, u64)>> = BinaryHeap::new();
        while now < until {
            while let Some(Reverse((at, index, number))) = ends.peek().copied()
                && at <= now
            {
                ends.pop();
                schedule.ended(Run { index, number });
            }
            match schedule.step(Elapsed(now)) {
                Step::Start(run) => {
                    starts.push((now, run.index));
                    ends.push(Reverse((now + takes, run.index, run.number)));
                }
                Step::Wait(at) => now = ends.peek().map_or(at.0, |Reverse((end, ..))| at.0.min(*end)),
                Step::Idle => now = ends.peek().map_or(until, |Reverse((end, ..))| *end),
            }
        }
        starts
    }

    #[test]
    fn starts_lie_evenly_in_the_interval_however_many_there_are() {
        for count in [2_u32, 3, 10, 100, 1_000, 10_000] {
            let interval = Duration::from_secs(1);
            let mut turns: Vec<_> = (0..count).map(|index| next_turn(index, interval, Elapsed::default()).0).collect();
            turns.sort_unstable();
            let fair = interval / count;
            let gaps = turns.windows(2).map(|pair| pair[1] - pair[0]).chain([interval - turns[turns.len() - 1]]);
            let longest = gaps.max().expect("gaps");
            assert!(longest <= fair * 2, "{count}: {longest:?} between two starts, {fair:?} would be fair");
        }
    }

    #[test]
    fn ten_thousand_targets_are_each_started_once_an_interval() {
        let mut schedule = Schedule::new(100);
        for index in 0..10_000 {
            schedule.set(index, Some(Duration::from_secs(60)), Elapsed::default());
        }
        let starts = simulate(&mut schedule, Duration::from_secs(120), Duration::from_millis(300));
        assert_eq!((starts.len(), schedule.skipped()), (20_000, 0));
        let busiest = (0..120).map(|second| starts.iter().filter(|(at, _)| at.as_secs() == second).count()).max();
        assert!(busiest.is_some_and(|busiest| busiest <= 180), "{busiest:?} in one second, 167 would be fair");
    }

    #[test]
    fn a_run_that_outlasts_its_interval_is_not_started_twice_and_is_counted() {
        let mut schedule = Schedule::new(4);
        schedule.set(0, Some(Duration::from_secs(1)), Elapsed::default());
        let starts = simulate(&mut schedule, Duration::from_millis(9_900), Duration::from_millis(2_500));
        assert_eq!(starts.iter().map(|(at, _)| at.as_secs()).collect::<Vec<_>>(), [0, 3, 6, 9]);
        assert_eq!(schedule.skipped(), 6);
    }

    #[test]
    fn what_finds_no_room_waits_its_turn_and_nobody_starves() {
        let mut schedule = Schedule::new(1);
        for index in 0..4 {
            schedule.set(index, Some(Duration::from_secs(1)), Elapsed::default());
        }
        // Room for two runs a second, and four wanted.
        let starts = simulate(&mut schedule, Duration::from_secs(100), Duration::from_millis(500));
        assert!((195..=200).contains(&starts.len()), "{}", starts.len());
        for index in 0..4 {
            let own = starts.iter().filter(|(_, started)| *started == index).count();
            assert!((45..=55).contains(&own), "{index}: {own}");
        }
        assert!((190..=205).contains(&schedule.skipped()), "{}", schedule.skipped());
    }

    #[test]
    fn one_that_comes_or_goes_disturbs_no_other() {
        let mut schedule = Schedule::new(10);
        for index in 0..3 {
            schedule.set(index, Some(Duration::from_secs(10)), Elapsed::default());
        }
        let before = simulate(&mut schedule.clone(), Duration::from_secs(30), Duration::ZERO);
        schedule.set(3, Some(Duration::from_secs(10)), Elapsed::default());
        schedule.set(1, None, Elapsed::default());
        let after = simulate(&mut schedule, Duration::from_secs(30), Duration::ZERO);
        let of = |starts: &[(Duration, u32)], index| {
            starts.iter().filter(|(_, one)| *one == index).map(|(at, _)| *at).collect::<Vec<_>>()
        };
        for index in [0, 2] {
            assert_eq!(of(&before, index), of(&after, index));
        }
        assert_eq!((of(&after, 1).len(), of(&after, 3).len()), (0, 3));
    }

    #[test]
    fn the_end_of_a_run_of_what_was_set_anew_frees_room_and_nothing_else() {
        let mut schedule = Schedule::new(2);
        schedule.set(0, Some(Duration::from_secs(1)), ms(0));
        let Step::Start(old) = schedule.step(ms(0)) else { panic!("due at once") };
        schedule.set(0, Some(Duration::from_secs(1)), ms(10));
        let Step::Start(new) = schedule.step(ms(1_000)) else { panic!("due after its interval") };
        schedule.ended(old);
        assert!(matches!(schedule.step(ms(2_000)), Step::Wait(_)), "the new one still runs");
        assert_eq!(schedule.skipped(), 1);
        schedule.ended(new);
        assert!(matches!(schedule.step(ms(3_000)), Step::Start(_)));
    }

    #[test]
    fn a_machine_that_slept_counts_what_it_missed_and_starts_once() {
        let mut schedule = Schedule::new(2);
        schedule.set(0, Some(Duration::from_secs(1)), ms(0));
        let Step::Start(run) = schedule.step(ms(3_600_000)) else { panic!("due") };
        assert_eq!((run.index, schedule.skipped()), (0, 3_600));
        assert_eq!(schedule.step(ms(3_600_000)), Step::Wait(ms(3_601_000)));
    }

    #[test]
    fn what_is_hastened_comes_at_once_and_then_in_its_turn() {
        let mut schedule = Schedule::new(2);
        schedule.set(1, Some(Duration::from_secs(300)), ms(0));
        schedule.hasten(1, ms(5));
        let Step::Start(run) = schedule.step(ms(5)) else { panic!("hastened") };
        schedule.ended(run);
        assert_eq!(schedule.step(ms(6)), Step::Wait(next_turn(1, Duration::from_secs(300), ms(6))));
    }

    proptest! {
        #[test]
        fn a_turn_is_never_in_the_past_nor_farther_than_an_interval(
            index in any::<u32>(), interval in 1_u64..100_000, now in 0_u64..10_000_000_000,
        ) {
            let interval = Duration::from_millis(interval);
            let turn = next_turn(index, interval, ms(now));
            prop_assert!(turn >= ms(now) && turn.0 <= ms(now).0 + interval);
        }
    }
}
