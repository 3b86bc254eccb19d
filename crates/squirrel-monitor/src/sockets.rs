//! The TCP sockets of this process, as the kernel's own books have them.
//!
//! Which sockets are ours is told by the links in `/proc/self/fd`; how they fare by one `sock_diag`
//! dump for each address family (`sock_diag(7)`), or, where that is refused, by `/proc/net/tcp` and
//! `tcp6`, which know neither bytes nor round-trip times.

mod process;
mod sample;
#[cfg(test)]
mod tests;
mod tracker;
mod watch;

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use squirrel_sys::{Kernel, Netlink, SysError};
use squirrel_wire::sock_diag::{IPPROTO_TCP, InetRequest, InetSocket, SOCK_DIAG_BY_FAMILY, TcpState, extension};
use squirrel_wire::{AF_INET, AF_INET6};

use process::{Row, rows, socket_inodes};
use sample::Sample;
pub use tracker::TrackedConnection;
pub(crate) use watch::SocketWatch;

/// The TCP sockets of this process at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SocketStats {
    /// Who was asked.
    pub source: SocketSource,
    /// Sockets that wait for connections.
    pub listening: u64,
    /// Connections over which data may flow.
    pub established: u64,
    /// Connections that are being made.
    pub connecting: u64,
    /// Connections that are being closed and still have a file in this process; many of them in
    /// `close_wait` mean that the application forgets to close.
    pub closing: u64,
    /// Of `closing`: the other side has closed, this process has not.
    pub close_wait: u64,
    /// Bytes received and not yet read by the application, over all connections.
    pub receive_queue: u64,
    /// Bytes sent and not yet acknowledged, over all connections.
    pub send_queue: u64,
    /// Bytes of data received by the connections that are open now; `None` when the source does not know.
    pub bytes_received: Option<u64>,
    /// Bytes of data sent by the connections that are open now, each byte once; `None` when the source does not know.
    pub bytes_sent: Option<u64>,
    /// Segments sent again by the connections that are open now; `None` when the source does not know.
    pub retransmitted_segments: Option<u64>,
    /// Answers of the kernel that could not be read, and so are missing here.
    pub unreadable: u64,
    /// Each connection by itself, when `track_per_connection` is on. Above the limit it is a sample;
    /// the numbers above are always of all.
    pub connections: Vec<SocketConnection>,
    /// How many connections there were to choose `connections` from.
    pub connections_total: u64,
}

impl SocketStats {
    /// How wrong a share that is counted among `connections` may be as a share of all connections:
    /// half the width of its 95 % confidence interval at its worst (a share of one half). Zero when
    /// all are listed. With 1,000 of 100,000 listed it is 0.031: "30 % of the sampled connections go
    /// to that host" then means 27 to 33 % of all.
    pub fn sampling_error(&self) -> f64 {
        let (listed, total) = (self.connections.len() as f64, self.connections_total as f64);
        if listed >= total || total < 2.0 {
            return 0.0;
        }
        if listed < 1.0 {
            return 1.0;
        }
        // Drawn without putting back: the finite population correction.
        (1.96 * (0.25 / listed * (total - listed) / (total - 1.0)).sqrt()).min(1.0)
    }

    fn count(&mut self, row: &Row) {
        self.receive_queue += if row.state == TcpState::LISTEN { 0 } else { u64::from(row.receive_queue) };
        self.send_queue += if row.state == TcpState::LISTEN { 0 } else { u64::from(row.send_queue) };
        match row.state {
            TcpState::LISTEN => self.listening += 1,
            TcpState::ESTABLISHED => self.established += 1,
            TcpState::SYN_SENT | TcpState::SYN_RECV | TcpState::NEW_SYN_RECV => self.connecting += 1,
            // Bound or made, and not connected.
            TcpState::CLOSE => {}
            state => {
                self.closing += 1;
                self.close_wait += u64::from(state == TcpState::CLOSE_WAIT);
            }
        }
        let add = |sum: &mut Option<u64>, more: Option<u64>| {
            if let Some(more) = more {
                *sum = Some(sum.unwrap_or(0).saturating_add(more));
            }
        };
        add(&mut self.bytes_received, row.bytes_received);
        add(&mut self.bytes_sent, row.bytes_sent);
        add(&mut self.retransmitted_segments, row.retransmitted);
    }
}

/// Who told the socket statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SocketSource {
    /// The kernel by `sock_diag`.
    #[default]
    SockDiag,
    /// `/proc/net/tcp` and `/proc/net/tcp6`, since `sock_diag` was refused.
    ProcNet,
}

/// One connection of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketConnection {
    /// The inode of its socket, by which it is recognised from one collection to the next.
    pub inode: u64,
    /// Our address.
    pub local: SocketAddr,
    /// Their address.
    pub remote: SocketAddr,
    /// Its state in lower case, such as `established`.
    pub state: &'static str,
    /// Bytes received and not yet read.
    pub receive_queue: u32,
    /// Bytes sent and not yet acknowledged.
    pub send_queue: u32,
    /// Bytes of data received.
    pub bytes_received: Option<u64>,
    /// Bytes of data sent, each byte once.
    pub bytes_sent: Option<u64>,
    /// Segments sent again.
    pub retransmitted_segments: Option<u64>,
    /// Smoothed round-trip time.
    pub round_trip: Option<Duration>,
}

/// All states but those in which a socket has no file.
const STATES: u32 = InetRequest::ALL_STATES & !TcpState::TIME_WAIT.bit();

/// Asks the kernel for the sockets of this process; lists at most `limit` connections.
fn collect(kernel: &dyn Kernel, limit: usize) -> Result<SocketStats, SysError> {
    let ours = socket_inodes(kernel)?;
    match by_sock_diag(kernel, &ours, limit) {
        Ok(stats) => Ok(stats),
        // The reason of the first refusal says more than that of the second.
        Err(refused) => by_proc_net(kernel, &ours, limit).map_err(|_| refused),
    }
}

/// What is collected while sockets pass by.
struct Collection<'a> {
    ours: &'a HashSet<u64>,
    stats: SocketStats,
    sample: Sample,
    /// Tables change while they are read, and a socket may come twice.
    seen: HashSet<u64>,
}

impl<'a> Collection<'a> {
    fn new(ours: &'a HashSet<u64>, source: SocketSource, limit: usize) -> Self {
        let stats = SocketStats { source, ..SocketStats::default() };
        Self { ours, stats, sample: Sample::new(limit), seen: HashSet::new() }
    }

    fn take(&mut self, row: &Row) {
        if !self.ours.contains(&row.inode) || !self.seen.insert(row.inode) {
            return;
        }
        self.stats.count(row);
        if !matches!(row.state, TcpState::LISTEN | TcpState::CLOSE) {
            self.stats.connections_total += 1;
            self.sample.offer(row.inode, || row.connection());
        }
    }

    fn finish(mut self) -> SocketStats {
        self.stats.connections = self.sample.into_connections();
        self.stats
    }
}

fn by_sock_diag(kernel: &dyn Kernel, ours: &HashSet<u64>, limit: usize) -> Result<SocketStats, SysError> {
    let mut collection = Collection::new(ours, SocketSource::SockDiag, limit);
    for family in [AF_INET, AF_INET6] {
        let request = InetRequest { family, protocol: IPPROTO_TCP, extensions: extension::INFO, states: STATES };
        let outcome = kernel.dump(Netlink::SockDiag, SOCK_DIAG_BY_FAMILY, &request.payload(), &mut |kind, payload| {
            if kind == SOCK_DIAG_BY_FAMILY {
                match InetSocket::parse(payload) {
                    Ok(socket) => collection.take(&Row::from(socket)),
                    Err(_) => collection.stats.unreadable += 1,
                }
            }
        });
        match outcome {
            // A host without IPv6 has no such sockets.
            Err(error) if family == AF_INET6 && error.is_absent() => {}
            outcome => outcome?,
        }
    }
    Ok(collection.finish())
}

fn by_proc_net(kernel: &dyn Kernel, ours: &HashSet<u64>, limit: usize) -> Result<SocketStats, SysError> {
    let mut collection = Collection::new(ours, SocketSource::ProcNet, limit);
    let mut content = Vec::new();
    for (path, family) in [("/proc/net/tcp", AF_INET), ("/proc/net/tcp6", AF_INET6)] {
        match kernel.read(path, &mut content) {
            Err(error) if family == AF_INET6 && error.is_absent() => continue,
            outcome => outcome?,
        }
        for row in rows(&content) {
            match row {
                Some(row) => collection.take(&row),
                None => collection.stats.unreadable += 1,
            }
        }
    }
    Ok(collection.finish())
}

/// An address as people know it: an IPv4 peer of an IPv6 socket is shown as IPv4.
fn address(ip: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(ip.to_canonical(), port)
}
