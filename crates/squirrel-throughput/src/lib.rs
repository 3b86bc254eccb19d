//! How much a network carries: iperf3's protocol, both ends, and the verdict which part limited a run.
//!
//! [`protocol`] is the conversation as two state machines, octets in and actions out, without a socket or a clock.
//! [`Client`] and [`Server`] carry it over sockets, with a thread for each stream. [`Report`] is what a run gives, with
//! iperf3's names in JSON; [`verdict`] says in a sentence which part was the limit, [`latency`] how the network answers
//! while it is loaded.
//!
//! Source: the protocol has no specification. Its facts are those of iperf 3.12's source (`iperf_api.c`,
//! `iperf_client_api.c`, `iperf_server_api.c`, `iperf_udp.c`), and the tests hold them against that program.
//!
//! Absences: SCTP.
#![forbid(unsafe_code)]

mod client;
mod control;
mod error;
pub mod latency;
pub mod login;
mod pacing;
pub mod protocol;
pub mod report;
mod run;
mod server;
mod sockets;
mod stream;
mod udp;
pub mod verdict;

pub use client::{Client, Echo, Plan};
pub use error::ThroughputError;
pub use report::Report;
pub use server::{Event, Limits, Server};
pub use stream::Stop;
