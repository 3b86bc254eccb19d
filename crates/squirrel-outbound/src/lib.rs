//! The door out: requests to other systems by HTTP and HTTPS.
//!
//! A [`Destination`] is made once, from configuration: URL, authentication, TLS, which addresses it may have,
//! how long it may take. [`Client::send`] sends one [`Request`] to it. What all who send have in common is
//! here, so that nobody forgets it:
//!
//! - The name is resolved once; each address is checked ([`AddressRules`]), and the connection goes to
//!   exactly the address that was checked. So a name whose addresses change between two questions leads
//!   nowhere else.
//! - Redirects are errors: another place would get the credentials that were meant for this one.
//! - Each part has its time, and an answer is read up to a limit.
//! - Secrets are in no text: not in `Debug`, not in errors. A URL's path counts as one.
//! - Errors say which part failed, in words for the person who reads the log.
//!
//! Those who look at servers rather than send to them (service checks) take the parts: whom to believe
//! ([`TlsOptions::client_config`]), which addresses are allowed ([`allowed_addresses`]), errors in words.
//!
//! Absences: no proxy, no cookies, no HTTP/2, no compression, no retry (what is worth one is the caller's
//! to know), no task that outlives a request, no global state.
#![forbid(unsafe_code)]

mod address;
mod client;
mod destination;
mod error;
mod idle;
mod request;
mod resolve;
mod retry_after;
mod secret;
mod tls;

pub use address::{AddressClass, AddressRules, Network, NetworkError};
pub use client::Client;
pub use destination::{Destination, DestinationError, Timeouts, base64};
pub use error::{Phase, SendError};
pub use request::{Answer, Method, Request};
pub use resolve::{Resolve, Resolving, SystemResolver, allowed_addresses};
pub use retry_after::{http_date, retry_after};
pub use secret::{Secret, SecretError};
pub use tls::{SystemRoots, TlsError, TlsOptions, TlsVersion};

#[cfg(test)]
mod tests;
