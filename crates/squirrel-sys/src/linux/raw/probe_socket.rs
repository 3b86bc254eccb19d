//! Calls on the sockets that ask the network: options, sending, and receiving many datagrams at once with what the
//! kernel tells beside them.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};

use super::socket_address::{read_address, write_address};
use super::{checked, checked_len, open_socket};
use crate::probe_socket::{Beside, Error, Origin, Readiness};

/// Datagrams received by one call.
pub(crate) const BATCH: usize = 32;
/// Octets kept of each datagram: an ICMP error with a quotation and extensions fits.
const OCTETS: usize = 1024;
/// Octets for what comes beside a datagram: time stamp, time to live, class, interface, error.
const CONTROL: usize = 320;

/// `socket(2)`, not blocking.
pub(crate) fn open(family: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
    open_socket(family, kind | libc::SOCK_NONBLOCK, protocol)
}

/// `setsockopt(2)` with a number.
pub(crate) fn set(socket: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> io::Result<()> {
    set_octets(socket, level, name, &value.to_ne_bytes())
}

/// `setsockopt(2)` with octets.
pub(crate) fn set_octets(socket: BorrowedFd<'_>, level: i32, name: i32, value: &[u8]) -> io::Result<()> {
    // SAFETY: the pointer and the length describe `value`, which outlives the call.
    checked(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            value.as_ptr().cast(),
            libc::socklen_t::try_from(value.len()).unwrap_or(0),
        )
    })
    .map(|_| ())
}

/// `bind(2)`.
pub(crate) fn bind(socket: BorrowedFd<'_>, address: SocketAddr) -> io::Result<()> {
    let (name, len) = write_address(address);
    // SAFETY: the pointer and the length describe `name`, which outlives the call.
    checked(unsafe { libc::bind(socket.as_raw_fd(), (&raw const name).cast(), len) }).map(|_| ())
}

/// `connect(2)`; a connection of TCP on a socket that does not block is on its way afterwards, which is no failure.
pub(crate) fn connect(socket: BorrowedFd<'_>, to: SocketAddr) -> io::Result<()> {
    let (name, len) = write_address(to);
    // SAFETY: the pointer and the length describe `name`, which outlives the call.
    let answer = checked(unsafe { libc::connect(socket.as_raw_fd(), (&raw const name).cast(), len) });
    match answer {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
        _ => Ok(()),
    }
}

/// `getsockname(2)`: the address that a socket sends from.
pub(crate) fn local_address(socket: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    // SAFETY: plain numbers, for which zero is a valid value.
    let mut name: libc::sockaddr_storage = unsafe { zeroed() };
    let mut len = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    // SAFETY: the pointer and the length describe `name`, which outlives the call.
    checked(unsafe { libc::getsockname(socket.as_raw_fd(), (&raw mut name).cast(), &raw mut len) })?;
    read_address(&name).ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))
}

/// `sendto(2)`.
pub(crate) fn send(socket: BorrowedFd<'_>, octets: &[u8], to: SocketAddr) -> io::Result<usize> {
    let (name, len) = write_address(to);
    // SAFETY: both pointers and lengths describe memory that outlives the call.
    checked_len(unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            octets.as_ptr().cast(),
            octets.len(),
            libc::MSG_NOSIGNAL,
            (&raw const name).cast(),
            len,
        )
    })
}

/// `ppoll(2)` for reading on several descriptors, of those marked for writing too, which a connection is fit for once
/// it stands; says which have data or stand, and which have errors.
pub(crate) fn poll(
    sockets: &[(BorrowedFd<'_>, bool)],
    timeout: Option<std::time::Duration>,
) -> io::Result<Vec<Readiness>> {
    let asked = |(one, writing): &(BorrowedFd<'_>, bool)| {
        let events = if *writing { libc::POLLIN | libc::POLLOUT } else { libc::POLLIN };
        libc::pollfd { fd: one.as_raw_fd(), events, revents: 0 }
    };
    let mut asked: Vec<_> = sockets.iter().map(asked).collect();
    let span = timeout.map(|span| libc::timespec {
        tv_sec: libc::time_t::try_from(span.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(span.subsec_nanos()),
    });
    let span = span.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let count = libc::nfds_t::try_from(asked.len()).unwrap_or(0);
    // SAFETY: `asked` has `count` entries, and it and the span outlive the call.
    let answer = checked(unsafe { libc::ppoll(asked.as_mut_ptr(), count, span, std::ptr::null()) });
    match answer {
        Ok(_) => Ok(asked
            .iter()
            .map(|one| Readiness {
                data: one.revents & (libc::POLLIN | libc::POLLOUT) != 0,
                errors: one.revents & !(libc::POLLIN | libc::POLLOUT) != 0,
            })
            .collect()),
        // A signal: whoever waits looks at what is to be done now, as after a time-out.
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(vec![Readiness::default(); sockets.len()]),
        Err(error) => Err(error),
    }
}

/// Room for the datagrams of one call, and what came beside each.
pub(crate) struct Room {
    octets: Vec<[u8; OCTETS]>,
    control: Vec<Control>,
    names: Vec<libc::sockaddr_storage>,
    /// Length on the wire of each datagram, octets of its control messages, and its flags.
    filled: Vec<(usize, usize)>,
}

/// Control messages begin where a `cmsghdr` may.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

impl Room {
    pub(crate) fn new() -> Self {
        // SAFETY: plain numbers, for which zero is a valid value.
        let name: libc::sockaddr_storage = unsafe { zeroed() };
        Self {
            octets: vec![[0; OCTETS]; BATCH],
            control: vec![Control([0; CONTROL]); BATCH],
            names: vec![name; BATCH],
            filled: Vec::with_capacity(BATCH),
        }
    }

    /// `recvmmsg(2)` without waiting: from the queue of errors, or of data. Gives how many there were.
    pub(crate) fn receive(&mut self, socket: BorrowedFd<'_>, errors: bool) -> io::Result<usize> {
        self.filled.clear();
        let mut parts: Vec<libc::iovec> = self
            .octets
            .iter_mut()
            .map(|one| libc::iovec { iov_base: one.as_mut_ptr().cast(), iov_len: OCTETS })
            .collect();
        let rows = parts.iter_mut().zip(&mut self.names).zip(&mut self.control);
        let mut messages: Vec<libc::mmsghdr> = rows
            .map(|((part, name), control)| {
                // SAFETY: numbers and pointers, for which zero is a valid value.
                let mut message: libc::mmsghdr = unsafe { zeroed() };
                message.msg_hdr.msg_name = (&raw mut *name).cast();
                message.msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
                message.msg_hdr.msg_iov = part;
                message.msg_hdr.msg_iovlen = 1;
                message.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
                message.msg_hdr.msg_controllen = CONTROL;
                message
            })
            .collect();
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC | if errors { libc::MSG_ERRQUEUE } else { 0 };
        // SAFETY: each message points to memory of this room that outlives the call, with its true lengths.
        let answer = checked(unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                messages.as_mut_ptr(),
                BATCH as libc::c_uint,
                flags as _,
                std::ptr::null_mut(),
            )
        });
        let count = match answer {
            Ok(count) => usize::try_from(count).unwrap_or(0),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => 0,
            Err(error) => return Err(error),
        };
        self.filled.extend(
            messages
                .iter()
                .take(count)
                .map(|one| (usize::try_from(one.msg_len).unwrap_or(0), one.msg_hdr.msg_controllen.min(CONTROL))),
        );
        Ok(count)
    }

    /// Octets that were kept of a datagram, and its length on the wire.
    pub(crate) fn octets(&self, index: usize) -> (&[u8], usize) {
        let Some(((len, _), octets)) = self.filled.get(index).zip(self.octets.get(index)) else { return (&[], 0) };
        (octets.get(..(*len).min(OCTETS)).unwrap_or_default(), *len)
    }

    /// Who sent it.
    pub(crate) fn from(&self, index: usize) -> Option<SocketAddr> {
        self.filled.get(index)?;
        self.names.get(index).and_then(read_address)
    }

    /// What the kernel told beside it.
    pub(crate) fn beside(&self, index: usize) -> Beside {
        let mut beside = Beside::default();
        let Some((control, (_, len))) = self.control.get(index).zip(self.filled.get(index)) else { return beside };
        for (level, kind, value) in ControlMessages(control.0.get(..*len).unwrap_or_default()) {
            note(&mut beside, level, kind, value);
        }
        beside
    }
}

/// Goes over control messages: headers of 16 octets with length, level and type, each on a boundary of 8.
struct ControlMessages<'a>(&'a [u8]);

impl<'a> Iterator for ControlMessages<'a> {
    type Item = (i32, i32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        const HEADER: usize = size_of::<libc::cmsghdr>();
        let number = |at: usize| self.0.get(at..at + 4).and_then(|four| four.try_into().ok()).map(i32::from_ne_bytes);
        let len = usize::from_ne_bytes(self.0.get(..size_of::<usize>())?.try_into().ok()?);
        let level = number(size_of::<usize>())?;
        let kind = number(size_of::<usize>() + 4)?;
        let value = self.0.get(HEADER..len)?;
        self.0 = self.0.get(len.next_multiple_of(size_of::<usize>())..).unwrap_or_default();
        Some((level, kind, value))
    }
}

fn note(beside: &mut Beside, level: i32, kind: i32, value: &[u8]) {
    let number = || value.first_chunk::<4>().map(|four| i32::from_ne_bytes(*four));
    match (level, kind) {
        (libc::SOL_SOCKET, libc::SCM_TIMESTAMPING) => beside.stamp_ns = stamp(value),
        (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
            beside.ttl = number().and_then(|ttl| u8::try_from(ttl).ok());
        }
        (libc::IPPROTO_IP, libc::IP_TOS) => beside.tos = value.first().copied(),
        (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => beside.tos = number().and_then(|tos| u8::try_from(tos).ok()),
        (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => {
            beside.error = error(value);
        }
        _ => {}
    }
}

/// The first of three times, which is the software's: seconds and nanoseconds. Zero is none.
fn stamp(value: &[u8]) -> Option<u64> {
    let (seconds, rest) = value.split_first_chunk::<8>()?;
    let seconds = u64::try_from(i64::from_ne_bytes(*seconds)).ok()?;
    let nanos = u64::try_from(i64::from_ne_bytes(*rest.first_chunk::<8>()?)).ok()?;
    Some(seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?).filter(|stamp| *stamp > 0)
}

/// `struct sock_extended_err` (`include/uapi/linux/errqueue.h`) and the address of the offender after it.
fn error(value: &[u8]) -> Option<Error> {
    const LEN: usize = 16;
    let four = |at: usize| value.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_ne_bytes);
    let [origin, icmp_type, code] = *value.get(4..7)?.first_chunk::<3>()?;
    let offender = value.get(LEN..).and_then(|octets| {
        // SAFETY: plain numbers, for which zero is a valid value.
        let mut name: libc::sockaddr_storage = unsafe { zeroed() };
        let len = octets.len().min(size_of::<libc::sockaddr_storage>());
        // SAFETY: `len` octets are there to be read and fit into `name`, and the two do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(octets.as_ptr(), (&raw mut name).cast::<u8>(), len) };
        read_address(&name)
    });
    Some(Error {
        errno: i32::try_from(four(0)?).ok()?,
        origin: match origin {
            libc::SO_EE_ORIGIN_ICMP => Origin::Icmp,
            libc::SO_EE_ORIGIN_ICMP6 => Origin::Icmp6,
            libc::SO_EE_ORIGIN_TIMESTAMPING => Origin::TimeStamp,
            _ => Origin::Local,
        },
        icmp_type,
        code,
        info: four(8)?,
        data: four(12)?,
        offender: offender.map(|address| address.ip()),
    })
}
