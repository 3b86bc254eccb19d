//! The control connection: read with time limits, so that no peer can hold a run up for ever.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use socket2::SockRef;

use crate::ThroughputError;

/// How long each step of the conversation may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What came within the time.
pub(crate) enum Heard<'a> {
    /// Octets, one at least.
    Octets(&'a [u8]),
    /// Nothing.
    Nothing,
    /// The other side closed.
    Closed,
}

/// A control connection.
pub(crate) struct Control {
    stream: TcpStream,
    peer: String,
    buffer: Box<[u8; 16 << 10]>,
}

impl Control {
    pub(crate) fn new(stream: TcpStream, peer: String) -> Result<Self, ThroughputError> {
        let prepared = stream.set_nonblocking(false).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
        prepared.map_err(|source| ThroughputError::Socket { what: format!("the connection with {peer}"), source })?;
        crate::sockets::prepare_control(&SockRef::from(&stream));
        Ok(Self { stream, peer, buffer: Box::new([0; 16 << 10]) })
    }

    /// Waits for octets, at most so long.
    pub(crate) fn hear(&mut self, wait: Duration) -> Result<Heard<'_>, ThroughputError> {
        // Zero would mean "for ever".
        let _ = self.stream.set_read_timeout(Some(wait.max(Duration::from_millis(1))));
        match self.stream.read(&mut self.buffer[..]) {
            Ok(0) => Ok(Heard::Closed),
            Ok(len) => Ok(Heard::Octets(&self.buffer[..len])),
            Err(error) if is_pause(&error) => Ok(Heard::Nothing),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(Heard::Closed),
            Err(source) => {
                Err(ThroughputError::Socket { what: format!("the connection with {} broke", self.peer), source })
            }
        }
    }

    /// Sends.
    pub(crate) fn say(&mut self, octets: &[u8]) -> Result<(), ThroughputError> {
        self.stream
            .write_all(octets)
            .map_err(|source| ThroughputError::Socket { what: format!("nothing can be told to {}", self.peer), source })
    }

    /// Who is at the other end.
    pub(crate) fn peer(&self) -> &str {
        &self.peer
    }
}

/// Whether a call only waited in vain.
pub(crate) fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
