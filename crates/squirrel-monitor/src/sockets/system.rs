//! Which table of sockets this system has: the only file that asks which system it is.

#[cfg(target_os = "linux")]
mod linux;

use std::sync::Arc;

use super::SocketTable;
#[cfg(all(test, target_os = "linux"))]
pub(super) use linux::Linux as LinuxTable;

/// The table that is asked when nobody chose another.
#[cfg(target_os = "linux")]
pub(super) fn table() -> Arc<dyn SocketTable> {
    Arc::new(linux::Linux::open())
}

/// The table that is asked when nobody chose another.
#[cfg(all(not(target_os = "linux"), feature = "portable-sockets"))]
pub(super) fn table() -> Arc<dyn SocketTable> {
    Arc::new(super::PortableSockets::default())
}

/// No table: each reading says what to do.
#[cfg(all(not(target_os = "linux"), not(feature = "portable-sockets")))]
pub(super) fn table() -> Arc<dyn SocketTable> {
    struct Absent;
    impl SocketTable for Absent {
        fn read(&self, _: &mut dyn FnMut(super::SocketConnection)) -> crate::Result<super::TableReport> {
            let reason = "this system is read with squirrel-monitor's feature `portable-sockets`: switch it on, or \
                          bring a table by NetworkMonitorBuilder::sockets_from";
            Err(crate::MonitorError::Sockets { reason: reason.to_owned() })
        }
    }
    Arc::new(Absent)
}
