//! What tests of several crates share. No release build uses this crate.
#![forbid(unsafe_code)]

#[cfg(feature = "certificates")]
mod certificates;
mod chain;
#[cfg(feature = "certificates")]
mod connections;
mod diag;
mod fake_kernel;
mod memory;
mod namespace;
mod peer;
mod skip;

#[cfg(feature = "certificates")]
pub use certificates::{Authority, DistinguishedName, Identity, name_of};
pub use chain::Chain;
#[cfg(feature = "certificates")]
pub use connections::{Connections, Octets, take_connections};
pub use diag::DiagSocket;
pub use fake_kernel::{FakeKernel, Messages};
pub use memory::MemorySelect;
pub use namespace::Namespace;
pub use peer::{Peer, until};
pub use skip::skip;
