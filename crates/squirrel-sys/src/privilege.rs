//! Capabilities: what this program may do beyond an ordinary user, and giving it up.
//!
//! Source: `capabilities(7)`, `prctl(2)`.

use std::fmt;

use crate::SysError;
use crate::linux::raw::{self, CapabilitySets, Prctl};

/// The names of the capabilities by number, from `include/uapi/linux/capability.h`.
const NAMES: &[&str] = &[
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CapabilitySet(pub u64);

impl CapabilitySet {
    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the capability with this name, such as `CAP_NET_ADMIN`, is in it.
    pub fn contains(self, name: &str) -> bool {
        NAMES.iter().position(|known| *known == name).is_some_and(|number| self.0 & (1 << number) != 0)
    }

    /// The names, in the order of their numbers; one that is not known here is `CAP_<number>`.
    pub fn names(self) -> impl Iterator<Item = String> {
        (0..u64::BITS as usize)
            .filter(move |number| self.0 & (1 << number) != 0)
            .map(|number| NAMES.get(number).map_or_else(|| format!("CAP_{number}"), |name| (*name).to_owned()))
    }
}

/// The names, separated by commas; `none` for the empty set and `all` for every known one.
impl fmt::Display for CapabilitySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        if self.0 == (1 << NAMES.len()) - 1 {
            return f.write_str("all");
        }
        for (i, name) in self.names().enumerate() {
            write!(f, "{}{name}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// What the calling thread may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// What is in force now.
    pub effective: CapabilitySet,
    /// What may be put in force.
    pub permitted: CapabilitySet,
}

impl Capabilities {
    /// Reads them.
    ///
    /// # Errors
    /// When a sandbox forbids to ask.
    pub fn read() -> Result<Self, SysError> {
        let sets = raw::capabilities().map_err(|source| SysError::new("capget", "this thread", source))?;
        Ok(Self { effective: CapabilitySet(sets.effective), permitted: CapabilitySet(sets.permitted) })
    }
}

/// The effective user number of the process; 0 is root.
pub fn effective_uid() -> u32 {
    raw::effective_uid()
}

/// What [`drop_all`] took away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The capabilities that were permitted before.
    pub capabilities: CapabilitySet,
    /// What stays in the bounding set because emptying it needs `CAP_SETPCAP`. It does no harm: a
    /// thread that may gain no privilege cannot use it.
    pub bounding_left: CapabilitySet,
}

/// Gives up every capability of the calling thread for good: effective, permitted, inheritable and
/// ambient sets are emptied, the bounding set as far as allowed, and no program that is started
/// afterwards can gain a privilege (`PR_SET_NO_NEW_PRIVS`).
///
/// Linux keeps capabilities for each thread, and a new thread inherits those of the one that starts
/// it. Therefore this must be called **before any other thread is started**, after everything that
/// needs a privilege was opened.
///
/// # Errors
/// When a sandbox forbids one of the calls. The caller should treat it as fatal: nobody knows then
/// what is left.
pub fn drop_all() -> Result<Dropped, SysError> {
    keep_only(&[])
}

/// Gives up every capability but those named, as [`drop_all`] does. Of the named ones those stay that are there.
///
/// # Errors
/// As [`drop_all`].
pub fn keep_only(names: &[&str]) -> Result<Dropped, SysError> {
    narrow(names, Kept::InForce)
}

/// Gives up every capability but those named, and puts none of these in force: they are kept for the programs that
/// this one starts, which hold them at once.
///
/// # Errors
/// As [`drop_all`].
pub fn keep_for_children(names: &[&str]) -> Result<Dropped, SysError> {
    narrow(names, Kept::ForChildren)
}

/// What happens to those that are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    InForce,
    ForChildren,
}

fn narrow(names: &[&str], how: Kept) -> Result<Dropped, SysError> {
    let failed = |call| move |source| SysError::new(call, "this thread", source);
    let before = raw::capabilities().map_err(failed("capget"))?;
    let wanted = |number: u32| NAMES.get(number as usize).is_some_and(|name| names.contains(name));
    // The bounding set goes first: it takes a capability to empty it.
    let (mut bounding_left, mut kept) = (0, 0);
    for number in 0..u64::BITS {
        // A number that this kernel does not know ends the list.
        let Ok(present) = raw::prctl(Prctl::BoundingRead(number)) else { break };
        if wanted(number) {
            kept |= before.permitted & (1 << number);
        } else if present != 0 && raw::prctl(Prctl::BoundingDrop(number)).is_err() {
            bounding_left |= 1 << number;
        }
    }
    let sets = match how {
        Kept::InForce => {
            raw::prctl(Prctl::AmbientClear).map_err(failed("prctl PR_CAP_AMBIENT_CLEAR_ALL"))?;
            CapabilitySets { effective: kept, permitted: kept, inheritable: 0 }
        }
        // A program that root starts gets them by being root's. One of another user gets those of the ambient set,
        // from which the kernel takes what leaves the others.
        Kept::ForChildren => CapabilitySets { effective: 0, permitted: kept, inheritable: before.inheritable & kept },
    };
    raw::set_capabilities(sets).map_err(failed("capset"))?;
    raw::prctl(Prctl::NoNewPrivileges).map_err(failed("prctl PR_SET_NO_NEW_PRIVS"))?;
    Ok(Dropped { capabilities: CapabilitySet(before.permitted & !kept), bounding_left: CapabilitySet(bounding_left) })
}

#[cfg(test)]
mod tests;
