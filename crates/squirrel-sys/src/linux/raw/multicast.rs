//! Calls on netlink sockets that the kernel sends announcements to.

use std::io;
use std::mem::{size_of, size_of_val, zeroed};
use std::os::fd::AsRawFd as _;

use super::{NetlinkSocket, checked, checked_len};

/// `SK_MEMINFO_VARS` (`include/uapi/linux/sock_diag.h`): numbers that `SO_MEMINFO` gives.
const MEMORY_NUMBERS: usize = 9;
/// `SK_MEMINFO_DROPS`: the place of the dropped messages among them.
const DROPS: usize = 8;

impl NetlinkSocket {
    /// Joins the multicast groups of a bit mask: group n is bit n − 1.
    pub(crate) fn join(&self, groups: u32) -> io::Result<()> {
        // SAFETY: plain numbers, for which zero is a valid value.
        let mut address: libc::sockaddr_nl = unsafe { zeroed() };
        address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
        address.nl_groups = groups;
        // SAFETY: the pointer and the length describe `address`, which outlives the call.
        checked(unsafe {
            libc::bind(
                self.0.as_raw_fd(),
                (&raw const address).cast(),
                size_of::<libc::sockaddr_nl>() as libc::socklen_t,
            )
        })
        .map(|_| ())
    }

    /// Asks for a receive buffer of so many octets: beyond the host's limit if that is permitted, else up to it.
    pub(crate) fn set_receive_buffer(&self, octets: i32) -> io::Result<()> {
        let set = |option| {
            // SAFETY: the pointer and the length describe `octets`, which outlives the call.
            checked(unsafe {
                libc::setsockopt(
                    self.0.as_raw_fd(),
                    libc::SOL_SOCKET,
                    option,
                    (&raw const octets).cast(),
                    size_of::<i32>() as libc::socklen_t,
                )
            })
        };
        set(libc::SO_RCVBUFFORCE).or_else(|_| set(libc::SO_RCVBUF)).map(|_| ())
    }

    /// Messages that did not fit into the receive buffer since the socket was opened; it wraps.
    pub(crate) fn dropped(&self) -> io::Result<u32> {
        let mut numbers = [0u32; MEMORY_NUMBERS];
        let mut len = size_of_val(&numbers) as libc::socklen_t;
        // SAFETY: the pointer and the length describe `numbers`, which outlives the call.
        checked(unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_MEMINFO,
                numbers.as_mut_ptr().cast(),
                &raw mut len,
            )
        })?;
        numbers.get(DROPS).copied().ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    /// Receives one datagram of the kernel if there is one, and gives its true length, which is larger than the
    /// buffer's when it did not fit. Datagrams of other senders are passed over.
    pub(crate) fn receive_now(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            // SAFETY: plain numbers, for which zero is a valid value.
            let mut sender: libc::sockaddr_nl = unsafe { zeroed() };
            let mut sender_len = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
            // SAFETY: buffer, sender and length are described by their true sizes and outlive the call.
            let received = checked_len(unsafe {
                libc::recvfrom(
                    self.0.as_raw_fd(),
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                    libc::MSG_TRUNC | libc::MSG_DONTWAIT,
                    (&raw mut sender).cast(),
                    &raw mut sender_len,
                )
            });
            match received {
                Ok(len) if sender.nl_pid == 0 => return Ok(Some(len)),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
