//! The sockets of this process, as the Linux kernel's own books have them.
//!
//! Which sockets are ours is told by the links in `/proc/self/fd`; how they fare by `sock_diag(7)`, one
//! dump for TCP and one for each address family of UDP, or, where that is refused, by `/proc/net/tcp`,
//! `udp` and their likes for IPv6, which know neither bytes nor round-trip times.

mod descriptors;
mod text;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use squirrel_sys::{Kernel, Netlink, SysError};
use squirrel_wire::sock_diag::{
    IPPROTO_UDP, InetRequest, InetSocket, SOCK_DIAG_BY_FAMILY, TCPDIAG_GETSOCK, TcpInfo, TcpRequest, TcpState,
    extension,
};
use squirrel_wire::{AF_INET, AF_INET6};

use crate::sockets::{SocketConnection, SocketSource, SocketState, SocketTable, TableReport, Transport, plain};
use crate::{MonitorError, Result};

/// The kernel as a table of sockets.
pub(crate) struct Linux(Arc<dyn Kernel>);

impl Linux {
    /// The kernel that runs this process.
    pub(crate) fn open() -> Self {
        // A sandbox may refuse netlink; the files of /proc are then what is left.
        Self(Arc::new(squirrel_sys::Linux::open().unwrap_or_else(|_| squirrel_sys::Linux::without_netlink())))
    }

    #[cfg(test)]
    pub(crate) fn asking(kernel: Arc<dyn Kernel>) -> Self {
        Self(kernel)
    }
}

impl SocketTable for Linux {
    fn read(&self, each: &mut dyn FnMut(SocketConnection)) -> Result<TableReport> {
        read(self.0.as_ref(), each).map_err(|error| MonitorError::Sockets { reason: error.to_string() })
    }
}

fn read(kernel: &dyn Kernel, each: &mut dyn FnMut(SocketConnection)) -> Result<TableReport, SysError> {
    let mut found = Found { ours: descriptors::socket_inodes(kernel)?, each, unreadable: 0 };
    let source = match tcp_by_sock_diag(kernel, &mut found) {
        Ok(()) => SocketSource::SockDiag,
        // The reason of the first refusal says more than that of the second.
        Err(refused) => by_files(kernel, &mut found, Transport::Tcp).map_err(|_| refused)?,
    };
    // UDP has a kernel module of its own, and what it costs is no reason to be silent about TCP.
    let udp_source = match udp_by_sock_diag(kernel, &mut found) {
        Ok(()) => Some(SocketSource::SockDiag),
        Err(_) => by_files(kernel, &mut found, Transport::Udp).ok(),
    };
    Ok(TableReport { source, udp_source, unreadable: found.unreadable })
}

/// What is handed over while the sockets of the host pass by.
struct Found<'a> {
    /// The inodes of our sockets that did not come yet. Tables change while they are read, and a socket
    /// may come twice: each is taken out when it comes.
    ours: HashSet<u64>,
    each: &'a mut dyn FnMut(SocketConnection),
    unreadable: u64,
}

impl Found<'_> {
    fn take(&mut self, inode: u64, socket: impl FnOnce() -> SocketConnection) {
        if self.ours.remove(&inode) {
            (self.each)(socket());
        }
    }

    fn parse(&mut self, payload: &[u8], transport: Transport) {
        match InetSocket::parse(payload) {
            Ok(socket) => self.take(u64::from(socket.inode), || connection(&socket, transport)),
            Err(_) => self.unreadable += 1,
        }
    }
}

/// Both address families by one request, so that the kernel walks its tables once.
fn tcp_by_sock_diag(kernel: &dyn Kernel, found: &mut Found<'_>) -> Result<(), SysError> {
    // In TIME_WAIT a socket has no file.
    let states = InetRequest::ALL_STATES & !TcpState::TIME_WAIT.bit();
    let request = TcpRequest { extensions: extension::INFO, states }.payload();
    kernel.dump(Netlink::SockDiag, TCPDIAG_GETSOCK, &request, &mut |kind, payload| {
        if kind == TCPDIAG_GETSOCK {
            found.parse(payload, Transport::Tcp);
        }
    })
}

fn udp_by_sock_diag(kernel: &dyn Kernel, found: &mut Found<'_>) -> Result<(), SysError> {
    for family in [AF_INET, AF_INET6] {
        let (protocol, extensions, states) = (IPPROTO_UDP, extension::MEMORY, InetRequest::ALL_STATES);
        let request = InetRequest { family, protocol, extensions, states }.payload();
        let outcome = kernel.dump(Netlink::SockDiag, SOCK_DIAG_BY_FAMILY, &request, &mut |kind, payload| {
            if kind == SOCK_DIAG_BY_FAMILY {
                found.parse(payload, Transport::Udp);
            }
        });
        match outcome {
            // A host without IPv6 has no such sockets.
            Err(error) if family == AF_INET6 && error.is_absent() => {}
            outcome => outcome?,
        }
    }
    Ok(())
}

fn by_files(kernel: &dyn Kernel, found: &mut Found<'_>, transport: Transport) -> Result<SocketSource, SysError> {
    let mut content = Vec::new();
    for suffix in ["", "6"] {
        match kernel.read(&format!("/proc/net/{transport}{suffix}"), &mut content) {
            Err(error) if suffix == "6" && error.is_absent() => continue,
            outcome => outcome?,
        }
        for row in text::rows(&content, transport) {
            match row {
                Some(row) => found.take(row.id, || row),
                None => found.unreadable += 1,
            }
        }
    }
    Ok(SocketSource::ProcNet)
}

/// The state by the kernel's number. A UDP socket has one of two.
fn state(state: TcpState, transport: Transport) -> SocketState {
    match state {
        TcpState::ESTABLISHED => SocketState::Established,
        _ if transport == Transport::Udp => SocketState::Unconnected,
        TcpState::SYN_SENT => SocketState::SynSent,
        TcpState::SYN_RECV | TcpState::NEW_SYN_RECV => SocketState::SynReceived,
        TcpState::FIN_WAIT1 => SocketState::FinWait1,
        TcpState::FIN_WAIT2 => SocketState::FinWait2,
        TcpState::TIME_WAIT => SocketState::TimeWait,
        TcpState::CLOSE => SocketState::Closed,
        TcpState::CLOSE_WAIT => SocketState::CloseWait,
        TcpState::LAST_ACK => SocketState::LastAck,
        TcpState::LISTEN => SocketState::Listen,
        TcpState::CLOSING => SocketState::Closing,
        _ => SocketState::Unknown,
    }
}

fn connection(socket: &InetSocket<'_>, transport: Transport) -> SocketConnection {
    let tcp = socket.tcp.as_ref();
    let local = plain((socket.local, socket.local_port).into());
    let remote = plain((socket.remote, socket.remote_port).into());
    let state = state(socket.state, transport);
    // The kernel counts the other side's FIN as one octet.
    let ended = matches!(state, SocketState::CloseWait | SocketState::LastAck | SocketState::Closing);
    SocketConnection {
        receive_queue: socket.receive_queue,
        send_queue: socket.send_queue,
        bytes_received: tcp.and_then(TcpInfo::bytes_received).map(|bytes| bytes.saturating_sub(u64::from(ended))),
        // Kernels before 4.19 do not count what was sent, only what of it was acknowledged.
        bytes_sent: tcp.and_then(|tcp| tcp.payload_sent().or_else(|| tcp.bytes_acked())),
        retransmitted_segments: tcp.and_then(TcpInfo::total_retrans).map(u64::from),
        drops: socket.memory.and_then(|memory| memory.drops()).map(u64::from),
        // Zero means that nothing was measured yet.
        round_trip: tcp.and_then(TcpInfo::rtt_us).filter(|us| *us > 0).map(|us| Duration::from_micros(us.into())),
        ..SocketConnection::new(u64::from(socket.inode), transport, state, local, remote)
    }
}
