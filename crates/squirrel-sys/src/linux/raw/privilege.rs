//! Calls about users and capabilities.

use std::io;

use super::checked;

/// The three sets of the calling thread, one bit for each capability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CapabilitySets {
    pub(crate) effective: u64,
    pub(crate) permitted: u64,
    pub(crate) inheritable: u64,
}

/// `_LINUX_CAPABILITY_VERSION_3`: two words of each set.
const VERSION: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: libc::c_int,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Words {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

fn syscall_checked(answer: libc::c_long) -> io::Result<()> {
    checked(answer as libc::c_int).map(|_| ())
}

/// `capget(2)` of the calling thread.
pub(crate) fn capabilities() -> io::Result<CapabilitySets> {
    let mut header = Header { version: VERSION, pid: 0 };
    let mut words = [Words::default(); 2];
    // SAFETY: version 3 reads the header and writes two `Words`, which is what the pointers lead to.
    syscall_checked(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, words.as_mut_ptr()) })?;
    let [low, high] = words;
    let join = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    Ok(CapabilitySets {
        effective: join(low.effective, high.effective),
        permitted: join(low.permitted, high.permitted),
        inheritable: join(low.inheritable, high.inheritable),
    })
}

/// `capset(2)` of the calling thread.
pub(crate) fn set_capabilities(sets: CapabilitySets) -> io::Result<()> {
    let mut header = Header { version: VERSION, pid: 0 };
    let words = [0, 32].map(|shift| Words {
        effective: (sets.effective >> shift) as u32,
        permitted: (sets.permitted >> shift) as u32,
        inheritable: (sets.inheritable >> shift) as u32,
    });
    // SAFETY: version 3 reads the header and two `Words`, which is what the pointers lead to.
    syscall_checked(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, words.as_ptr()) })
}

/// Those requests of `prctl(2)` that take numbers only.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Prctl {
    /// Whether a capability is in the bounding set: 1 or 0.
    BoundingRead(u32),
    /// Takes a capability out of the bounding set.
    BoundingDrop(u32),
    /// Empties the ambient set.
    AmbientClear,
    /// No program that is started from here gains a privilege.
    NoNewPrivileges,
    /// No core of this process is written.
    NotDumpable,
}

/// One request of `prctl(2)`.
pub(crate) fn prctl(request: Prctl) -> io::Result<i32> {
    let (option, first, second) = match request {
        Prctl::BoundingRead(number) => (libc::PR_CAPBSET_READ, number, 0),
        Prctl::BoundingDrop(number) => (libc::PR_CAPBSET_DROP, number, 0),
        Prctl::AmbientClear => (libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as u32, 0),
        Prctl::NoNewPrivileges => (libc::PR_SET_NO_NEW_PRIVS, 1, 0),
        Prctl::NotDumpable => (libc::PR_SET_DUMPABLE, 0, 0),
    };
    let zero: libc::c_ulong = 0;
    // SAFETY: these requests take numbers and touch no memory of ours.
    checked(unsafe { libc::prctl(option, libc::c_ulong::from(first), second as libc::c_ulong, zero, zero) })
}

/// The effective user number.
pub(crate) fn effective_uid() -> u32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}
