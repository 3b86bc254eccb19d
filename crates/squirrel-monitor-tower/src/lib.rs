//! [squirrel-monitor](squirrel_monitor) in tower, axum, hyper and tokio-util.
//!
//! | to count | put | feature |
//! |---|---|---|
//! | requests of a server or a client: latency, in flight, outcome | [`RequestLayer`] around the service | |
//! | connections that `axum::serve` accepts | [`axum::Listener`] around the listener | `axum` |
//! | connecting, in DNS, TCP and TLS, as any connector does it | [`connect`]'s wrappers, each around its part | `connect` |
//! | bytes of hyper-util's client connections | [`connect::Transport`] around its `HttpConnector` | `connect` |
//! | messages of a codec | [`codec::Codec`] around it | `codec` |
//!
//! They are apart from squirrel-monitor because what they build on is not stable yet; a new version of
//! axum is a new version of this crate and not of that one.
//!
//! Labels are chosen by the program and come from the bounded table of message types; nothing here
//! makes a label of an address or of a path as the other side wrote it.
#![forbid(unsafe_code)]

#[cfg(feature = "axum")]
pub mod axum;
#[cfg(feature = "codec")]
pub mod codec;
#[cfg(feature = "connect")]
pub mod connect;
mod requests;

pub use requests::{RequestBody, RequestFuture, RequestHead, RequestLayer, RequestService};
