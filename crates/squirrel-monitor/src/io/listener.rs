//! Listeners that hand out their connections wrapped.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::Instrumented;
use crate::Recorder;

/// A listener whose connections are counted: each is a successful attempt and is handed out
/// [instrumented](Instrumented). Errors of accepting are counted by kind and as failed attempts.
#[derive(Debug)]
pub struct InstrumentedListener<L> {
    pub(super) inner: L,
    recorder: Recorder,
}

impl<L> InstrumentedListener<L> {
    /// Counts what `inner` accepts.
    pub fn new(inner: L, recorder: &Recorder) -> Self {
        Self { inner, recorder: recorder.clone() }
    }

    /// What is wrapped.
    pub fn get_ref(&self) -> &L {
        &self.inner
    }

    /// What is wrapped.
    pub fn into_inner(self) -> L {
        self.inner
    }

    pub(super) fn accepted<T, A>(&self, outcome: io::Result<(T, A)>) -> io::Result<(Instrumented<T>, A)> {
        match outcome {
            Ok((stream, address)) => {
                self.recorder.record_accepted();
                Ok((self.recorder.instrument(stream), address))
            }
            // A listener that need not wait says "again", which is no attempt.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            Err(error) => {
                self.recorder.record_io_error(error.kind());
                self.recorder.record_connection_attempt(false, Duration::ZERO);
                Err(error)
            }
        }
    }
}

impl<L> AsRef<L> for InstrumentedListener<L> {
    fn as_ref(&self) -> &L {
        &self.inner
    }
}

impl InstrumentedListener<TcpListener> {
    /// The next connection.
    ///
    /// # Errors
    /// Those of [`TcpListener::accept`].
    pub fn accept(&self) -> io::Result<(Instrumented<TcpStream>, SocketAddr)> {
        self.accepted(self.inner.accept())
    }
}

#[cfg(unix)]
impl InstrumentedListener<std::os::unix::net::UnixListener> {
    /// The next connection.
    ///
    /// # Errors
    /// Those of [`UnixListener::accept`](std::os::unix::net::UnixListener::accept).
    pub fn accept(&self) -> io::Result<(Instrumented<std::os::unix::net::UnixStream>, std::os::unix::net::SocketAddr)> {
        self.accepted(self.inner.accept())
    }
}
