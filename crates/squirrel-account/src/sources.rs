//! What the accountant reads, opened beforehand by whoever has the privilege.

use std::sync::Arc;

use squirrel_sys::containers::{ContainerFiles, ContainerId, Runtime};
use squirrel_sys::{
    EndedMulticast, EndedSockets, Kernel, Linux, NetworkNamespace, SocketLedger, SysError, network_namespaces,
    user_table,
};

use crate::denied::{may_trace, of_namespaces};
use crate::identity::Users;

/// One network namespace that is watched.
pub struct NamespaceSource {
    /// The inode number of its file.
    pub inode: u64,
    /// Its name below `/run/netns`, if it has one.
    pub name: Option<String>,
    /// A process that lives in it, by which its container is found.
    pub process: Option<u32>,
    /// Answers dumps from there.
    pub kernel: Arc<dyn Kernel>,
    /// Announces the ends of its sockets. It must have been opened before the first dump.
    pub ended: Option<Box<dyn EndedSockets>>,
}

impl NamespaceSource {
    /// The namespace of the calling thread.
    ///
    /// # Errors
    /// When netlink is refused here.
    pub fn current() -> Result<Self, SysError> {
        let namespace = NetworkNamespace::current()?;
        let ended = EndedMulticast::open()?;
        let kernel: Arc<dyn Kernel> = Arc::new(Linux::open()?);
        let process = Some(std::process::id());
        Ok(Self { inode: namespace.inode, name: None, process, kernel, ended: Some(Box::new(ended)) })
    }

    /// Another namespace. It lives on as long as this is held.
    ///
    /// # Errors
    /// When it is gone or may not be entered.
    pub fn open(mut namespace: NetworkNamespace) -> Result<Self, SysError> {
        namespace.hold()?;
        let ended = EndedMulticast::open_in(&namespace)?;
        let kernel: Arc<dyn Kernel> = Arc::new(Linux::open_in(&namespace)?);
        Ok(Self {
            inode: namespace.inode,
            name: namespace.name,
            process: namespace.process,
            kernel,
            ended: Some(Box::new(ended)),
        })
    }
}

/// What a look for namespaces brought.
#[derive(Default)]
pub struct Discovery {
    /// Inode numbers of all that exist, those that are watched already among them. One that is not in it is let go.
    pub present: Vec<u64>,
    /// Those that were not watched and could be opened.
    pub new: Vec<NamespaceSource>,
    /// Why others could not be opened, or cannot even be found.
    pub missing: Vec<String>,
}

/// Looks for namespaces; it is given the inode numbers of those that are watched already.
pub type FindNamespaces = Box<dyn FnMut(&[u64]) -> Discovery + Send>;
/// Replaces a buffer by the table of users, in the form of `passwd(5)`.
pub type ReadUsers = Box<dyn FnMut(&mut Vec<u8>) -> Result<(), SysError> + Send>;
/// Finds the name that a container's runtime noted.
pub type NameContainer = Box<dyn FnMut(Runtime, ContainerId) -> Result<Option<String>, SysError> + Send>;

/// Everything that is read.
pub struct Sources {
    /// Tells of processes: `/proc`.
    pub host: Arc<dyn Kernel>,
    /// The namespaces that are watched from the start, the program's own first.
    pub namespaces: Vec<NamespaceSource>,
    /// Finds further ones, every few seconds.
    pub find: Option<FindNamespaces>,
    /// The book of sockets that the kernel keeps, where there is one.
    pub ledger: Option<Box<dyn SocketLedger>>,
    /// Names of users.
    pub users: Option<ReadUsers>,
    /// Names of containers.
    pub containers: Option<NameContainer>,
    /// Whether whoever reads `host` has `CAP_SYS_PTRACE`: this process, or one that it asks.
    pub may_trace: bool,
}

impl Sources {
    /// The running kernel: this namespace, and all others of the host when `everywhere`. A ledger is added by whoever
    /// has one.
    ///
    /// # Errors
    /// When netlink is refused here.
    pub fn open(everywhere: bool) -> Result<Self, SysError> {
        let own = NamespaceSource::current()?;
        let files = ContainerFiles::default();
        Ok(Self {
            host: Arc::clone(&own.kernel),
            namespaces: vec![own],
            find: everywhere.then(|| Box::new(discover) as FindNamespaces),
            ledger: None,
            users: Some(Box::new(user_table)),
            containers: Some(Box::new(move |runtime, id| files.name(runtime, id))),
            may_trace: may_trace(),
        })
    }

    pub(crate) fn take_users(&mut self) -> Users {
        Users::new(self.users.take())
    }
}

/// Finds and opens the namespaces of the running kernel.
fn discover(watched: &[u64]) -> Discovery {
    let found = match network_namespaces() {
        Ok(found) => found,
        Err(error) => {
            // Nothing is let go because of a look that failed.
            return Discovery { present: watched.to_vec(), new: Vec::new(), missing: vec![error.to_string()] };
        }
    };
    let mut discovery = Discovery::default();
    if found.denied > 0 {
        // Counted again, without the kernel's own threads.
        let denied = of_namespaces(&Linux::without_netlink());
        if !denied.is_empty() {
            discovery.missing.push(denied.sentence(may_trace(), "the network namespace", "the network namespaces"));
        }
    }
    for namespace in found.namespaces {
        discovery.present.push(namespace.inode);
        if watched.contains(&namespace.inode) {
            continue;
        }
        match NamespaceSource::open(namespace) {
            Ok(source) => discovery.new.push(source),
            Err(error) => discovery.missing.push(error.to_string()),
        }
    }
    discovery
}
