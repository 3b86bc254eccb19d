//! Tokio's listeners and its TCP connections.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};

use super::{Instrumented, InstrumentedListener};
use crate::{ConnectPhase, Recorder};

impl InstrumentedListener<TcpListener> {
    /// The next connection. Cancelling the future loses none.
    ///
    /// # Errors
    /// Those of [`TcpListener::accept`].
    pub async fn accept(&self) -> io::Result<(Instrumented<TcpStream>, SocketAddr)> {
        self.accepted(self.inner.accept().await)
    }

    /// The next connection, for futures written by hand.
    ///
    /// # Errors
    /// Those of [`TcpListener::accept`].
    pub fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<(Instrumented<TcpStream>, SocketAddr)>> {
        let outcome = ready!(self.inner.poll_accept(context));
        Poll::Ready(self.accepted(outcome))
    }
}

#[cfg(unix)]
impl InstrumentedListener<tokio::net::UnixListener> {
    /// The next connection. Cancelling the future loses none.
    ///
    /// # Errors
    /// Those of [`UnixListener::accept`](tokio::net::UnixListener::accept).
    pub async fn accept(&self) -> io::Result<(Instrumented<tokio::net::UnixStream>, tokio::net::unix::SocketAddr)> {
        self.accepted(self.inner.accept().await)
    }
}

impl Recorder {
    /// Connects as [`TcpStream::connect`] does, with the times of the name's resolution and of TCP told
    /// apart, and counts what passes afterwards. Cancelled, by a time limit say, it is a failed attempt.
    ///
    /// # Errors
    /// Those of resolving and connecting; of several addresses, the last one's.
    pub async fn connect_tcp(&self, address: impl ToSocketAddrs) -> io::Result<Instrumented<TcpStream>> {
        let told = |error: io::Error| {
            self.record_io_error(error.kind());
            error
        };
        let mut attempt = self.begin_connect();
        attempt.enter(ConnectPhase::Dns);
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host(address).await.map_err(told)?.collect();
        attempt.enter(ConnectPhase::Tcp);
        let stream = TcpStream::connect(&*addresses).await.map_err(told)?;
        attempt.succeed();
        Ok(self.instrument(stream))
    }
}
