//! A connection with its counting.

use std::io::{self, IoSlice, IoSliceMut};

use super::{ConnectionGuard, Observe};
use crate::{Recorder, clock};

pin_project_lite::pin_project! {
    /// A connection whose bytes, errors and lifetime are counted; it reads and writes as what it wraps does.
    ///
    /// Made by [`Recorder::instrument`]. What `T` offers beyond reading and writing is reached by
    /// [`get_ref`](Self::get_ref) and [`get_mut`](Self::get_mut); what is read or written there passes uncounted.
    #[derive(Debug)]
    pub struct Instrumented<T, O = ()> {
        #[pin]
        pub(super) inner: T,
        pub(super) tap: Tap<O>,
    }
}

/// Where what passes is counted and shown.
#[derive(Debug)]
pub(super) struct Tap<O> {
    guard: ConnectionGuard,
    observer: O,
}

impl Recorder {
    /// Counts what passes through `inner`, from now until the wrapper is dropped.
    pub fn instrument<T>(&self, inner: T) -> Instrumented<T> {
        Instrumented { inner, tap: Tap { guard: self.open_connection(), observer: () } }
    }
}

impl<T, O> Instrumented<T, O> {
    /// The same connection, shown to an observer instead of the one before.
    pub fn observed_by<N: Observe>(self, observer: N) -> Instrumented<T, N> {
        Instrumented { inner: self.inner, tap: Tap { guard: self.tap.guard, observer } }
    }

    /// What is wrapped. The connection counts as ended.
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// What is wrapped, with the guard that still counts it as active and the observer: for a handshake
    /// that needs the bare socket, or for parts of a connection that are sent elsewhere.
    pub fn into_parts(self) -> (T, ConnectionGuard, O) {
        (self.inner, self.tap.guard, self.tap.observer)
    }

    /// What is wrapped.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// What is wrapped, mutably.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Who observes.
    pub fn observer(&self) -> &O {
        &self.tap.observer
    }

    /// Who observes, mutably.
    pub fn observer_mut(&mut self) -> &mut O {
        &mut self.tap.observer
    }
}

impl<T, O> AsRef<T> for Instrumented<T, O> {
    fn as_ref(&self) -> &T {
        &self.inner
    }
}

impl<T, O> AsMut<T> for Instrumented<T, O> {
    fn as_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<O: Observe> Tap<O> {
    #[inline]
    pub(super) fn received(&mut self, octets: &[u8]) {
        self.guard.received(octets.len());
        if self.observer.watches() && !octets.is_empty() {
            self.observer.received(octets, clock::moment());
        }
    }

    #[inline]
    pub(super) fn received_vectored(&mut self, parts: &[IoSliceMut<'_>], count: usize) {
        self.guard.received(count);
        if self.observer.watches() && count > 0 {
            let at = clock::moment();
            taken(parts.iter().map(|part| &**part), count, |octets| self.observer.received(octets, at));
        }
    }

    #[inline]
    pub(super) fn sent(&mut self, octets: &[u8]) {
        self.guard.sent(octets.len());
        if self.observer.watches() && !octets.is_empty() {
            self.observer.sent(octets, clock::moment());
        }
    }

    #[inline]
    pub(super) fn sent_vectored(&mut self, parts: &[IoSlice<'_>], count: usize) {
        self.guard.sent(count);
        if self.observer.watches() && count > 0 {
            let at = clock::moment();
            taken(parts.iter().map(|part| &**part), count, |octets| self.observer.sent(octets, at));
        }
    }

    /// A read into a buffer with room for something found nothing.
    #[cold]
    pub(super) fn received_end(&mut self) {
        if self.observer.watches() {
            self.observer.received_end(clock::moment());
        }
    }

    pub(super) fn sent_end(&mut self) {
        if self.observer.watches() {
            self.observer.sent_end(clock::moment());
        }
    }

    #[inline]
    pub(super) fn check<R>(&mut self, outcome: &io::Result<R>) {
        if let Err(error) = outcome {
            self.guard.failed(error);
        }
    }
}

/// Shows the first `count` octets of `parts`, without the empty ones.
fn taken<'a>(parts: impl Iterator<Item = &'a [u8]>, mut count: usize, mut show: impl FnMut(&'a [u8])) {
    for part in parts {
        let octets = part.get(..count).unwrap_or(part);
        count -= octets.len();
        if !octets.is_empty() {
            show(octets);
        }
    }
}

#[cfg(unix)]
mod descriptor {
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

    use super::Instrumented;

    impl<T: AsFd, O> AsFd for Instrumented<T, O> {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.inner.as_fd()
        }
    }

    impl<T: AsRawFd, O> AsRawFd for Instrumented<T, O> {
        fn as_raw_fd(&self) -> RawFd {
            self.inner.as_raw_fd()
        }
    }
}

#[cfg(windows)]
mod descriptor {
    use std::os::windows::io::{AsRawSocket, AsSocket, BorrowedSocket, RawSocket};

    use super::Instrumented;

    impl<T: AsSocket, O> AsSocket for Instrumented<T, O> {
        fn as_socket(&self) -> BorrowedSocket<'_> {
            self.inner.as_socket()
        }
    }

    impl<T: AsRawSocket, O> AsRawSocket for Instrumented<T, O> {
        fn as_raw_socket(&self) -> RawSocket {
            self.inner.as_raw_socket()
        }
    }
}
