//! The sockets of this process on any system that the crate `netstat2` knows: Windows by
//! `GetExtendedTcpTable` and `GetExtendedUdpTable`, macOS by `proc_pidfdinfo`, Linux by `sock_diag`.
//!
//! It tells addresses and states, and neither bytes, queues nor times.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use netstat2::{AddressFamilyFlags, ProtocolFlags, ProtocolSocketInfo, TcpState};

use super::{SocketConnection, SocketSource, SocketState, SocketTable, TableReport, Transport};
use crate::{MonitorError, Result};

/// The sockets of this process through the crate `netstat2`: on Windows and macOS the table that is
/// asked unless another was chosen, and on Linux by choice
/// ([`sockets_from`](crate::NetworkMonitorBuilder::sockets_from)).
///
/// Known are addresses and states. Bytes, queues and round-trip times are not, nor where a UDP socket is
/// connected to. The whole host's tables are read, with the owner of each socket.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct PortableSockets;

impl SocketTable for PortableSockets {
    fn read(&self, each: &mut dyn FnMut(SocketConnection)) -> Result<TableReport> {
        let own = std::process::id();
        let refused = |error: netstat2::error::Error| MonitorError::Sockets { reason: format!("netstat2: {error}") };
        let sockets = netstat2::iterate_sockets_info(AddressFamilyFlags::all(), ProtocolFlags::all());
        let portable = SocketSource::Portable;
        let mut report = TableReport { source: portable, udp_source: Some(portable), unreadable: 0 };
        for socket in sockets.map_err(refused)? {
            match socket {
                Ok(socket) if socket.associated_pids.contains(&own) => each(connection(&socket.protocol_socket_info)),
                Ok(_) => {}
                Err(_) => report.unreadable += 1,
            }
        }
        Ok(report)
    }
}

fn connection(socket: &ProtocolSocketInfo) -> SocketConnection {
    let (transport, state, local, remote) = match socket {
        ProtocolSocketInfo::Tcp(tcp) => {
            let (local, remote) = ((tcp.local_addr, tcp.local_port), (tcp.remote_addr, tcp.remote_port));
            (Transport::Tcp, state(tcp.state), SocketAddr::from(local), SocketAddr::from(remote))
        }
        ProtocolSocketInfo::Udp(udp) => {
            let local = SocketAddr::from((udp.local_addr, udp.local_port));
            (Transport::Udp, SocketState::Unconnected, local, nowhere(udp.local_addr))
        }
    };
    // Always the same hash for the same socket, within this process and from one collection to the next.
    let mut hasher = DefaultHasher::new();
    (transport, local, remote).hash(&mut hasher);
    SocketConnection::new(hasher.finish(), transport, state, super::plain(local), super::plain(remote))
}

/// The address of nobody, of the same family as `ip`.
fn nowhere(ip: IpAddr) -> SocketAddr {
    match ip {
        IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

fn state(state: TcpState) -> SocketState {
    match state {
        TcpState::Closed | TcpState::DeleteTcb => SocketState::Closed,
        TcpState::Listen => SocketState::Listen,
        TcpState::SynSent => SocketState::SynSent,
        TcpState::SynReceived => SocketState::SynReceived,
        TcpState::Established => SocketState::Established,
        TcpState::FinWait1 => SocketState::FinWait1,
        TcpState::FinWait2 => SocketState::FinWait2,
        TcpState::CloseWait => SocketState::CloseWait,
        TcpState::Closing => SocketState::Closing,
        TcpState::LastAck => SocketState::LastAck,
        TcpState::TimeWait => SocketState::TimeWait,
        TcpState::Unknown => SocketState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use super::*;

    fn check_rows(bind: &str) {
        let listener = TcpListener::bind(bind).unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let udp = UdpSocket::bind(bind).unwrap();
        let mut rows = Vec::new();
        let report = PortableSockets.read(&mut |row| rows.push(row)).unwrap();
        assert_eq!((report.source, report.udp_source), (SocketSource::Portable, Some(SocketSource::Portable)));
        let by_local = |transport, local| {
            rows.iter()
                .find(|row| row.transport == transport && Some(row.local) == local)
                .unwrap_or_else(|| panic!("{rows:?}"))
        };
        let connection = by_local(Transport::Tcp, near.local_addr().ok());
        assert_eq!((connection.state, Some(connection.remote)), (SocketState::Established, near.peer_addr().ok()));
        assert_eq!((connection.bytes_sent, connection.round_trip), (None, None));
        assert_eq!(by_local(Transport::Tcp, listener.local_addr().ok()).state, SocketState::Listen);
        let datagrams = by_local(Transport::Udp, udp.local_addr().ok());
        assert_eq!((datagrams.state, datagrams.remote.port()), (SocketState::Unconnected, 0));
        let mut again = Vec::new();
        PortableSockets.read(&mut |row| again.push(row.id)).unwrap();
        assert!(again.contains(&connection.id) && again.contains(&datagrams.id), "a socket keeps its id");
    }

    #[test]
    fn our_own_sockets_on_loopback_are_found() {
        check_rows("127.0.0.1:0");
    }

    #[test]
    fn our_own_ipv6_sockets_on_loopback_are_found() {
        if TcpListener::bind("[::1]:0").is_err() {
            return squirrel_testkit::skip("our_own_ipv6_sockets_on_loopback_are_found", "there is no IPv6 here");
        }
        check_rows("[::1]:0");
    }
}
