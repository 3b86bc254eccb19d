//! Where the events of all conversations of one monitor are counted.

use std::time::{Duration, Instant};

use squirrel_inspect::{BadPath, Counts, Event, FieldPaths, Inspector, McpHttpInspector, McpSessions};

use super::failures::{Failures, push_type};
use super::fields::Fields;
use super::{FailureMetrics, FieldMetrics, InspectionOptions, Role, unknown};
use crate::Result;
use crate::counter::Sharded;
use crate::recorder::Recorder;

/// How far before the monitor's birth timestamps are told apart: messages may have been kept before they are
/// shown. Earlier ones are taken as that old.
const BEFORE_BIRTH: Duration = Duration::from_secs(24 * 3600);

/// What inspection has found besides the message types.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct InspectionMetrics {
    /// Conversations that are open now.
    pub conversations: u64,
    /// Sessions of MCP over HTTP that are known now.
    pub sessions: u64,
    /// Messages told, as of the last call into each conversation.
    pub messages: u64,
    /// Bytes looked at.
    pub bytes: u64,
    /// Requests that await an answer now.
    pub pending: u64,
    /// Requests forgotten because too many waited.
    pub evicted: u64,
    /// Requests forgotten because they waited too long.
    pub expired: u64,
    /// Times that a name became `other`.
    pub folded: u64,
    /// Answers with a timestamp before that of their request.
    pub clock_steps: u64,
    /// Inspectors that panicked and were dropped.
    pub panics: u64,
    /// Failures by message type.
    pub failures: Vec<FailureMetrics>,
    /// The fields that were asked for, in that order.
    pub fields: Vec<FieldMetrics>,
}

/// Counts for all conversations. In the order of [`grown`]; then conversations and panics.
const COUNTS: usize = 9;

/// What all conversations of a monitor share.
pub(super) struct Hub {
    recorder: Recorder,
    options: InspectionOptions,
    born: Instant,
    failures: Failures,
    counts: Sharded<COUNTS>,
    /// An answer may come on another connection than its request.
    sessions: McpSessions,
    /// Or why the paths cannot be followed.
    fields: std::result::Result<Fields, BadPath>,
}

impl Hub {
    pub(super) fn new(recorder: Recorder, born: Instant, options: InspectionOptions) -> Self {
        let failures = Failures::new(recorder.max_message_types());
        let sessions = McpSessions::new(options.limits, options.max_sessions);
        let fields = FieldPaths::new(&options.fields).map(Fields::new);
        Self { recorder, options, born, failures, counts: Sharded::new(), sessions, fields }
    }

    pub(super) fn options(&self) -> &InspectionOptions {
        &self.options
    }

    pub(super) fn is_tracking(&self) -> bool {
        self.recorder.is_tracking_protocol()
    }

    pub(super) fn check(&self) -> Result<()> {
        let known = |name: &str| self.options.inspectors.names().any(|known| known == name);
        self.fields()?;
        if known(&self.options.protocol) { Ok(()) } else { Err(self.unknown(&self.options.protocol)) }
    }

    pub(super) fn build(&self, protocol: &str) -> Result<Box<dyn Inspector>> {
        let fields = self.fields()?;
        let mut inspector: Box<dyn Inspector> = if protocol == "mcp-http" {
            Box::new(McpHttpInspector::in_sessions(self.options.limits, &self.sessions))
        } else {
            let inspector = self.options.inspectors.build(protocol, &self.options.limits);
            inspector.ok_or_else(|| self.unknown(protocol))?
        };
        if !fields.paths().is_empty() {
            inspector.read_fields(fields.paths());
        }
        Ok(inspector)
    }

    fn fields(&self) -> Result<&Fields> {
        self.fields.as_ref().map_err(|error| crate::MonitorError::Field { reason: error.to_string() })
    }

    fn unknown(&self, protocol: &str) -> crate::MonitorError {
        let known: Vec<&str> = self.options.inspectors.names().collect();
        unknown(protocol, known.join(", "))
    }

    /// Time since a fixed moment before the monitor's birth.
    pub(super) fn since_birth(&self, timestamp: Instant) -> Duration {
        match timestamp.checked_duration_since(self.born) {
            Some(after) => BEFORE_BIRTH.saturating_add(after),
            None => BEFORE_BIRTH.saturating_sub(self.born.saturating_duration_since(timestamp)),
        }
    }

    /// Counts an event. `name` is room to put names together.
    pub(super) fn count(&self, event: &Event<'_>, protocol: &str, role: Role, name: &mut String) {
        match event {
            Event::Message(message) => {
                name.clear();
                push_type(name, message.label, message.detail);
                if role.is_received(message.direction) {
                    self.recorder.record_message_received(name, message.size);
                } else {
                    self.recorder.record_message_sent(name, message.size);
                }
                if let Some(latency) = message.latency {
                    self.recorder.record_message_latency(name, latency);
                }
            }
            Event::Failure(failure) => {
                self.recorder.record_protocol_error(failure.kind.name());
                name.clear();
                push_type(name, failure.label, failure.detail);
                self.recorder.record_inspected_failure(name);
                self.failures.count(failure, name);
            }
            Event::Field(field) => {
                if let Ok(fields) = &self.fields {
                    fields.count(field.place, field.value);
                }
            }
            // What carries the protocol has a version too, which nobody asks for.
            Event::Version(version) if version.protocol == protocol => {
                self.recorder.set_protocol_version(version.version);
            }
            _ => {}
        }
    }

    /// Counts requests without an answer in sessions that have fallen silent.
    pub(super) fn tick(&self, timestamp: Instant) {
        let role = self.options.role;
        let mut name = String::new();
        self.sessions.tick(self.since_birth(timestamp), &mut |event| self.count(&event, "mcp", role, &mut name));
    }

    /// An inspector's figures have changed.
    pub(super) fn grown(&self, before: Counts, after: Counts) {
        let by = |before: u64, after: u64| after.wrapping_sub(before);
        self.counts.add([
            by(before.messages, after.messages),
            by(before.octets, after.octets),
            by(before.pending as u64, after.pending as u64),
            by(before.evicted, after.evicted),
            by(before.expired, after.expired),
            by(before.folded, after.folded),
            by(before.clock_steps, after.clock_steps),
            0,
            0,
        ]);
    }

    pub(super) fn opened(&self) {
        self.counts.add([0, 0, 0, 0, 0, 0, 0, 1, 0]);
    }

    pub(super) fn closed(&self) {
        self.counts.add([0, 0, 0, 0, 0, 0, 0, u64::MAX, 0]);
    }

    pub(super) fn panicked(&self) {
        self.recorder.record_protocol_error("inspector_panicked");
        self.counts.add([0, 0, 0, 0, 0, 0, 0, 0, 1]);
    }

    pub(super) fn failures(&self) -> Vec<FailureMetrics> {
        self.failures.metrics()
    }

    pub(super) fn metrics(&self) -> InspectionMetrics {
        let [messages, bytes, pending, evicted, expired, folded, clock_steps, conversations, panics] =
            self.counts.sums();
        // A handle may be moved to another thread, and what it takes back may be seen before what it gave.
        let gauge = |sum: u64| if sum > u64::MAX / 2 { 0 } else { sum };
        InspectionMetrics {
            conversations: gauge(conversations),
            messages,
            bytes,
            pending: gauge(pending).saturating_add(self.sessions.pending() as u64),
            sessions: self.sessions.len() as u64,
            evicted,
            expired,
            folded,
            clock_steps,
            panics,
            failures: self.failures(),
            fields: self.fields.as_ref().map(Fields::metrics).unwrap_or_default(),
        }
    }
}
