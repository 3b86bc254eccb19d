//! Sizes tried along a path on real sockets: each a short trace of one place.

use std::io;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use super::{Clocks, Driver, Way};
use crate::path::mtu::HopSearch;
use crate::path::{Event, Plan, Said, Trace};
use crate::path_mtu::Outcome;
use squirrel_wire::icmp::ErrorKind;

/// Packets of one size before it is taken for lost.
const TRIES: u32 = 3;
/// Time between two of them.
const GAP: Duration = Duration::from_millis(200);

impl Driver {
    /// Carries a search until all is known or something can be read from `stop`; says whether all is. The sockets must
    /// have been opened so that nobody may cut packets, for echoes or datagrams.
    ///
    /// # Errors
    /// What the kernel refuses of the sockets themselves.
    pub fn search_mtu(
        &mut self,
        search: &mut HopSearch,
        target: IpAddr,
        timeout: Duration,
        clocks: &Clocks<'_>,
        stop: Option<BorrowedFd<'_>>,
    ) -> io::Result<bool> {
        let mut complete = true;
        while let Some((ttl, octets)) = search.next() {
            self.each_link(|link| link.set_packet(octets));
            let Some((outcome, by_target)) = self.try_size(ttl, target, timeout, clocks, stop)? else {
                complete = false;
                break;
            };
            search.outcome(octets, outcome, by_target);
        }
        self.each_link(super::Link::set_usual_packet);
        Ok(complete)
    }

    fn each_link(&mut self, change: impl Fn(&mut super::Link)) {
        for way in &mut self.ways {
            if let Way::Link(link) = way {
                change(link);
            }
        }
    }

    /// What became of packets of the present size, and whether it was the target that answered; none when it was
    /// stopped.
    fn try_size(
        &mut self,
        ttl: u8,
        target: IpAddr,
        timeout: Duration,
        clocks: &Clocks<'_>,
        stop: Option<BorrowedFd<'_>>,
    ) -> io::Result<Option<(Outcome, bool)>> {
        let plan = Plan {
            rounds: Some(TRIES),
            interval: GAP.min(timeout),
            timeout,
            first_ttl: ttl,
            max_ttl: ttl,
            ..Plan::default()
        };
        let mut trace = Trace::new(plan, target, (clocks.steady)());
        let (mut outcome, mut lost) = (None, 0);
        self.run(&mut trace, clocks, stop, timeout, &mut |trace, events| {
            for event in events {
                match event {
                    Event::Answer { by, said: Said::Refused(ErrorKind::TooBig), .. } => {
                        outcome = outcome.or(Some((Outcome::TooBig(told(trace, *by)), false)));
                    }
                    Event::Answer { said, .. } => outcome = Some((Outcome::Fits, *said == Said::Reached)),
                    // This host's own link, or what it knows of the path.
                    Event::NotSent(..) => outcome = outcome.or(Some((Outcome::TooBig(None), false))),
                    Event::Lost(_) => lost += 1,
                    _ => {}
                }
            }
            if outcome.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(outcome.or_else(|| (lost >= TRIES).then_some((Outcome::Silent, false))))
    }
}

/// What a host said that its next link takes.
fn told(trace: &Trace, by: IpAddr) -> Option<u16> {
    let report = trace.report();
    let host = report.hops.iter().flat_map(|hop| &hop.addresses).find(|host| host.address == Some(by))?;
    u16::try_from(host.mtu?).ok()
}
