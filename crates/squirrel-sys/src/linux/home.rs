//! Where sockets are born: in the network namespace of the calling thread, or in another one.
//!
//! A socket stays in the namespace in which it was opened, whoever uses it later. So a short-lived thread enters the
//! namespace, opens the socket, and hands it over; the calling thread never moves.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;

use super::raw;

/// The namespace of the calling thread (the default), or the one that a file of nsfs stands for.
#[derive(Clone, Debug, Default)]
pub(super) struct Home(Option<Arc<File>>);

impl Home {
    pub(super) fn of(namespace: Arc<File>) -> Self {
        Self(Some(namespace))
    }

    /// Whether it is not the calling thread's own.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.0.is_some()
    }

    /// Runs `open` there.
    pub(super) fn run<T: Send>(&self, open: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        let Some(namespace) = &self.0 else { return open() };
        let there = || {
            raw::enter_network_namespace(namespace.as_fd())?;
            open()
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("namespace".to_owned()).spawn_scoped(scope, there)?;
            thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread in the namespace panicked")))
        })
    }
}
