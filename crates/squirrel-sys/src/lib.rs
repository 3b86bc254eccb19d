//! The only door to Linux.
//!
//! [`Kernel`] is all that a collector can ask: the bytes of a file, the messages of a netlink dump,
//! the answer to an ethtool request.
//!
//! [`clock`] is the only place that reads a clock. Absences: no metric name and no policy stands here.

pub mod clock;
mod kernel;

pub use kernel::{Kernel, Netlink, SysError};
