//! The services of this host.

use std::os::fd::OwnedFd;

use squirrel_sys::{FoundNamespaces, Kernel as _, Linux, Netlink, NetworkNamespace, SocketLedger, SysError};

use crate::serve::Services;
use crate::words::Door;

/// Answers from the kernel that runs this program.
pub struct Host {
    kernel: Linux,
    ledger: Result<Box<dyn SocketLedger>, String>,
    /// As found last: most questions come soon after the list.
    namespaces: Vec<NetworkNamespace>,
}

impl Host {
    /// With the ledger, or the reason why there is none.
    ///
    /// # Errors
    /// When a limit on descriptors was reached.
    pub fn open(ledger: Result<Box<dyn SocketLedger>, String>) -> Result<Self, SysError> {
        Ok(Self { kernel: Linux::open()?, ledger, namespaces: Vec::new() })
    }

    fn namespace(&mut self, inode: u64) -> Result<&mut NetworkNamespace, SysError> {
        if !self.namespaces.iter().any(|namespace| namespace.inode == inode) {
            self.namespaces = squirrel_sys::network_namespaces()?.namespaces;
        }
        let gone = || {
            let subject = format!("network namespace {inode}");
            SysError::new("find", subject, std::io::ErrorKind::NotFound.into())
        };
        self.namespaces.iter_mut().find(|namespace| namespace.inode == inode).ok_or_else(gone)
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("ledger", &self.ledger.is_ok()).finish_non_exhaustive()
    }
}

impl Services for Host {
    fn ledger(&mut self) -> Result<&mut dyn SocketLedger, &str> {
        match &mut self.ledger {
            Ok(ledger) => Ok(ledger.as_mut()),
            Err(reason) => Err(reason),
        }
    }

    fn sockets_of(&mut self, process: u32, each: &mut dyn FnMut(u64)) -> Result<usize, SysError> {
        self.kernel.sockets_of(process, each)
    }

    fn namespaces(&mut self) -> Result<FoundNamespaces, SysError> {
        let found = squirrel_sys::network_namespaces()?;
        self.namespaces.clone_from(&found.namespaces);
        Ok(found)
    }

    fn open(&mut self, namespace: u64, door: Door) -> Result<OwnedFd, SysError> {
        // Held for this one call: a namespace that the keeper held open would never end. The socket holds it now.
        let mut held = self.namespace(namespace)?.clone();
        held.hold()?;
        match door {
            Door::Route => held.open_socket(Netlink::Route),
            Door::SockDiag => held.open_socket(Netlink::SockDiag),
            Door::Ended => held.open_announcer(),
        }
    }
}
