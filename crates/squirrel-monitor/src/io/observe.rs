//! Who sees the octets that pass.

use std::time::Instant;

use crate::{Inspection, MessageDirection};

/// Sees what passes through an [`Instrumented`](super::Instrumented) connection, in the order in which it
/// passes and exactly once: of a partial write only the part that was taken. It is called between the
/// transport and the application, so it should be quick; it cannot change what passes.
///
/// `()` observes nothing and costs nothing. A closure-like observer that is chosen at run time is a
/// `Box<dyn Observe + Send>`; one that may be absent is an `Option`.
///
/// ```
/// use std::io::Read as _;
/// use std::time::Instant;
/// use squirrel_monitor::{NetworkConfig, NetworkMonitor, io::Observe};
///
/// /// Counts lines.
/// #[derive(Default)]
/// struct Lines(usize);
///
/// impl Observe for Lines {
///     fn received(&mut self, octets: &[u8], _at: Instant) {
///         self.0 += octets.iter().filter(|octet| **octet == b'\n').count();
///     }
///     fn sent(&mut self, _octets: &[u8], _at: Instant) {}
/// }
///
/// let monitor = NetworkMonitor::new(NetworkConfig::default());
/// let mut input = monitor.recorder().instrument(&b"one\ntwo\n"[..]).observed_by(Lines::default());
/// input.read_to_end(&mut Vec::new())?;
/// assert_eq!(input.observer().0, 2);
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Observe {
    /// Octets that came from the other side; never empty.
    fn received(&mut self, octets: &[u8], at: Instant);

    /// Octets that the transport took; never empty.
    fn sent(&mut self, octets: &[u8], at: Instant);

    /// The other side sends no more: a read found the end. Every read after it says so again.
    #[inline]
    fn received_end(&mut self, _at: Instant) {}

    /// This side sends no more: a shutdown succeeded. One that is only dropped does not say so.
    #[inline]
    fn sent_end(&mut self, _at: Instant) {}

    /// Whether there is anything to call. When false, no clock is read and nothing is shown.
    #[inline]
    fn watches(&self) -> bool {
        true
    }
}

impl Observe for () {
    #[inline]
    fn received(&mut self, _: &[u8], _: Instant) {}

    #[inline]
    fn sent(&mut self, _: &[u8], _: Instant) {}

    #[inline]
    fn watches(&self) -> bool {
        false
    }
}

impl<O: Observe + ?Sized> Observe for Box<O> {
    fn received(&mut self, octets: &[u8], at: Instant) {
        (**self).received(octets, at);
    }

    fn sent(&mut self, octets: &[u8], at: Instant) {
        (**self).sent(octets, at);
    }

    fn received_end(&mut self, at: Instant) {
        (**self).received_end(at);
    }

    fn sent_end(&mut self, at: Instant) {
        (**self).sent_end(at);
    }

    fn watches(&self) -> bool {
        (**self).watches()
    }
}

impl<O: Observe> Observe for Option<O> {
    fn received(&mut self, octets: &[u8], at: Instant) {
        if let Some(observer) = self {
            observer.received(octets, at);
        }
    }

    fn sent(&mut self, octets: &[u8], at: Instant) {
        if let Some(observer) = self {
            observer.sent(octets, at);
        }
    }

    fn received_end(&mut self, at: Instant) {
        if let Some(observer) = self {
            observer.received_end(at);
        }
    }

    fn sent_end(&mut self, at: Instant) {
        if let Some(observer) = self {
            observer.sent_end(at);
        }
    }

    fn watches(&self) -> bool {
        self.as_ref().is_some_and(Observe::watches)
    }
}

/// A conversation is inspected as its connection is read and written: `instrument(stream).observed_by(
/// monitor.inspection()?)`.
impl Observe for Inspection {
    fn received(&mut self, octets: &[u8], at: Instant) {
        self.stream(octets, MessageDirection::Received, at);
    }

    fn sent(&mut self, octets: &[u8], at: Instant) {
        self.stream(octets, MessageDirection::Sent, at);
    }

    fn received_end(&mut self, at: Instant) {
        self.end(MessageDirection::Received, at);
    }

    fn sent_end(&mut self, at: Instant) {
        self.end(MessageDirection::Sent, at);
    }

    fn watches(&self) -> bool {
        self.is_watching()
    }
}
