//! What is told of a message: itself, what failed, what breaks the rules, and the protocol's version.

use std::time::Duration;

use super::{Dialect, Names, Session, Told};
use crate::event::Faults;
use crate::json::scan::Found;
use crate::label::OTHER;
use crate::rpc::mcp;
use crate::{Event, Failure, FailureKind, Kind, Message, Version};

/// What was learned of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) kind: Kind,
    pub(super) names: Names,
    pub(super) matched: bool,
    pub(super) latency: Option<Duration>,
}

impl Default for Outcome {
    fn default() -> Self {
        Self { kind: Kind::Invalid, names: Names::default(), matched: false, latency: None }
    }
}

impl Session {
    pub(super) fn emit(&mut self, found: &Found, told: Told, outcome: Outcome, events: &mut dyn FnMut(Event<'_>)) {
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

    pub(super) fn faults(&self, found: &Found, told: Told, names: Names, events: &mut dyn FnMut(Event<'_>)) {
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
}

/// A revision from the closed list.
pub(crate) fn revision(text: Option<&str>) -> &'static str {
    mcp::REVISIONS.iter().copied().find(|known| Some(*known) == text).unwrap_or(OTHER)
}
