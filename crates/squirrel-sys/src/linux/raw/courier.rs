//! Messages with a descriptor beside them, between two processes of this host.

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::time::Duration;

use super::{checked, checked_len};

/// Room for one descriptor beside a message: `CMSG_SPACE(sizeof(int))`, as aligned as a `cmsghdr`.
#[repr(C, align(8))]
struct Beside([u8; 32]);

/// Two ends of a connection that keeps the bounds of messages (`SOCK_SEQPACKET`, `unix(7)`).
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends: [RawFd; 2] = [-1; 2];
    // SAFETY: the kernel writes two numbers, for which there is room.
    checked(unsafe {
        libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0, ends.as_mut_ptr())
    })?;
    // SAFETY: the kernel has just given us these descriptors, so nobody else owns them.
    Ok(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}

/// Limits how long sending and receiving wait. No time at all would mean for ever, so it is a microsecond.
pub(crate) fn set_patience(socket: BorrowedFd<'_>, patience: Duration) -> io::Result<()> {
    let patience = patience.max(Duration::from_micros(1));
    let seconds = libc::time_t::try_from(patience.as_secs()).unwrap_or(libc::time_t::MAX);
    let timeout = libc::timeval { tv_sec: seconds, tv_usec: patience.subsec_micros().into() };
    for option in [libc::SO_RCVTIMEO, libc::SO_SNDTIMEO] {
        // SAFETY: the pointer and the length describe `timeout`, which outlives the call.
        checked(unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                option,
                (&raw const timeout).cast(),
                size_of::<libc::timeval>() as libc::socklen_t,
            )
        })?;
    }
    Ok(())
}

/// Sends one message, with a descriptor beside it if one is given: the receiver gets a duplicate.
pub(crate) fn send(socket: BorrowedFd<'_>, octets: &[u8], descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let mut part = libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() };
    let mut beside = Beside([0; 32]);
    // SAFETY: plain numbers and pointers, for which zero is a valid value.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    if let Some(descriptor) = descriptor {
        message.msg_control = beside.0.as_mut_ptr().cast();
        // SAFETY: computes a number from a number.
        message.msg_controllen = unsafe { libc::CMSG_SPACE(size_of::<RawFd>() as u32) } as usize;
        assert!(message.msg_controllen <= beside.0.len(), "one descriptor fits beside a message");
        // SAFETY: `msg_control` is aligned as a header and has room for a header and one number, which is what is
        // written.
        unsafe {
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(size_of::<RawFd>() as u32) as usize;
            libc::CMSG_DATA(header).cast::<RawFd>().write_unaligned(descriptor.as_raw_fd());
        }
    }
    // SAFETY: everything that `message` points to outlives the call, and sending does not write to it. A peer that
    // has gone is an error and no signal.
    let sent = checked_len(unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) })?;
    if sent == octets.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Whether the other end has gone and nothing of it is left to be received. Does not wait.
pub(crate) fn has_gone(socket: BorrowedFd<'_>) -> bool {
    let mut octet = 0_u8;
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    // SAFETY: the kernel writes one octet at most, for which there is room.
    let answer = checked_len(unsafe { libc::recv(socket.as_raw_fd(), (&raw mut octet).cast(), 1, flags) });
    match answer {
        Ok(len) => len == 0,
        Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted),
    }
}

/// Receives one message and the descriptor beside it. A length of zero means that the other end has gone.
///
/// # Errors
/// The call that failed; `InvalidData` for a message that does not fit.
pub(crate) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut beside = Beside([0; 32]);
    // SAFETY: plain numbers and pointers, for which zero is a valid value.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = beside.0.as_mut_ptr().cast();
    message.msg_controllen = beside.0.len();
    // SAFETY: buffer and control room are described by their true sizes and outlive the call.
    let len = checked_len(unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) })?;
    // SAFETY: the kernel has filled `msg_control` up to `msg_controllen`; the macros stay within it. There is room
    // for two descriptors at most, and each one found is owned by us from here on.
    let descriptor = unsafe {
        let mut found: Option<OwnedFd> = None;
        let mut header = libc::CMSG_FIRSTHDR(&raw const message);
        while !header.is_null() {
            if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_RIGHTS {
                let octets = (*header).cmsg_len.saturating_sub(libc::CMSG_LEN(0) as usize);
                for at in 0..octets / size_of::<RawFd>() {
                    let number = libc::CMSG_DATA(header).add(at * size_of::<RawFd>()).cast::<RawFd>().read_unaligned();
                    // A second one is closed when it replaces the first.
                    found = Some(OwnedFd::from_raw_fd(number));
                }
            }
            header = libc::CMSG_NXTHDR(&raw const message, header);
        }
        found
    };
    if message.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the message is longer than any that is spoken here"));
    }
    Ok((len, descriptor))
}
