//! Between a client and a server of the Model Context Protocol.
//!
//! - [`wrap`](fn@wrap) starts a server and stands between it and whoever started us, on stdio: octets pass
//!   unchanged, and so do signals and the exit status.
//! - [`Proxy`] takes requests of streamable HTTP and passes them on to a server, answers and event streams
//!   back.
//!
//! Both show what passes to the inspector of a [`NetworkMonitor`], whose
//! numbers a [`Report`] tells: each method and tool with counts, percentiles and failures. Whoever wants the
//! numbers elsewhere asks the monitor itself: both are given theirs.
//!
//! Absences: no message is kept, changed, or waited for; nothing is sent anywhere but between the two.
#![forbid(unsafe_code)]

mod proxy;
mod report;
mod wrap;

use squirrel_monitor::{InspectionOptions, NetworkConfig, NetworkMonitor, Role};

pub use proxy::{BadTarget, EventLine, Proxy, ProxyError, ProxyOptions, Target};
pub use report::{Failed, MessageType, Report};
pub use wrap::{Ended, Occasion, Wrap, WrapError, wrap};

/// Message types that are told apart: each tool is one, in both directions.
const MAX_MESSAGE_TYPES: usize = 512;

/// A monitor for the two, not yet started. `protocol` is `mcp` or `mcp-http`.
pub fn monitor(protocol: &str) -> NetworkMonitor {
    let config = NetworkConfig { max_message_types: MAX_MESSAGE_TYPES, ..NetworkConfig::default() };
    let options = InspectionOptions::new(protocol).role(Role::Server);
    NetworkMonitor::builder(config).inspection(options).build()
}
