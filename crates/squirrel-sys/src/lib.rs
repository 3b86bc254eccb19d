//! The only door to Linux.
//!
//! [`Kernel`] is all that a collector can ask: the bytes of a file, the messages of a netlink dump,
//! the answer to an ethtool request. Three things can be asked:
//!
//! - [`Linux`], the kernel that runs this program;
//! - [`Replay`], a folder of recorded answers: a recorded host is a test fixture;
//! - [`Recorder`], which asks another kernel and writes such a folder.
//!
//! [`courier`] carries messages and descriptors between two processes. [`privilege`] reads and drops capabilities,
//! [`process`] names this process, [`clock`] is the only place that reads a clock.
//! All `unsafe` of the whole program stands in `linux/raw.rs` and below.
//!
//! Absences: no metric name and no policy stands here.

pub mod bpf;
pub mod bulk;
pub mod clock;
pub mod connect_probe;
pub mod containers;
pub mod courier;
pub mod disk;
mod ended;
mod kernel;
mod ledger;
mod linux;
pub mod memory;
pub mod privilege;
pub mod probe_socket;
pub mod process;
mod recorder;
mod recording;
mod replay;
pub mod signals;
pub mod terminal;
mod users;

pub use ended::EndedSockets;
pub use kernel::{Kernel, Netlink, SysError};
pub use ledger::{Missed, PacketLedger, ProcessNote, SocketLedger};
pub use linux::{EndedMulticast, FoundNamespaces, Linux, NetworkNamespace, SocketOpener, network_namespaces};
pub use recorder::{RecordError, Recorded, Recorder};
pub use replay::{Replay, ReplayError};
pub use users::user_table;
