//! What tests of several crates share. No release build uses this crate.
#![forbid(unsafe_code)]

mod skip;

pub use skip::skip;
