//! Calls about eBPF that the loader does not offer: an iterator over the values of one map.
//!
//! Source: `bpf(2)`, `union bpf_attr` in `include/uapi/linux/bpf.h`.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use super::checked;

const BPF_LINK_CREATE: libc::c_int = 28;
const BPF_ITER_CREATE: libc::c_int = 33;
const BPF_TRACE_ITER: u32 = 28;

/// The member `link_create` of the union, with a target of an iterator.
#[repr(C)]
struct LinkCreate {
    program: libc::c_int,
    target: libc::c_int,
    attach_type: u32,
    flags: u32,
    target_info: u64,
    target_info_len: u32,
    padding: u32,
}

/// The member `iter_create`.
#[repr(C)]
struct IterCreate {
    link: libc::c_int,
    flags: u32,
}

/// Makes the call, which answers a descriptor.
fn descriptor<T>(command: libc::c_int, attributes: &mut T) -> io::Result<OwnedFd> {
    // SAFETY: the kernel reads `size_of::<T>()` octets at the pointer, and the structures that this module passes
    // are those of the command; what they point to outlives the call.
    let answer = unsafe {
        libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attributes), size_of::<T>() as libc::c_uint)
    };
    let descriptor = checked(answer as libc::c_int)?;
    // SAFETY: the kernel has just given us this descriptor, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Ties a loaded iterator program to a map.
pub(crate) fn link_iterator(program: BorrowedFd<'_>, map: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let map: libc::c_int = map.as_raw_fd();
    let mut attributes = LinkCreate {
        program: program.as_raw_fd(),
        target: 0,
        attach_type: BPF_TRACE_ITER,
        flags: 0,
        target_info: (&raw const map) as u64,
        target_info_len: size_of::<libc::c_int>() as u32,
        padding: 0,
    };
    descriptor(BPF_LINK_CREATE, &mut attributes)
}

/// One pass of an iterator, to be read to its end.
pub(crate) fn iterate(link: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    descriptor(BPF_ITER_CREATE, &mut IterCreate { link: link.as_raw_fd(), flags: 0 })
}
