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
mod tests {
    use std::process::Command;

    use super::*;

    fn status_line(status: &str, key: &str) -> String {
        status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim).unwrap_or_default().to_owned()
    }

    #[test]
    fn sets_have_names() {
        assert_eq!(CapabilitySet(0).to_string(), "none");
        assert_eq!(CapabilitySet(1 << 12 | 1 << 13).to_string(), "CAP_NET_ADMIN, CAP_NET_RAW");
        assert_eq!(CapabilitySet(1 << 50).to_string(), "CAP_50");
        assert_eq!(CapabilitySet((1 << 41) - 1).to_string(), "all");
        assert!(CapabilitySet(1 << 40).contains("CAP_CHECKPOINT_RESTORE"));
        assert!(!CapabilitySet(1).contains("CAP_BPF") && !CapabilitySet(u64::MAX).contains("CAP_NONSENSE"));
    }

    #[test]
    fn what_is_read_is_what_the_kernel_shows() {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let shown = |key| CapabilitySet(u64::from_str_radix(&status_line(&status, key), 16).unwrap());
        let read = Capabilities::read().unwrap();
        assert_eq!((read.effective, read.permitted), (shown("CapEff:"), shown("CapPrm:")));
        assert_eq!(status_line(&status, "Uid:").split_whitespace().nth(1), Some(effective_uid().to_string().as_str()));
    }

    const IN_CHILD: &str = "SQUIRREL_TEST_DROPS_CAPABILITIES";

    /// Runs a test again in a process of its own, and `assert_there` in that one: what is dropped does not come
    /// back.
    fn assert_in_child(test: &str, assert_there: fn()) {
        if std::env::var_os(IN_CHILD).is_some() {
            assert_there();
            println!("dropped in the child");
        } else {
            let child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", &format!("privilege::tests::{test}"), "--nocapture", "--test-threads=1"])
                .env(IN_CHILD, "1")
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&child.stdout);
            assert!(child.status.success() && said.contains("dropped in the child"), "{said}");
        }
    }

    #[test]
    fn dropped_capabilities_are_gone_also_for_programs_started_later() {
        assert_in_child("dropped_capabilities_are_gone_also_for_programs_started_later", assert_gone_after_dropping);
    }

    #[test]
    fn what_is_to_be_kept_is_kept_and_nothing_else() {
        assert_in_child("what_is_to_be_kept_is_kept_and_nothing_else", assert_only_one_is_kept);
    }

    #[test]
    fn what_is_kept_for_children_is_in_force_in_them_alone() {
        assert_in_child("what_is_kept_for_children_is_in_force_in_them_alone", assert_kept_for_children);
    }

    fn assert_kept_for_children() {
        let before = Capabilities::read().unwrap().permitted;
        keep_for_children(&["CAP_SYS_PTRACE"]).unwrap();
        let own = Capabilities::read().unwrap();
        assert!(own.effective.is_empty());
        assert_eq!(own.permitted.contains("CAP_SYS_PTRACE"), before.contains("CAP_SYS_PTRACE"));
        let child = Command::new("cat").arg("/proc/self/status").output().unwrap();
        let child = String::from_utf8(child.stdout).unwrap();
        // Only root's programs get them without an ambient set, which a test has not.
        if effective_uid() == 0 {
            assert_eq!(status_line(&child, "CapEff:"), format!("{:016x}", own.permitted.0));
        }
        assert_eq!(status_line(&child, "NoNewPrivs:"), "1");
    }

    fn assert_only_one_is_kept() {
        let before = Capabilities::read().unwrap().permitted;
        let dropped = keep_only(&["CAP_SYS_PTRACE", "CAP_NONSENSE"]).unwrap();
        let kept = Capabilities::read().unwrap();
        assert_eq!(kept.permitted, kept.effective);
        assert_eq!(kept.permitted.contains("CAP_SYS_PTRACE"), before.contains("CAP_SYS_PTRACE"));
        assert!(kept.permitted.names().count() <= 1 && !dropped.capabilities.contains("CAP_SYS_PTRACE"));
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        assert_eq!(status_line(&status, "CapPrm:"), format!("{:016x}", kept.permitted.0));
        assert_eq!(status_line(&status, "NoNewPrivs:"), "1");
    }

    fn assert_gone_after_dropping() {
        let before = Capabilities::read().unwrap();
        let dropped = drop_all().unwrap();
        assert_eq!(dropped.capabilities, before.permitted);
        if before.effective.contains("CAP_SETPCAP") {
            assert_eq!(dropped.bounding_left, CapabilitySet(0));
        }
        let after_exec = Command::new("cat").arg("/proc/self/status").output().unwrap();
        let statuses = [
            std::fs::read_to_string("/proc/thread-self/status").unwrap(),
            String::from_utf8(after_exec.stdout).unwrap(),
        ];
        for status in statuses {
            for key in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
                assert_eq!(status_line(&status, key), "0000000000000000", "{key}");
            }
            assert_eq!(status_line(&status, "NoNewPrivs:"), "1");
        }
        assert_eq!(drop_all().unwrap().capabilities, CapabilitySet(0), "dropping twice does no harm");
    }
}
