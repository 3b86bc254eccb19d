//! What both directions share: names, the protocol's version, and what each message comes to.
//!
//! Requests meet their answers in `session/matching.rs`; what is told of a message stands in `session/telling.rs`.

mod matching;
mod telling;

use std::hash::RandomState;
use std::time::Duration;

use self::matching::{Key, side};
use self::telling::Outcome;
pub(crate) use self::telling::revision;
use super::mcp;
use crate::http::Expected;
use crate::json::scan::Found;
use crate::json::text::Text;
use crate::label::{LabelId, LabelTable};
use crate::pending::Pending;
use crate::{Conformance, Counts, Direction, Event, Failure, FailureKind, Kind, Limits, Message};

/// Which protocol is spoken in JSON-RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    JsonRpc,
    Mcp,
}

impl Dialect {
    pub(crate) fn protocol(self) -> &'static str {
        match self {
            Self::JsonRpc => "jsonrpc",
            Self::Mcp => "mcp",
        }
    }
}

/// What is known of a message besides its contents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) size: u64,
    pub(super) direction: Direction,
    pub(super) at: Duration,
}

/// The type of a message.
#[derive(Clone, Copy, Debug, Default)]
struct Names {
    label: LabelId,
    detail: Option<LabelId>,
    initialize: bool,
}

/// The state of one conversation.
#[derive(Debug)]
pub(crate) struct Session {
    dialect: Dialect,
    limits: Limits,
    labels: LabelTable,
    details: LabelTable,
    /// Requests of the client, and those of the server.
    asked: [Pending<Key, Names>; 2],
    hashers: [RandomState; 2],
    /// The method found last.
    recent: usize,
    /// The version told last.
    version: Option<&'static str>,
    counts: Counts,
}

impl Session {
    pub(crate) fn mcp(limits: Limits) -> Self {
        Self::new(Dialect::Mcp, limits)
    }

    pub(super) fn new(dialect: Dialect, limits: Limits) -> Self {
        let labels = match dialect {
            Dialect::JsonRpc => LabelTable::open(limits.max_labels),
            Dialect::Mcp => LabelTable::closed(mcp::METHODS.iter().map(|method| method.name)),
        };
        Self {
            dialect,
            limits,
            labels,
            details: LabelTable::open(limits.max_labels),
            asked: [Pending::new(limits.max_pending), Pending::new(limits.max_pending)],
            hashers: [RandomState::new(), RandomState::new()],
            recent: 0,
            version: None,
            counts: Counts::default(),
        }
    }

    pub(super) fn protocol(&self) -> &'static str {
        self.dialect.protocol()
    }

    pub(crate) fn shown(&mut self, octets: usize) {
        self.counts.octets += octets as u64;
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            pending: self.asked.iter().map(Pending::len).sum(),
            labels: self.labels.len() + self.details.len(),
            evicted: self.asked.iter().map(Pending::evicted).sum(),
            folded: self.labels.folded() + self.details.folded(),
            ..self.counts
        }
    }

    /// Reports requests that waited too long.
    pub(crate) fn expire(&mut self, at: Duration, events: &mut dyn FnMut(Event<'_>)) {
        for direction in [Direction::ToServer, Direction::ToClient] {
            let Some(asked) = self.asked.get_mut(side(direction)) else { continue };
            while let Some(waiting) = asked.expire(at, self.limits.answer_within) {
                self.counts.expired += 1;
                if !waiting.excused {
                    events(Event::Failure(Failure {
                        protocol: self.dialect.protocol(),
                        direction,
                        label: self.labels.name(waiting.what.label),
                        detail: waiting.what.detail.map(|detail| self.details.name(detail)),
                        kind: FailureKind::Unanswered,
                    }));
                }
            }
        }
    }

    /// A message whose body cannot be read, told by its head. Nothing is known of its identifier, so no
    /// answer finds it.
    pub(crate) fn told_by_head(
        &mut self,
        head: &Expected,
        size: u64,
        direction: Direction,
        events: &mut dyn FnMut(Event<'_>),
    ) {
        let Some(method) = head.method.as_ref().and_then(Text::text) else { return };
        let known = mcp::known(method, &mut self.recent);
        let (label, _) = known.unzip();
        let name = head.name.as_ref().and_then(Text::text);
        let detail = (method == "tools/call").then(|| self.details.intern(name));
        self.counts.messages += 1;
        events(Event::Message(Message {
            protocol: self.dialect.protocol(),
            direction,
            kind: if method.starts_with("notifications/") { Kind::Notification } else { Kind::Request },
            label: self.labels.name(label.unwrap_or_default()),
            detail: detail.map(|detail| self.details.name(detail)),
            size,
            matched: false,
            latency: None,
        }));
    }

    /// A message that could not be read to its end.
    pub(super) fn invalid(&mut self, found: &Found, told: Told, events: &mut dyn FnMut(Event<'_>)) {
        self.emit(found, told, Outcome { kind: Kind::Invalid, ..Outcome::default() }, events);
    }

    /// The array around messages has ended. When it is `cut`, what came of its last member is told.
    pub(super) fn batch_ended(&mut self, found: &mut Found, told: Told, cut: bool, events: &mut dyn FnMut(Event<'_>)) {
        let unwanted =
            self.dialect == Dialect::Mcp && self.version.is_some_and(|version| !mcp::WITH_BATCHES.contains(&version));
        if unwanted {
            found.faults.add(Conformance::UnwantedBatch);
        }
        if cut {
            self.invalid(found, told, events);
        } else {
            self.faults(found, told, Names::default(), events);
        }
    }

    /// A message is complete.
    pub(super) fn tell(&mut self, found: &mut Found, told: Told, events: &mut dyn FnMut(Event<'_>)) {
        if !found.version {
            found.faults.add(Conformance::BadVersion);
        }
        let answers = found.outcome || found.error;
        if found.method.is_some() == answers {
            found.faults.add(Conformance::NoMethod);
            return self.invalid(found, told, events);
        }
        let outcome = if answers { self.answer(found, told) } else { self.question(found, told) };
        self.emit(found, told, outcome, events);
    }
}
