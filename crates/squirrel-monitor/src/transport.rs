//! What wrappers know of connections and requests beyond the specification: how long connections live,
//! when the first octet comes, which errors end them, and what connecting is made of.

use std::io;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::time::Duration;

use crate::histogram::Histogram;
use crate::{HistogramSnapshot, Recorder, Stopwatch};

/// A part of connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectPhase {
    /// From a name to addresses.
    Dns,
    /// From an address to an established TCP connection; over several addresses, all of them together.
    Tcp,
    /// The TLS handshake.
    Tls,
}

impl ConnectPhase {
    /// All phases, in the order in which they happen.
    pub const ALL: [Self; 3] = [Self::Dns, Self::Tcp, Self::Tls];

    /// The phase's name, as a label: `dns`, `tcp`, `tls`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// Kinds of errors that are told apart, by the names they are counted under. The rest is `other`.
const ERROR_KINDS: [(io::ErrorKind, &str); 17] = [
    (io::ErrorKind::NotFound, "not_found"),
    (io::ErrorKind::PermissionDenied, "permission_denied"),
    (io::ErrorKind::ConnectionRefused, "connection_refused"),
    (io::ErrorKind::ConnectionReset, "connection_reset"),
    (io::ErrorKind::ConnectionAborted, "connection_aborted"),
    (io::ErrorKind::HostUnreachable, "host_unreachable"),
    (io::ErrorKind::NetworkUnreachable, "network_unreachable"),
    (io::ErrorKind::NetworkDown, "network_down"),
    (io::ErrorKind::NotConnected, "not_connected"),
    (io::ErrorKind::AddrInUse, "address_in_use"),
    (io::ErrorKind::AddrNotAvailable, "address_not_available"),
    (io::ErrorKind::BrokenPipe, "broken_pipe"),
    (io::ErrorKind::InvalidData, "invalid_data"),
    (io::ErrorKind::TimedOut, "timed_out"),
    (io::ErrorKind::WriteZero, "write_zero"),
    (io::ErrorKind::UnexpectedEof, "unexpected_eof"),
    (io::ErrorKind::OutOfMemory, "out_of_memory"),
];

struct Phase {
    time: Histogram,
    failures: AtomicU64,
}

/// What the guards and wrappers write. Errors and failures are rare, and connections are made and ended
/// thousands of times more seldom than octets pass: single atomics do.
pub(crate) struct Transport {
    open: AtomicU32,
    /// Requests that began, and those that ended.
    requests: [AtomicU64; 2],
    lifetime: Histogram,
    first_byte: Histogram,
    phases: [Phase; ConnectPhase::ALL.len()],
    /// The last one is for all other kinds.
    errors: [AtomicU64; ERROR_KINDS.len() + 1],
}

impl Transport {
    pub(crate) fn new() -> Self {
        Self {
            open: AtomicU32::new(0),
            requests: [AtomicU64::new(0), AtomicU64::new(0)],
            lifetime: Histogram::new(),
            first_byte: Histogram::new(),
            phases: std::array::from_fn(|_| Phase { time: Histogram::new(), failures: AtomicU64::new(0) }),
            errors: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    pub(crate) fn open(&self) -> u32 {
        self.open.load(Relaxed)
    }

    pub(crate) fn opened(&self) {
        self.open.fetch_add(1, Relaxed);
    }

    pub(crate) fn closed(&self, after: Duration) {
        self.open.fetch_sub(1, Relaxed);
        self.lifetime.record(after);
    }

    pub(crate) fn heard(&self, after: Duration) {
        self.first_byte.record(after);
    }
}

/// What is known of one part of connecting.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ConnectPhaseMetrics {
    /// Which part.
    pub phase: ConnectPhase,
    /// How long it took when it succeeded.
    pub time: HistogramSnapshot,
    /// How often it failed, or was given up while it lasted.
    pub failures: u64,
}

/// What wrappers recorded of connections and requests.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TransportMetrics {
    /// Connections that live now, as far as they are counted by wrappers.
    pub open_connections: u32,
    /// Requests that have begun so far.
    pub requests: u64,
    /// Requests that have begun and not ended.
    pub requests_in_flight: u32,
    /// How long connections lived that have ended.
    pub connection_lifetime: HistogramSnapshot,
    /// From the moment that a connection was wrapped to its first octet received. Connections that never
    /// received one are not in it.
    pub time_to_first_byte: HistogramSnapshot,
    /// The parts of connecting, in their order.
    pub connect_phases: Vec<ConnectPhaseMetrics>,
    /// Errors of reading, writing, accepting and connecting by the name of their kind, those that happened.
    pub io_errors: Vec<(&'static str, u64)>,
}

/// What wrappers record; they can be written by others with these.
impl Recorder {
    /// Records an error of input or output by its kind. Those that only say "again" (`WouldBlock`,
    /// `Interrupted`) are not counted.
    pub fn record_io_error(&self, kind: io::ErrorKind) {
        if matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) {
            return;
        }
        let index = ERROR_KINDS.iter().position(|(known, _)| *known == kind).unwrap_or(ERROR_KINDS.len());
        if let Some(count) = self.transport().errors.get(index) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Records a part of connecting. Only the time of successful ones is kept.
    pub fn record_connect_phase(&self, phase: ConnectPhase, successful: bool, duration: Duration) {
        let Some(row) = self.transport().phases.get(phase.index()) else {
            return;
        };
        if successful {
            row.time.record(duration);
        } else {
            row.failures.fetch_add(1, Relaxed);
        }
    }

    /// An attempt to connect that begins now. Dropped before it succeeded, it has failed.
    pub fn begin_connect(&self) -> ConnectAttempt {
        ConnectAttempt { recorder: self.clone(), began: Stopwatch::start(), phase: None, ended: false }
    }

    /// A request that is in flight until the guard is dropped.
    pub fn begin_request(&self) -> RequestGuard {
        let [began, _] = &self.transport().requests;
        began.fetch_add(1, Relaxed);
        RequestGuard(self.clone())
    }

    /// What wrappers recorded, as it is now.
    pub fn transport_metrics(&self) -> TransportMetrics {
        let transport = self.transport();
        let phase = |phase: ConnectPhase| {
            let row = transport.phases.get(phase.index());
            let time = row.map(|row| row.time.snapshot()).unwrap_or_default();
            let failures = row.map_or(0, |row| row.failures.load(Relaxed));
            ConnectPhaseMetrics { phase, time, failures }
        };
        let names = ERROR_KINDS.iter().map(|(_, name)| *name).chain(["other"]);
        let errors = names.zip(&transport.errors).map(|(name, count)| (name, count.load(Relaxed)));
        let [began, ended] = &transport.requests;
        // In this order there is never an end without its beginning.
        let ended = ended.load(Acquire);
        let requests = began.load(Relaxed);
        TransportMetrics {
            open_connections: transport.open(),
            requests,
            requests_in_flight: u32::try_from(requests.saturating_sub(ended)).unwrap_or(u32::MAX),
            connection_lifetime: transport.lifetime.snapshot(),
            time_to_first_byte: transport.first_byte.snapshot(),
            connect_phases: ConnectPhase::ALL.map(phase).into(),
            io_errors: errors.filter(|(_, count)| *count > 0).collect(),
        }
    }
}

/// An attempt to connect, told phase by phase. Dropped before [`succeed`](Self::succeed), by an error or
/// because its future was cancelled, the attempt has failed, and so has the phase that it was in.
///
/// ```
/// use squirrel_monitor::{ConnectPhase, NetworkConfig, NetworkMonitor};
///
/// let monitor = NetworkMonitor::new(NetworkConfig::default());
/// let mut attempt = monitor.recorder().begin_connect();
/// attempt.enter(ConnectPhase::Tcp);
/// // … the connection is made here …
/// attempt.enter(ConnectPhase::Tls);
/// drop(attempt); // … and the handshake fails.
/// let phases = monitor.recorder().transport_metrics().connect_phases;
/// assert_eq!(phases.iter().map(|phase| phase.time.count()).collect::<Vec<_>>(), [0, 1, 0]);
/// assert_eq!(phases.iter().map(|phase| phase.failures).collect::<Vec<_>>(), [0, 0, 1]);
/// assert_eq!(monitor.recorder().connection_metrics().failed_connections, 1);
/// ```
#[derive(Debug)]
#[must_use = "an attempt that is dropped has failed"]
pub struct ConnectAttempt {
    recorder: Recorder,
    began: Stopwatch,
    phase: Option<(ConnectPhase, Stopwatch)>,
    ended: bool,
}

impl ConnectAttempt {
    /// Begins a phase; the one before it has succeeded.
    pub fn enter(&mut self, phase: ConnectPhase) {
        self.leave(true);
        self.phase = Some((phase, Stopwatch::start()));
    }

    /// Ends the attempt: it is connected.
    pub fn succeed(mut self) {
        self.leave(true);
        self.ended = true;
        self.recorder.record_connection_attempt(true, self.began.elapsed());
    }

    fn leave(&mut self, successful: bool) {
        if let Some((phase, began)) = self.phase.take() {
            self.recorder.record_connect_phase(phase, successful, began.elapsed());
        }
    }
}

impl Drop for ConnectAttempt {
    fn drop(&mut self) {
        self.leave(false);
        if !self.ended {
            self.recorder.record_connection_attempt(false, self.began.elapsed());
        }
    }
}

/// A request in flight, until this is dropped.
#[derive(Debug)]
#[must_use = "a request ends when its guard is dropped"]
pub struct RequestGuard(Recorder);

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let [_, ended] = &self.0.transport().requests;
        // Whoever sees this end sees its beginning too.
        ended.fetch_add(1, Release);
    }
}

#[cfg(test)]
mod tests;
