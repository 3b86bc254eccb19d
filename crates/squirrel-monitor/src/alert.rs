//! What a monitor tells without being asked: thresholds crossed, limits reached, parts that fail.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

/// How many alerts [`NetworkMonitor::recent_alerts`](crate::NetworkMonitor::recent_alerts) keeps.
pub const RECENT_ALERTS: usize = 64;

/// Something that the owner of the application should know.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Alert {
    /// Time since the monitor was made.
    pub at: Duration,
    /// What it is.
    pub kind: AlertKind,
}

/// What an alert says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AlertKind {
    /// A value has passed its threshold. Told once; then nothing until [`AlertKind::Cleared`].
    Raised {
        /// Which value.
        quantity: Quantity,
        /// What it is now, in the quantity's unit.
        value: f64,
        /// What it should not exceed.
        threshold: f64,
    },
    /// A value that had passed its threshold is below nine tenths of it again.
    Cleared {
        /// Which value.
        quantity: Quantity,
        /// What it is now.
        value: f64,
        /// What it should not exceed.
        threshold: f64,
    },
    /// Nine tenths of the room for message types, or for error types, are taken, of a room for ten or
    /// more. Told once for each of the two tables.
    TypesNearlyFull {
        /// `message types` or `error types`.
        table: &'static str,
        /// How many there are.
        used: usize,
        /// The limit.
        limit: usize,
    },
    /// There are more message types, or error types, than `max_message_types`; the rest is counted as
    /// `other`. Told once for each of the two tables.
    TypesFull {
        /// `message types` or `error types`.
        table: &'static str,
        /// The limit.
        limit: usize,
    },
    /// An export is configured, but no exporter reads this monitor. Told once.
    NothingExports,
    /// Exports do not arrive. Told once, until [`AlertKind::ExportWorks`].
    ExportFailing {
        /// What went wrong, without secrets.
        reason: String,
    },
    /// Exports arrive again.
    ExportWorks,
    /// Connections are tracked, and the sockets of this process cannot be read. Told once; the next try
    /// comes later each time, at most 64 collection intervals, and [`AlertKind::SocketsReadable`] tells
    /// when it succeeds.
    SocketsUnreadable {
        /// What was refused, and by which answer of the kernel.
        reason: String,
    },
    /// The sockets of this process can be read again.
    SocketsReadable,
    /// There are nine tenths as many connections as can be listed. Told once, and again only after they
    /// were fewer than three quarters.
    #[cfg(feature = "sockets")]
    ConnectionsNearlyFull {
        /// How many there are.
        used: u64,
        /// How many can be listed: the lower of what `max_connections` and `tracking_memory` allow.
        limit: u64,
    },
    /// There are more connections than can be listed: a sample is listed from now on.
    #[cfg(feature = "sockets")]
    ConnectionsSampled {
        /// How many are listed.
        listed: u64,
        /// How many there are.
        total: u64,
        /// How wrong a share that is counted in the sample may be, as [`Precision`](crate::Precision) has it.
        error: f64,
    },
    /// All connections are listed again.
    #[cfg(feature = "sockets")]
    ConnectionsExact,
    /// Connections are followed more or less closely than before, by what that costs.
    #[cfg(feature = "sockets")]
    TrackingDetail {
        /// How closely from now on.
        detail: crate::TrackingDetail,
    },
}

impl AlertKind {
    /// A short name that stays: of a threshold its quantity's, of what begins and ends the same for both.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Raised { quantity, .. } | Self::Cleared { quantity, .. } => quantity.name(),
            Self::TypesNearlyFull { .. } => "types_nearly_full",
            Self::TypesFull { .. } => "types_full",
            Self::NothingExports => "nothing_exports",
            Self::ExportFailing { .. } | Self::ExportWorks => "export",
            Self::SocketsUnreadable { .. } | Self::SocketsReadable => "sockets",
            #[cfg(feature = "sockets")]
            Self::ConnectionsNearlyFull { .. } => "connections_nearly_full",
            #[cfg(feature = "sockets")]
            Self::ConnectionsSampled { .. } | Self::ConnectionsExact => "connections_sampled",
            #[cfg(feature = "sockets")]
            Self::TrackingDetail { .. } => "tracking_detail",
        }
    }
}

/// A sentence for people.
impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raised { quantity, value, threshold } => {
                write!(f, "{} is {value:.1}, above {threshold:.1}", quantity.words())
            }
            Self::Cleared { quantity, value, threshold } => {
                write!(f, "{} is {value:.1}, no longer above {threshold:.1}", quantity.words())
            }
            Self::TypesNearlyFull { table, used, limit } => write!(f, "{used} {table} of at most {limit} are tracked"),
            Self::TypesFull { table, limit } => {
                write!(f, "more than {limit} {table}: what comes now is counted as `other`; raise max_message_types")
            }
            Self::NothingExports => f.write_str("an export is configured, and no exporter is attached to the monitor"),
            Self::ExportFailing { reason } => write!(f, "exports do not arrive: {reason}"),
            Self::ExportWorks => f.write_str("exports arrive again"),
            Self::SocketsUnreadable { reason } => write!(f, "the sockets of this process cannot be read: {reason}"),
            Self::SocketsReadable => f.write_str("the sockets of this process can be read again"),
            #[cfg(feature = "sockets")]
            Self::ConnectionsNearlyFull { used, limit } => {
                write!(f, "{used} connections of at most {limit} are listed; raise max_connections or tracking_memory")
            }
            #[cfg(feature = "sockets")]
            Self::ConnectionsSampled { listed, total, error } => {
                let percent = error * 100.0;
                write!(
                    f,
                    "{listed} of {total} connections are listed: shares counted in them may be {percent:.1} % off"
                )
            }
            #[cfg(feature = "sockets")]
            Self::ConnectionsExact => f.write_str("all connections are listed again"),
            #[cfg(feature = "sockets")]
            Self::TrackingDetail { detail } => f.write_str(detail.words()),
        }
    }
}

/// What a threshold can be set for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quantity {
    /// Current receive rate, bytes per second.
    ReceiveRate,
    /// Current transmit rate, bytes per second.
    TransmitRate,
    /// Share of connection attempts that failed in the last collection interval, percent.
    ConnectionErrorRate,
    /// Protocol errors per second in the last collection interval.
    ProtocolErrorRate,
    /// Active connections.
    ActiveConnections,
}

impl Quantity {
    fn name(self) -> &'static str {
        match self {
            Self::ReceiveRate => "receive_rate",
            Self::TransmitRate => "transmit_rate",
            Self::ConnectionErrorRate => "connection_error_rate",
            Self::ProtocolErrorRate => "protocol_error_rate",
            Self::ActiveConnections => "active_connections",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::ReceiveRate => "the receive rate in bytes per second",
            Self::TransmitRate => "the transmit rate in bytes per second",
            Self::ConnectionErrorRate => "the share of connection attempts that fail, in percent,",
            Self::ProtocolErrorRate => "the rate of protocol errors per second",
            Self::ActiveConnections => "the number of active connections",
        }
    }
}

/// Somebody who is told alerts. It is called by the monitor's task, never by a recording thread, and
/// should not block; a panic in it is counted as a lost alert and does not end the monitor.
pub trait AlertSink: Send + Sync {
    /// Takes an alert. Returns whether it was taken; what was not is counted as lost.
    fn alert(&self, alert: &Alert) -> bool;
}

impl<F: Fn(&Alert) -> bool + Send + Sync> AlertSink for F {
    fn alert(&self, alert: &Alert) -> bool {
        self(alert)
    }
}

/// Sends alerts into a bounded channel. What does not fit is not taken, and so counted as lost.
#[derive(Clone, Debug)]
pub struct AlertSender(mpsc::Sender<Alert>);

impl AlertSink for AlertSender {
    fn alert(&self, alert: &Alert) -> bool {
        self.0.try_send(alert.clone()).is_ok()
    }
}

/// A sink and the end where a task receives what it takes. A capacity of zero is taken as one.
pub fn alert_channel(capacity: usize) -> (AlertSender, mpsc::Receiver<Alert>) {
    let (sender, receiver) = mpsc::channel(capacity.clamp(1, 1 << 16));
    (AlertSender(sender), receiver)
}

/// All sinks of a monitor and the memory of the last alerts.
#[derive(Default)]
pub(crate) struct Alerts {
    sinks: Vec<Arc<dyn AlertSink>>,
    recent: Mutex<VecDeque<Alert>>,
    /// How many there were.
    told: AtomicU64,
    lost: AtomicU64,
}

impl Alerts {
    pub(crate) fn to(sinks: Vec<Arc<dyn AlertSink>>) -> Self {
        Self { sinks, ..Self::default() }
    }

    pub(crate) fn tell(&self, alert: Alert) {
        for sink in &self.sinks {
            // Whatever a sink left half done is its own; nothing of the monitor is borrowed by it.
            let taken = catch_unwind(AssertUnwindSafe(|| sink.alert(&alert))).unwrap_or(false);
            if !taken {
                self.lost.fetch_add(1, Relaxed);
            }
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == RECENT_ALERTS {
            recent.pop_front();
        }
        recent.push_back(alert);
        // Under the lock, so that the last alert in the memory has this number.
        self.told.fetch_add(1, Relaxed);
    }

    pub(crate) fn recent(&self) -> Vec<Alert> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Those after a number, with their numbers.
    pub(crate) fn after(&self, number: u64) -> Vec<(u64, Alert)> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let first = self.told() + 1 - recent.len() as u64;
        (first..).zip(recent.iter().cloned()).filter(|(own, _)| *own > number).collect()
    }

    /// How many there were.
    pub(crate) fn told(&self) -> u64 {
        self.told.load(Relaxed)
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }
}

/// Thresholds with their state.
#[derive(Debug)]
pub(crate) struct Thresholds(Vec<Threshold>);

#[derive(Debug)]
struct Threshold {
    quantity: Quantity,
    limit: f64,
    raised: bool,
}

impl Thresholds {
    /// NaN can never be exceeded and so is left out.
    pub(crate) fn new(limits: &[(Quantity, f64)]) -> Self {
        let known = limits.iter().filter(|(_, limit)| !limit.is_nan());
        Self(known.map(|&(quantity, limit)| Threshold { quantity, limit, raised: false }).collect())
    }

    /// Compares each threshold with its value and hands over what has changed. A value that is not known
    /// (`None`) changes nothing.
    pub(crate) fn check(&mut self, value_of: impl Fn(Quantity) -> Option<f64>, mut tell: impl FnMut(AlertKind)) {
        for Threshold { quantity, limit, raised } in &mut self.0 {
            let (quantity, threshold) = (*quantity, *limit);
            let Some(value) = value_of(quantity) else { continue };
            if !*raised && value > threshold {
                *raised = true;
                tell(AlertKind::Raised { quantity, value, threshold });
            } else if *raised && value <= threshold * 0.9 {
                *raised = false;
                tell(AlertKind::Cleared { quantity, value, threshold });
            }
        }
    }
}

#[cfg(test)]
mod tests;
