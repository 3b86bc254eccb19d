//! What a server says, line by line, with bounds.

use tokio::io::AsyncReadExt as _;

use crate::finding::Failed;
use crate::reach::in_words;
use crate::tls::Stream;

/// The longest line.
const LONGEST_LINE: usize = 64 << 10;
/// Octets that are read at most, over the whole conversation: a server that never says what it should is left.
const MOST_READ: usize = 4 << 20;

/// Reads lines and octets of a stream.
pub(super) struct Lines {
    stream: Box<dyn Stream>,
    /// What was read and not yet asked for, from `at` on.
    buffer: Vec<u8>,
    at: usize,
    read: usize,
    is_at_end: bool,
}

impl Lines {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream, buffer: Vec::new(), at: 0, read: 0, is_at_end: false }
    }

    pub(super) fn stream(&mut self) -> &mut Box<dyn Stream> {
        &mut self.stream
    }

    /// The stream itself, and how many octets are read but were not asked for.
    pub(super) fn into_stream(self) -> (Box<dyn Stream>, usize) {
        let unread = self.rest().len();
        (self.stream, unread)
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// The next line without its end; what has none before the connection ends is one too. `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, Failed> {
        let mut looked_at = 0;
        loop {
            let rest = self.rest();
            let fresh = rest.get(looked_at..).unwrap_or_default();
            if let Some(length) = fresh.iter().position(|octet| *octet == b'\n') {
                let end = looked_at + length;
                let line = rest.get(..end).unwrap_or_default();
                let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
                self.at += end + 1;
                return Ok(Some(line));
            }
            looked_at = rest.len();
            if looked_at > LONGEST_LINE {
                return Err(Failed::new(format!("the server's line is longer than {LONGEST_LINE} octets")));
            }
            if !self.fill().await? {
                let line = self.rest().to_vec();
                self.at = self.buffer.len();
                return Ok(Some(line).filter(|line| !line.is_empty()));
            }
        }
    }

    /// The next octets; fewer when the connection ends before.
    pub(super) async fn octets(&mut self, count: usize) -> Result<Vec<u8>, Failed> {
        while self.rest().len() < count && self.fill().await? {}
        let found = self.rest().get(..count).unwrap_or(self.rest()).to_vec();
        self.at += found.len();
        Ok(found)
    }

    /// Reads more; false at the end.
    async fn fill(&mut self) -> Result<bool, Failed> {
        if self.is_at_end {
            return Ok(false);
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        if self.read > MOST_READ {
            return Err(Failed::new(format!("more than {MOST_READ} octets were read without what is waited for")));
        }
        let mut piece = [0; 4096];
        // A server may close without saying so in TLS; what it said counts.
        let count = match self.stream.read(&mut piece).await {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => 0,
            other => other.map_err(|error| Failed::new(format!("reading: {}", in_words(&error))))?,
        };
        self.buffer.extend_from_slice(piece.get(..count).unwrap_or_default());
        self.read += count;
        self.is_at_end = count == 0;
        Ok(count > 0)
    }
}
