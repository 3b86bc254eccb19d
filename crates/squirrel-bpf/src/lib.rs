//! Counts the bytes of each socket inside the kernel, by eBPF; and, while somebody looks, each frame of an interface
//! ([`Packets`]).
//!
//! [`Ledger::open`] loads programs that note, in each socket's own storage, which process uses it and how many
//! bytes each of its calls moved; nothing is copied to user space while traffic flows. What they noted is read as
//! a [`squirrel_sys::SocketLedger`].
//!
//! # How a socket is followed
//!
//! - **Bytes** are counted when a call that sends or receives returns, in the process that made it: by the
//!   tracepoints `sock_send_length` and `sock_recv_length` (Linux 6.3), or at the end of the functions behind them
//!   (fexit). What goes around these calls (splice, zero-copy receiving, and sendfile before 6.5) is in the
//!   kernel's own counters of a TCP socket, which each record has besides; the difference is the owner's.
//! - **The owner** is who connects or listens, then whoever moves the first bytes or closes. An accepted socket
//!   begins with its listener's owner (`inherited`), so that the right child of a forking server gets it. Further
//!   processes that use the same socket have records of their own.
//! - **The end** of a TCP connection has two halves: the counters are taken when its state becomes closed, since a
//!   reset zeroes them next, and handed over when the socket is destroyed, since a process may still read what had
//!   arrived. Sockets of other protocols end when their last descriptor is closed.
//! - **Older sockets** are found in the list of open files once, at the start, and get one of their holders as a
//!   first owner; one that only a socket message or the kernel holds is met at its first call. Their counters
//!   begin with what the processes had written and read by then. One that closes before the list reached it, and
//!   moves nothing after the start, leaves no record: nothing of it happened under the ledger's eyes. The list
//!   covers the pid namespace of this process, so it is best the host's.
//! - **Multipath TCP** is counted by the calls on its socket, in the process that has it. The TCP connections below it,
//!   some of which the kernel makes itself, are told as its paths; what they carry is no further bytes of a process.
//! - **Packet sockets** have no tracepoint at their end: their rows are handed over when they have been missing from
//!   two passes. What is read through a ring in shared memory is no call, and so not counted.
//! - **Processes** may be gone before anybody asks for them: what a process's command line and its parent were when it
//!   first used a socket is noted, and given by [`squirrel_sys::SocketLedger::process`].
//!
//! The programs are written in C (`bpf/`) and committed as built objects (`objects/`, made by `cargo xtask bpf`).
//! Each is tried by loading it, and each is optional: a kernel's configuration says little about what it permits.
//!
//! Absences: no metric name and no policy stands here.
#![forbid(unsafe_code)]

mod ledger;
mod packets;
mod parts;
mod rows;

pub use ledger::{Ledger, Options};
pub use packets::{PacketOptions, Packets};
pub use parts::Unavailable;
