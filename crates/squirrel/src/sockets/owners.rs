//! Who has which socket open, from the descriptors of all processes.

use std::collections::HashMap;

use squirrel_account::Denied;
use squirrel_api::live::SocketOwner;
use squirrel_filter::Order;
use squirrel_sys::{Kernel, SysError};

use super::fields::{FIELDS, OF_OWNERS};
use super::read::Row;
use crate::cli;

/// `ESRCH`.
const NO_SUCH_PROCESS: i32 = 3;

/// Whether the processes that have the sockets open are to be found.
pub(super) fn are_wanted(args: &cli::Sockets) -> bool {
    let sorts = |sort| Order::by(FIELDS, sort, None).is_ok_and(|order| OF_OWNERS.contains(&order.name()));
    args.processes
        || OF_OWNERS.iter().any(|name| args.filter.contains(&format!("{name}:")))
        || args.sort.as_deref().is_some_and(sorts)
}

/// What a look at the descriptors brought.
pub(super) struct Looked {
    /// Processes whose descriptors may not be seen.
    pub(super) denied: Denied,
}

/// Puts the owners into the rows. `kernel` tells of the host's processes.
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
        if !look(kernel, pid, &mut by_inode)? {
            denied.note(kernel, pid);
        }
    }
    for row in rows {
        row.socket.processes = Some(by_inode.remove(&row.socket.inode.into()).unwrap_or_default());
    }
    Ok(Looked { denied })
}

/// Looks at one process; whether that was allowed. One that is gone has nothing open any more.
fn look(kernel: &dyn Kernel, pid: u32, by_inode: &mut HashMap<u64, Vec<SocketOwner>>) -> Result<bool, SysError> {
    let mut found: Vec<(u32, u64)> = Vec::new();
    let looked = kernel.sockets_of(pid, &mut |fd, inode| {
        if by_inode.contains_key(&inode) {
            found.push((fd, inode));
        }
    });
    match looked {
        Ok(_) => {}
        Err(error) if error.is_forbidden() => return Ok(false),
        Err(error) if has_gone(&error) => return Ok(true),
        Err(error) => return Err(error),
    }
    let mut comm = Vec::new();
    if found.is_empty() || kernel.read(&format!("/proc/{pid}/comm"), &mut comm).is_err() {
        return Ok(true);
    }
    let name = String::from_utf8_lossy(comm.trim_ascii_end()).into_owned();
    for (fd, inode) in found {
        if let Some(owners) = by_inode.get_mut(&inode) {
            owners.push(SocketOwner { pid, name: name.clone(), fd });
        }
    }
    Ok(true)
}

fn has_gone(error: &SysError) -> bool {
    error.source.kind() == std::io::ErrorKind::NotFound || error.source.raw_os_error() == Some(NO_SUCH_PROCESS)
}
