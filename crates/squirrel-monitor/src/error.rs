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
    /// An exporter could not begin.
    #[error("export: {reason}")]
    Export {
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The sockets of this process could not be read, neither by netlink nor from `/proc/net`.
    #[cfg(feature = "sockets")]
    #[error("sockets of this process: {reason}")]
    Sockets {
        /// What was refused, and by which answer of the kernel.
        reason: String,
    },
}
