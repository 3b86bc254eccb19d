//! Reading and writing in the standard library's way.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};

use super::{Instrumented, Observe};

impl<T: Read, O: Observe> Read for Instrumented<T, O> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let outcome = self.inner.read(buffer);
        self.tap.check(&outcome);
        if let Ok(count) = outcome {
            self.tap.received(buffer.get(..count).unwrap_or(buffer));
            if count == 0 && !buffer.is_empty() {
                self.tap.received_end();
            }
        }
        outcome
    }

    fn read_vectored(&mut self, parts: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let outcome = self.inner.read_vectored(parts);
        self.tap.check(&outcome);
        if let Ok(count) = outcome {
            self.tap.received_vectored(parts, count);
            if count == 0 && parts.iter().any(|part| !part.is_empty()) {
                self.tap.received_end();
            }
        }
        outcome
    }
}

impl<T: Write, O: Observe> Write for Instrumented<T, O> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let outcome = self.inner.write(octets);
        self.tap.check(&outcome);
        if let Ok(count) = outcome {
            self.tap.sent(octets.get(..count).unwrap_or(octets));
        }
        outcome
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let outcome = self.inner.write_vectored(parts);
        self.tap.check(&outcome);
        if let Ok(count) = outcome {
            self.tap.sent_vectored(parts, count);
        }
        outcome
    }

    fn flush(&mut self) -> io::Result<()> {
        let outcome = self.inner.flush();
        self.tap.check(&outcome);
        outcome
    }
}
