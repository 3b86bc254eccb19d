//! Samples to and from other engines: remote write with the store as its buffer, OTLP, queries of a remote engine.
#![forbid(unsafe_code)]

mod engine;

pub use engine::{EngineLimits, RemoteEngine};
