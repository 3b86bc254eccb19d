//! A path that is made up: routers that limit their answers or are silent, losses, balancers, changes. No time passes
//! while it runs, and a run is the same each time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::IpAddr;
use std::time::Duration;

use squirrel_model::Elapsed;
use squirrel_wire::icmp::ErrorKind;

use super::{Answer, Event, Probe, Said, Step, Trace};
use crate::ping::Arrival;

/// A host of the path.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// Whose name its answers bear.
    pub address: IpAddr,
    /// What its link adds to the round trip.
    pub delay: Duration,
    /// What it takes to answer, beside.
    pub slow: Duration,
    /// Share of packets that are lost on the way to it.
    pub loss: f64,
    /// Share of its own answers that it does not send, or that are lost on a way back of their own.
    pub silence: f64,
    /// It passes nothing on, and says this.
    pub refuses: Option<ErrorKind>,
    /// TOS or traffic class that it gives to what it passes on, itself included.
    pub remarks: Option<u8>,
}

impl Host {
    /// A host that answers everything, a millisecond behind the one before.
    pub fn new(address: IpAddr) -> Self {
        Self {
            address,
            delay: Duration::from_millis(1),
            slow: Duration::ZERO,
            loss: 0.0,
            silence: 0.0,
            refuses: None,
            remarks: None,
        }
    }
}

/// The hosts that a flow passes, the target last, for one packet.
pub type Route = Box<dyn Fn(Probe, Duration) -> Vec<Host>>;

/// An answer under way: when it comes, to which question, of whom, what it says, and the class that it tells.
type Flying = (Duration, u32, IpAddr, Said, Option<u8>);

/// The network, its clock, and what is under way.
pub struct Simulated {
    route: Route,
    now: Duration,
    flying: BinaryHeap<Reverse<Flying>>,
    random: u64,
    /// Share of the answers that come twice.
    pub duplicates: f64,
    /// Questions that were sent.
    pub sent: u64,
}

impl Simulated {
    /// A network in which packets go this way.
    pub fn new(route: Route) -> Self {
        let random = 0x9E37_79B9_7F4A_7C15;
        Self { route, now: Duration::ZERO, flying: BinaryHeap::new(), random, duplicates: 0.0, sent: 0 }
    }

    /// The moment that the simulation has reached.
    pub fn now(&self) -> Elapsed {
        Elapsed(self.now)
    }

    /// Runs until the machine is done or `until` is reached, and tells what happened.
    pub fn run(&mut self, trace: &mut Trace, until: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            match trace.step(Elapsed(self.now), &mut events) {
                Step::Done => return events,
                Step::Send(probe) => self.launch(trace, probe),
                Step::Wait(at) => {
                    let next = self.flying.peek().map(|Reverse((at, ..))| *at);
                    self.now = next.map_or(at.0, |next| next.min(at.0)).max(self.now);
                    if self.now >= until {
                        return events;
                    }
                    self.deliver(trace, &mut events);
                }
            }
        }
    }

    fn launch(&mut self, trace: &mut Trace, probe: Probe) {
        trace.sent(probe, Elapsed(self.now));
        self.sent += 1;
        let route = (self.route)(probe, self.now);
        let (mut after, mut tos) = (Duration::ZERO, None);
        let last = route.len();
        for (place, host) in (1..).zip(&route) {
            after += host.delay;
            tos = host.remarks.or(tos);
            if self.chance() < host.loss {
                return;
            }
            let said = match host.refuses {
                Some(kind) => Said::Refused(kind),
                None if place == last => Said::Reached,
                None if place == usize::from(probe.ttl) => Said::Passing,
                None => continue,
            };
            if self.chance() < host.silence {
                return;
            }
            let times = if self.chance() < self.duplicates { 2 } else { 1 };
            for _ in 0..times {
                let at = self.now + after + host.slow;
                self.flying.push(Reverse((at, probe.number, host.address, said, tos)));
            }
            return;
        }
    }

    fn deliver(&mut self, trace: &mut Trace, events: &mut Vec<Event>) {
        while let Some(Reverse((at, number, by, said, tos))) = self.flying.peek().copied()
            && at <= self.now
        {
            self.flying.pop();
            trace.answered(number, Answer { tos, ..answer(by, said, Elapsed(at)) }, events);
        }
        trace.settle(events);
    }

    /// A number from 0 to 1 (xorshift64*).
    fn chance(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// An answer with nothing beside it.
pub fn answer(by: IpAddr, said: Said, at: Elapsed) -> Answer {
    let arrival = Arrival { at, stamp_ns: None, ttl: Some(60), tos: None, len: 64 };
    Answer { by, said, arrival, labels: Vec::new(), tos: None, mtu: None }
}
