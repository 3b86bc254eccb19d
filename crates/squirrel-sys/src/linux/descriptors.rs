//! The sockets among a process's descriptors, without an allocation for each of them.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;

use super::raw::{directory_entries, link_target};
use crate::kernel::socket_inode;

/// Records of a folder that are read at once: about 680 descriptors.
const BUFFER_LEN: usize = 16 << 10;
/// Octets of `struct linux_dirent64` before the name: inode, offset, length, type.
const NAME_AT: usize = 19;
/// Longest text that can be `socket:[…]`; longer ones are cut, and are not sockets.
const LINK_LEN: usize = 64;

/// Hands over the descriptor and the inode of each socket that the process has open, and answers how many descriptors
/// it has.
pub(super) fn sockets_of(process: u32, each: &mut dyn FnMut(u32, u64)) -> io::Result<usize> {
    let folder = File::open(format!("/proc/{process}/fd"))?;
    let mut buffer = [0; BUFFER_LEN];
    let mut seen = 0;
    loop {
        let len = directory_entries(folder.as_fd(), &mut buffer)?;
        if len == 0 {
            return Ok(seen);
        }
        for name in names(buffer.get(..len).unwrap_or_default()) {
            let Some(descriptor) = number(name) else { continue };
            seen += 1;
            let mut target = [0; LINK_LEN];
            // What was closed since the folder was listed is no longer the process's.
            if let Some(inode) = link_target(folder.as_fd(), name, &mut target).ok().and_then(socket_inode) {
                each(descriptor, inode);
            }
        }
    }
}

/// The number that a name is, up to its NUL.
fn number(name: &[u8]) -> Option<u32> {
    std::str::from_utf8(name.split(|octet| *octet == 0).next()?).ok()?.parse().ok()
}

/// The names of `struct linux_dirent64` records (`getdents64(2)`), each with its NUL and padding.
fn names(records: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = records;
    std::iter::from_fn(move || {
        let len = rest.get(16..18).and_then(|octets| octets.first_chunk()).map(|len| u16::from_ne_bytes(*len))?;
        let (record, after) = rest.split_at_checked(usize::from(len))?;
        rest = after;
        record.get(NAME_AT..)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kernel as _;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn both_ways_to_look_find_the_same_sockets() {
        let sockets: Vec<_> = (0..20).map(|_| std::net::UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        let inodes: BTreeSet<u64> = sockets
            .iter()
            .map(|socket| {
                let owned = File::from(std::os::fd::OwnedFd::from(socket.try_clone().unwrap()));
                owned.metadata().unwrap().ino()
            })
            .collect();
        let mut quick = BTreeSet::new();
        let seen = sockets_of(std::process::id(), &mut |_, inode| {
            quick.insert(inode);
        })
        .unwrap();
        assert!(seen >= 20 && quick.is_superset(&inodes), "{quick:?}");

        let mut slow = BTreeSet::new();
        // A recorder lists the folder and asks for each link, so that both can be replayed.
        let folder = tempfile::tempdir().unwrap();
        let kernel = crate::Recorder::create(crate::Linux::open().unwrap(), folder.path(), "a test").unwrap();
        let mut each = |_, inode| {
            slow.insert(inode);
        };
        kernel.sockets_of(std::process::id(), &mut each).unwrap();
        assert!(slow.is_superset(&inodes), "{slow:?}");
    }

    #[test]
    fn a_process_that_is_gone_is_an_error() {
        assert_eq!(sockets_of(u32::MAX, &mut |_, _| {}).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    proptest! {
        #[test]
        fn any_records_are_survived(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(names(&octets).count() <= octets.len());
        }
    }
}
