//! A file below a known folder, found without following a link: who may read everything must not be led elsewhere.
//!
//! Source: `open(2)` for `O_PATH` and `O_NOFOLLOW`, `proc_pid_fd(5)` for the names of what is open.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Opens a regular file by the names of the folders between it and `known`. Each is looked up in the one that was found
/// before, so nothing that is renamed meanwhile leads elsewhere; and what is no regular file is never opened.
///
/// # Errors
/// Something of it is missing, may not be read, or is of another kind (a link among them).
pub(super) fn open(known: &Path, folders: &[&str], file: &str) -> io::Result<File> {
    let mut folder = found(known, libc::O_DIRECTORY)?;
    for name in folders {
        folder = found(&named(&folder).join(name), libc::O_DIRECTORY | libc::O_NOFOLLOW)?;
    }
    let file = found(&named(&folder).join(file), libc::O_NOFOLLOW)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    File::open(named(&file))
}

/// A place in the tree, which nothing is read from yet.
fn found(path: &Path, flags: i32) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_PATH | flags).open(path)
}

/// The name of what is open; it stands for that very file.
fn named(open: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()))
}
