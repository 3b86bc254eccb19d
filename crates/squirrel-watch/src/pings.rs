//! The echoes of all targets: one thread, one driver, one machine.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _, Write as _};
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use squirrel_model::{Elapsed, Timestamp};
use squirrel_probe::Ping;
use squirrel_probe::drive::{Clocks, Driver};
use squirrel_probe::ping::{Cadence, Event, Question};
use squirrel_sys::clock;
use squirrel_sys::probe_socket::wait;
use squirrel_wire::icmp::ErrorKind;

use crate::board::Board;
use crate::clock::Clock;
use crate::entry::Echo;
use crate::schedule::next_turn;
use crate::{Target, Work, hold};

/// How long sockets that failed are left alone.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// A target and where it is now.
type Wanted = (Arc<Target>, Result<IpAddr, String>);

/// What the thread is told. Each target has one place in it, so that it does not grow.
#[derive(Default)]
struct Orders {
    /// None for a target that is asked no more.
    wanted: BTreeMap<u32, Option<Wanted>>,
    once: BTreeSet<u32>,
}

/// What the thread and others share.
struct Shared {
    orders: Mutex<Orders>,
    stopping: AtomicBool,
    missed: AtomicU64,
    strange: AtomicU64,
    /// Why the sockets fail, while they do.
    trouble: Mutex<Option<String>>,
}

/// The thread, to be told and stopped.
pub(crate) struct Pings {
    shared: Arc<Shared>,
    wake: UnixStream,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Pings {
    /// Starts the thread.
    ///
    /// # Errors
    /// A system without room for a thread or a pair of sockets.
    pub(crate) fn start(driver: Driver, board: Arc<Mutex<Board>>, clock: Clock) -> io::Result<Self> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let shared = Arc::new(Shared {
            orders: Mutex::default(),
            stopping: AtomicBool::new(false),
            missed: AtomicU64::new(0),
            strange: AtomicU64::new(0),
            trouble: Mutex::default(),
        });
        let asker = Asker { shared: Arc::clone(&shared), board, clock, woken, known: BTreeMap::new() };
        let thread = std::thread::Builder::new().name("squirrel-pings".to_owned()).spawn(move || asker.run(driver))?;
        Ok(Self { shared, wake, thread: Mutex::new(Some(thread)) })
    }

    /// Asks a target from now on there; none, and no more.
    pub(crate) fn set(&self, index: u32, wanted: Option<Wanted>) {
        hold(&self.shared.orders).wanted.insert(index, wanted);
        self.wake();
    }

    /// Asks a target once beside its turns.
    pub(crate) fn ask(&self, index: u32) {
        hold(&self.shared.orders).once.insert(index);
        self.wake();
    }

    fn wake(&self) {
        // A stream that is full wakes too.
        let _ = (&self.wake).write(&[1]);
    }

    /// Echoes that were not asked because the host was held up.
    pub(crate) fn missed(&self) -> u64 {
        self.shared.missed.load(Ordering::Relaxed)
    }

    /// Answers to no question.
    pub(crate) fn strange(&self) -> u64 {
        self.shared.strange.load(Ordering::Relaxed)
    }

    /// Why the sockets fail, while they do.
    pub(crate) fn trouble(&self) -> Option<String> {
        hold(&self.shared.trouble).clone()
    }

    /// Ends the thread, and waits for it.
    pub(crate) fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.wake();
        if let Some(thread) = hold(&self.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the pings ended in a panic");
        }
    }
}

struct Asker {
    shared: Arc<Shared>,
    board: Arc<Mutex<Board>>,
    clock: Clock,
    woken: UnixStream,
    known: BTreeMap<u32, Wanted>,
}

impl Asker {
    fn run(mut self, mut driver: Driver) {
        let mut ping = Ping::endless();
        let clock = self.clock;
        let clocks = Clocks { steady: &|| clock.steady(), wall: &clock::wall_nanos };
        loop {
            self.drain();
            if self.shared.stopping.load(Ordering::Relaxed) {
                return;
            }
            self.apply(&mut ping, &mut driver);
            if self.known.is_empty() {
                // What the kernel refuses here it refuses below too, where it is told.
                let _ = wait(&[self.woken.as_fd()], None);
                continue;
            }
            let strange = driver.strange();
            let ended = driver.run(&mut ping, &clocks, Some(self.woken.as_fd()), &mut |ping, events| {
                self.take(ping, events);
                ControlFlow::Continue(())
            });
            self.shared.strange.fetch_add(driver.strange() - strange, Ordering::Relaxed);
            self.settle(ended);
        }
    }

    /// Says what is wrong with the sockets, once, and waits a moment; or that it is over.
    fn settle(&self, ended: io::Result<()>) {
        let why = ended.err().map(|error| squirrel_model::without_numbers(&error.to_string()).to_lowercase());
        let before = std::mem::replace(&mut *hold(&self.shared.trouble), why.clone());
        if let Some(why) = &why {
            if before.is_none() {
                tracing::error!("targets cannot be pinged: {why}");
            }
            let _ = wait(&[self.woken.as_fd()], Some(AFTER_FAILURE));
        }
    }

    fn drain(&self) {
        let mut octets = [0; 256];
        while (&self.woken).read(&mut octets).is_ok_and(|count| count == octets.len()) {}
    }

    fn apply(&mut self, ping: &mut Ping, driver: &mut Driver) {
        let orders = std::mem::take(&mut *hold(&self.shared.orders));
        let now = self.clock.steady();
        for (index, wanted) in orders.wanted {
            let Some((target, address)) = wanted else {
                self.known.remove(&index);
                ping.set(index, None);
                driver.set_address(index, Err("it is asked no more".to_owned()));
                continue;
            };
            let Work::Ping { timeout } = target.work else { continue };
            let before = self.known.get(&index);
            let runs_on = before.is_some_and(|(before, at)| {
                before.instance == target.instance && before.runs_like(&target) && *at == address
            });
            if !runs_on {
                // An answer from where it was before says nothing of where it is now: what is open is let go.
                let first = next_turn(index, target.interval, now);
                ping.set(index, Some(Cadence { first, interval: target.interval, timeout }));
                driver.set_address(index, address.clone());
            }
            self.known.insert(index, (target, address));
        }
        for index in orders.once {
            ping.ask(index);
        }
    }

    fn take(&self, ping: &Ping, events: &[Event]) {
        let now = (self.clock.wall(), self.clock.steady());
        self.shared.missed.store(ping.missed(), Ordering::Relaxed);
        let mut board = hold(&self.board);
        for event in events {
            let Some((question, outcome)) = outcome(event) else { continue };
            let Some((target, address)) = self.known.get(&question.target) else { continue };
            let asked = ping.sent_at(question).unwrap_or(now.1);
            let took = outcome.as_ref().map_or_else(|_| now.1.0.saturating_sub(asked.0), |time| *time);
            let at = moment(now, asked);
            board.echo(question.target, target, Echo { at, address: address.clone().ok(), outcome, took });
        }
    }
}

/// The moment of the wall clock at which the steady one showed this.
fn moment((wall, steady): (Timestamp, Elapsed), then: Elapsed) -> Timestamp {
    let ago = steady.0.saturating_sub(then.0);
    wall.plus_ms(-i64::try_from(ago.as_millis()).unwrap_or(i64::MAX))
}

/// What became of a question, if that is what the event tells.
fn outcome(event: &Event) -> Option<(Question, Result<Duration, String>)> {
    match event {
        Event::Answer { question, time, .. } => Some((*question, Ok(*time))),
        Event::Lost(question) => Some((*question, Err("no answer in time".to_owned()))),
        Event::NotSent(question, why) => Some((*question, Err(why.clone()))),
        Event::Refused { question, by, kind, .. } => {
            let who = by.map_or_else(|| "a host on the way".to_owned(), |by| by.to_string());
            Some((*question, Err(format!("{who} says: {}", words(*kind)))))
        }
        // It was told when it was given up, or when it was answered first.
        Event::Late(..) | Event::Duplicate(_) => None,
    }
}

fn words(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::TimeExceeded => "the time to live ran out here",
        ErrorKind::NetworkUnreachable => "no way to the network",
        ErrorKind::HostUnreachable => "the host does not answer",
        ErrorKind::PortUnreachable => "nobody listens there",
        ErrorKind::ProtocolUnreachable => "the protocol is not spoken there",
        ErrorKind::Prohibited => "a filter forbids it",
        ErrorKind::TooBig => "the packet is too large",
        ErrorKind::Other => "it cannot be delivered",
    }
}
