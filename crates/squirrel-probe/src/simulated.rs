//! A network that is made up: loss, delay, bursts, duplicates, wrong clocks. No time passes while it runs, and a run
//! is the same each time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use squirrel_model::Elapsed;
use squirrel_wire::icmp::ErrorKind;

use crate::ping::{Arrival, Event, Ping, Question, Step};

/// The way to one target and back.
#[derive(Clone, Debug)]
pub struct Way {
    /// Round trip.
    pub delay: Duration,
    /// Added to it, at random up to this.
    pub jitter: Duration,
    /// Of so many questions the last is lost; 0 for none.
    pub drop_each: u32,
    /// Share of the questions that are lost at random.
    pub loss: f64,
    /// Share of the answers that come twice.
    pub duplicates: f64,
    /// A host on the way answers instead, with this.
    pub refusal: Option<ErrorKind>,
}

impl Default for Way {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(10),
            jitter: Duration::ZERO,
            drop_each: 0,
            loss: 0.0,
            duplicates: 0.0,
            refusal: None,
        }
    }
}

/// The network, its clock, and what is under way.
#[derive(Debug)]
pub struct Simulated {
    /// The way to each target.
    pub ways: Vec<Way>,
    /// What the machine's own clock adds to an answer: the time until the program runs.
    pub program_delay: Duration,
    /// Whether the kernel stamps.
    pub stamps: bool,
    /// At this moment the wall clock is moved by so many nanoseconds, and the driver notices.
    pub clock_step: Option<(Duration, i64)>,
    noticed: bool,
    now: Duration,
    flying: BinaryHeap<Reverse<(Duration, u64, Question)>>,
    launched: u64,
    random: u64,
}

impl Simulated {
    /// A network with these ways, at the beginning of time.
    pub fn new(ways: Vec<Way>) -> Self {
        Self {
            ways,
            program_delay: Duration::ZERO,
            stamps: true,
            clock_step: None,
            noticed: false,
            now: Duration::ZERO,
            flying: BinaryHeap::new(),
            launched: 0,
            random: 0x9E37_79B9_7F4A_7C15,
        }
    }

    /// The moment that the simulation has reached.
    pub fn now(&self) -> Elapsed {
        Elapsed(self.now)
    }

    /// Runs until the machine is done or `until` is reached, and tells what happened.
    pub fn run(&mut self, ping: &mut Ping, until: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            match ping.step(Elapsed(self.now), &mut events) {
                Step::Done => return events,
                Step::Send(question) => self.launch(ping, question),
                Step::Wait(at) => {
                    let next = self.flying.peek().map(|Reverse((at, ..))| *at);
                    self.now = next.map_or(at.0, |next| next.min(at.0));
                    if self.now >= until {
                        return events;
                    }
                    if !self.noticed && self.clock_step.is_some_and(|(at, _)| at <= self.now) {
                        self.noticed = true;
                        ping.clock_was_set();
                    }
                    self.deliver(ping, &mut events);
                }
            }
        }
    }

    fn launch(&mut self, ping: &mut Ping, question: Question) {
        ping.sent(question, Elapsed(self.now));
        if self.stamps {
            ping.stamped(question, self.wall(self.now));
        }
        let Some(way) = self.ways.get(question.target as usize).cloned() else { return };
        let dropped = way.drop_each > 0 && (question.number + 1).is_multiple_of(way.drop_each);
        if dropped || self.chance() < way.loss {
            return;
        }
        let times = if self.chance() < way.duplicates { 2 } else { 1 };
        for _ in 0..times {
            let at = self.now + way.delay + way.jitter.mul_f64(self.chance());
            self.launched += 1;
            self.flying.push(Reverse((at, self.launched, question)));
        }
    }

    fn deliver(&mut self, ping: &mut Ping, events: &mut Vec<Event>) {
        while let Some(Reverse((at, _, question))) = self.flying.peek().copied()
            && at <= self.now
        {
            self.flying.pop();
            let refusal = self.ways.get(question.target as usize).and_then(|way| way.refusal);
            if let Some(kind) = refusal {
                ping.refused(question, None, kind, None, events);
                continue;
            }
            let arrival = Arrival {
                at: Elapsed(at + self.program_delay),
                stamp_ns: self.stamps.then(|| self.wall(at)),
                ttl: Some(60),
                tos: None,
                len: 64,
            };
            ping.answered(question, arrival, events);
        }
        ping.settle(events);
    }

    /// The wall clock at a moment, in nanoseconds.
    fn wall(&self, at: Duration) -> u64 {
        let moved = self.clock_step.filter(|(when, _)| *when <= at).map_or(0, |(_, by)| by);
        (1_800_000_000_000_000_000 + u64::try_from(at.as_nanos()).unwrap_or(0)).saturating_add_signed(moved)
    }

    /// A number from 0 to 1 (xorshift64*).
    fn chance(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
