//! What can be asked of a kernel, real or recorded.

use std::io;

use squirrel_model::IoText;

/// A netlink protocol family that can be dumped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Netlink {
    /// `NETLINK_ROUTE`: interfaces, addresses, neighbours, routes, queueing disciplines.
    Route,
    /// `NETLINK_SOCK_DIAG`: sockets.
    SockDiag,
}

impl Netlink {
    /// The number of `socket(AF_NETLINK, SOCK_RAW, …)`, from `linux/netlink.h`.
    pub fn protocol(self) -> i32 {
        match self {
            Self::Route => 0,
            Self::SockDiag => 4,
        }
    }

    /// The name used in recorded folders and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::SockDiag => "sock_diag",
        }
    }
}

/// A system call that failed, with its name and what it was about.
#[derive(Debug, thiserror::Error)]
#[error("{call} {subject}: {}", IoText(.source))]
pub struct SysError {
    /// The call, such as `read` or `netlink dump`.
    pub call: &'static str,
    /// What it was about: a path, a table, an interface.
    pub subject: String,
    /// What the system answered.
    #[source]
    pub source: io::Error,
}

impl SysError {
    /// An error of `call` on `subject`.
    pub fn new(call: &'static str, subject: impl Into<String>, source: io::Error) -> Self {
        Self { call, subject: subject.into(), source }
    }

    /// Whether the thing asked for does not exist on this kernel.
    pub fn is_absent(&self) -> bool {
        matches!(
            self.source.raw_os_error(),
            Some(libc::ENOENT | libc::EOPNOTSUPP | libc::ENODEV | libc::EPROTONOSUPPORT | libc::EAFNOSUPPORT)
        ) || self.source.kind() == io::ErrorKind::NotFound
            || self.source.kind() == io::ErrorKind::Unsupported
    }

    /// Whether a privilege was missing.
    pub fn is_forbidden(&self) -> bool {
        self.source.kind() == io::ErrorKind::PermissionDenied
    }
}

/// A kernel to ask. Small on purpose: whatever answers these few calls can be monitored,
/// recorded, and replayed in a test.
pub trait Kernel: Send + Sync {
    /// Replaces `out` by the content of a file below `/proc` or `/sys`.
    ///
    /// # Errors
    /// The open or read that failed, with the path.
    fn read(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError>;

    /// Hands the name of each entry of `/proc`, or of a folder below `/proc` or `/sys`, to `each`, in any order, without
    /// `.` and `..`. A kernel that cannot list answers `Unsupported`.
    ///
    /// # Errors
    /// The open or read that failed, with the path.
    fn list(&self, path: &str, each: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        let _ = each;
        Err(SysError::new("list", path, io::ErrorKind::Unsupported.into()))
    }

    /// Replaces `out` by where a link in a process's `fd` folder leads, such as `socket:[4711]`, without
    /// following it. A kernel that cannot tell answers `Unsupported`.
    ///
    /// # Errors
    /// The `readlink` that failed, with the path.
    fn link(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        out.clear();
        Err(SysError::new("readlink", path, io::ErrorKind::Unsupported.into()))
    }

    /// Hands over the descriptor and the inode number of each socket that a process has open, and answers how many
    /// descriptors were looked at. A socket that is open twice comes twice.
    ///
    /// # Errors
    /// The process is gone, or belongs to somebody else and the privilege to look (`CAP_SYS_PTRACE`) is missing.
    fn sockets_of(&self, process: u32, each: &mut dyn FnMut(u32, u64)) -> Result<usize, SysError> {
        let folder = format!("/proc/{process}/fd");
        let (mut names, mut leads_to) = (Vec::new(), Vec::new());
        self.list(&folder, &mut |name| names.push(String::from_utf8_lossy(name).into_owned()))?;
        for name in &names {
            // What was closed since the folder was listed is no longer a socket of the process.
            let is_there = self.link(&format!("{folder}/{name}"), &mut leads_to).is_ok();
            let inode = is_there.then_some(leads_to.as_slice()).and_then(socket_inode);
            if let (Ok(descriptor), Some(inode)) = (name.parse(), inode) {
                each(descriptor, inode);
            }
        }
        Ok(names.len())
    }

    /// Sends one netlink dump request (`payload` is what follows the 16-byte `nlmsghdr`;
    /// `NLM_F_REQUEST | NLM_F_DUMP` are set) and hands each answer's type and payload (what follows its
    /// `nlmsghdr`) to `each`, until the kernel says done. A dump that the kernel marks as
    /// interrupted (`NLM_F_DUMP_INTR`) is handed over all the same: tables change while they are read.
    ///
    /// # Errors
    /// The send or receive that failed, or the error that the kernel answered.
    fn dump(
        &self,
        family: Netlink,
        message_type: u16,
        payload: &[u8],
        each: &mut dyn FnMut(u16, &[u8]),
    ) -> Result<(), SysError>;

    /// Makes one `SIOCETHTOOL` request: `command` is the `ethtool_*` structure, whose first four
    /// bytes are the command number in native byte order; the kernel's answer replaces its content.
    ///
    /// # Errors
    /// The `ioctl` that failed, with the interface.
    fn ethtool(&self, interface: &str, command: &mut [u8]) -> Result<(), SysError>;
}

/// The number in `socket:[4711]`, which is where the descriptor of a socket leads.
pub(crate) fn socket_inode(leads_to: &[u8]) -> Option<u64> {
    let digits = leads_to.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

impl<K: Kernel + ?Sized> Kernel for &K {
    fn read(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        (**self).read(path, out)
    }

    fn list(&self, path: &str, each: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        (**self).list(path, each)
    }

    fn link(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        (**self).link(path, out)
    }

    fn sockets_of(&self, process: u32, each: &mut dyn FnMut(u32, u64)) -> Result<usize, SysError> {
        (**self).sockets_of(process, each)
    }

    fn dump(
        &self,
        family: Netlink,
        message_type: u16,
        payload: &[u8],
        each: &mut dyn FnMut(u16, &[u8]),
    ) -> Result<(), SysError> {
        (**self).dump(family, message_type, payload, each)
    }

    fn ethtool(&self, interface: &str, command: &mut [u8]) -> Result<(), SysError> {
        (**self).ethtool(interface, command)
    }
}
