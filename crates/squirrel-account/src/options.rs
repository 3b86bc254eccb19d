//! What the accountant may use and keep.

use std::time::Duration;

/// Limits and periods. [`Options::default`] is for a host that is watched each second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Connections that are followed one by one. Above it the accountant looks at a share of them.
    pub connections: usize,
    /// Remote hosts that are kept.
    pub hosts: usize,
    /// Processes that are kept, ended ones included.
    pub processes: usize,
    /// Ended connections that are kept.
    pub ended_connections: usize,
    /// How long a connection is shown after its end.
    pub keep_connection: Duration,
    /// How long a process is shown after its end.
    pub keep_process: Duration,
    /// Combinations of process name, unit, container and user that have series of their own.
    pub groups: usize,
    /// Descriptors that one step looks at to find the owners of sockets, after the first step, which looks at all.
    pub descriptors: usize,
    /// Bytes of memory for all tables: a warning is given at nine tenths, and detail is pruned at the ceiling.
    pub memory: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 100_000,
            hosts: 20_000,
            processes: 20_000,
            ended_connections: 20_000,
            keep_connection: Duration::from_mins(1),
            keep_process: Duration::from_mins(10),
            groups: 300,
            descriptors: 8_000,
            memory: 256 << 20,
        }
    }
}
