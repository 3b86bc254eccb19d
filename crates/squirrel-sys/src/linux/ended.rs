//! The kernel's announcements of sockets that have ended.
//!
//! Source: `sock_diag_broadcast_destroy` in `net/core/sock_diag.c` (kernel 4.3 and later). No privilege is needed.

use std::io;

use squirrel_wire::netlink::Messages;
use squirrel_wire::sock_diag::SOCK_DIAG_BY_FAMILY;

use super::home::{Home, SocketOpener};
use super::raw::NetlinkSocket;
use crate::{EndedSockets, NetworkNamespace, SysError};

/// `SKNLGRP_INET_TCP_DESTROY` 1, `…UDP…` 2, and the same for IPv6, 3 and 4.
pub(super) const GROUPS: u32 = 0b1111;
/// Room for about 18,000 announcements that wait to be fetched; it is used only while they wait.
pub(super) const RECEIVE_BUFFER: i32 = 8 << 20;
/// One announcement is about 450 octets.
const BUFFER_LEN: usize = 8 << 10;
/// Most announcements that one call fetches, so that a storm of short connections cannot hold it for ever.
const AT_ONCE: usize = 100_000;

/// Listens to the ends of TCP and UDP sockets in one network namespace.
#[derive(Debug)]
pub struct EndedMulticast {
    door: NetlinkSocket,
    buffer: Vec<u8>,
    dropped: u32,
}

impl EndedMulticast {
    /// Listens in the network namespace of the calling thread, from now on. To be called before the first dump of
    /// sockets, or else what ends in between is missed.
    ///
    /// # Errors
    /// When the kernel is too old or has no netlink.
    pub fn open() -> Result<Self, SysError> {
        Self::at(&Home::default(), RECEIVE_BUFFER)
    }

    /// Listens in another network namespace.
    ///
    /// # Errors
    /// As for [`EndedMulticast::open`], or when the namespace may not be entered.
    pub fn open_in(namespace: &NetworkNamespace) -> Result<Self, SysError> {
        Self::at(&namespace.home(), RECEIVE_BUFFER)
    }

    /// Listens where `opener` opens sockets.
    ///
    /// # Errors
    /// When it opens none.
    pub fn open_by(opener: std::sync::Arc<dyn SocketOpener>) -> Result<Self, SysError> {
        Self::at(&Home::Asked(opener), RECEIVE_BUFFER)
    }

    fn at(home: &Home, receive_buffer: i32) -> Result<Self, SysError> {
        let door = home
            .open_announcer(receive_buffer)
            .map_err(|source| SysError::new("netlink bind", "ends of sockets", source))?;
        Ok(Self { door, buffer: vec![0; BUFFER_LEN], dropped: 0 })
    }

    fn fetch(&mut self, each: &mut dyn FnMut(&[u8])) -> io::Result<u64> {
        let mut overrun = false;
        for _ in 0..AT_ONCE {
            let len = match self.door.receive_now(&mut self.buffer) {
                Ok(Some(len)) => len,
                Ok(None) => break,
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    overrun = true;
                    continue;
                }
                Err(error) => return Err(error),
            };
            for message in Messages::new(self.buffer.get(..len).unwrap_or_default()) {
                // The kernel does not send malformed messages; one that is cut ends its datagram.
                let Ok(message) = message else { break };
                if message.message_type == SOCK_DIAG_BY_FAMILY {
                    each(message.payload);
                }
            }
        }
        Ok(self.lost(overrun))
    }

    /// How many were lost since the last look; at least one when the kernel said so and does not count them.
    fn lost(&mut self, overrun: bool) -> u64 {
        let counted = self.door.dropped().map_or(0, |dropped| {
            let new = dropped.wrapping_sub(self.dropped);
            self.dropped = dropped;
            u64::from(new)
        });
        counted.max(u64::from(overrun))
    }
}

impl EndedSockets for EndedMulticast {
    fn drain(&mut self, each: &mut dyn FnMut(&[u8])) -> Result<u64, SysError> {
        self.fetch(each).map_err(|source| SysError::new("recvfrom", "ends of sockets", source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_that_did_not_fit_are_counted() {
        let mut ends = EndedMulticast::at(&Home::default(), 1).unwrap();
        let open = || std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        // The kernel announces from a thread of its own: the test ends with the loss.
        let (mut lost, mut seen) = (0, 0);
        while lost == 0 {
            (0..100).for_each(|_| drop(open()));
            lost += ends.drain(&mut |_| seen += 1).unwrap();
            std::thread::yield_now();
        }
        assert!(lost > 0);
        // It goes on afterwards.
        let before = seen;
        while seen == before {
            drop(open());
            ends.drain(&mut |_| seen += 1).unwrap();
            std::thread::yield_now();
        }
        assert!(seen > before);
    }
}
