//! Counts the bytes of each socket inside the kernel, by eBPF.
//!
//! [`Ledger::open`] loads programs that note, in each socket's own storage, which process uses it and how many
//! bytes each of its calls moved; nothing is copied to user space while traffic flows. What they noted is read as
//! a [`squirrel_sys::SocketLedger`].
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
