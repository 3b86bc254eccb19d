//! The small part of Squirrel that keeps privileges, and the words it speaks with the rest.
//!
//! Naming the owner of another user's socket, entering another network namespace and reading what eBPF programs
//! count need privileges. Everything that parses what strangers wrote, stores it or serves it must have none. So
//! the program starts itself a second time as the *keeper*: it opens what needs a privilege, gives up what is then
//! no longer needed, and answers a few questions over a [`squirrel_sys::courier`] until the other end goes away.
//!
//! | question | answer | what it needs |
//! |---|---|---|
//! | parts | which programs of the ledger work, and why others do not | - |
//! | ended | sockets that ended, each with its owner and bytes | `CAP_BPF`, `CAP_PERFMON`, `CAP_NET_ADMIN` at the start |
//! | living | sockets that live | the same |
//! | changed | those that moved something | the same |
//! | missed | bytes that the ledger could not note | the same |
//! | sockets of a process | descriptors and inode numbers | `CAP_SYS_PTRACE` |
//! | namespaces | the network namespaces of the host | `CAP_SYS_PTRACE` |
//! | open | a netlink socket in one of them, as a descriptor | `CAP_SYS_ADMIN` |
//! | container | the name of the container with this id | `CAP_DAC_READ_SEARCH` |
//! | attach, detach | counting the frames of an interface; asked of a process that lives only while packets are counted | the same, `CAP_BPF`, `CAP_PERFMON`, `CAP_NET_ADMIN` |
//! | frames | the rows of the frames that were counted | the same |
//!
//! [`serve`] is the keeper's loop, [`Keeper`] the side that asks. Both ends are the same program: the words may
//! change with each version. A keeper that dies is replaced by the [`Starter`], a third process, since the daemon can
//! start none that has privileges.
//!
//! The files of container runtimes hold passwords beside the names: the names are taken out of them on this side, in
//! one pass of [`squirrel_sys::containers`] that follows no link, and nothing else of them crosses.
//!
//! Absences: nothing here parses what comes from the network, has a policy, or reads a clock.
#![forbid(unsafe_code)]

mod client;
mod frames;
mod host;
mod line;
mod record;
mod serve;
mod starter;
mod words;

pub use client::{Keeper, KeptKernel, KeptLedger};
pub use frames::{FrameCounter, FrameHost, KeptFrames, OpenCounter};
pub use host::Host;
pub use line::Standing;
pub use serve::{Services, serve};
pub use starter::{Obeyed, Part, Processes, Starter, serve_starter};
pub use words::{Door, FRAMES_CAPABILITIES, KEPT_CAPABILITIES, STARTER_CAPABILITIES};
