//! What can go wrong.

use crate::config::MAX_INTERVAL_SECONDS;

/// The result of what a monitor does.
pub type Result<T, E = MonitorError> = std::result::Result<T, E>;

/// Why a monitor could not do what it was asked. Recording never fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MonitorError {
    /// The collection interval is zero or longer than a day.
    #[error("collection_interval is {seconds} s: set it to a number from 1 to {MAX_INTERVAL_SECONDS}")]
    Interval {
        /// What the configuration said.
        seconds: u64,
    },
    /// `start` was called outside a tokio runtime.
    #[error("no tokio runtime: call start from a task, or inside Runtime::enter")]
    NoRuntime,
    /// A field of [`InspectionOptions::fields`](crate::InspectionOptions::fields) cannot be found by anybody.
    #[error("{reason}")]
    Field {
        /// Which, and what is wrong with it.
        reason: String,
    },
    /// There is no inspector of the name that [`InspectionOptions`](crate::InspectionOptions) or
    /// [`NetworkMonitor::inspection_as`](crate::NetworkMonitor::inspection_as) gave.
    #[error(
        "no inspector for the protocol {name:?}: there are {known}; one of your own is added by InspectionOptions::inspectors"
    )]
    UnknownProtocol {
        /// The name.
        name: String,
        /// All names that there are.
        known: String,
    },
    /// An exporter could not begin.
    #[error("export: {reason}")]
    Export {
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The sockets of this process could not be read, neither by netlink nor from `/proc/net`, nor by what
    /// other systems have.
    #[cfg(feature = "sockets")]
    #[error("sockets of this process: {reason}")]
    Sockets {
        /// What was refused, and by which answer of the kernel.
        reason: String,
    },
}
