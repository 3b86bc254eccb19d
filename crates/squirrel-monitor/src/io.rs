//! Wrappers that count what passes through a connection.
//!
//! [`Instrumented`] goes around anything that reads and writes, in tokio's way or the standard library's,
//! and passes everything through: vectored and partial writes, flushes, shutdowns, errors. It counts
//! bytes each way and errors by kind, the connection as active until it is dropped, and how long it
//! lived and waited for its first octet. Reading and writing take no lock and do not allocate.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use squirrel_monitor::{NetworkConfig, NetworkMonitor};
//! use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
//!
//! let monitor = NetworkMonitor::new(NetworkConfig::default());
//! let (near, mut far) = tokio::io::duplex(64);
//! let mut near = monitor.recorder().instrument(near);
//! near.write_all(b"ping").await?;
//! far.write_all(b"pong!").await?;
//! near.read_exact(&mut [0; 5]).await?;
//!
//! let bandwidth = monitor.bandwidth_metrics();
//! assert_eq!((bandwidth.bytes_transmitted, bandwidth.bytes_received), (4, 5));
//! assert_eq!(monitor.recorder().connection_metrics().active_connections, 1);
//! # Ok::<(), std::io::Error>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An [`Observe`] sees the octets themselves, for who wants to know the messages in them.

mod asynchronous;
mod blocking;
mod connection;
mod instrumented;
mod listener;
#[cfg(feature = "tokio-net")]
mod net;
mod observe;
#[cfg(test)]
mod tests;

pub use connection::ConnectionGuard;
pub use instrumented::Instrumented;
pub use listener::InstrumentedListener;
pub use observe::Observe;
