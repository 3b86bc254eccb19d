//! Connecting, in its parts: each wrapper goes around the part that it is named after.
//!
//! ```text
//!  ConnectLayer ── around all: the attempt, and TLS as what is left when Transport has ended
//!    └ the connector that speaks TLS (or none)
//!        └ Transport ── around hyper-util's HttpConnector: TCP, and the bytes of the connection
//!            └ HttpConnector
//!                └ Resolver ── around its resolver: DNS
//! ```
//!
//! Each may be left out. `Transport` alone records the attempts itself; without it nobody can tell TCP
//! from TLS, and neither is recorded: the time of the attempt is then of both. reqwest takes
//! [`ConnectLayer`] by `connector_layer`, and by `dns_resolver` whatever calls a [`Resolver`].
//!
//! An attempt whose future is dropped has failed, in the part that it had come to.

mod layer;
mod resolver;
mod scope;
#[cfg(test)]
mod tests;
mod transport;

pub use layer::{Connect, ConnectFuture, ConnectLayer};
pub use resolver::{Resolver, ResolverFuture};
pub use transport::{Transport, TransportFuture, TransportStream};
