//! Frames of WebSocket (RFC 6455), after the handshake.

use std::time::Duration;

use crate::event::Faults;
use crate::{Conformance, Counts, Direction, Event, Failure, FailureKind, Inspector, Kind, Limits, Message, OTHER};

/// WebSocket: a message for each `text` and `binary`, whole or in fragments, and for each `ping`,
/// `pong` and `close`. Sizes are of the payload. A pong that follows a ping of the other side has a
/// latency. Close codes other than 1000 and 1001 are failures.
#[derive(Debug)]
pub struct WebSocketInspector {
    lanes: [Lane; 2],
    patience: Duration,
    counts: Counts,
}

/// What is kept of a direction: a head of at most fourteen octets, and two of a close.
#[derive(Debug, Default)]
struct Lane {
    head: [u8; 14],
    have: usize,
    /// Octets of the payload that are to come; `None` while the head is read.
    left: Option<u64>,
    length: u64,
    close: [u8; 2],
    /// The message in fragments: its type, and its size so far.
    fragments: Option<(&'static str, u64)>,
    closed: bool,
    /// When the ping was sent that has no answer yet.
    ping: Option<Duration>,
}

impl Lane {
    fn octet(&self, place: usize) -> u8 {
        self.head.get(place).copied().unwrap_or(0)
    }

    fn is_final(&self) -> bool {
        self.octet(0) & 0x80 != 0
    }

    fn opcode(&self) -> u8 {
        self.octet(0) & 0x0f
    }

    fn is_masked(&self) -> bool {
        self.octet(1) & 0x80 != 0
    }

    /// Octets of the extended length.
    fn extension(&self) -> usize {
        match self.octet(1) & 0x7f {
            127 => 8,
            126 => 2,
            _ => 0,
        }
    }

    fn wanted(&self) -> usize {
        if self.have < 2 { 2 } else { 2 + self.extension() + if self.is_masked() { 4 } else { 0 } }
    }

    fn payload_length(&self) -> u64 {
        match self.extension() {
            0 => u64::from(self.octet(1) & 0x7f),
            octets => (2..2 + octets).fold(0, |length, place| (length << 8) | u64::from(self.octet(place))),
        }
    }

    /// The close code, when the payload has one.
    fn close_code(&self) -> Option<i64> {
        let mask = |place| if self.is_masked() { self.octet(2 + self.extension() + place) } else { 0 };
        let [first, second] = self.close;
        (self.length >= 2).then(|| i64::from(u16::from_be_bytes([first ^ mask(0), second ^ mask(1)])))
    }

    /// What is wrong with the head alone.
    fn head_faults(&self, direction: Direction) -> Faults {
        let mut faults = Faults::default();
        let control = self.opcode() >= 8;
        if self.is_masked() != (direction == Direction::ToServer) {
            faults.add(Conformance::BadMask);
        }
        // The first reserved bit belongs to compression, which the handshake may have agreed on.
        if self.octet(0) & 0x30 != 0 {
            faults.add(Conformance::ReservedBits);
        }
        if matches!(self.opcode(), 3..=7 | 11..=15) {
            faults.add(Conformance::BadOpcode);
        }
        if control && !self.is_final() {
            faults.add(Conformance::FragmentedControl);
        }
        if control && self.length > 125 {
            faults.add(Conformance::LongControl);
        }
        let minimal = match self.extension() {
            2 => self.length > 125,
            8 => self.length > 0xffff && self.length >> 63 == 0,
            _ => true,
        };
        if !minimal {
            faults.add(Conformance::BadLength);
        }
        let continues = self.opcode() == 0;
        if !control && continues != self.fragments.is_some() {
            faults.add(Conformance::BadContinuation);
        }
        if self.closed {
            faults.add(Conformance::AfterClose);
        }
        faults
    }
}

fn opcode_name(opcode: u8) -> &'static str {
    match opcode {
        0 => "continuation",
        1 => "text",
        2 => "binary",
        8 => "close",
        9 => "ping",
        10 => "pong",
        _ => OTHER,
    }
}

/// Close codes that nobody may send (RFC 6455, section 7.4).
fn is_close_code(code: i64) -> bool {
    matches!(code, 1_000..=1_003 | 1_007..=1_014 | 3_000..=4_999)
}

fn side(direction: Direction) -> usize {
    usize::from(direction == Direction::ToClient)
}

impl WebSocketInspector {
    /// An inspector of one connection whose handshake is done.
    pub fn new(limits: Limits) -> Self {
        Self { lanes: [Lane::default(), Lane::default()], patience: limits.answer_within, counts: Counts::default() }
    }

    /// Takes one head or part of a payload; what is left.
    fn step<'a>(
        &mut self,
        direction: Direction,
        octets: &'a [u8],
        at: Duration,
        events: &mut dyn FnMut(Event<'_>),
    ) -> &'a [u8] {
        let Some(lane) = self.lanes.get_mut(side(direction)) else { return &[] };
        self.counts.work += 1;
        let Some(left) = lane.left else {
            let (taken, rest) = octets.split_at((lane.wanted() - lane.have).min(octets.len()));
            if let Some(room) = lane.head.get_mut(lane.have..lane.have + taken.len()) {
                room.copy_from_slice(taken);
            }
            lane.have += taken.len();
            if lane.have >= 2 && lane.have == lane.wanted() {
                lane.length = lane.payload_length();
                lane.left = Some(lane.length);
                if lane.length == 0 {
                    self.frame_ended(direction, at, events);
                }
            }
            return rest;
        };
        let (taken, rest) = octets.split_at(usize::try_from(left).unwrap_or(usize::MAX).min(octets.len()));
        let before = usize::try_from(lane.length - left).unwrap_or(usize::MAX);
        for (place, octet) in lane.close.iter_mut().skip(before).zip(taken) {
            *place = *octet;
        }
        let left = left - taken.len() as u64;
        lane.left = Some(left);
        if left == 0 {
            self.frame_ended(direction, at, events);
        }
        rest
    }

    fn frame_ended(&mut self, direction: Direction, at: Duration, events: &mut dyn FnMut(Event<'_>)) {
        let [to_server, to_client] = &mut self.lanes;
        let (lane, other) = match direction {
            Direction::ToServer => (to_server, to_client),
            Direction::ToClient => (to_client, to_server),
        };
        let mut faults = lane.head_faults(direction);
        let (opcode, length, last) = (lane.opcode(), lane.length, lane.is_final());
        let mut message = Message {
            protocol: "websocket",
            direction,
            kind: Kind::Notification,
            label: opcode_name(opcode),
            detail: None,
            size: length,
            matched: false,
            latency: None,
        };
        let mut code = None;
        let mut complete = true;
        match opcode {
            8 => {
                lane.closed = true;
                code = lane.close_code();
                if length == 1 || code.is_some_and(|code| !is_close_code(code)) {
                    faults.add(Conformance::BadClose);
                }
            }
            9 => {
                message.kind = Kind::Request;
                lane.ping = Some(at);
            }
            10 => {
                if let Some(sent) = other.ping.take() {
                    message.kind = Kind::Response;
                    message.matched = true;
                    message.latency = at.checked_sub(sent);
                    self.counts.clock_steps += u64::from(message.latency.is_none());
                }
            }
            0..=2 => {
                let (label, before) = lane.fragments.take().filter(|_| opcode == 0).unwrap_or((message.label, 0));
                message.label = label;
                message.size = before.saturating_add(length);
                complete = last;
                if !last {
                    lane.fragments = Some((label, message.size));
                }
            }
            _ => message.kind = Kind::Invalid,
        }
        lane.have = 0;
        lane.left = None;
        if complete {
            self.counts.messages += 1;
            events(Event::Message(message));
        }
        let mut failure = |kind| {
            events(Event::Failure(Failure {
                protocol: "websocket",
                direction,
                label: message.label,
                detail: None,
                kind,
            }));
        };
        if let Some(code) = code.filter(|code| !matches!(code, 1_000 | 1_001)) {
            failure(FailureKind::Code(code));
        }
        faults.each().for_each(|kind| failure(FailureKind::Conformance(kind)));
    }
}

impl Inspector for WebSocketInspector {
    fn protocol(&self) -> &'static str {
        "websocket"
    }

    fn stream(&mut self, direction: Direction, octets: &[u8], at: Duration, events: &mut dyn FnMut(Event<'_>)) {
        self.counts.octets += octets.len() as u64;
        self.tick(at, events);
        let mut rest = octets;
        while !rest.is_empty() {
            rest = self.step(direction, rest, at, events);
        }
    }

    /// One or more whole frames.
    fn message(&mut self, direction: Direction, octets: &[u8], at: Duration, events: &mut dyn FnMut(Event<'_>)) {
        self.stream(direction, octets, at, events);
    }

    fn end(&mut self, direction: Direction, _at: Duration, events: &mut dyn FnMut(Event<'_>)) {
        let Some(lane) = self.lanes.get_mut(side(direction)) else { return };
        if lane.have > 0 || lane.fragments.is_some() {
            events(Event::Failure(Failure {
                protocol: "websocket",
                direction,
                label: lane.fragments.map_or(OTHER, |(label, _)| label),
                detail: None,
                kind: FailureKind::Conformance(Conformance::Truncated),
            }));
        }
        let ping = lane.ping;
        *lane = Lane { ping, ..Lane::default() };
    }

    fn tick(&mut self, at: Duration, events: &mut dyn FnMut(Event<'_>)) {
        for direction in [Direction::ToServer, Direction::ToClient] {
            let Some(lane) = self.lanes.get_mut(side(direction)) else { continue };
            if lane.ping.is_some_and(|sent| at.saturating_sub(sent) > self.patience) {
                lane.ping = None;
                self.counts.expired += 1;
                let kind = FailureKind::Unanswered;
                events(Event::Failure(Failure { protocol: "websocket", direction, label: "ping", detail: None, kind }));
            }
        }
    }

    fn counts(&self) -> Counts {
        Counts { pending: self.lanes.iter().filter(|lane| lane.ping.is_some()).count(), ..self.counts }
    }
}

#[cfg(test)]
mod tests;
