//! The driver of a path: sockets, the clock and the kernel's time stamps under the machine.

mod connects;
mod link;
mod mtu;
mod syn;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use squirrel_sys::probe_socket::{Carrier, Inbox, wait_each};

use super::{Event, Plan, Probe, Step, Trace};
use crate::drive::{Clocks, Offset, OpenError, Options, family_of};
use connects::Connects;
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
    /// Questions for connections of TCP to this port: raw if this host lets us, else opened by the kernel.
    Tcp(u16),
}

/// Port of connections if nobody says another: that of HTTPS, which filters let pass.
pub const USUAL_TCP_PORT: u16 = 443;

/// How long connections that the kernel opens are waited for at most: after a second it asks again by itself.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(900);

/// Port of datagrams if nobody says another: the first that traceroute has always used.
pub const USUAL_PORT: u16 = 33_434;

/// What carries the questions of a flow, or of all.
enum Way {
    Link(Box<Link>),
    Connects(Connects),
}

impl Way {
    /// What is waited for, and whether it is a connection on its way.
    fn socket(&self) -> Option<(BorrowedFd<'_>, bool)> {
        match self {
            Self::Link(link) => Some((link.socket().as_fd(), false)),
            Self::Connects(connects) => connects.probe().map(|probe| (probe.as_fd(), true)),
        }
    }
}

/// Sockets for one path.
pub struct Driver {
    ways: Vec<Way>,
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
            Protocol::Tcp(port) => tcp(SocketAddr::new(target, port), flows, options),
            Protocol::Any => match icmp(target, options) {
                Err(OpenError::NotPermitted(_)) => udp(target, flows, USUAL_PORT, options),
                other => other,
            },
        };
        Ok(Self { ways: opened?, inbox: Inbox::new(), strange: 0 })
    }

    /// What carries the questions.
    pub fn carrier(&self) -> Carrier {
        match self.ways.first() {
            Some(Way::Link(link)) => link.carrier(),
            Some(Way::Connects(_)) => Carrier::Connect,
            None => Carrier::Udp,
        }
    }

    /// A plan that these sockets can carry out: connections that the kernel opens from one port go one after another.
    pub fn fitted(&self, plan: Plan) -> Plan {
        match self.carrier() {
            Carrier::Connect => Plan { one_at_a_time: true, timeout: plan.timeout.min(CONNECT_TIMEOUT), ..plan },
            _ => plan,
        }
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
                    self.send(trace, probe, clocks, &mut events);
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
                for way in &mut self.ways {
                    match way {
                        Way::Link(link) => self.strange += link.receive(trace, &mut self.inbox, clocks, &mut events)?,
                        Way::Connects(connects) => connects.receive(trace, &mut self.inbox, clocks, &mut events)?,
                    }
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

    /// Echoes of all flows share a socket; each flow with a port has a socket of its own.
    fn send(&mut self, trace: &mut Trace, probe: Probe, clocks: &Clocks<'_>, events: &mut Vec<Event>) {
        let index = usize::from(probe.flow).min(self.ways.len().saturating_sub(1));
        match self.ways.get_mut(index) {
            Some(Way::Link(link)) => link.send(trace, probe, clocks, events),
            Some(Way::Connects(connects)) => connects.send(trace, probe, clocks, events),
            None => {}
        }
    }

    /// Waits for something to read; says whether it was `stop`.
    fn wait(&self, span: Duration, stop: Option<BorrowedFd<'_>>) -> io::Result<bool> {
        let sockets: Vec<_> = self.ways.iter().filter_map(Way::socket).chain(stop.map(|stop| (stop, false))).collect();
        let ready = wait_each(&sockets, Some(span))?;
        Ok(stop.is_some() && ready.last().is_some_and(|ready| ready.any()))
    }
}

/// What routers did to the class of a question is only told to raw sockets, so those are tried first if it is set.
fn icmp(target: IpAddr, options: &Options) -> Result<Vec<Way>, OpenError> {
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
    opened.map(|link| vec![Way::Link(Box::new(link))]).map_err(|error| OpenError::of(family, &options.socket, error))
}

fn udp(target: IpAddr, flows: u16, port: u16, options: &Options) -> Result<Vec<Way>, OpenError> {
    each(target, flows, options, |flow| link(Carrier::Udp, SocketAddr::new(target, port), flow, options))
}

fn tcp(target: SocketAddr, flows: u16, options: &Options) -> Result<Vec<Way>, OpenError> {
    let open = |flow| match link(Carrier::RawTcp, target, flow, options) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Connects::open(target, &options.socket).map(Way::Connects)
        }
        other => other,
    };
    each(target.ip(), flows, options, open)
}

fn link(carrier: Carrier, target: SocketAddr, flow: u16, options: &Options) -> io::Result<Way> {
    let opened = Link::open(family_of(target.ip()), carrier, target.ip(), target.port(), flow, options);
    opened.map(|link| Way::Link(Box::new(link)))
}

fn each(
    target: IpAddr,
    flows: u16,
    options: &Options,
    open: impl Fn(u16) -> io::Result<Way>,
) -> Result<Vec<Way>, OpenError> {
    let ways = (0..flows.max(1)).map(open).collect::<io::Result<_>>();
    ways.map_err(|error| OpenError::of(family_of(target), &options.socket, error))
}
