//! Who has which socket open, from the descriptors of all processes.

use std::collections::HashMap;

use squirrel_account::Denied;
use squirrel_api::live::SocketOwner;
use squirrel_sys::Kernel;

use super::read::Row;

/// What a look at the descriptors brought.
pub(super) struct Looked {
    /// Processes whose descriptors may not be seen.
    pub(super) denied: Denied,
}

/// Puts the owners into the rows.
pub(super) fn name(kernel: &dyn Kernel, rows: &mut [Row]) -> anyhow::Result<Looked> {
    let mut by_inode: HashMap<u64, Vec<SocketOwner>> =
        rows.iter().filter(|row| row.socket.inode != 0).map(|row| (row.socket.inode.into(), Vec::new())).collect();
    let mut processes: Vec<u32> = Vec::new();
    kernel.list("/proc", &mut |name| {
        processes.extend(std::str::from_utf8(name).ok().and_then(|name| name.parse::<u32>().ok()));
    })?;
    processes.sort_unstable();
    let mut denied = Denied::default();
    for pid in processes {
        if !look(kernel, pid, &mut by_inode) {
            denied.note(kernel, pid);
        }
    }
    for row in rows {
        row.socket.processes = Some(by_inode.remove(&row.socket.inode.into()).unwrap_or_default());
    }
    Ok(Looked { denied })
}

/// Looks at one process; whether that was allowed. One that is gone has nothing open any more.
fn look(kernel: &dyn Kernel, pid: u32, by_inode: &mut HashMap<u64, Vec<SocketOwner>>) -> bool {
    let folder = format!("/proc/{pid}/fd");
    let mut descriptors: Vec<u32> = Vec::new();
    let listed = kernel.list(&folder, &mut |name| {
        descriptors.extend(std::str::from_utf8(name).ok().and_then(|name| name.parse::<u32>().ok()));
    });
    if let Err(error) = listed {
        return !error.is_forbidden();
    }
    let (mut target, mut comm) = (Vec::new(), Vec::new());
    for fd in descriptors {
        if kernel.link(&format!("{folder}/{fd}"), &mut target).is_err() {
            continue;
        }
        let Some(owners) = inode(&target).and_then(|inode| by_inode.get_mut(&inode)) else { continue };
        if comm.is_empty() && kernel.read(&format!("/proc/{pid}/comm"), &mut comm).is_err() {
            return true;
        }
        owners.push(SocketOwner { pid, name: String::from_utf8_lossy(comm.trim_ascii_end()).into_owned(), fd });
    }
    true
}

/// The number in `socket:[4711]`.
fn inode(target: &[u8]) -> Option<u64> {
    let digits = target.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
