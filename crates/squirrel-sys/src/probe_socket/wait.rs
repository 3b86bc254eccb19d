//! Waiting for sockets that ask the network.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use crate::linux::raw::probe_socket as raw;

/// What a socket has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Data to read; of a connection on its way, that it stands.
    pub data: bool,
    /// Something on the queue of errors, or an error of its own.
    pub errors: bool,
}

impl Readiness {
    /// Whether it has anything.
    pub fn any(self) -> bool {
        self.data || self.errors
    }
}

/// Waits until one of the sockets has something to read, data or errors, or until the time is over (never, if none),
/// or a signal came. Says which have something.
///
/// # Errors
/// What the kernel refuses.
pub fn wait(sockets: &[BorrowedFd<'_>], timeout: Option<Duration>) -> io::Result<Vec<bool>> {
    let reading: Vec<_> = sockets.iter().map(|one| (*one, false)).collect();
    Ok(raw::poll(&reading, timeout)?.into_iter().map(Readiness::any).collect())
}

/// The same, and says what each has. Those that are marked are connections on their way, and have something when they
/// stand or fail.
///
/// # Errors
/// What the kernel refuses.
pub fn wait_each(sockets: &[(BorrowedFd<'_>, bool)], timeout: Option<Duration>) -> io::Result<Vec<Readiness>> {
    raw::poll(sockets, timeout)
}
