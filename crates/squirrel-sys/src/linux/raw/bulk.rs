//! Calls that move much data with few of them: batches of datagrams, files sent from the kernel's own memory, and
//! what that cost the thread.

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use super::{checked, checked_len};

/// Messages of one call.
const MESSAGES: usize = 32;
/// Octets of one message: the largest datagram, or many small ones that the kernel put together.
const OCTETS: usize = 65_536;
/// Octets for what comes beside a message: the size of the datagrams in it.
const CONTROL: usize = 64;

/// `getsockopt(2)` into octets; gives how many the kernel filled.
pub(crate) fn get_octets(socket: BorrowedFd<'_>, level: i32, name: i32, value: &mut [u8]) -> io::Result<usize> {
    let mut len = libc::socklen_t::try_from(value.len()).unwrap_or(0);
    // SAFETY: the pointer and the length describe `value`, which outlives the call.
    checked(unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, value.as_mut_ptr().cast(), &raw mut len) })?;
    Ok(usize::try_from(len).unwrap_or(0).min(value.len()))
}

/// `sendmmsg(2)` on a connected socket: `octets` in pieces of `piece`. Gives how many octets the kernel took.
pub(crate) fn send_pieces(socket: BorrowedFd<'_>, octets: &[u8], piece: usize) -> io::Result<usize> {
    // SAFETY: numbers and pointers, for which zero is a valid value.
    let (mut parts, mut messages): ([libc::iovec; MESSAGES], [libc::mmsghdr; MESSAGES]) =
        unsafe { (zeroed(), zeroed()) };
    let mut count = 0;
    for ((one, part), message) in octets.chunks(piece.max(1)).zip(&mut parts).zip(&mut messages) {
        *part = libc::iovec { iov_base: one.as_ptr().cast_mut().cast(), iov_len: one.len() };
        message.msg_hdr.msg_iov = part;
        message.msg_hdr.msg_iovlen = 1;
        count += 1;
    }
    // SAFETY: the first `count` messages point to parts, and they to octets, that outlive the call; sending does not
    // write to them.
    let sent =
        checked(unsafe { libc::sendmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), count, libc::MSG_NOSIGNAL as _) })?;
    let taken = messages.iter().take(usize::try_from(sent).unwrap_or(0));
    Ok(taken.map(|one| usize::try_from(one.msg_len).unwrap_or(0)).sum())
}

/// Room for the messages of one call.
pub(crate) struct Room {
    octets: Vec<u8>,
    control: Vec<Control>,
    filled: Vec<(usize, usize)>,
}

/// Control messages begin where a `cmsghdr` may.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

impl Room {
    pub(crate) fn new() -> Self {
        Self {
            octets: vec![0; OCTETS * MESSAGES],
            control: vec![Control([0; CONTROL]); MESSAGES],
            filled: Vec::with_capacity(MESSAGES),
        }
    }

    /// `recvmmsg(2)`: waits for the first message, as long as the socket's own time limit says, and takes what else is
    /// there.
    pub(crate) fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        self.filled.clear();
        // SAFETY: numbers and pointers, for which zero is a valid value.
        let (mut parts, mut messages): ([libc::iovec; MESSAGES], [libc::mmsghdr; MESSAGES]) =
            unsafe { (zeroed(), zeroed()) };
        let rows = self.octets.chunks_exact_mut(OCTETS).zip(&mut self.control).zip(&mut parts).zip(&mut messages);
        for (((octets, control), part), message) in rows {
            *part = libc::iovec { iov_base: octets.as_mut_ptr().cast(), iov_len: octets.len() };
            message.msg_hdr.msg_iov = part;
            message.msg_hdr.msg_iovlen = 1;
            message.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
            message.msg_hdr.msg_controllen = CONTROL;
        }
        // SAFETY: each message points to memory of this room that outlives the call, with its true lengths.
        let count = checked(unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                messages.as_mut_ptr(),
                MESSAGES as libc::c_uint,
                libc::MSG_WAITFORONE as _,
                std::ptr::null_mut(),
            )
        })?;
        let filled = messages.iter().zip(&self.control).take(usize::try_from(count).unwrap_or(0));
        self.filled.extend(filled.map(|(message, control)| {
            let len = usize::try_from(message.msg_len).unwrap_or(0).min(OCTETS);
            let told = control.0.get(..message.msg_hdr.msg_controllen).unwrap_or_default();
            (len, segment(told).unwrap_or(len))
        }));
        Ok(self.filled.len())
    }

    /// Octets of a message, and the size of the datagrams that it is made of; the last may be shorter.
    pub(crate) fn message(&self, index: usize) -> (&[u8], usize) {
        let Some((len, segment)) = self.filled.get(index) else { return (&[], 0) };
        (self.octets.get(index * OCTETS..index * OCTETS + len).unwrap_or_default(), *segment)
    }
}

/// The size of datagrams (`UDP_GRO`) from the first control message, the only one that is asked for.
fn segment(told: &[u8]) -> Option<usize> {
    const HEADER: usize = size_of::<libc::cmsghdr>();
    let number = |at: usize| told.get(at..at + 4).and_then(|four| four.try_into().ok()).map(i32::from_ne_bytes);
    let (level, kind) = (number(size_of::<usize>())?, number(size_of::<usize>() + 4)?);
    (level == libc::SOL_UDP && kind == libc::UDP_GRO).then_some(())?;
    usize::try_from(number(HEADER)?).ok().filter(|size| *size > 0)
}

/// `memfd_create(2)`.
pub(crate) fn memory_file() -> io::Result<OwnedFd> {
    // SAFETY: the name ends with a zero octet and outlives the call.
    let descriptor = checked(unsafe { libc::memfd_create(c"squirrel".as_ptr(), libc::MFD_CLOEXEC) })?;
    // SAFETY: the kernel has just given us this descriptor, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// `sendfile(2)` from the start of a file.
pub(crate) fn send_file(socket: BorrowedFd<'_>, file: BorrowedFd<'_>, len: usize) -> io::Result<usize> {
    let mut offset: libc::off_t = 0;
    // SAFETY: the offset outlives the call; the kernel checks the rest.
    checked_len(unsafe { libc::sendfile(socket.as_raw_fd(), file.as_raw_fd(), &raw mut offset, len) })
}

/// Microseconds of the processor that the calling thread used, for its own code and in the kernel.
///
/// The sum is `clock_gettime(2)`'s, which is exact; `getrusage(2)`, which tells both apart, knows nothing of what a
/// thread did since its last tick or switch (kernel/sched/cputime.c, `task_cputime_adjusted`). The difference is taken
/// for the kernel's: threads that are asked move data by its calls.
pub(crate) fn thread_cpu() -> io::Result<(u64, u64)> {
    // SAFETY: plain numbers, for which zero is a valid value.
    let mut usage: libc::rusage = unsafe { zeroed() };
    // SAFETY: the structure outlives the call.
    checked(unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) })?;
    let mut all = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure outlives the call.
    checked(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut all) })?;
    let micros =
        |seconds: i64, rest: i64| u64::try_from(seconds).unwrap_or(0) * 1_000_000 + u64::try_from(rest).unwrap_or(0);
    let user = micros(usage.ru_utime.tv_sec, usage.ru_utime.tv_usec);
    let system = micros(usage.ru_stime.tv_sec, usage.ru_stime.tv_usec);
    Ok((user, system.max(micros(all.tv_sec, all.tv_nsec / 1000).saturating_sub(user))))
}
