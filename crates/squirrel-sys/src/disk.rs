//! How much room the file system of a folder has. Source: `statvfs(3)`.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::linux::raw;

/// Room of a file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// All of it.
    pub total: u64,
    /// What is free for programs that are not root's: file systems keep some back for root.
    pub free: u64,
}

impl Room {
    /// The free share, 0 to 1; none for a file system that has no size, such as those of the kernel.
    pub fn free_ratio(self) -> Option<f64> {
        (self.total > 0).then(|| self.free as f64 / self.total as f64)
    }
}

/// The room of the file system that a path is on.
///
/// # Errors
/// What the kernel says: the path is not there, or its disk does not answer.
pub fn room(path: &Path) -> io::Result<Room> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    raw::room(&path).map(|(total, free)| Room { total, free })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_has_room_and_those_of_the_kernel_have_no_size() {
        let room = room(&std::env::temp_dir()).expect("there is such a folder");
        assert!(room.total > 0 && room.free <= room.total);
        let ratio = room.free_ratio().expect("it has a size");
        assert!((0.0..=1.0).contains(&ratio));
        assert_eq!(super::room(Path::new("/proc")).expect("it is there").free_ratio(), None);
        assert_eq!(super::room(Path::new("/nowhere")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
