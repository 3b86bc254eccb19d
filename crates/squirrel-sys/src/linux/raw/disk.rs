//! How much room a file system has.

use std::ffi::CStr;
use std::io;
use std::mem::zeroed;

/// `statvfs(3)`: bytes of the file system of a path, and those that are free for who is not root.
pub(crate) fn room(path: &CStr) -> io::Result<(u64, u64)> {
    // SAFETY: plain numbers, for which zeroes are a value.
    let mut told: libc::statvfs = unsafe { zeroed() };
    // SAFETY: the path ends with a zero octet, and the place is ours for the call.
    super::checked(unsafe { libc::statvfs(path.as_ptr(), &raw mut told) })?;
    let bytes = |blocks: libc::fsblkcnt_t| blocks.saturating_mul(told.f_frsize);
    Ok((bytes(told.f_blocks), bytes(told.f_bavail)))
}
