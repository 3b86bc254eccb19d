//! What tests of several crates share. No release build uses this crate.
#![forbid(unsafe_code)]

mod fake_kernel;
mod namespace;
mod skip;

pub use fake_kernel::{FakeKernel, Messages};
pub use namespace::Namespace;
pub use skip::skip;
