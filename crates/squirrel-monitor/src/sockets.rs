//! The sockets of this process: counted at one moment, and followed from one moment to the next.

mod book;
mod connection;
mod detail;
mod history;
mod packed;
#[cfg(feature = "portable-sockets")]
mod portable;
mod system;
mod table;
#[cfg(test)]
mod tests;
mod tracked;
mod watch;

use std::net::SocketAddr;
use std::time::Duration;

use book::Book;
pub use connection::{SocketConnection, SocketState, Transport};
pub use detail::TrackingDetail;
#[cfg(feature = "portable-sockets")]
pub use portable::PortableSockets;
pub use table::{SocketTable, TableReport};
pub use tracked::{ClosedConnection, ConnectionTracking, Precision, TrackedConnection};
pub(crate) use watch::{SocketWatch, TrackingLimits};

/// The sockets of this process at one moment.
///
/// A table of sockets is no photograph: it changes while it is read, and a socket that opens or closes
/// meanwhile may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SocketStats {
    /// Who was asked about TCP.
    pub source: SocketSource,
    /// TCP sockets that wait for connections.
    pub listening: u64,
    /// TCP connections over which data may flow.
    pub established: u64,
    /// TCP connections that are being made.
    pub connecting: u64,
    /// TCP connections that are being closed and still have a file in this process; many of them in
    /// `close_wait` mean that the application forgets to close.
    pub closing: u64,
    /// Of `closing`: the other side has closed, this process has not.
    pub close_wait: u64,
    /// Bytes received and not yet read by the application, over all TCP connections.
    pub receive_queue: u64,
    /// Bytes sent and not yet acknowledged, over all TCP connections.
    pub send_queue: u64,
    /// Bytes of data received by the TCP connections that are open now; `None` when the source does not know.
    pub bytes_received: Option<u64>,
    /// Bytes of data sent by the TCP connections that are open now, each byte once; `None` when the source does not know.
    pub bytes_sent: Option<u64>,
    /// Segments sent again by the connections that are open now; `None` when the source does not know.
    pub retransmitted_segments: Option<u64>,
    /// The UDP sockets; `None` when nobody could tell.
    pub udp: Option<UdpStats>,
    /// Rows that could not be read, and so are missing here.
    pub unreadable: u64,
    /// Each TCP connection and UDP socket by itself, when `track_per_connection` is on, in the order of
    /// ids. Above the limit it is a sample; the numbers above are always of all.
    pub connections: Vec<SocketConnection>,
    /// How many there were to choose `connections` from.
    pub connections_total: u64,
}

/// The UDP sockets of this process at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UdpStats {
    /// Who was asked.
    pub source: SocketSource,
    /// Sockets that have a port.
    pub sockets: u64,
    /// Of these: connected to one other address. A source that does not know where (`Portable`) counts none.
    pub connected: u64,
    /// Bytes received and not yet read by the application, with what the kernel adds for each datagram.
    pub receive_queue: u64,
    /// Bytes on their way out.
    pub send_queue: u64,
    /// Datagrams dropped by the sockets that are open now, mostly because their receive buffers were full;
    /// `None` when the source does not know.
    pub drops: Option<u64>,
}

impl SocketStats {
    /// How wrong a share that is counted among `connections` may be as a share of all connections:
    /// half the width of its 95 % confidence interval at its worst (a share of one half). Zero when
    /// all are listed. With 1,000 of 100,000 listed it is 0.031: "30 % of the sampled connections go
    /// to that host" then means 27 to 33 % of all.
    pub fn sampling_error(&self) -> f64 {
        tracked::sampling_error(self.connections.len() as u64, self.connections_total)
    }

    /// Whether `connections` are all, a sample, or not to be had because they are not tracked.
    pub fn precision(&self) -> Precision {
        Precision::of(self.connections.len() as u64, self.connections_total)
    }

    fn count(&mut self, row: &SocketConnection) {
        self.connections_total += u64::from(row.is_listed());
        if row.transport == Transport::Udp {
            let udp = self.udp.get_or_insert_default();
            udp.sockets += 1;
            udp.connected += u64::from(row.state == SocketState::Established);
            udp.receive_queue += u64::from(row.receive_queue);
            udp.send_queue += u64::from(row.send_queue);
            add(&mut udp.drops, row.drops);
            return;
        }
        // Of a listener the kernel tells other numbers there: how many wait, and how many may.
        if row.state != SocketState::Listen {
            self.receive_queue += u64::from(row.receive_queue);
            self.send_queue += u64::from(row.send_queue);
        }
        match row.state {
            SocketState::Listen => self.listening += 1,
            SocketState::Established => self.established += 1,
            SocketState::SynSent | SocketState::SynReceived => self.connecting += 1,
            // Bound or made, and not connected.
            SocketState::Closed => {}
            state => {
                self.closing += 1;
                self.close_wait += u64::from(state == SocketState::CloseWait);
            }
        }
        add(&mut self.bytes_received, row.bytes_received);
        add(&mut self.bytes_sent, row.bytes_sent);
        add(&mut self.retransmitted_segments, row.retransmitted_segments);
    }

    /// What the table said besides its rows.
    fn take(&mut self, report: TableReport) {
        self.source = report.source;
        self.unreadable = report.unreadable;
        match report.udp_source {
            Some(source) => self.udp.get_or_insert_default().source = source,
            None => self.udp = None,
        }
    }
}

fn add(sum: &mut Option<u64>, more: Option<u64>) {
    if let Some(more) = more {
        *sum = Some(sum.unwrap_or(0).saturating_add(more));
    }
}

/// Who told the socket statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SocketSource {
    /// The kernel by `sock_diag`.
    #[default]
    SockDiag,
    /// `/proc/net/tcp` and its likes, since `sock_diag` was refused.
    ProcNet,
    /// The crate `netstat2`, which knows Windows and macOS too.
    Portable,
    /// A table that the program brought.
    Own,
}

/// Asks a table once; lists at most `limit` connections.
fn collect(table: &dyn SocketTable, limit: usize) -> crate::Result<SocketStats> {
    let (mut stats, mut book) = (SocketStats::default(), Book::new());
    book.begin(Duration::ZERO, limit, Duration::ZERO);
    let report = table.read(&mut |row| {
        stats.count(&row);
        if row.is_listed() {
            book.offer(&row);
        }
    })?;
    stats.take(report);
    book.end(|_| {});
    stats.connections = book.rows().iter().map(packed::Packed::connection).collect();
    stats.connections.sort_unstable_by_key(|connection| connection.id);
    Ok(stats)
}

/// An address as people know it: an IPv4 peer of an IPv6 socket is shown as IPv4.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
