//! One direction: read, show, write.

use std::io::{self, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use squirrel_monitor::{ByteCounter, Inspection, MessageDirection, NetworkMonitor};
use squirrel_sys::clock;

/// Octets that are read at once: what a pipe holds.
const PIECE: usize = 64 << 10;

/// The inspector that both directions share.
pub(super) struct Watch {
    inspection: Mutex<Inspection>,
    to_server: ByteCounter,
    to_client: ByteCounter,
}

impl Watch {
    pub(super) fn new(monitor: &NetworkMonitor) -> squirrel_monitor::Result<Self> {
        let inspection = Mutex::new(monitor.inspection()?);
        Ok(Self { inspection, to_server: monitor.bytes_received(), to_client: monitor.bytes_transmitted() })
    }

    /// Counts requests that have waited too long.
    pub(super) fn tick(&self) {
        self.inspection().tick(clock::now());
    }

    fn inspection(&self) -> MutexGuard<'_, Inspection> {
        self.inspection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self, octets: &[u8], direction: MessageDirection) {
        let counter = if direction == MessageDirection::Received { &self.to_server } else { &self.to_client };
        counter.record(octets.len() as u64);
        self.inspection().stream(octets, direction, clock::now());
    }

    fn ended(&self, direction: MessageDirection) {
        self.inspection().end(direction, clock::now());
    }
}

/// Passes octets on until the source ends. When nobody takes them any more, a server's pipe is closed, so
/// that it learns of it; what a client writes is still read and goes nowhere, since its pipe is not ours to
/// close.
pub(super) fn pump(mut from: impl Read, mut to: impl Write, direction: MessageDirection, watch: &Watch) {
    let mut buffer = vec![0; PIECE];
    loop {
        let octets = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => buffer.get(..length).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        watch.seen(octets, direction);
        if to.write_all(octets).is_err() {
            watch.ended(direction);
            drop(to);
            if direction == MessageDirection::Received {
                // An error ends it as well as the end does.
                let _ = io::copy(&mut from, &mut io::sink());
            }
            return;
        }
    }
    watch.ended(direction);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a few octets, then nothing more.
    struct Full(usize, Vec<u8>);

    impl Write for Full {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let room = self.0.saturating_sub(self.1.len()).min(octets.len());
            self.1.extend_from_slice(octets.get(..room).unwrap_or_default());
            if room == 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(room) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn octets_pass_unchanged_and_are_counted() {
        let monitor = crate::monitor("mcp");
        let watch = Watch::new(&monitor).unwrap();
        let call = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        // Not JSON, not UTF-8, longer than a piece, and a message between.
        let mut octets = vec![0xff; 3 * PIECE];
        octets.extend(format!("\n{call}\n").bytes());
        let mut passed = Vec::new();
        pump(&octets[..], &mut passed, MessageDirection::Received, &watch);
        assert!(passed == octets, "{} octets of {}", passed.len(), octets.len());
        assert_eq!(monitor.recorder().protocol_metrics().messages_received["ping"], 1);
        assert_eq!(monitor.bandwidth_metrics().bytes_received, octets.len() as u64);
    }

    #[test]
    fn a_client_that_nobody_listens_to_is_read_to_its_end() {
        let watch = Watch::new(&crate::monitor("mcp")).unwrap();
        let octets = vec![b' '; 10 * PIECE];
        let mut source = &octets[..];
        let mut taken = Full(5, Vec::new());
        pump(&mut source, &mut taken, MessageDirection::Received, &watch);
        assert_eq!((source.len(), taken.1.len()), (0, 5));
        let mut source = &octets[..];
        pump(&mut source, Full(0, Vec::new()), MessageDirection::Sent, &watch);
        assert_eq!(source.len(), 9 * PIECE, "a server is told at once");
    }
}
