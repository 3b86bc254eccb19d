//! Asking the network: ping, path and the names of hops as state machines, and the drivers that carry them.
//!
//! ```text
//! plan ─► Ping, Trace, Names (when to send, what answers mean) ◄──► drive (sockets, the clock, the kernel's time stamps)
//!                       └──► Events, Report           or Simulated (loss, delay, duplicates; no time passes)
//! ```
//!
//! A machine has no socket and no clock: it is asked what to do at a moment, and told what came. So a test runs it
//! over a simulated network, without root and without waiting, and the same machine runs on real sockets.
//!
//! Absences: a clock, HTTP, screens, a probe without a bound.
#![forbid(unsafe_code)]

pub mod drive;
pub mod names;
pub mod packet;
pub mod path;
pub mod path_mtu;
pub mod ping;
pub mod simulated;
pub mod spread;

pub use path::Trace;
pub use ping::{Ping, Plan};
pub use spread::Spread;
