//! Which sockets are this process's: where its file descriptors lead to.

use std::collections::HashSet;

use squirrel_sys::{Kernel, SysError};

const DESCRIPTORS: &str = "/proc/self/fd";

/// The inodes of all sockets that this process has open, of every kind.
pub(super) fn socket_inodes(kernel: &dyn Kernel) -> Result<HashSet<u64>, SysError> {
    // Kept as numbers: a process may have very many.
    let mut descriptors: Vec<u32> = Vec::new();
    kernel.list(DESCRIPTORS, &mut |name| {
        descriptors.extend(std::str::from_utf8(name).ok().and_then(|name| name.parse::<u32>().ok()));
    })?;
    let (mut inodes, mut path, mut leads_to) = (HashSet::new(), String::new(), Vec::new());
    for descriptor in descriptors {
        path.clear();
        path.push_str(DESCRIPTORS);
        path.push_str(&format!("/{descriptor}"));
        match kernel.link(&path, &mut leads_to) {
            Ok(()) => inodes.extend(inode_of(&leads_to)),
            // Closed since the folder was listed, as the listing's own descriptor is.
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(inodes)
}

/// The number in `socket:[4711]`.
fn inode_of(leads_to: &[u8]) -> Option<u64> {
    std::str::from_utf8(leads_to).ok()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}
