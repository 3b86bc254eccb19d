//! HTTP/1.1 (RFC 9112): messages by method and class of status, and what is spoken inside.

mod bodies;
mod head;
mod inspectors;
mod labels;
mod lane;
mod mirrored;
mod sessions;
mod sse;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use crate::rpc::Session;
use crate::websocket::WebSocketInspector;
use crate::{Conformance, Counts, Direction, Event, Failure, FailureKind, Inspector, Kind, Limits, Message, Version};
use bodies::Bodies;
use head::First;
pub use inspectors::{HttpInspector, McpHttpInspector};
use labels::Method;
use lane::{Body, Lane, Step};
pub(crate) use mirrored::Expected;
pub use sessions::McpSessions;
use sessions::SessionRef;

type SessionLock = Mutex<Session>;

/// A request that awaits its answer.
#[derive(Clone, Debug)]
struct Asked {
    method: Method,
    number: u64,
    sent: Duration,
    /// The session of MCP that the answer belongs to.
    session: Option<SessionRef>,
}

/// Both directions of a connection.
#[derive(Debug)]
struct Http {
    limits: Limits,
    lanes: [Lane; 2],
    asked: VecDeque<Asked>,
    next: u64,
    /// How many of `asked`, from the first, are reported as unanswered. They stay, since answers come
    /// in order.
    reported: usize,
    /// Requests after those in `asked` that found no room there.
    beyond: u64,
    /// What the answer that is being read answers.
    answered: Option<Asked>,
    /// It answers one of those beyond.
    forgotten: bool,
    version: Option<&'static str>,
    bodies: Option<Bodies>,
    websocket: Option<Box<WebSocketInspector>>,
    counts: Counts,
}

fn side(direction: Direction) -> usize {
    usize::from(direction == Direction::ToClient)
}

type Sink<'a> = &'a mut dyn FnMut(Event<'_>);

impl Http {
    fn new(limits: Limits, bodies: Option<Bodies>) -> Self {
        Self {
            limits,
            lanes: [Lane::default(), Lane::default()],
            asked: VecDeque::new(),
            next: 0,
            reported: 0,
            beyond: 0,
            answered: None,
            forgotten: false,
            version: None,
            bodies,
            websocket: None,
            counts: Counts::default(),
        }
    }

    fn stream(&mut self, direction: Direction, octets: &[u8], at: Duration, events: Sink<'_>) {
        self.counts.octets += octets.len() as u64;
        self.tick(at, events);
        let mut rest = octets;
        while let Some(lane) = self.lanes.get_mut(side(direction)) {
            if rest.is_empty() && !lane.is_due() {
                return;
            }
            match lane.step(&mut rest, self.limits.max_head) {
                Step::More => {}
                Step::Head => self.head_ended(direction, at, events),
                Step::Body(part) => self.body(direction, part, at, events),
                Step::Message => self.message_ended(direction, at, events),
                Step::Lost => self.lost(direction, events),
                Step::Tunnel(part) => {
                    if let Some(websocket) = &mut self.websocket {
                        websocket.stream(direction, part, at, events);
                    }
                }
            }
        }
    }

    fn head_ended(&mut self, direction: Direction, at: Duration, events: Sink<'_>) {
        let Some(lane) = self.lanes.get_mut(side(direction)) else { return };
        if lane.head.coded.is_some() && lane.head.length.is_some() {
            lane.head.faults.add(Conformance::AmbiguousLength);
        }
        if lane.is_request() != (direction == Direction::ToServer) {
            lane.head.faults.add(Conformance::WrongDirection);
        }
        let version = lane.head.version;
        let said = lane.said_body();
        match lane.head.first {
            Some(First::Answer(status)) => {
                self.answered = if (100..200).contains(&status) && status != 101 { None } else { self.take_asked() };
                self.answer_begins(status, said, direction);
            }
            Some(First::Request(method)) => {
                if said == Some(Body::UntilClose) {
                    lane.head.faults.add(Conformance::BadLength);
                }
                lane.body(said.unwrap_or(Body::None));
                let bodies = self.bodies.as_mut();
                let session = bodies.and_then(|bodies| bodies.request_begins(direction, &lane.head, events));
                if direction == Direction::ToServer {
                    self.remember(method, session, at);
                }
            }
            None => {}
        }
        if let Some(version) = version.filter(|_| version != self.version) {
            self.version = Some(version);
            events(Event::Version(Version { protocol: "http", version }));
        }
    }

    /// What follows the head of an answer (RFC 9112, section 6.3).
    fn answer_begins(&mut self, status: u16, said: Option<Body>, direction: Direction) {
        let answered = self.answered.as_ref();
        if let Some(bodies) = &mut self.bodies {
            bodies.answer_begins(direction, answered.and_then(|asked| asked.session.clone()));
        }
        let method = answered.map(|asked| asked.method).unwrap_or_default().name();
        let [to_server, to_client] = &mut self.lanes;
        let (lane, other) =
            if direction == Direction::ToClient { (to_client, to_server) } else { (to_server, to_client) };
        let switches = status == 101 || (method == "CONNECT" && (200..300).contains(&status));
        let bodiless = method == "HEAD" || matches!(status, 100..=199 | 204 | 304);
        if switches {
            if status == 101 && lane.head.websocket {
                self.websocket = Some(Box::new(WebSocketInspector::new(self.limits)));
            }
            // The message ends with its head, and then the connection is another's.
            lane.body(Body::None);
            other.tunnel();
        } else if bodiless {
            lane.body(Body::None);
        } else {
            lane.body(said.unwrap_or(Body::UntilClose));
        }
    }

    fn remember(&mut self, method: Method, session: Option<SessionRef>, at: Duration) {
        self.next += 1;
        if self.beyond > 0 || self.asked.len() >= self.limits.max_pending {
            self.beyond += 1;
            self.counts.evicted += 1;
            return;
        }
        self.asked.push_back(Asked { method, number: self.next, sent: at, session });
    }

    fn take_asked(&mut self) -> Option<Asked> {
        let asked = self.asked.pop_front();
        self.reported = self.reported.saturating_sub(1);
        self.forgotten = asked.is_none() && self.beyond > 0;
        self.beyond -= u64::from(self.forgotten);
        asked
    }

    fn body(&mut self, direction: Direction, part: &[u8], at: Duration, events: Sink<'_>) {
        let (Some(bodies), Some(lane)) = (&mut self.bodies, self.lanes.get(side(direction))) else { return };
        bodies.part(direction, &lane.head, part, at, events);
    }

    /// The message inside has ended with the one around it.
    fn bodies_ended(&mut self, direction: Direction, at: Duration, events: Sink<'_>) {
        let (Some(bodies), Some(lane)) = (&mut self.bodies, self.lanes.get(side(direction))) else { return };
        bodies.ended(direction, &lane.head, lane.size, at, events);
        if lane.head.first.is_some_and(First::is_delete) {
            bodies.session_ended(&lane.head);
        }
    }

    fn message_ended(&mut self, direction: Direction, at: Duration, events: Sink<'_>) {
        self.bodies_ended(direction, at, events);
        let Some(lane) = self.lanes.get_mut(side(direction)) else { return };
        let mut faults = lane.head.faults;
        let mut message = Message {
            protocol: "http",
            direction,
            kind: Kind::Request,
            label: "other",
            detail: None,
            size: lane.size,
            matched: false,
            latency: None,
        };
        let mut code = None;
        let mut tunnel = false;
        match lane.head.first {
            Some(First::Request(method)) => {
                message.label = method.name();
                let number = self.next;
                if let Some(asked) = self.asked.back_mut().filter(|asked| asked.number == number) {
                    asked.sent = at;
                }
            }
            Some(First::Answer(status)) => {
                let answered = self.answered.take();
                let method = answered.as_ref().map(|asked| asked.method).unwrap_or_default();
                message.label = method.answered(status);
                message.matched = answered.is_some();
                message.latency = answered.as_ref().and_then(|asked| at.checked_sub(asked.sent));
                self.counts.clock_steps += u64::from(answered.is_some() && message.latency.is_none());
                let interim = (100..200).contains(&status) && status != 101;
                message.kind = if interim { Kind::Notification } else { Kind::Response };
                if !interim && answered.is_none() && !self.forgotten {
                    faults.add(Conformance::UnknownId);
                }
                code = (status >= 400).then_some(i64::from(status));
                tunnel = status == 101 || (method.name() == "CONNECT" && (200..300).contains(&status));
            }
            None => message.kind = Kind::Invalid,
        }
        lane.reset();
        if tunnel {
            lane.tunnel();
        }
        self.counts.messages += 1;
        events(Event::Message(message));
        if let Some(code) = code {
            failure(direction, message.label, FailureKind::Code(code), events);
        }
        faults.each().for_each(|kind| failure(direction, message.label, FailureKind::Conformance(kind), events));
    }

    /// What came is not HTTP, and where the next message would begin is not known.
    fn lost(&mut self, direction: Direction, events: Sink<'_>) {
        let Some(lane) = self.lanes.get_mut(side(direction)) else { return };
        self.counts.messages += 1;
        let faults = lane.head.faults;
        events(Event::Message(Message {
            protocol: "http",
            direction,
            kind: Kind::Invalid,
            label: "other",
            detail: None,
            size: lane.size,
            matched: false,
            latency: None,
        }));
        faults.each().for_each(|kind| failure(direction, "other", FailureKind::Conformance(kind), events));
    }

    fn end(&mut self, direction: Direction, at: Duration, events: Sink<'_>) {
        let Some(lane) = self.lanes.get_mut(side(direction)) else { return };
        if lane.ends_with_stream() {
            self.message_ended(direction, at, events);
        } else if lane.is_inside() {
            lane.head.faults.add(Conformance::Truncated);
            self.bodies_ended(direction, at, events);
            self.lost(direction, events);
        }
        if let Some(websocket) = &mut self.websocket {
            websocket.end(direction, at, events);
        }
        if let Some(lane) = self.lanes.get_mut(side(direction)) {
            lane.reset();
        }
    }

    fn tick(&mut self, at: Duration, events: Sink<'_>) {
        while let Some(asked) = self.asked.get(self.reported) {
            if at.saturating_sub(asked.sent) <= self.limits.answer_within {
                break;
            }
            self.reported += 1;
            self.counts.expired += 1;
            failure(Direction::ToServer, asked.method.name(), FailureKind::Unanswered, events);
        }
        if let Some(bodies) = &mut self.bodies {
            bodies.expire(at, events);
        }
        if let Some(websocket) = &mut self.websocket {
            websocket.tick(at, events);
        }
    }

    fn counts(&self) -> Counts {
        let own =
            Counts { pending: self.asked.len(), work: self.lanes.iter().map(|lane| lane.work).sum(), ..self.counts };
        let inner =
            [self.bodies.as_ref().map(Bodies::counts), self.websocket.as_ref().map(|websocket| websocket.counts())];
        inner.into_iter().flatten().fold(own, |sum, inner| Counts { octets: sum.octets, ..sum.plus(inner) })
    }
}

fn failure(direction: Direction, label: &str, kind: FailureKind, events: Sink<'_>) {
    events(Event::Failure(Failure { protocol: "http", direction, label, detail: None, kind }));
}

#[cfg(test)]
mod tests;
