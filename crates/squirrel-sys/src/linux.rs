//! The kernel that runs this program.

mod descriptors;
mod ended;
mod ethtool;
mod files;
mod home;
mod namespaces;
mod netlink;
pub(crate) mod raw;

pub use ended::EndedMulticast;
pub use home::SocketOpener;
pub use namespaces::{FoundNamespaces, NetworkNamespace, network_namespaces};

use crate::{Kernel, Netlink, SysError};
use files::Files;
use home::Home;
use netlink::Sockets;

/// The running kernel, seen from the network namespace of the thread that opened it.
///
/// Netlink sockets belong to the namespace of the thread that opens them, files below `/proc/net` to that of the
/// process's first thread: a program that monitors another namespace enters it before it starts threads, and
/// mounts its sysfs.
///
/// Sockets are opened once and kept, and so are the files that are read each second: a kept
/// descriptor saves about 3 µs a reading. What is kept goes on working after capabilities were
/// dropped, since Linux checks permission when a file is opened.
///
/// All methods take `&self` and may be called from several threads at once, and from inside a dump.
#[derive(Debug)]
pub struct Linux {
    files: Files,
    route: Sockets,
    sock_diag: Sockets,
    ethtool: ethtool::Door,
    home: Home,
}

impl Linux {
    /// Opens the netlink sockets. Call it before capabilities are dropped.
    ///
    /// # Errors
    /// When the kernel has no netlink or a limit on descriptors was reached.
    pub fn open() -> Result<Self, SysError> {
        Ok(Self {
            files: Files::default(),
            route: Sockets::open(Netlink::Route, Home::default())?,
            sock_diag: Sockets::open(Netlink::SockDiag, Home::default())?,
            ethtool: ethtool::Door::default(),
            home: Home::default(),
        })
    }

    /// The same kernel seen from another network namespace. Netlink dumps answer from there; ethtool and files
    /// below `/proc/net`, which show another namespace, are refused. As long as it is held, the namespace lives
    /// on, even when nobody else uses it.
    ///
    /// # Errors
    /// When the namespace may not be entered (`CAP_SYS_ADMIN` is needed) or a limit on descriptors was reached.
    pub fn open_in(namespace: &NetworkNamespace) -> Result<Self, SysError> {
        let home = namespace.home();
        Ok(Self {
            files: Files::default(),
            route: Sockets::open(Netlink::Route, home.clone())?,
            sock_diag: Sockets::open(Netlink::SockDiag, home.clone())?,
            ethtool: ethtool::Door::default(),
            home,
        })
    }

    /// As [`Linux::open_in`], through sockets that somebody else opens.
    ///
    /// # Errors
    /// When none is opened.
    pub fn open_by(opener: &std::sync::Arc<dyn SocketOpener>) -> Result<Self, SysError> {
        let home = Home::Asked(opener.clone());
        Ok(Self {
            files: Files::default(),
            route: Sockets::open(Netlink::Route, home.clone())?,
            sock_diag: Sockets::open(Netlink::SockDiag, home.clone())?,
            ethtool: ethtool::Door::default(),
            home,
        })
    }

    /// Closes a socket on behalf of its owner, who then reads `ECONNABORTED`. `request` names it:
    /// `squirrel_wire::sock_diag::InetSocket::request`.
    ///
    /// # Errors
    /// The socket is gone (`ENOENT`), its kind cannot be closed or the kernel was built without
    /// `CONFIG_INET_DIAG_DESTROY` (`EOPNOTSUPP`), or `CAP_NET_ADMIN` is missing.
    pub fn destroy_socket(&self, request: &[u8]) -> Result<(), SysError> {
        self.sock_diag.act(squirrel_wire::sock_diag::SOCK_DESTROY, request)
    }

    /// A door for where netlink is refused (a sandbox without that address family): files can be read,
    /// and a dump tries to open its socket each time.
    pub fn without_netlink() -> Self {
        Self {
            files: Files::default(),
            route: Sockets::closed(Netlink::Route),
            sock_diag: Sockets::closed(Netlink::SockDiag),
            ethtool: ethtool::Door::default(),
            home: Home::default(),
        }
    }
}

impl Kernel for Linux {
    fn read(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        if self.home.is_elsewhere() && path.starts_with("/proc/net") {
            out.clear();
            return Err(SysError::new("open", path, std::io::ErrorKind::Unsupported.into()));
        }
        self.files.read(path, out)
    }

    fn list(&self, path: &str, each: &mut dyn FnMut(&[u8])) -> Result<(), SysError> {
        files::list(path, each).map_err(|source| SysError::new("list", path, source))
    }

    fn link(&self, path: &str, out: &mut Vec<u8>) -> Result<(), SysError> {
        files::link(path, out).map_err(|source| SysError::new("readlink", path, source))
    }

    fn sockets_of(&self, process: u32, each: &mut dyn FnMut(u32, u64)) -> Result<usize, SysError> {
        descriptors::sockets_of(process, each)
            .map_err(|source| SysError::new("list", format!("/proc/{process}/fd"), source))
    }

    fn dump(
        &self,
        family: Netlink,
        message_type: u16,
        payload: &[u8],
        each: &mut dyn FnMut(u16, &[u8]),
    ) -> Result<(), SysError> {
        let sockets = match family {
            Netlink::Route => &self.route,
            Netlink::SockDiag => &self.sock_diag,
        };
        sockets.dump(message_type, payload, each)
    }

    fn ethtool(&self, interface: &str, command: &mut [u8]) -> Result<(), SysError> {
        if self.home.is_elsewhere() {
            return Err(SysError::new("ethtool", interface, std::io::ErrorKind::Unsupported.into()));
        }
        self.ethtool.request(interface, command)
    }
}

#[cfg(test)]
mod tests;
