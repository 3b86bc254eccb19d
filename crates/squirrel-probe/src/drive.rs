//! The driver: sockets, the clock and the kernel's time stamps under the machine.

mod clocks;
mod link;
mod open;
mod targets;

use std::io;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use squirrel_model::Elapsed;
use squirrel_sys::probe_socket::{Inbox, Readiness, wait_each};
use squirrel_wire::icmp::Family;

use crate::ping::{Clock, Event, Ping, Question, Step};
pub use clocks::Clocks;
pub(crate) use clocks::Offset;
use link::Link;
pub(crate) use link::{kind_of, words};
pub use open::{OpenError, Options};
use targets::Targets;

/// Questions that are sent before answers are looked for again. So many answers with their time stamps fit into the
/// queue of a socket, whatever the driver of the card takes for a packet.
const SENT_AT_ONCE: u32 = 16;
/// So many targets are many: answers are taken several at once.
const MANY: usize = 64;
/// How long an answer of many may lie in its queue.
const PATIENCE: Duration = Duration::from_millis(20);

/// Sockets for some targets.
pub struct Driver {
    links: Vec<Link>,
    targets: Targets,
    inbox: Inbox,
    /// Answers to nobody's question: of other runs, cut, made up, or from elsewhere.
    strange: u64,
    /// Whether the kernel timed the last answer.
    by_kernel: bool,
}

impl Driver {
    /// Opens a socket for each IP that the targets need: one without privilege if the kernel lets us, else a raw one.
    ///
    /// # Errors
    /// Neither is permitted; an address, an interface or an option that this host refuses.
    pub fn open(targets: Vec<IpAddr>, options: &Options) -> Result<Self, OpenError> {
        let families = [Family::V4, Family::V6];
        let needed = families.into_iter().filter(|family| targets.iter().any(|target| family_of(*target) == *family));
        let links = needed.map(|family| Link::open(family, options, true)).collect::<Result<_, _>>()?;
        let mut driver = Self { links, targets: Targets::default(), inbox: Inbox::new(), strange: 0, by_kernel: false };
        for (target, address) in (0..).zip(targets) {
            driver.set_address(target, Ok(address));
        }
        Ok(driver)
    }

    /// Opens a socket for each IP that this host speaks, before it is known who is asked, and tells what is in the way
    /// of the others. Raw sockets, which hear everybody's ICMP, are tried only if `raw` says so.
    pub fn open_all(options: &Options, raw: bool) -> (Self, Vec<OpenError>) {
        let mut driver =
            Self { links: Vec::new(), targets: Targets::default(), inbox: Inbox::new(), strange: 0, by_kernel: false };
        let mut refused = Vec::new();
        for family in [Family::V4, Family::V6] {
            match Link::open(family, options, raw) {
                Ok(link) => driver.links.push(link),
                Err(error) => refused.push(error),
            }
        }
        (driver, refused)
    }

    /// Whether there is a socket that can ask this address.
    pub fn can_ask(&self, address: IpAddr) -> bool {
        self.links.iter().any(|link| link.family() == family_of(address))
    }

    /// Says where a target is from now on, or why it is nowhere: then its questions are not sent, for this reason.
    pub fn set_address(&mut self, target: u32, address: Result<IpAddr, String>) {
        self.targets.set(target, address);
    }

    /// Sets the octets of payload of what is sent from now on.
    pub fn set_size(&mut self, size: usize) {
        for link in &mut self.links {
            link.set_size(size);
        }
    }

    /// Answers that were to no question of this run.
    pub fn strange(&self) -> u64 {
        self.strange
    }

    /// Carries a machine until it is done, or `each` breaks, or something can be read from `stop`. `each` sees the
    /// events of each round.
    ///
    /// # Errors
    /// What the kernel refuses of the sockets themselves; what it refuses to send is an event.
    pub fn run(
        &mut self,
        ping: &mut Ping,
        clocks: &Clocks<'_>,
        stop: Option<BorrowedFd<'_>>,
        each: &mut dyn FnMut(&Ping, &[Event]) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let mut events = Vec::new();
        let mut unread = Unread::default();
        let mut offset = Offset::read(clocks);
        let everything = vec![Readiness { data: true, errors: true }; self.links.len()];
        loop {
            let now = (clocks.steady)();
            if ping.gives_up(now) {
                // What is about to be called lost may have been answered.
                self.receive(&everything, ping, clocks, &mut offset, &mut events)?;
                unread = Unread::default();
            }
            let step = ping.step(now, &mut events);
            if let Step::Send(question) = step {
                self.send(ping, question, clocks, &mut events);
                unread.add(now);
                if !unread.is_full() {
                    continue;
                }
            }
            let now = (clocks.steady)();
            let span = if let Step::Wait(at) = step { at.0.saturating_sub(now.0) } else { Duration::MAX };
            let patient = self.is_patient(span) && !unread.is_full() && !unread.is_old(now);
            if unread.any() && !patient {
                // Before the wait: what left just now has its time stamp by now, and would end the wait at once.
                self.receive(&everything, ping, clocks, &mut offset, &mut events)?;
                unread = Unread::default();
            }
            if events.is_empty() {
                match step {
                    Step::Done => return Ok(()),
                    Step::Send(_) => {}
                    Step::Wait(_) => {
                        // Of many, those whose times are close together are asked together: half the wake-ups.
                        let span = if patient { span.max(ping.slack()) } else { span };
                        let Some(ready) = self.wait(span, patient, stop)? else {
                            // What came until now counts.
                            self.receive(&everything, ping, clocks, &mut offset, &mut events)?;
                            if !events.is_empty() {
                                let _ = each(ping, &events);
                            }
                            return Ok(());
                        };
                        if !patient {
                            self.receive(&ready, ping, clocks, &mut offset, &mut events)?;
                        }
                    }
                }
            }
            if !events.is_empty() {
                let flow = each(ping, &events);
                events.clear();
                if flow.is_break() {
                    return Ok(());
                }
            }
        }
    }

    /// Whether answers may be left in their queue until there is something to ask: of many targets several come in such
    /// a time, and the kernel has timed them.
    fn is_patient(&self, span: Duration) -> bool {
        self.by_kernel && self.targets.addresses.len() >= MANY && span <= PATIENCE
    }

    fn send(&mut self, ping: &mut Ping, question: Question, clocks: &Clocks<'_>, events: &mut Vec<Event>) {
        let address = match self.targets.get(question.target) {
            Ok(address) => address,
            Err(why) => return ping.not_sent(question, why.to_owned(), events),
        };
        match self.links.iter_mut().find(|link| link.family() == family_of(address)) {
            Some(link) => link.send(ping, question, address, clocks, events),
            None => ping.not_sent(question, "this program may not ask by this version of IP".to_owned(), events),
        }
    }

    fn receive(
        &mut self,
        ready: &[Readiness],
        ping: &mut Ping,
        clocks: &Clocks<'_>,
        offset: &mut Offset,
        events: &mut Vec<Event>,
    ) -> io::Result<()> {
        if offset.was_moved(clocks) {
            ping.clock_was_set();
        }
        for (link, ready) in self.links.iter_mut().zip(ready) {
            if ready.data {
                self.strange += link.answers(ping, &mut self.inbox, clocks, &self.targets, events)?;
            }
            // The time at which a question left may be told after its answer.
            if ready.any() {
                link.errors(ping, &mut self.inbox, &self.targets, events)?;
            }
        }
        ping.settle(events);
        let clock = |event: &Event| if let Event::Answer { clock, .. } = event { Some(*clock) } else { None };
        if let Some(clock) = events.iter().rev().find_map(clock) {
            self.by_kernel = clock == Clock::Kernel;
        }
        Ok(())
    }

    /// Waits for something to read, and says what each link has; none if `stop` has. Who is patient waits for `stop`
    /// alone.
    fn wait(&self, span: Duration, patient: bool, stop: Option<BorrowedFd<'_>>) -> io::Result<Option<Vec<Readiness>>> {
        let links = self.links.iter().filter(|_| !patient).map(|link| link.socket().as_fd());
        let sockets: Vec<_> = links.chain(stop).map(|socket| (socket, false)).collect();
        let ready = wait_each(&sockets, Some(span))?;
        let stopped = stop.is_some() && ready.last().is_some_and(|ready| ready.any());
        Ok(Some(ready).filter(|_| !stopped))
    }
}

/// Questions whose answers nobody has looked for yet.
#[derive(Default)]
struct Unread {
    questions: u32,
    /// When the first of them was sent.
    since: Elapsed,
}

impl Unread {
    fn add(&mut self, now: Elapsed) {
        if self.questions == 0 {
            self.since = now;
        }
        self.questions += 1;
    }

    fn any(&self) -> bool {
        self.questions > 0
    }

    fn is_full(&self) -> bool {
        self.questions >= SENT_AT_ONCE
    }

    fn is_old(&self, now: Elapsed) -> bool {
        self.any() && now.0.saturating_sub(self.since.0) >= PATIENCE
    }
}

pub(crate) fn family_of(address: IpAddr) -> Family {
    if address.is_ipv4() { Family::V4 } else { Family::V6 }
}
