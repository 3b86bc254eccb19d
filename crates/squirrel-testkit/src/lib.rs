//! What tests of several crates share. No release build uses this crate.
#![forbid(unsafe_code)]

mod memory;
mod skip;

pub use memory::MemorySelect;
pub use skip::skip;
