//! Calls about the C library's heap, which is Rust's too.

/// `mallopt(3)`: few arenas, and large blocks outside of them, always.
///
/// Without this the C library makes an arena for each thread, and raises the size from which on a
/// block is large with each large block that is freed: both keep what queries used for good.
#[cfg(target_env = "gnu")]
pub(crate) fn keep_heap_small() {
    const LARGE: libc::c_int = 256 << 10;
    // SAFETY: sets numbers of the allocator; it is made to be called at the start of a program.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 4 * LARGE);
    }
}

/// `malloc_trim(3)`: gives free pages back to the kernel, those between used ones too.
#[cfg(target_env = "gnu")]
pub(crate) fn trim_heap() {
    // SAFETY: touches only pages that nobody has a pointer into.
    unsafe { libc::malloc_trim(0) };
}

/// Other C libraries have no such settings.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn keep_heap_small() {}

/// Other C libraries have no such call.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn trim_heap() {}
