//! Where sockets are born: in the network namespace of the calling thread, or in another one.
//!
//! A socket stays in the namespace in which it was opened, whoever uses it later. So a short-lived thread enters the
//! namespace, opens the socket, and hands it over; the calling thread never moves. Where entering is not permitted,
//! another process that may do it is asked for the socket.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use super::raw::{self, NetlinkSocket};
use crate::Netlink;

/// Receiving from a socket that only announces does not wait, so its patience does not matter.
const ANNOUNCER_PATIENCE_SECONDS: i64 = 1;

/// Opens netlink sockets in one network namespace on behalf of a program that may not enter it.
pub trait SocketOpener: Send + Sync + std::fmt::Debug {
    /// A socket for dumps.
    ///
    /// # Errors
    /// Why there is none.
    fn open(&self, family: Netlink) -> io::Result<OwnedFd>;

    /// A socket that listens to the ends of sockets, as [`NetworkNamespace::open_announcer`](crate::NetworkNamespace::open_announcer)
    /// makes it.
    ///
    /// # Errors
    /// Why there is none.
    fn open_announcer(&self) -> io::Result<OwnedFd>;
}

/// The namespace of the calling thread (the default), the one that a file of nsfs stands for, or one whose sockets
/// are asked for.
#[derive(Clone, Debug, Default)]
pub(super) enum Home {
    #[default]
    Here,
    Namespace(Arc<File>),
    Asked(Arc<dyn SocketOpener>),
}

impl Home {
    /// Whether it is not the calling thread's own.
    pub(super) fn is_elsewhere(&self) -> bool {
        !matches!(self, Self::Here)
    }

    /// Opens a socket for dumps there.
    pub(super) fn open(&self, family: Netlink, patience_seconds: i64) -> io::Result<NetlinkSocket> {
        match self {
            Self::Here => NetlinkSocket::open(family.protocol(), patience_seconds),
            Self::Namespace(file) => there(file, || NetlinkSocket::open(family.protocol(), patience_seconds)),
            Self::Asked(opener) => NetlinkSocket::given(opener.open(family)?, patience_seconds),
        }
    }

    /// Opens a socket there to which the ends of sockets are announced.
    pub(super) fn open_announcer(&self, receive_buffer: i32) -> io::Result<NetlinkSocket> {
        let listen = || {
            let door = NetlinkSocket::open(Netlink::SockDiag.protocol(), ANNOUNCER_PATIENCE_SECONDS)?;
            door.set_receive_buffer(receive_buffer)?;
            door.join(super::ended::GROUPS)?;
            Ok(door)
        };
        match self {
            Self::Here => listen(),
            Self::Namespace(file) => there(file, listen),
            Self::Asked(opener) => NetlinkSocket::given(opener.open_announcer()?, ANNOUNCER_PATIENCE_SECONDS),
        }
    }
}

/// Runs `open` in a namespace.
pub(super) fn there<T: Send>(namespace: &File, open: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let there = || {
        raw::enter_network_namespace(namespace.as_fd())?;
        open()
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("namespace".to_owned()).spawn_scoped(scope, there)?;
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread in the namespace panicked")))
    })
}
