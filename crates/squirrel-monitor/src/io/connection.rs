//! What is counted of one connection.

use std::io;

use crate::{Recorder, Stopwatch};

/// A connection that counts as active until this is dropped: what [`Instrumented`](super::Instrumented)
/// is made of, for transports that are neither tokio's nor the standard library's.
#[derive(Debug)]
#[must_use = "a connection ends when its guard is dropped"]
pub struct ConnectionGuard {
    recorder: Recorder,
    opened: Stopwatch,
    heard: bool,
}

impl Recorder {
    /// A connection that is active from now on.
    pub fn open_connection(&self) -> ConnectionGuard {
        self.transport().opened();
        ConnectionGuard { recorder: self.clone(), opened: Stopwatch::start(), heard: false }
    }
}

impl ConnectionGuard {
    /// Records bytes received; the first of them end the wait for the first byte.
    #[inline]
    pub fn received(&mut self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        self.recorder.record_bytes_received(bytes as u64);
        if !self.heard {
            self.heard = true;
            self.recorder.transport().heard(self.opened.elapsed());
        }
    }

    /// Records bytes sent.
    #[inline]
    pub fn sent(&mut self, bytes: usize) {
        if bytes > 0 {
            self.recorder.record_bytes_transmitted(bytes as u64);
        }
    }

    /// Records an error by its kind.
    #[cold]
    pub fn failed(&mut self, error: &io::Error) {
        self.recorder.record_io_error(error.kind());
    }

    /// Where it is recorded.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.recorder.transport().closed(self.opened.elapsed());
    }
}
