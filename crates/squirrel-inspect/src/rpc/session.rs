//! What both directions share: requests that wait, names, the protocol's version.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use super::mcp::{self, Sender};
use crate::event::Faults;
use crate::http::Expected;
use crate::json::scan::{Found, Id};
use crate::json::text::Text;
use crate::label::{LabelId, LabelTable, OTHER};
use crate::pending::{Pending, Waiting};
use crate::{Conformance, Counts, Direction, Event, Failure, FailureKind, Kind, Limits, Message, Version};

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

/// An identifier, small. Strings are hashed twice with keys of this session's own, so that nobody can
/// choose two that meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Number(i64),
    Text(u64, u64),
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

/// Where to look for requests that went this way.
fn side(direction: Direction) -> usize {
    match direction {
        Direction::ToServer => 0,
        Direction::ToClient => 1,
    }
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

    fn question(&mut self, found: &mut Found, told: Told) -> Outcome {
        let method = found.method.as_ref().and_then(|method| method.text());
        let known =
            method.filter(|_| self.dialect == Dialect::Mcp).and_then(|method| mcp::known(method, &mut self.recent));
        let label = known.map_or_else(|| self.labels.intern(method), |(label, _)| label);
        let mut names = Names { label, ..Names::default() };
        let mut lasting = false;
        let wants_answer = !matches!(found.id, Id::Absent);
        let method = method.unwrap_or_default();
        if self.dialect == Dialect::Mcp {
            if let Some((_, known)) = known {
                lasting = known.lasting;
                let wrong = match known.sender {
                    Sender::Both => false,
                    Sender::Client => told.direction == Direction::ToClient,
                    Sender::Server => told.direction == Direction::ToServer,
                };
                if wrong {
                    found.faults.add(Conformance::WrongDirection);
                }
                let notifies = method.starts_with("notifications/");
                if notifies == wants_answer {
                    found.faults.add(if notifies { Conformance::UnwantedId } else { Conformance::MissingId });
                }
            }
            if method == "tools/call" {
                names.detail = Some(self.details.intern(found.name.as_ref().and_then(|name| name.text())));
            }
            names.initialize = method == "initialize";
            let cancelled = (method == "notifications/cancelled").then(|| self.key(&found.request_id)).flatten();
            if let Some((key, asked)) = cancelled.zip(self.asked.get_mut(side(told.direction))) {
                asked.excuse(key);
            }
        }
        if !wants_answer {
            return Outcome { kind: Kind::Notification, names, ..Outcome::default() };
        }
        match self.key(&found.id) {
            Some(key) => {
                let waiting = Waiting { what: names, sent: told.at, excused: lasting };
                let asked = self.asked.get_mut(side(told.direction));
                if asked.and_then(|asked| asked.insert(key, waiting)).is_some() {
                    found.faults.add(Conformance::DuplicateId);
                }
            }
            None => found.faults.add(bad_id(&found.id)),
        }
        Outcome { kind: Kind::Request, names, ..Outcome::default() }
    }

    fn answer(&mut self, found: &mut Found, told: Told) -> Outcome {
        let mut outcome = Outcome { kind: Kind::Response, ..Outcome::default() };
        if found.outcome && found.error {
            found.faults.add(Conformance::ResultAndError);
        }
        if found.error && found.code.is_none() {
            found.faults.add(Conformance::NoErrorCode);
        }
        let Some(key) = self.key(&found.id) else {
            // Who could not read a request cannot know its identifier, and says null.
            let excused = found.error && matches!(found.id, Id::Null);
            if !excused {
                found.faults.add(bad_id(&found.id));
            }
            return outcome;
        };
        let waiting = self.asked.get_mut(side(told.direction.reversed())).and_then(|asked| asked.take(key));
        let Some(waiting) = waiting else {
            let own = self.asked.get(side(told.direction)).is_some_and(|asked| asked.contains(key));
            if own {
                found.faults.add(Conformance::WrongDirection);
            } else if self.limits.max_pending > 0 {
                found.faults.add(Conformance::UnknownId);
            }
            return outcome;
        };
        outcome.names = waiting.what;
        outcome.matched = true;
        outcome.latency = told.at.checked_sub(waiting.sent);
        self.counts.clock_steps += u64::from(outcome.latency.is_none());
        outcome
    }

    fn emit(&mut self, found: &Found, told: Told, outcome: Outcome, events: &mut dyn FnMut(Event<'_>)) {
        self.counts.messages += 1;
        let names = outcome.names;
        events(Event::Message(Message {
            protocol: self.dialect.protocol(),
            direction: told.direction,
            kind: outcome.kind,
            label: self.labels.name(names.label),
            detail: names.detail.map(|detail| self.details.name(detail)),
            size: told.size,
            matched: outcome.matched,
            latency: outcome.latency,
        }));
        if outcome.kind == Kind::Response {
            if let Some(code) = found.code.filter(|_| found.error) {
                self.failure(told, names, FailureKind::Code(code), events);
            } else if found.is_error && self.dialect == Dialect::Mcp {
                self.failure(told, names, FailureKind::Tool, events);
            }
        }
        self.faults(found, told, names, events);
        self.tell_version(found, outcome, events);
    }

    fn failure(&self, told: Told, names: Names, kind: FailureKind, events: &mut dyn FnMut(Event<'_>)) {
        events(Event::Failure(Failure {
            protocol: self.dialect.protocol(),
            direction: told.direction,
            label: self.labels.name(names.label),
            detail: names.detail.map(|detail| self.details.name(detail)),
            kind,
        }));
    }

    fn faults(&self, found: &Found, told: Told, names: Names, events: &mut dyn FnMut(Event<'_>)) {
        if found.faults == Faults::default() {
            return;
        }
        for kind in found.faults.each() {
            self.failure(told, names, FailureKind::Conformance(kind), events);
        }
    }

    fn tell_version(&mut self, found: &Found, outcome: Outcome, events: &mut dyn FnMut(Event<'_>)) {
        let seen = match (self.dialect, outcome.kind) {
            (_, Kind::Invalid) => None,
            (Dialect::JsonRpc, _) => found.version.then_some("2.0"),
            // What the server answers is agreed; what the client asks for is only asked.
            (Dialect::Mcp, Kind::Response) => {
                found.revision.as_ref().filter(|_| outcome.names.initialize).map(|text| revision(text.text()))
            }
            (Dialect::Mcp, _) => found.meta_revision.as_ref().map(|text| revision(text.text())),
        };
        if let Some(version) = seen {
            self.version_said(version, events);
        }
    }

    /// Tells the version when it is another than before.
    pub(crate) fn version_said(&mut self, version: &'static str, events: &mut dyn FnMut(Event<'_>)) {
        if self.version != Some(version) {
            self.version = Some(version);
            events(Event::Version(Version { protocol: self.dialect.protocol(), version }));
        }
    }

    fn key(&self, id: &Id) -> Option<Key> {
        match id {
            Id::Number(number) => Some(Key::Number(*number)),
            Id::Text { text, number } => {
                let [first, second] = &self.hashers;
                let text = (text.octets(), *number);
                Some(Key::Text(first.hash_one(text), second.hash_one(text)))
            }
            Id::Absent | Id::Null | Id::Long | Id::Bad => None,
        }
    }
}

/// What was learned of a message.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    kind: Kind,
    names: Names,
    matched: bool,
    latency: Option<Duration>,
}

impl Default for Outcome {
    fn default() -> Self {
        Self { kind: Kind::Invalid, names: Names::default(), matched: false, latency: None }
    }
}

fn bad_id(id: &Id) -> Conformance {
    if matches!(id, Id::Long) { Conformance::LongId } else { Conformance::BadId }
}

/// A revision from the closed list.
pub(crate) fn revision(text: Option<&str>) -> &'static str {
    mcp::REVISIONS.iter().copied().find(|known| Some(*known) == text).unwrap_or(OTHER)
}
