//! Who a process is, read from `/proc` in such a way that a successor with the same number is never taken for it.

mod cgroup;
mod stat;
mod users;

pub(crate) use cgroup::Place;
pub(crate) use stat::Stat;
pub(crate) use users::Users;
pub use users::user_name;

use squirrel_sys::Kernel;

use crate::picture::ProcessSummary;

/// Most bytes of a command line that are kept; some programs have megabytes of arguments.
const MAX_COMMAND: usize = 4096;

/// Reads what `/proc` tells of a process. `None` when it is gone, or another one took its number while it was read.
pub(crate) fn read(kernel: &dyn Kernel, pid: u32, users: &mut Users, buffer: &mut Vec<u8>) -> Option<ProcessSummary> {
    let before = stat(kernel, pid, buffer)?;
    let mut file = |name: &str| kernel.read(&format!("/proc/{pid}/{name}"), buffer).ok().map(|()| buffer.clone());
    let command = file("cmdline").and_then(|octets| command_line(&octets));
    let uid = file("status").and_then(|octets| effective_uid(&octets));
    let place = file("cgroup").map(|octets| Place::parse(&octets)).unwrap_or_default();
    let after = stat(kernel, pid, buffer)?;
    if after.started != before.started {
        return None;
    }
    let uid = uid?;
    Some(ProcessSummary {
        pid,
        started: before.started,
        name: after.name,
        command,
        uid,
        user: users.name(uid),
        unit: place.unit,
        cgroup: place.path,
        container: place.container,
        parent: Some(before.parent),
    })
}

/// `/proc/PID/stat`.
pub(crate) fn stat(kernel: &dyn Kernel, pid: u32, buffer: &mut Vec<u8>) -> Option<Stat> {
    kernel.read(&format!("/proc/{pid}/stat"), buffer).ok()?;
    Stat::parse(buffer)
}

/// The arguments, which `/proc/PID/cmdline` ends with a NUL each, joined by blanks; `None` if there are none.
pub(crate) fn command_line(octets: &[u8]) -> Option<String> {
    let octets = octets.get(..MAX_COMMAND).unwrap_or(octets);
    // A program that writes its own title fills the rest with NULs.
    let end = octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    let joined: Vec<u8> = octets.iter().take(end).map(|octet| if *octet == 0 { b' ' } else { *octet }).collect();
    (!joined.is_empty()).then(|| String::from_utf8_lossy(&joined).into_owned())
}

/// The second number of the line `Uid:` in `/proc/PID/status`.
fn effective_uid(status: &[u8]) -> Option<u32> {
    let line = status.split(|octet| *octet == b'\n').find_map(|line| line.strip_prefix(b"Uid:"))?;
    std::str::from_utf8(line).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests;
