//! Where sockets are read: the one interface behind which each system stands.

use super::{SocketConnection, SocketSource};
use crate::Result;

/// What a table of sockets says besides its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableReport {
    /// Who told of TCP.
    pub source: SocketSource,
    /// Who told of UDP; `None` when nobody could, and then no UDP socket was handed over.
    pub udp_source: Option<SocketSource>,
    /// Rows that could not be read, and so are missing.
    pub unreadable: u64,
}

/// The sockets of this process, from wherever a system keeps them.
///
/// On Linux the kernel is asked by `sock_diag`, and `/proc/net` where that is refused. On other systems
/// `PortableSockets` (feature `portable-sockets`) asks through a crate that knows them. A program that runs
/// where neither does can bring a table of its own: [`NetworkMonitorBuilder::sockets_from`].
///
/// [`NetworkMonitorBuilder::sockets_from`]: crate::NetworkMonitorBuilder::sockets_from
pub trait SocketTable: Send + Sync {
    /// Hands each socket of this process to `each`, once, in any order; listeners too. It may block, and
    /// is called on a thread for blocking work when there is a runtime.
    ///
    /// Addresses are taken without the zone and the flow label of IPv6, and a mapped IPv4 address
    /// (`::ffff:a.b.c.d`) as IPv4.
    ///
    /// # Errors
    /// When the table cannot be read. What was handed over before does not count then.
    fn read(&self, each: &mut dyn FnMut(SocketConnection)) -> Result<TableReport>;
}
