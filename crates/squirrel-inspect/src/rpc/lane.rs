//! One direction of a conversation: from octets to messages.

use std::time::Duration;

use super::session::{Session, Told};
use crate::http::Expected;
use crate::json::fields::FieldReader;
use crate::json::scan::{Scanner, Stop};
use crate::{Conformance, Direction, Event, FieldPaths, Limits};

/// Where one direction stands. Holds no octets of the message but the few members that matter.
#[derive(Debug)]
pub(crate) struct Lane {
    scanner: Scanner,
    /// Octets of the message so far.
    size: u64,
    /// Octets of the batch's present member so far.
    element: u64,
    max_message: u64,
    /// What the head around the message says it is.
    expected: Expected,
    fields: Option<Box<FieldReader>>,
}

impl Lane {
    pub(crate) fn new(limits: &Limits) -> Self {
        let (scanner, expected) = (Scanner::new(limits.max_depth), Expected::default());
        Self { scanner, size: 0, element: 0, max_message: limits.max_message, expected, fields: None }
    }

    /// Says what the next messages should be.
    pub(crate) fn expect(&mut self, expected: Expected) {
        self.expected = expected;
    }

    /// Tells the values of fields from the next message on.
    pub(crate) fn read_fields(&mut self, fields: &FieldPaths) {
        self.fields = (!fields.is_empty()).then(|| Box::new(FieldReader::new(fields)));
    }

    fn tell_fields(&mut self, told: Told, session: &Session, events: &mut dyn FnMut(Event<'_>)) {
        if let Some(fields) = &mut self.fields {
            fields.tell(session.protocol(), told.direction, events);
            fields.reset();
        }
    }

    pub(crate) fn work(&self) -> u64 {
        self.scanner.work() + self.fields.as_ref().map_or(0, |fields| fields.work())
    }

    pub(crate) fn push(
        &mut self,
        octets: &[u8],
        direction: Direction,
        at: Duration,
        session: &mut Session,
        events: &mut dyn FnMut(Event<'_>),
    ) {
        let room = usize::try_from(self.max_message.saturating_sub(self.size)).unwrap_or(usize::MAX);
        self.size = self.size.saturating_add(octets.len() as u64);
        let mut rest = octets.get(..room).unwrap_or(octets);
        self.scanner.check_text(rest);
        while let Stop::Element(used) = self.scanner.push(rest) {
            let (element, after) = rest.split_at(used.min(rest.len()));
            if let Some(fields) = &mut self.fields {
                fields.push(element);
            }
            rest = after;
            let told = Told { size: self.element + used as u64, direction, at };
            session.tell(&mut self.scanner.found, told, events);
            self.tell_fields(told, session, events);
            self.scanner.next_element();
            self.element = 0;
        }
        if let Some(fields) = &mut self.fields {
            fields.push(rest);
        }
        self.element += rest.len() as u64;
    }

    pub(crate) fn finish(
        &mut self,
        direction: Direction,
        at: Duration,
        session: &mut Session,
        events: &mut dyn FnMut(Event<'_>),
    ) {
        let told = Told { size: self.size, direction, at };
        let oversized = self.size > self.max_message;
        self.size = 0;
        self.element = 0;
        if self.scanner.is_untouched() && !oversized {
            // An empty line separates nothing; but one of broken text is told.
            self.scanner.finish();
            if self.scanner.found.faults.has(Conformance::InvalidUtf8) {
                session.invalid(&self.scanner.found, told, events);
            }
            self.scanner.reset();
            return;
        }
        if oversized {
            // Where we stopped reading, nothing else can be said of the end.
            self.scanner.found.faults.add(Conformance::Oversized);
        } else {
            self.scanner.finish();
        }
        let faults = self.scanner.found.faults;
        let cut = faults.has(Conformance::Malformed) || faults.has(Conformance::Truncated) || oversized;
        if self.scanner.batch {
            session.batch_ended(&mut self.scanner.found, told, cut, events);
        } else if cut {
            session.invalid(&self.scanner.found, told, events);
        } else {
            if let Some(fault) = self.expected.fault(&self.scanner.found) {
                self.scanner.found.faults.add(fault);
            }
            session.tell(&mut self.scanner.found, told, events);
            self.tell_fields(told, session, events);
        }
        if let Some(fields) = &mut self.fields {
            fields.reset();
        }
        self.scanner.reset();
    }
}
