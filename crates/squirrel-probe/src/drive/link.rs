//! One socket of the driver: questions out, answers, time stamps and errors in.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};

use squirrel_sys::probe_socket::{Carrier, Error, Inbox, Origin, ProbeSocket, Queue, Received};
use squirrel_wire::icmp::{Echo, ErrorKind, Family, IcmpError, Message, ipv4_payload};

use super::{Clocks, OpenError, Options, Targets};
use crate::packet::{TAG, Tag};
use crate::ping::{Arrival, Event, Ping, Question};

/// Questions whose time stamp may still come.
const UNSTAMPED: usize = 4096;
/// By how much a time stamp may be older than the call that sent the packet: clocks are read in steps.
const STEP_NS: u64 = 50_000;

pub(super) struct Link {
    socket: ProbeSocket,
    run: u64,
    identifier: u16,
    size: usize,
    packet: Vec<u8>,
    /// What was sent, by its number on this socket: the question, and the wall clock just before.
    unstamped: VecDeque<(Question, u64)>,
    /// Number of the first of them.
    first: u32,
}

impl Link {
    pub(super) fn open(family: Family, options: &Options, raw: bool) -> Result<Self, OpenError> {
        let open = |carrier| ProbeSocket::open(family, carrier, &options.socket);
        let socket = match open(Carrier::Ping) {
            Err(error) if raw && error.kind() == io::ErrorKind::PermissionDenied => open(Carrier::RawIcmp),
            other => other,
        };
        let socket = socket.map_err(|error| OpenError::of(family, &options.socket, error))?;
        Ok(Self {
            socket,
            run: options.run,
            identifier: options.run as u16,
            size: options.size,
            packet: Vec::new(),
            unstamped: VecDeque::new(),
            first: 0,
        })
    }

    pub(super) fn family(&self) -> Family {
        self.socket.family()
    }

    pub(super) fn set_size(&mut self, size: usize) {
        self.size = size;
    }

    pub(super) fn socket(&self) -> &ProbeSocket {
        &self.socket
    }

    pub(super) fn send(
        &mut self,
        ping: &mut Ping,
        question: Question,
        to: IpAddr,
        clocks: &Clocks<'_>,
        events: &mut Vec<Event>,
    ) {
        let tag = self.tag(question);
        tag.write(self.family(), self.identifier, self.size, &mut self.packet);
        let (to, at, wall) = (SocketAddr::new(to, 0), (clocks.steady)(), (clocks.wall)());
        // The first attempt may yield an error that came for an earlier packet; it is told by the queue of errors.
        let sent = self.socket.send(&self.packet, to).or_else(|_| self.socket.send(&self.packet, to));
        match sent {
            Ok(()) => {
                ping.sent(question, at);
                if self.unstamped.len() == UNSTAMPED {
                    self.unstamped.pop_front();
                    self.first = self.first.wrapping_add(1);
                }
                self.unstamped.push_back((question, wall));
            }
            Err(error) => ping.not_sent(question, words(&error), events),
        }
    }

    /// Takes all answers; gives how many were to no question of ours.
    pub(super) fn answers(
        &mut self,
        ping: &mut Ping,
        inbox: &mut Inbox,
        clocks: &Clocks<'_>,
        targets: &Targets,
        events: &mut Vec<Event>,
    ) -> io::Result<u64> {
        let mut strange = 0;
        loop {
            let at = (clocks.steady)();
            let count = self.socket.receive(Queue::Data, inbox, &mut |received| {
                let Some((message, ttl, len)) = self.message(&received) else { return };
                let Message::EchoReply(echo) = message else { return };
                if self.socket.carrier() == Carrier::RawIcmp && echo.identifier != self.identifier {
                    // A raw socket sees everybody's.
                    return;
                }
                match received.from.and_then(|from| self.question(ping, targets, from.ip(), echo)) {
                    Some(question) => {
                        let beside = received.beside;
                        let arrival = Arrival { at, stamp_ns: beside.stamp_ns, ttl, tos: beside.tos, len };
                        ping.answered(question, arrival, events);
                    }
                    None => strange += 1,
                }
            })?;
            if count < ProbeSocket::BATCH {
                return Ok(strange);
            }
        }
    }

    /// Takes time stamps, and what hosts on the way say.
    pub(super) fn errors(
        &mut self,
        ping: &mut Ping,
        inbox: &mut Inbox,
        targets: &Targets,
        events: &mut Vec<Event>,
    ) -> io::Result<()> {
        loop {
            let mut stamps = Vec::new();
            let count = self.socket.receive(Queue::Errors, inbox, &mut |received| {
                let Some(error) = received.beside.error else { return };
                match error.origin {
                    Origin::TimeStamp => stamps.extend(received.beside.stamp_ns.map(|stamp| (error.data, stamp))),
                    Origin::Icmp | Origin::Icmp6 => self.refusal(ping, &received, error, targets, events),
                    Origin::Local => {}
                }
            })?;
            for (number, stamp) in stamps {
                self.stamped(ping, number, stamp);
            }
            if count < ProbeSocket::BATCH {
                return Ok(());
            }
        }
    }

    fn stamped(&mut self, ping: &mut Ping, number: u32, stamp: u64) {
        let Some((question, wall)) = self.unstamped.get(number.wrapping_sub(self.first) as usize) else { return };
        // A packet that leaves before it is sent is another: the kernel counted one that we did not.
        if stamp.saturating_add(STEP_NS) >= *wall {
            ping.stamped(*question, stamp);
        }
    }

    fn refusal(
        &self,
        ping: &mut Ping,
        received: &Received<'_>,
        error: Error,
        targets: &Targets,
        events: &mut Vec<Event>,
    ) {
        let Some(to) = received.from else { return };
        let Ok(Message::EchoRequest(echo)) = Message::parse(self.family(), received.octets) else { return };
        let Some(question) = self.question(ping, targets, to.ip(), echo) else { return };
        let kind = kind_of(self.family(), error);
        let mtu = (kind == ErrorKind::TooBig && error.info > 0).then_some(error.info);
        ping.refused(question, error.offender, kind, mtu, events);
    }

    /// The ICMP message, the time to live with which it came, and its length.
    fn message<'a>(&self, received: &Received<'a>) -> Option<(Message<'a>, Option<u8>, usize)> {
        let (ttl, octets) = match (self.socket.carrier(), self.family()) {
            (Carrier::RawIcmp, Family::V4) => {
                ipv4_payload(received.octets).ok().map(|(ttl, rest)| (Some(ttl), rest))?
            }
            _ => (received.beside.ttl, received.octets),
        };
        let headers = received.octets.len() - octets.len();
        Some((Message::parse(self.family(), octets).ok()?, ttl, received.len - headers))
    }

    /// Which question to this address an echo belongs to: it must repeat what was asked.
    fn question(&self, ping: &Ping, targets: &Targets, address: IpAddr, echo: Echo<'_>) -> Option<Question> {
        if self.size >= TAG {
            let tag = Tag::read(self.run, echo.payload)?;
            let asked = targets.address(tag.target) == Some(address);
            return asked.then_some(Question { target: tag.target, number: tag.question });
        }
        let question = ping.by_sequence(targets.at(address)?, echo.sequence)?;
        self.tag(question).is_in(echo.payload, self.size).then_some(question)
    }

    fn tag(&self, question: Question) -> Tag {
        Tag { run: self.run, target: question.target, question: question.number }
    }
}

/// What an entry of the queue of errors says. The kernel keeps type and code of the message; written out again they are
/// read as any other.
pub(crate) fn kind_of(family: Family, error: Error) -> ErrorKind {
    let header = [error.icmp_type, error.code, 0, 0, 0, 0, 0, 0];
    match Message::parse(family, &header) {
        Ok(Message::Error(IcmpError { kind, .. })) => kind,
        _ => ErrorKind::Other,
    }
}

/// Why something was not sent, for people.
pub(crate) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NetworkUnreachable => "this host has no route there".to_owned(),
        io::ErrorKind::HostUnreachable => "the next hop does not answer".to_owned(),
        io::ErrorKind::PermissionDenied => "not permitted: a broadcast address, or a firewall of this host".to_owned(),
        io::ErrorKind::WouldBlock => "the queue of this host is full".to_owned(),
        // EMSGSIZE and ENOBUFS have no kind of their own.
        _ if error.raw_os_error() == Some(90) => "the packet is larger than the interface takes".to_owned(),
        _ if error.raw_os_error() == Some(105) => "the queue of the interface is full".to_owned(),
        other => other.to_string(),
    }
}
