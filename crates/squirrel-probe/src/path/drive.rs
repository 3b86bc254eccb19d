//! The driver of a path: sockets, the clock and the kernel's time stamps under the machine.

mod link;

use std::io;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use squirrel_sys::probe_socket::{Carrier, Inbox, wait};

use super::{Event, Step, Trace};
use crate::drive::{Clocks, Offset, OpenError, Options, family_of};
use link::Link;

/// What asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Echoes of ICMP if this host lets us, else datagrams of UDP, which need no privilege.
    Any,
    /// Echoes of ICMP: without privilege where the kernel allows, else raw.
    Icmp,
    /// Datagrams of UDP to this port, at which nobody should listen.
    Udp(u16),
}

/// Port of datagrams if nobody says another: the first that traceroute has always used.
pub const USUAL_PORT: u16 = 33_434;

/// Sockets for one path.
pub struct Driver {
    links: Vec<Link>,
    inbox: Inbox,
    strange: u64,
}

impl Driver {
    /// Opens what `flows` flows to a target need.
    ///
    /// # Errors
    /// No socket is permitted; an address, an interface or an option that this host refuses.
    pub fn open(target: IpAddr, flows: u16, protocol: Protocol, options: &Options) -> Result<Self, OpenError> {
        let opened = match protocol {
            Protocol::Icmp => icmp(target, options),
            Protocol::Udp(port) => udp(target, flows, port, options),
            Protocol::Any => match icmp(target, options) {
                Err(OpenError::NotPermitted(_)) => udp(target, flows, USUAL_PORT, options),
                other => other,
            },
        };
        Ok(Self { links: opened?, inbox: Inbox::new(), strange: 0 })
    }

    /// What carries the questions.
    pub fn carrier(&self) -> Carrier {
        self.links.first().map_or(Carrier::Udp, Link::carrier)
    }

    /// Answers that were to no question of this run.
    pub fn strange(&self) -> u64 {
        self.strange
    }

    /// Carries a machine until it is done, or `each` breaks, or something can be read from `stop`. `each` sees the
    /// events of each turn, and is called at least each `at_least`.
    ///
    /// # Errors
    /// What the kernel refuses of the sockets themselves; what it refuses to send is an event.
    pub fn run(
        &mut self,
        trace: &mut Trace,
        clocks: &Clocks<'_>,
        stop: Option<BorrowedFd<'_>>,
        at_least: Duration,
        each: &mut dyn FnMut(&Trace, &[Event]) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let mut events = Vec::new();
        let mut offset = Offset::read(clocks);
        loop {
            let step = trace.step((clocks.steady)(), &mut events);
            let done = match step {
                Step::Send(probe) => {
                    if let Some(link) = self.link(probe.flow) {
                        link.send(trace, probe, clocks, &mut events);
                    }
                    false
                }
                Step::Wait(at) => {
                    let span = at.0.saturating_sub((clocks.steady)().0);
                    if self.wait(span.min(at_least), stop)? {
                        return Ok(());
                    }
                    false
                }
                Step::Done => true,
            };
            if offset.was_moved(clocks) {
                trace.clock_was_set();
            }
            // Between two questions of a round there is a wait, which is where answers are taken.
            if !matches!(step, Step::Send(_)) {
                for link in &mut self.links {
                    self.strange += link.receive(trace, &mut self.inbox, clocks, &mut events)?;
                }
                trace.settle(&mut events);
            }
            if !matches!(step, Step::Send(_)) || !events.is_empty() {
                let flow = each(trace, &events);
                events.clear();
                if flow.is_break() || done {
                    return Ok(());
                }
            }
        }
    }

    /// Echoes of all flows share a socket; each flow of datagrams has a port, and so a socket, of its own.
    fn link(&mut self, flow: u16) -> Option<&mut Link> {
        let index = usize::from(flow).min(self.links.len().checked_sub(1)?);
        self.links.get_mut(index)
    }

    /// Waits for something to read; says whether it was `stop`.
    fn wait(&self, span: Duration, stop: Option<BorrowedFd<'_>>) -> io::Result<bool> {
        let sockets: Vec<BorrowedFd<'_>> = self.links.iter().map(|link| link.socket().as_fd()).chain(stop).collect();
        let ready = wait(&sockets, Some(span))?;
        Ok(stop.is_some() && ready.last() == Some(&true))
    }
}

/// What routers did to the class of a question is only told to raw sockets, so those are tried first if it is set.
fn icmp(target: IpAddr, options: &Options) -> Result<Vec<Link>, OpenError> {
    let family = family_of(target);
    let carriers = match options.socket.tos {
        Some(_) => [Carrier::RawIcmp, Carrier::Ping],
        None => [Carrier::Ping, Carrier::RawIcmp],
    };
    let [first, second] = carriers.map(|carrier| move || Link::open(family, carrier, target, 0, 0, options));
    let opened = match first() {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => second(),
        other => other,
    };
    opened.map(|link| vec![link]).map_err(|error| OpenError::of(family, &options.socket, error))
}

fn udp(target: IpAddr, flows: u16, port: u16, options: &Options) -> Result<Vec<Link>, OpenError> {
    let family = family_of(target);
    let open = |flow| Link::open(family, Carrier::Udp, target, port, flow, options);
    (0..flows.max(1))
        .map(open)
        .collect::<io::Result<_>>()
        .map_err(|error| OpenError::of(family, &options.socket, error))
}
