//! Protocol inspection: what conversations say, as the monitor's protocol metrics.
//!
//! The inspectors are those of [`protocols`](crate::protocols); here their events become counts,
//! latencies and errors. An [`Inspection`] watches one conversation and needs no lock;
//! [`NetworkMonitor::inspect_protocol_message`](crate::NetworkMonitor::inspect_protocol_message) watches one
//! that all callers share, and holds a lock for as long as it looks at a message.

mod failures;
mod fields;
mod hub;
mod options;
#[cfg(test)]
mod tests;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use squirrel_inspect::{Counts, Direction, Event, Inspector};

use crate::recorder::Recorder;
use crate::{MonitorError, Result};
pub use failures::{FailureClass, FailureMetrics};
pub use fields::{FieldMetrics, MAX_FIELD_TEXTS, NumberMetrics};
use hub::Hub;
pub use hub::InspectionMetrics;
pub use options::{InspectionOptions, MessageDirection, Role};

/// Watches one conversation: both directions of one connection or pair of pipes.
///
/// It belongs to whoever reads and writes that connection, takes no lock, and allocates only when a name
/// is met first or a table grows to its bound. It may outlive its monitor. Message types are the labels
/// that the inspector tells, with the detail after a space: `tools/call search`, `GET 2xx`. Nothing of a
/// message is kept, none is changed, and an inspector that panics is dropped and counted.
///
/// Timestamps should not go back within one conversation. When one does, the message counts all the same; an
/// answer that is older than its request has no latency, and
/// [`InspectionMetrics::clock_steps`] counts it.
#[must_use = "an inspection that is shown nothing tells nothing"]
pub struct Inspection {
    hub: Arc<Hub>,
    inspector: Option<Box<dyn Inspector>>,
    role: Role,
    /// Room for a type's name, made once.
    name: String,
    told: Counts,
    observer: Option<Observer>,
}

type Observer = Box<dyn FnMut(&Event<'_>) + Send>;

impl Inspection {
    fn open(hub: &Arc<Hub>, protocol: &str, role: Role) -> Result<Self> {
        let inspector = if hub.is_tracking() { Some(hub.build(protocol)?) } else { None };
        hub.opened();
        let (hub, name) = (Arc::clone(hub), String::with_capacity(failures::LONGEST_NAME));
        Ok(Self { hub, inspector, role, name, told: Counts::default(), observer: None })
    }

    /// Shows each event to `observer` too, before it is counted: for a log or a live view. It is called
    /// where the octets are shown, and should not block.
    pub fn observed_by(mut self, observer: impl FnMut(&Event<'_>) + Send + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Shows one whole message, without what separates messages.
    pub fn message(&mut self, message: &[u8], direction: MessageDirection, timestamp: Instant) {
        let direction = self.role.direction(direction);
        self.inspect(timestamp, |inspector, at, events| inspector.message(direction, message, at, events));
    }

    /// Shows the next octets of a stream, cut anywhere.
    pub fn stream(&mut self, octets: &[u8], direction: MessageDirection, timestamp: Instant) {
        let direction = self.role.direction(direction);
        self.inspect(timestamp, |inspector, at, events| inspector.stream(direction, octets, at, events));
    }

    /// The stream of this direction has ended: what is not complete never will be.
    pub fn end(&mut self, direction: MessageDirection, timestamp: Instant) {
        let direction = self.role.direction(direction);
        self.inspect(timestamp, |inspector, at, events| inspector.end(direction, at, events));
    }

    /// Counts requests that have waited too long. Showing octets does so too; this is for a conversation
    /// that has fallen silent.
    pub fn tick(&mut self, timestamp: Instant) {
        self.inspect(timestamp, |inspector, at, events| inspector.tick(at, events));
    }

    /// The inspector's own figures.
    pub fn counts(&self) -> Counts {
        self.inspector.as_ref().map(|inspector| inspector.counts()).unwrap_or_default()
    }

    /// Whether anything is looked at: not when `track_protocol` is off, nor after the inspector panicked.
    pub fn is_watching(&self) -> bool {
        self.inspector.is_some()
    }

    fn inspect(
        &mut self,
        timestamp: Instant,
        look: impl FnOnce(&mut dyn Inspector, Duration, &mut dyn FnMut(Event<'_>)),
    ) {
        let Some(inspector) = &mut self.inspector else { return };
        let (hub, role, name, observer) = (&self.hub, self.role, &mut self.name, &mut self.observer);
        let (at, protocol) = (hub.since_birth(timestamp), inspector.protocol());
        let mut events = |event: Event<'_>| {
            if let Some(observer) = observer {
                observer(&event);
            }
            hub.count(&event, protocol, role, name);
        };
        // An inspector or an observer of the user's own may panic; the application must not notice.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            look(inspector.as_mut(), at, &mut events);
            inspector.counts()
        }));
        if let Ok(counts) = outcome {
            hub.grown(self.told, counts);
            self.told = counts;
        } else {
            // Whatever it left half done is dropped with it.
            self.inspector = None;
            hub.panicked();
        }
    }
}

impl Drop for Inspection {
    fn drop(&mut self) {
        // What is open and waits is no more.
        self.hub.grown(self.told, Counts { pending: 0, ..self.told });
        self.hub.closed();
    }
}

impl fmt::Debug for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspection").field("role", &self.role).field("counts", &self.counts()).finish_non_exhaustive()
    }
}

/// All inspection of one monitor.
pub(crate) struct Inspections {
    hub: Arc<Hub>,
    /// The conversation of those who show messages without a handle; made when the first comes.
    shared: Mutex<Option<Inspection>>,
}

impl Inspections {
    pub(crate) fn new(recorder: &Recorder, born: Instant, options: InspectionOptions) -> Self {
        Self { hub: Arc::new(Hub::new(recorder.clone(), born, options)), shared: Mutex::new(None) }
    }

    /// The default protocol of the options must be known.
    pub(crate) fn check(&self) -> Result<()> {
        self.hub.check()
    }

    pub(crate) fn open(&self) -> Result<Inspection> {
        let options = self.hub.options();
        Inspection::open(&self.hub, &options.protocol, options.role)
    }

    pub(crate) fn open_as(&self, protocol: &str, role: Role) -> Result<Inspection> {
        Inspection::open(&self.hub, protocol, role)
    }

    pub(crate) fn message(&self, message: &[u8], direction: MessageDirection, timestamp: Instant) -> Result<()> {
        if !self.hub.is_tracking() {
            return Ok(());
        }
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.is_none() {
            *shared = Some(self.open()?);
        }
        if let Some(shared) = shared.as_mut() {
            shared.message(message, direction, timestamp);
        }
        Ok(())
    }

    /// Counts requests without an answer in the shared conversation and in sessions of MCP.
    pub(crate) fn tick(&self, timestamp: Instant) {
        self.hub.tick(timestamp);
        // Whoever holds it is showing a message, which does the same.
        if let Ok(mut shared) = self.shared.try_lock() {
            if let Some(shared) = shared.as_mut() {
                shared.tick(timestamp);
            }
        }
    }

    pub(crate) fn failures(&self) -> Vec<FailureMetrics> {
        self.hub.failures()
    }

    pub(crate) fn metrics(&self) -> InspectionMetrics {
        self.hub.metrics()
    }
}

/// Inspection: what is said, from what passes.
impl crate::NetworkMonitor {
    /// Looks at one whole message of the conversation that all callers of this method share, and counts
    /// its type, size, latency and errors. The message is neither changed nor kept. With `track_protocol` off
    /// it does nothing.
    ///
    /// `timestamp` is when the message passed. One that goes back is taken as it is: an answer that is older
    /// than its request has no latency.
    ///
    /// Messages of several connections belong into an [`inspection`](Self::inspection) each, which takes no
    /// lock either: here identifiers of different peers would meet.
    ///
    /// # Errors
    /// When the protocol of [`InspectionOptions`] is not known. What is wrong with a message is no error of
    /// this method: it is counted.
    #[expect(clippy::unused_async, reason = "the specification has it async; it never waits for anything but its turn")]
    pub async fn inspect_protocol_message(
        &self,
        message: &[u8],
        direction: MessageDirection,
        timestamp: Instant,
    ) -> Result<()> {
        self.inspect_message(message, direction, timestamp)
    }

    /// The same as a plain function.
    ///
    /// # Errors
    /// As [`inspect_protocol_message`](Self::inspect_protocol_message).
    pub fn inspect_message(&self, message: &[u8], direction: MessageDirection, timestamp: Instant) -> Result<()> {
        self.inspections().message(message, direction, timestamp)
    }

    /// A new conversation in the protocol and role of [`InspectionOptions`]: one for each connection.
    ///
    /// # Errors
    /// When there is no inspector of that name.
    pub fn inspection(&self) -> Result<Inspection> {
        self.inspections().open()
    }

    /// A new conversation in another protocol or role: a program may serve MCP and be a client of HTTP.
    ///
    /// # Errors
    /// When there is no inspector of that name.
    pub fn inspection_as(&self, protocol: &str, role: Role) -> Result<Inspection> {
        self.inspections().open_as(protocol, role)
    }

    /// What inspection has found besides the message types: failures by message type, and its own figures.
    pub fn inspection_metrics(&self) -> InspectionMetrics {
        self.inspections().metrics()
    }
}

fn unknown(name: &str, known: String) -> MonitorError {
    MonitorError::UnknownProtocol { name: name.to_owned(), known }
}

/// The inspectors' word for a direction, seen from a role.
impl Role {
    fn direction(self, direction: MessageDirection) -> Direction {
        match (self, direction) {
            (Self::Server, MessageDirection::Received) | (Self::Client, MessageDirection::Sent) => Direction::ToServer,
            (Self::Server, MessageDirection::Sent) | (Self::Client, MessageDirection::Received) => Direction::ToClient,
        }
    }

    fn is_received(self, direction: Direction) -> bool {
        self.direction(MessageDirection::Received) == direction
    }
}
