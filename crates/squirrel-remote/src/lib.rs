//! Samples to and from other engines.
//!
//! - [`mod@write`]: remote write out. The store itself is the buffer: a persisted cursor says up to where a
//!   target has everything, and after an outage the samples are read again from the store.
//! - [`receive`]: remote write in, with limits for each sender.
//! - [`otlp`]: the newest values as OTLP metrics, each interval.
//! - [`frames`]: bodies of remote write in a file.
//! - [`RemoteEngine`]: queries of another engine.
//!
//! Absences: no second buffer, no queue without end, no clock (moments are arguments; the runtime's timers
//! wait), no HTTP of its own (`squirrel-outbound` sends, `squirrel-server` listens).
#![forbid(unsafe_code)]

mod backoff;
mod engine;
pub mod frames;
mod metadata;
pub mod otlp;
pub mod receive;
pub mod relabel;
#[cfg(test)]
mod testing;
pub mod write;

pub use engine::{EngineLimits, METRICS as ENGINE_METRICS, RemoteEngine};
pub use metadata::{Describe, metadata_of};
