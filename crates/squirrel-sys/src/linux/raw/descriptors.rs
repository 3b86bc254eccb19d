//! Calls that list a folder of `/proc` and read its links without an allocation for each entry.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use super::checked_len;

/// `getdents64(2)`: fills `buffer` with `struct linux_dirent64` records and gives how many octets were
/// written; 0 is the end of the folder.
pub(crate) fn directory_entries(folder: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the pointer and the length describe `buffer`, which outlives the call.
    let len = unsafe { libc::syscall(libc::SYS_getdents64, folder.as_raw_fd(), buffer.as_mut_ptr(), buffer.len()) };
    checked_len(len as libc::ssize_t)
}

/// `readlinkat(2)`: where the link `name` of `folder` leads. `name` is the bytes of a C string with its NUL.
pub(crate) fn link_target<'a>(folder: BorrowedFd<'_>, name: &[u8], buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let name = std::ffi::CStr::from_bytes_until_nul(name).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // SAFETY: `name` ends with a NUL, the pointer and the length describe `buffer`, and both outlive the call.
    let len = checked_len(unsafe {
        libc::readlinkat(folder.as_raw_fd(), name.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len())
    })?;
    Ok(buffer.get(..len).unwrap_or_default())
}
