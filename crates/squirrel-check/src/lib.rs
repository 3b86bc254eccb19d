//! Service checks: does a server answer, how fast, and what it should.
//!
//! A [`Module`] says what is looked at and within which time; a [`Checker`] carries it out against a target and brings
//! a [`Finding`]: metrics as blackbox_exporter names them, and what happened in words. Metrics are kept as far as the
//! check came, so that one which fails late still tells its first phases.
//!
//! ```text
//! blackbox.yml ─► Modules ─► Module + target ─► Checker: resolve ─► address rules ─► connect ─► TLS ─► http, tcp, dns
//!                                                                                └► icmp, ntp       └► Finding
//! ```
//!
//! Everything that a server says is hostile: each text, body and answer has a bound, every check one time limit over
//! all of it, and what is told of it is escaped.
//!
//! Absences: a clock (but the runtime's timers), the store, HTTP/3, cookies, proxies, a check without a time limit.
#![forbid(unsafe_code)]

mod certificate;
mod checker;
mod dns;
mod finding;
mod http;
mod icmp;
mod metrics;
mod module;
mod modules;
mod ntp;
mod pattern;
mod performance;
mod plugin;
mod reach;
mod tcp;
mod tls;
mod wanted;

pub use checker::{Asked, Checker, LONGEST_TIMEOUT};
pub use dns::{DnsCheck, DnsTransport, RecordRules};
pub use finding::Finding;
pub use http::{Compression, HeaderRule, HttpCheck};
pub use icmp::IcmpCheck;
pub use metrics::METRICS;
pub use module::{Module, Prober};
pub use modules::{BUILT_IN, ModuleError, Modules, ReadFile, USUAL_MODULE};
pub use ntp::NtpCheck;
pub use performance::{Performance, parse_performance};
pub use plugin::PluginCheck;
pub use reach::{IpVersion, Reach};
pub use tcp::{Exchange, Expect, TcpCheck};
pub use wanted::{CheckKind, Over, Wanted};

#[cfg(test)]
mod tests;
