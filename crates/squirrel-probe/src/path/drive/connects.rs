//! One flow of connections that the kernel opens, one after another from one port.

use std::io;
use std::net::SocketAddr;

use squirrel_sys::connect_probe::{ConnectProbe, Outcome, ReservedPort};
use squirrel_sys::probe_socket::{Error, Inbox, Origin, SocketOptions};
use squirrel_wire::icmp::{ErrorKind, Family, extensions_after};

use super::Clocks;
use super::link::{ip_header, labels};
use crate::drive::{family_of, kind_of, words};
use crate::path::{Answer, Event, Probe, Said, Trace};
use crate::ping::Arrival;

pub(super) struct Connects {
    family: Family,
    target: SocketAddr,
    options: SocketOptions,
    port: ReservedPort,
    under_way: Option<(Probe, ConnectProbe)>,
}

impl Connects {
    pub(super) fn open(target: SocketAddr, options: &SocketOptions) -> io::Result<Self> {
        let family = family_of(target.ip());
        let port = ReservedPort::take(family, options)?;
        Ok(Self { family, target, options: options.clone(), port, under_way: None })
    }

    /// The connection that is on its way.
    pub(super) fn probe(&self) -> Option<&ConnectProbe> {
        self.under_way.as_ref().map(|(_, probe)| probe)
    }

    pub(super) fn send(&mut self, trace: &mut Trace, probe: Probe, clocks: &Clocks<'_>, events: &mut Vec<Event>) {
        // What was given up is reset before its port is used again.
        self.under_way = None;
        let at = (clocks.steady)();
        match ConnectProbe::start(self.family, &self.options, &self.port, probe.ttl, self.target) {
            Ok(started) => {
                trace.sent(probe, at);
                self.under_way = Some((probe, started));
            }
            // The target is this host, which refused at once.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                trace.sent(probe, at);
                trace.answered(probe.number, self.reached(clocks), events);
            }
            Err(error) => trace.not_sent(probe, words(&error), events),
        }
    }

    pub(super) fn receive(
        &mut self,
        trace: &mut Trace,
        inbox: &mut Inbox,
        clocks: &Clocks<'_>,
        events: &mut Vec<Event>,
    ) -> io::Result<()> {
        let Some((probe, started)) = &self.under_way else { return Ok(()) };
        let number = probe.number;
        let answer = match started.outcome(inbox)? {
            Outcome::Open if trace.is_open(number) => return Ok(()),
            // Given up: the kernel would ask again.
            Outcome::Open | Outcome::Failed(_) => None,
            Outcome::Accepted | Outcome::Refused => Some(self.reached(clocks)),
            Outcome::Told(error, segment) => self.told(error, &segment, clocks),
        };
        self.under_way = None;
        if let Some(answer) = answer {
            trace.answered(number, answer, events);
        }
        Ok(())
    }

    fn reached(&self, clocks: &Clocks<'_>) -> Answer {
        let by = self.target.ip();
        Answer { by, said: Said::Reached, arrival: arrival(clocks), labels: Vec::new(), tos: None, mtu: None }
    }

    fn told(&self, error: Error, segment: &[u8], clocks: &Clocks<'_>) -> Option<Answer> {
        let by = error.offender.filter(|_| matches!(error.origin, Origin::Icmp | Origin::Icmp6))?;
        let kind = kind_of(self.family, error);
        Some(Answer {
            by,
            said: Said::of(kind, by, self.target.ip()),
            arrival: arrival(clocks),
            labels: labels(extensions_after(segment, ip_header(self.family))),
            tos: None,
            mtu: Some(error.info).filter(|mtu| kind == ErrorKind::TooBig && *mtu > 0),
        })
    }
}

/// The kernel stamps no segment of a connection that it opens itself.
fn arrival(clocks: &Clocks<'_>) -> Arrival {
    Arrival { at: (clocks.steady)(), stamp_ns: None, ttl: None, tos: None, len: 0 }
}
