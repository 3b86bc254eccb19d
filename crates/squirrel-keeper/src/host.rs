//! The services of this host.

use std::os::fd::OwnedFd;

use squirrel_sys::containers::{ContainerFiles, ContainerId, Runtime};
use squirrel_sys::{FoundNamespaces, Kernel as _, Linux, Netlink, NetworkNamespace, SocketLedger, SysError};

use crate::serve::Services;
use crate::words::Door;

/// Answers from the kernel that runs this program.
pub struct Host {
    kernel: Linux,
    ledger: Result<Box<dyn SocketLedger>, String>,
    namespaces: Namespaces,
    containers: ContainerFiles,
}

/// The network namespaces as they were found last: most questions come soon after a list.
#[derive(Debug, Default)]
pub(crate) struct Namespaces(Vec<NetworkNamespace>);

impl Namespaces {
    fn find(&mut self) -> Result<FoundNamespaces, SysError> {
        let found = squirrel_sys::network_namespaces()?;
        self.0.clone_from(&found.namespaces);
        Ok(found)
    }

    /// Holds one open, for as long as the caller wants it: one that is always held would never end.
    pub(crate) fn hold(&mut self, inode: u64) -> Result<NetworkNamespace, SysError> {
        if !self.0.iter().any(|namespace| namespace.inode == inode) {
            self.find()?;
        }
        let gone = || {
            let subject = format!("network namespace {inode}");
            SysError::new("find", subject, std::io::ErrorKind::NotFound.into())
        };
        let mut held = self.0.iter().find(|namespace| namespace.inode == inode).ok_or_else(gone)?.clone();
        held.hold()?;
        Ok(held)
    }
}

impl Host {
    /// With the ledger, or the reason why there is none.
    ///
    /// # Errors
    /// When a limit on descriptors was reached.
    pub fn open(ledger: Result<Box<dyn SocketLedger>, String>) -> Result<Self, SysError> {
        let (namespaces, containers) = (Namespaces::default(), ContainerFiles::default());
        Ok(Self { kernel: Linux::open()?, ledger, namespaces, containers })
    }

    /// The same, where container runtimes keep their files elsewhere.
    #[must_use]
    pub fn with_containers(self, containers: ContainerFiles) -> Self {
        Self { containers, ..self }
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

    fn sockets_of(&mut self, process: u32, each: &mut dyn FnMut(u32, u64)) -> Result<usize, SysError> {
        self.kernel.sockets_of(process, each)
    }

    fn namespaces(&mut self) -> Result<FoundNamespaces, SysError> {
        self.namespaces.find()
    }

    fn container(&mut self, runtime: Runtime, id: ContainerId) -> Result<Option<String>, SysError> {
        self.containers.name(runtime, id)
    }

    fn open(&mut self, namespace: u64, door: Door) -> Result<OwnedFd, SysError> {
        // Held for this one call: the socket holds it from then on.
        let held = self.namespaces.hold(namespace)?;
        match door {
            Door::Route => held.open_socket(Netlink::Route),
            Door::SockDiag => held.open_socket(Netlink::SockDiag),
            Door::Ended => held.open_announcer(),
        }
    }
}
