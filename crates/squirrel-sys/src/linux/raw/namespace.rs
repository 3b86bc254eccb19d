//! The call that moves a thread into another network namespace.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use super::checked;

/// `setns(2)` with `CLONE_NEWNET`: the calling thread, and no other, is in that network namespace afterwards.
pub(crate) fn enter_network_namespace(namespace: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: two numbers; the kernel checks that the descriptor is a network namespace.
    checked(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) }).map(|_| ())
}
