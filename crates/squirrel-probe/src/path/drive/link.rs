//! One socket of the driver: questions out, answers, time stamps and errors in.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};

use squirrel_sys::probe_socket::{Carrier, Error, Inbox, Origin, ProbeSocket, Queue, Received};
use squirrel_wire::icmp::{
    Echo, Extension, Extensions, Family, IcmpError, Message, MplsLabel, Quoted, extensions_after, ipv4_payload,
};

use super::syn::Syn;
use super::{Clocks, Options};
use crate::drive::{kind_of, words};
use crate::packet::{TAG, Tag};
use crate::path::{Answer, Event, Probe, Said, Trace, packet};
use crate::ping::Arrival;

/// Questions whose time stamp may still come.
const UNSTAMPED: usize = 4096;
/// By how much a time stamp may be older than the call that sent the packet: clocks are read in steps.
const STEP_NS: u64 = 50_000;
/// Labels of MPLS that are kept of an answer.
const MOST_LABELS: usize = 16;
/// Octets of the header of a datagram, and of an echo.
const UDP_HEADER: usize = 8;

pub(super) struct Link {
    socket: ProbeSocket,
    target: SocketAddr,
    flow: u16,
    run: u64,
    identifier: u16,
    /// Octets of payload of echoes and datagrams.
    size: usize,
    packet: Vec<u8>,
    /// What raw TCP asks with.
    syn: Option<Syn>,
    /// What was sent, by its number on this socket: the question, and the wall clock just before.
    unstamped: VecDeque<(u32, u64)>,
    /// Number of the first of them.
    first: u32,
}

impl Link {
    pub(super) fn open(
        family: Family,
        carrier: Carrier,
        target: IpAddr,
        port: u16,
        flow: u16,
        options: &Options,
    ) -> io::Result<Self> {
        let (socket, target) = (ProbeSocket::open(family, carrier, &options.socket)?, SocketAddr::new(target, port));
        let syn = || Syn::new(&socket, target, flow, options.run, &options.socket);
        let syn = if carrier == Carrier::RawTcp { Some(syn()?) } else { None };
        Ok(Self {
            socket,
            target,
            syn,
            flow,
            run: options.run,
            identifier: options.run as u16,
            size: packet::PAYLOAD,
            packet: Vec::new(),
            unstamped: VecDeque::new(),
            first: 0,
        })
    }

    /// Packets of so many octets from now on, with a name of their own: what was asked before is no more.
    pub(super) fn set_packet(&mut self, octets: u16) {
        self.size = usize::from(octets).saturating_sub(ip_header(self.socket.family()) + UDP_HEADER);
        self.run = self.run.wrapping_add(1);
    }

    /// Packets of the usual size again.
    pub(super) fn set_usual_packet(&mut self) {
        self.size = packet::PAYLOAD;
        self.run = self.run.wrapping_add(1);
    }

    pub(super) fn carrier(&self) -> Carrier {
        self.socket.carrier()
    }

    pub(super) fn socket(&self) -> &ProbeSocket {
        &self.socket
    }

    pub(super) fn send(&mut self, trace: &mut Trace, probe: Probe, clocks: &Clocks<'_>, events: &mut Vec<Event>) {
        match (&self.syn, self.carrier()) {
            (Some(syn), _) => syn.write(probe, &mut self.packet),
            (None, Carrier::Udp) => packet::write_datagram(self.run, probe, self.size, &mut self.packet),
            (None, _) => {
                packet::write_echo(self.socket.family(), self.identifier, self.run, probe, self.size, &mut self.packet);
            }
        }
        let ready = self.socket.set_ttl(probe.ttl);
        let (at, wall) = ((clocks.steady)(), (clocks.wall)());
        let send = || self.socket.send(&self.packet, self.target);
        // An attempt may yield an error that came for an earlier packet; it is told by the queue of errors. Answers of
        // several hosts may have come.
        let sent = ready.and_then(|()| send().or_else(|_| send()).or_else(|_| send()));
        match sent {
            Ok(()) => {
                trace.sent(probe, at);
                if self.unstamped.len() == UNSTAMPED {
                    self.unstamped.pop_front();
                    self.first = self.first.wrapping_add(1);
                }
                self.unstamped.push_back((probe.number, wall));
            }
            Err(error) => trace.not_sent(probe, words(&error), events),
        }
    }

    /// Takes all answers and time stamps; gives how many were to no question of ours.
    pub(super) fn receive(
        &mut self,
        trace: &mut Trace,
        inbox: &mut Inbox,
        clocks: &Clocks<'_>,
        events: &mut Vec<Event>,
    ) -> io::Result<u64> {
        let mut strange = 0;
        for queue in [Queue::Errors, Queue::Data] {
            loop {
                let at = (clocks.steady)();
                let mut stamps = Vec::new();
                let count = self.socket.receive(queue, inbox, &mut |received| {
                    let beside = received.beside;
                    let arrival =
                        Arrival { at, stamp_ns: beside.stamp_ns, ttl: beside.ttl, tos: beside.tos, len: received.len };
                    let answer = match (queue, beside.error) {
                        (Queue::Errors, Some(error)) if error.origin == Origin::TimeStamp => {
                            stamps.extend(beside.stamp_ns.map(|stamp| (error.data, stamp)));
                            return;
                        }
                        // Raw sockets get the message itself as data, which says more.
                        (Queue::Errors, Some(_)) if self.carrier() == Carrier::RawIcmp => return,
                        // What this host refused was told when it was sent.
                        (Queue::Errors, Some(error)) if error.origin == Origin::Local => return,
                        (Queue::Errors, Some(error)) => self.told(trace, &received, error, arrival),
                        (Queue::Errors, None) => None,
                        (Queue::Data, _) => match self.data(trace, &received, arrival) {
                            // A raw socket sees everybody's.
                            None if matches!(self.carrier(), Carrier::RawIcmp | Carrier::RawTcp) => return,
                            other => other,
                        },
                    };
                    match answer {
                        Some((number, answer)) => trace.answered(number, answer, events),
                        None => strange += 1,
                    }
                })?;
                for (number, stamp) in stamps {
                    self.stamped(trace, number, stamp);
                }
                if count < ProbeSocket::BATCH {
                    break;
                }
            }
        }
        Ok(strange)
    }

    fn stamped(&mut self, trace: &mut Trace, number: u32, stamp: u64) {
        let Some((question, wall)) = self.unstamped.get(number.wrapping_sub(self.first) as usize) else { return };
        // A packet that leaves before it is sent is another: the kernel counted one that we did not.
        if stamp.saturating_add(STEP_NS) >= *wall {
            trace.stamped(*question, stamp);
        }
    }

    /// What the queue of errors tells of a host on the way: the question without its headers of IP, and of UDP.
    fn told(&self, trace: &Trace, received: &Received<'_>, error: Error, arrival: Arrival) -> Option<(u32, Answer)> {
        let by = error.offender.filter(|_| matches!(error.origin, Origin::Icmp | Origin::Icmp6))?;
        if received.from.map(|to| to.ip()) != Some(self.target.ip()) {
            return None;
        }
        let ip_header = ip_header(self.socket.family());
        let (probe, stripped) = match (&self.syn, self.carrier()) {
            (Some(syn), _) => (syn.quoted(trace, received.octets)?, ip_header),
            (None, Carrier::Udp) => (self.of_datagram(trace, received.octets, by)?, ip_header + UDP_HEADER),
            (None, _) => {
                let Ok(Message::EchoRequest(echo)) = Message::parse(self.socket.family(), received.octets) else {
                    return None;
                };
                (self.of_echo(trace, echo)?, ip_header)
            }
        };
        let kind = kind_of(self.socket.family(), error);
        let answer = Answer {
            by,
            said: Said::of(kind, by, self.target.ip()),
            arrival,
            labels: labels(extensions_after(received.octets, stripped)),
            tos: None,
            mtu: Some(error.info).filter(|mtu| kind == squirrel_wire::icmp::ErrorKind::TooBig && *mtu > 0),
        };
        Some((probe.number, answer))
    }

    /// What came as data: the target's answer, and on raw sockets errors too.
    fn data(&self, trace: &Trace, received: &Received<'_>, arrival: Arrival) -> Option<(u32, Answer)> {
        let by = received.from?.ip();
        let reached = |probe: Probe, arrival| {
            let answer = Answer { by, said: Said::Reached, arrival, labels: Vec::new(), tos: None, mtu: None };
            (probe.number, answer)
        };
        if self.carrier() == Carrier::Udp {
            // Whatever listens there answered: the datagram arrived.
            let probe = (by == self.target.ip()).then(|| trace.by_host(self.flow, by)).flatten()?;
            return Some(reached(probe, arrival));
        }
        let (ttl, octets) = match (self.carrier(), self.socket.family()) {
            (Carrier::RawIcmp | Carrier::RawTcp, Family::V4) => {
                ipv4_payload(received.octets).ok().map(|(ttl, rest)| (Some(ttl), rest))?
            }
            _ => (arrival.ttl, received.octets),
        };
        let arrival = Arrival { ttl, ..arrival };
        if let Some(syn) = &self.syn {
            return (by == self.target.ip())
                .then(|| syn.answered(trace, octets))
                .flatten()
                .map(|probe| reached(probe, arrival));
        }
        match Message::parse(self.socket.family(), octets).ok()? {
            Message::EchoReply(echo) if by == self.target.ip() && self.is_own(echo) => {
                Some(reached(self.of_echo(trace, echo)?, arrival))
            }
            Message::Error(error) => self.quoted(trace, by, error, arrival),
            _ => None,
        }
    }

    fn quoted(&self, trace: &Trace, by: IpAddr, error: IcmpError<'_>, arrival: Arrival) -> Option<(u32, Answer)> {
        let quoted = Quoted::parse(self.socket.family(), error.quoted).ok()?;
        let Ok(Message::EchoRequest(echo)) = Message::parse(self.socket.family(), quoted.transport) else {
            return None;
        };
        if quoted.destination != self.target.ip() || !self.is_own(echo) {
            return None;
        }
        let answer = Answer {
            by,
            said: Said::of(error.kind, by, self.target.ip()),
            arrival,
            labels: labels(error.extensions),
            tos: Some(quoted.tos),
            mtu: error.mtu,
        };
        Some((self.of_echo(trace, echo)?.number, answer))
    }

    /// Whether the kernel, or the identifier, says that an echo is this socket's.
    fn is_own(&self, echo: Echo<'_>) -> bool {
        self.carrier() == Carrier::Ping || echo.identifier == self.identifier
    }

    /// The question that an echo repeats or that was quoted: a short quotation shows the sequence number alone.
    fn of_echo(&self, trace: &Trace, echo: Echo<'_>) -> Option<Probe> {
        let probe = trace.by_sequence(echo.sequence)?;
        packet::tag(self.run, probe).is_in(echo.payload, echo.payload.len().min(TAG)).then_some(probe)
    }

    /// The question that a quoted datagram was: a short quotation shows no more than its flow.
    fn of_datagram(&self, trace: &Trace, payload: &[u8], by: IpAddr) -> Option<Probe> {
        if payload.len() < TAG {
            return trace.by_host(self.flow, by);
        }
        let probe = trace.probe(Tag::read(self.run, payload)?.question)?;
        (packet::tag(self.run, probe).is_in(payload, TAG) && probe.flow == self.flow).then_some(probe)
    }
}

/// Octets of the header of IP before what an error quotes; options are not counted, which nobody sends.
pub(super) fn ip_header(family: Family) -> usize {
    match family {
        Family::V4 => 20,
        Family::V6 => 40,
    }
}

pub(super) fn labels(extensions: &[u8]) -> Vec<MplsLabel> {
    let label = |extension: Extension<'_>| match extension {
        Extension::Mpls(label) => Some(label),
        Extension::Other { .. } => None,
    };
    Extensions::new(extensions).filter_map(label).take(MOST_LABELS).collect()
}
