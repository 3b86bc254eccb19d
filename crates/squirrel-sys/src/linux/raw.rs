//! The system calls themselves: each function makes one, checks what it answered, and is safe to call
//! with any arguments. No other file of the program contains `unsafe`, but for those below this one.
#![expect(unsafe_code, reason = "system calls that the standard library does not offer")]

mod bpf;
pub(crate) mod bulk;
pub(crate) mod courier;
mod descriptors;
mod disk;
mod guarded;
mod heap;
mod multicast;
mod namespace;
mod privilege;
pub(crate) mod probe_socket;
mod socket_address;
mod terminal;

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

pub(crate) use bpf::{iterate, link_iterator};
pub(crate) use descriptors::{directory_entries, link_target};
pub(crate) use disk::room;
pub(crate) use guarded::GuardedBuffer;
pub(crate) use heap::{keep_heap_small, trim_heap};
pub(crate) use namespace::enter_network_namespace;
pub(crate) use privilege::{CapabilitySets, Prctl, capabilities, effective_uid, prctl, set_capabilities};
pub(crate) use terminal::terminal_size;

/// What a call answered that is negative in case of an error.
fn checked(answer: libc::c_int) -> io::Result<libc::c_int> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

fn checked_len(answer: libc::ssize_t) -> io::Result<usize> {
    usize::try_from(answer).map_err(|_| io::Error::last_os_error())
}

/// `signal(2)` with `SIG_IGN`.
pub(crate) fn ignore_signal(number: libc::c_int) {
    // SAFETY: sets a disposition that runs no code of ours.
    unsafe { libc::signal(number, libc::SIG_IGN) };
}

/// `kill(2)` for one process, or a group by its negative number.
pub(crate) fn kill(process: i32, signal: i32) -> io::Result<()> {
    // SAFETY: two numbers; the kernel checks them.
    checked(unsafe { libc::kill(process, signal) }).map(|_| ())
}

/// `signal(2)` with `SIG_DFL`. A number that is no signal changes nothing.
pub(crate) fn default_action(signal: i32) {
    // SAFETY: sets a disposition that runs no code of ours.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

fn open_socket(family: libc::c_int, kind: libc::c_int, protocol: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: three numbers; the kernel checks them.
    let descriptor = checked(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) })?;
    // SAFETY: the kernel has just given us this descriptor, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// A netlink socket that speaks with the kernel alone.
#[derive(Debug)]
pub(crate) struct NetlinkSocket(OwnedFd);

impl NetlinkSocket {
    /// Opens a socket of one netlink protocol; receiving gives up after `patience_seconds`.
    pub(crate) fn open(protocol: i32, patience_seconds: i64) -> io::Result<Self> {
        Self::given(open_socket(libc::AF_NETLINK, libc::SOCK_RAW, protocol)?, patience_seconds)
    }

    /// A socket that somebody else opened.
    pub(crate) fn given(socket: OwnedFd, patience_seconds: i64) -> io::Result<Self> {
        let timeout = libc::timeval { tv_sec: patience_seconds, tv_usec: 0 };
        // SAFETY: the pointer and the length describe `timeout`, which outlives the call.
        checked(unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_RCVTIMEO,
                (&raw const timeout).cast(),
                size_of::<libc::timeval>() as libc::socklen_t,
            )
        })?;
        Ok(Self(socket))
    }

    /// The socket, for somebody else.
    pub(crate) fn into_inner(self) -> OwnedFd {
        self.0
    }

    /// Sends one message made of two parts to the kernel.
    pub(crate) fn send(&self, header: &[u8], payload: &[u8]) -> io::Result<()> {
        // SAFETY: both structures are plain numbers and pointers, for which zero is a valid value.
        let (mut address, mut message): (libc::sockaddr_nl, libc::msghdr) = unsafe { (zeroed(), zeroed()) };
        address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
        let part = |octets: &[u8]| libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() };
        let mut parts = [part(header), part(payload)];
        message.msg_name = (&raw mut address).cast();
        message.msg_namelen = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
        message.msg_iov = parts.as_mut_ptr();
        message.msg_iovlen = parts.len();
        // SAFETY: everything that `message` points to outlives the call, and sending does not write to it.
        let sent = checked_len(unsafe { libc::sendmsg(self.0.as_raw_fd(), &raw const message, 0) })?;
        if sent == header.len() + payload.len() {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::WriteZero, "the kernel took only a part of the request"))
        }
    }

    /// Receives one datagram of the kernel and gives its true length, which is larger than the buffer's
    /// when it did not fit. Datagrams of other senders are passed over.
    pub(crate) fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // SAFETY: plain numbers, for which zero is a valid value.
            let mut sender: libc::sockaddr_nl = unsafe { zeroed() };
            let mut sender_len = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
            // SAFETY: buffer, sender and length are described by their true sizes and outlive the call.
            let len = checked_len(unsafe {
                libc::recvfrom(
                    self.0.as_raw_fd(),
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                    libc::MSG_TRUNC,
                    (&raw mut sender).cast(),
                    &raw mut sender_len,
                )
            })?;
            if sender.nl_pid == 0 {
                return Ok(len);
            }
        }
    }
}

/// A socket through which interfaces are asked.
#[derive(Debug)]
pub(crate) struct ControlSocket(OwnedFd);

impl ControlSocket {
    /// Opens it. A host without IPv4 offers a netlink socket instead.
    pub(crate) fn open() -> io::Result<Self> {
        open_socket(libc::AF_INET, libc::SOCK_DGRAM, 0)
            .or_else(|_| open_socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_GENERIC))
            .map(Self)
    }

    /// `SIOCETHTOOL`: the command at the start of `buffer` is replaced by the answer.
    pub(crate) fn ethtool(&self, interface: &str, buffer: &mut GuardedBuffer) -> io::Result<()> {
        // SAFETY: plain numbers and pointers, for which zero is a valid value.
        let mut request: libc::ifreq = unsafe { zeroed() };
        let name = interface.as_bytes();
        // The last octet stays zero and ends the name.
        if name.is_empty() || name.len() >= request.ifr_name.len() || name.contains(&0) {
            return Err(io::Error::from_raw_os_error(libc::ENODEV));
        }
        for (place, octet) in request.ifr_name.iter_mut().zip(name) {
            *place = *octet as libc::c_char;
        }
        request.ifr_ifru.ifru_data = buffer.as_mut_ptr().cast();
        // SAFETY: the kernel reads the command and writes the answer at `ifru_data`, as much as the driver
        // has. It writes through the page tables: behind the buffer lies a page that allows no access,
        // so a too long answer is refused with EFAULT and cannot reach other memory.
        checked(unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SIOCETHTOOL as libc::Ioctl, &raw mut request) })?;
        Ok(())
    }
}
