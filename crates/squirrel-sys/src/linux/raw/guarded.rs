//! Memory that ends at a page which nobody may touch.

use std::io;
use std::ptr::{NonNull, null_mut};

/// A buffer followed by a page without access. Its pages come into being when they are first touched.
#[derive(Debug)]
pub(crate) struct GuardedBuffer {
    start: NonNull<u8>,
    len: usize,
}

/// No Linux system has larger pages; the guard is a whole page everywhere.
const GUARD_LEN: usize = 64 << 10;

impl GuardedBuffer {
    /// A buffer of `len` zeroes, rounded up to whole pages.
    pub(crate) fn new(len: usize) -> io::Result<Self> {
        let len = len.max(1).checked_next_multiple_of(GUARD_LEN).ok_or(io::ErrorKind::InvalidInput)?;
        let whole = len.checked_add(GUARD_LEN).ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: a new private mapping without a file, placed by the kernel; no memory of ours is affected.
        let start =
            unsafe { libc::mmap(null_mut(), whole, libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let buffer = Self { start: NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?, len };
        // SAFETY: the first `len` bytes of the mapping made above, which nobody else knows yet.
        super::checked(unsafe { libc::mprotect(start, len, libc::PROT_READ | libc::PROT_WRITE) })?;
        Ok(buffer)
    }

    /// The whole buffer.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: `len` readable and writable bytes that this value alone owns, zeroed by the kernel, and
        // borrowed for as long as the slice lives.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// The first byte, for the kernel to write to.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.start.as_ptr()
    }
}

impl Drop for GuardedBuffer {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` with this length, and no slice of it is alive.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len + GUARD_LEN) };
    }
}

// SAFETY: the memory is owned by this value alone, as in a Box.
unsafe impl Send for GuardedBuffer {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::os::fd::AsRawFd as _;

    #[test]
    fn the_kernel_cannot_write_past_the_end() {
        let mut buffer = GuardedBuffer::new(10).unwrap();
        assert!(buffer.as_mut_slice().iter().all(|octet| *octet == 0));
        let len = buffer.as_mut_slice().len();
        let mut zero = std::fs::File::open("/dev/zero").unwrap();
        assert_eq!(zero.read(buffer.as_mut_slice()).unwrap(), len);

        // Ask the kernel for one page more than the buffer has.
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut writer, &[1; 64]).unwrap();
        // SAFETY: reading to the guard page must fail without writing anything; that is what is tested.
        let answer = unsafe { libc::read(reader.as_raw_fd(), buffer.as_mut_ptr().add(len).cast(), 64) };
        assert_eq!((answer, io::Error::last_os_error().raw_os_error()), (-1, Some(libc::EFAULT)));
    }

    #[test]
    fn an_impossible_length_is_refused() {
        assert!(GuardedBuffer::new(usize::MAX).is_err());
        assert!(GuardedBuffer::new(usize::MAX - 3 * GUARD_LEN).is_err());
    }
}
