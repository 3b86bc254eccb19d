//! What a loader of eBPF programs needs beside its own calls: iterators over a map, the root of the control
//! groups, and which network namespace this is.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use crate::SysError;
use crate::linux::raw;

/// An iterator program that is tied to a map: each pass runs it once for each value.
#[derive(Debug)]
pub struct MapIterator {
    link: OwnedFd,
}

impl MapIterator {
    /// Ties a loaded program of type `iter/bpf_map_elem` or `iter/bpf_sk_storage_map` to a map. Program and map
    /// live as long as this does.
    ///
    /// # Errors
    /// What the kernel answers: it does not iterate over such a map, or a capability is missing.
    pub fn new(program: BorrowedFd<'_>, map: BorrowedFd<'_>) -> Result<Self, SysError> {
        let link = raw::link_iterator(program, map)
            .map_err(|source| SysError::new("bpf", "link of an iterator to a map", source))?;
        Ok(Self { link })
    }

    /// Begins a pass. What the program writes is what can be read, to the end of the file.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn pass(&self) -> Result<File, SysError> {
        let pass = raw::iterate(self.link.as_fd())
            .map_err(|source| SysError::new("bpf", "a pass of an iterator over a map", source))?;
        Ok(pass.into())
    }
}

/// The inode number of the calling thread's network namespace.
///
/// # Errors
/// When `/proc` does not tell.
pub fn network_namespace() -> Result<u32, SysError> {
    use std::os::unix::fs::MetadataExt as _;
    const PATH: &str = "/proc/thread-self/ns/net";
    let found = std::fs::metadata(PATH).map_err(|source| SysError::new("stat", PATH, source))?;
    Ok(found.ino() as u32)
}

/// Opens the root of the control groups, version 2, wherever it is mounted. `ip netns exec` covers it with a `/sys` of
/// its own: then it is reached as the first process sees it, or the kernel's own first thread.
///
/// # Errors
/// When none is mounted, or its folder cannot be opened.
pub fn control_group_root() -> Result<File, SysError> {
    for (process, root) in [("self", ""), ("1", "/proc/1/root"), ("2", "/proc/2/root")] {
        let Ok(mounts) = std::fs::read_to_string(format!("/proc/{process}/mountinfo")) else { continue };
        let Some(path) = control_group_mount(&mounts).map(|path| format!("{root}{path}")) else { continue };
        // What stands in the list may be covered by another mount.
        if std::fs::metadata(format!("{path}/cgroup.controllers")).is_ok() {
            return File::open(&path).map_err(|source| SysError::new("open", path, source));
        }
    }
    Err(SysError::new("mount", "control groups version 2", io::ErrorKind::NotFound.into()))
}

/// The first mount of a whole `cgroup2`, from the text of `mountinfo` (`proc_pid_mountinfo(5)`).
fn control_group_mount(mounts: &str) -> Option<String> {
    mounts.lines().find_map(|line| {
        let (mount, system) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(3);
        let (root, path) = (fields.next()?, fields.next()?);
        (system.split(' ').next() == Some("cgroup2") && root == "/").then(|| unescaped(path))
    })
}

/// Undoes `\040` and the like.
fn unescaped(path: &str) -> String {
    let mut text = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        if let Some(octet) = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            text.push(char::from(octet));
            rest = after.get(3..).unwrap_or_default();
        } else {
            text.push('\\');
            rest = after;
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_of_control_groups_is_found_wherever_it_is() {
        let hybrid = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
            32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n\
            41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw\n";
        let unified = "25 21 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";
        let odd = "25 21 0:22 / /mnt/a\\040b\\134 rw - cgroup2 none rw\n";
        let part = "25 21 0:22 /system.slice /mnt/part rw - cgroup2 none rw\n";
        let cases = [
            ("hybrid", hybrid, Some("/sys/fs/cgroup/unified")),
            ("unified", unified, Some("/sys/fs/cgroup")),
            ("a space and a backslash in the path", odd, Some("/mnt/a b\\")),
            ("a part of the tree only", part, None),
            ("no such mount", "22 1 8:1 / / rw - ext4 /dev/vda rw\n", None),
            ("cut", "25 21 0:22 / ", None),
        ];
        for (case, mounts, expected) in cases {
            assert_eq!(control_group_mount(mounts).as_deref(), expected, "{case}");
        }
    }
}
