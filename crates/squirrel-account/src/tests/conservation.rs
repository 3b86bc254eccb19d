//! Whatever comes in whatever order: no byte is lost, doubled, or taken back.

use std::collections::BTreeMap;

use proptest::prelude::*;
use squirrel_testkit::DiagSocket;

use super::ledger::{TICK, record};
use super::world::World;
use crate::Options;
use crate::picture::{Picture, Traffic};

/// Something that happens on the host.
#[derive(Clone, Debug)]
enum Event {
    Open(u64),
    /// Bytes in both directions, and how many of them the ledger sees, by which process.
    Move {
        cookie: u64,
        receive: u64,
        send: u64,
        seen: bool,
        by: u32,
    },
    End(u64),
    Vanish(u64),
    Reuse(u32),
    Step,
}

const SOCKETS: u64 = 6;
const PIDS: u32 = 100;

fn event() -> impl Strategy<Value = Event> {
    let cookie = || 1..=SOCKETS;
    let pid = || PIDS..PIDS + 4;
    prop_oneof![
        cookie().prop_map(Event::Open),
        (cookie(), 0..5000u64, 0..5000u64, any::<bool>(), pid())
            .prop_map(|(cookie, receive, send, seen, by)| Event::Move { cookie, receive, send, seen, by }),
        cookie().prop_map(Event::End),
        cookie().prop_map(Event::Vanish),
        pid().prop_map(Event::Reuse),
        Just(Event::Step),
        Just(Event::Step),
    ]
}

/// The host, and what a socket of a number is now: numbers of cookies are never used twice.
struct Stage {
    world: World,
    generation: BTreeMap<u64, u64>,
    started: u64,
    ledger: bool,
}

impl Stage {
    fn cookie(&self, number: u64) -> u64 {
        number + 100 * self.generation.get(&number).copied().unwrap_or(0)
    }

    fn is_open(&self, cookie: u64) -> bool {
        self.world.state().sockets.iter().any(|socket| socket.cookie == cookie)
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Open(number) if !self.is_open(self.cookie(number)) => {
                *self.generation.entry(number).or_default() += 1;
                let inode = number as u32;
                let socket = DiagSocket::tcp(self.cookie(number), "10.0.0.1:80", &format!("10.0.0.2:{number}"));
                self.world.state().sockets.push(DiagSocket { inode, ..socket });
            }
            Event::Move { cookie, receive, send, seen, by } if self.is_open(self.cookie(cookie)) => {
                let cookie = self.cookie(cookie);
                self.world.change(cookie, |socket| {
                    socket.received += receive;
                    socket.sent += send;
                });
                if seen && self.ledger {
                    self.note(cookie, by, receive, send);
                }
            }
            Event::End(number) if self.is_open(self.cookie(number)) => {
                let cookie = self.cookie(number);
                self.world.end(cookie);
                let mut state = self.world.state();
                let (gone, stay) = state.living.drain(..).partition(|record| record.cookie == cookie);
                state.living = stay;
                state.finished.extend::<Vec<_>>(gone);
            }
            Event::Vanish(number) => {
                let cookie = self.cookie(number);
                let mut state = self.world.state();
                state.sockets.retain(|socket| socket.cookie != cookie);
                state.living.retain(|record| record.cookie != cookie);
            }
            Event::Reuse(pid) => {
                self.started += 1;
                self.world.process(pid, &format!("p{}", self.started), self.started, &[pid - PIDS, pid - PIDS + 2]);
            }
            _ => {}
        }
    }

    fn note(&self, cookie: u64, by: u32, receive: u64, send: u64) {
        let mut state = self.world.state();
        let others = state.living.iter().any(|record| record.cookie == cookie);
        let known = state.living.iter_mut().find(|record| record.cookie == cookie && record.tgid == by);
        if let Some(known) = known {
            known.receive_bytes += receive;
            known.transmit_bytes += send;
            return;
        }
        let mut fresh = record(cookie, by, receive, send);
        fresh.started_ns = self.started * TICK;
        (fresh.further, fresh.tcp) = (others, fresh.tcp.filter(|_| !others));
        state.living.push(fresh);
    }
}

/// What all connections, all processes with nobody, and each process have.
fn sums(picture: &Picture) -> (Traffic, Traffic, BTreeMap<(u32, u64), Traffic>) {
    let none = Traffic::default();
    let connections = picture.connections.iter().fold(none, |sum, row| sum.plus(row.figures.bytes));
    let nobody = picture.unattributed.iter().fold(none, |sum, row| sum.plus(row.bytes));
    let owned = picture.processes.iter().fold(nobody, |sum, row| sum.plus(row.figures.bytes));
    let each = picture.processes.iter().map(|row| ((row.process.pid, row.process.started), row.figures.bytes));
    (connections, owned, each.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_byte_of_a_connection_is_somebodys_or_nobodys_once(
        events in prop::collection::vec(event(), 1..80),
        ledger: bool,
    ) {
        let world = World::default();
        let mut stage = Stage { world: world.clone(), generation: BTreeMap::new(), started: 900, ledger };
        (PIDS..PIDS + 4).for_each(|pid| stage.happen(&Event::Reuse(pid)));
        let options = Options { keep_connection: std::time::Duration::from_hours(1), ..Options::default() };
        let mut watch = world.watch(options, ledger);
        let mut before = sums(&watch.step());
        for event in events.iter().chain([&Event::Step, &Event::Step]) {
            stage.happen(event);
            if matches!(event, Event::Step) {
                let picture = watch.step();
                let now = sums(&picture);
                prop_assert_eq!(now.0, now.1, "connections, and owners with nobody: {:#?}", picture);
                for (process, bytes) in &before.2 {
                    let later = now.2.get(process).copied().unwrap_or_default();
                    prop_assert!(bytes.minus(later).is_zero(), "{:?} had {:?} and has {:?}", process, bytes, later);
                }
                before = now;
            }
        }
    }
}
