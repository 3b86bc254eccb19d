//! One stream: its socket, its thread, and what is known of it.

use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::Duration;

use squirrel_sys::bulk::{self, Connection, CpuTime};

use crate::ThroughputError;
use crate::protocol::StreamResults;
use crate::stream::{self, Counters, Meter, Work};

/// What carries a stream.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl Socket {
    fn descriptor(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Udp(socket) => socket.as_fd(),
        }
    }

    /// Its descriptor's number, and its addresses.
    pub(crate) fn told(&self) -> (i32, Option<SocketAddr>, Option<SocketAddr>) {
        let (local, peer) = self.addresses();
        (self.descriptor().as_raw_fd(), local, peer)
    }

    /// Octets of its buffers, to send and to receive.
    pub(crate) fn buffers(&self) -> (usize, usize) {
        let socket = match self {
            Self::Tcp(stream) => socket2::SockRef::from(stream),
            Self::Udp(socket) => socket2::SockRef::from(socket),
        };
        (socket.send_buffer_size().unwrap_or(0), socket.recv_buffer_size().unwrap_or(0))
    }

    fn addresses(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        let (local, peer) = match self {
            Self::Tcp(stream) => (stream.local_addr(), stream.peer_addr()),
            Self::Udp(socket) => (socket.local_addr(), socket.peer_addr()),
        };
        let plain = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        (local.ok().map(plain), peer.ok().map(plain))
    }
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) id: u32,
    pub(crate) sends: bool,
    pub(super) socket: Arc<Socket>,
    pub(super) meter: Arc<Meter>,
    pub(super) thread: Option<JoinHandle<CpuTime>>,
    pub(super) cpu: CpuTime,
    /// As it was when counting began.
    pub(super) base: Look,
    /// As it was when the last interval ended.
    pub(super) last: Look,
    pub(crate) round_trips: RoundTrips,
}

/// A look at a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    pub(super) counters: Counters,
    pub(super) connection: Option<Connection>,
}

/// What was seen of a sender's connection over the run.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundTrips {
    /// Least and greatest smoothed round-trip time, microseconds.
    pub least_us: u32,
    /// Greatest.
    pub greatest_us: u32,
    sum_us: u64,
    count: u64,
    /// Greatest congestion window, octets.
    pub congestion_window: u64,
    /// Greatest window of the receiver, octets.
    pub send_window: u32,
}

impl RoundTrips {
    pub(super) fn note(&mut self, seen: &Connection) {
        self.least_us = if self.count == 0 { seen.rtt_us } else { self.least_us.min(seen.rtt_us) };
        self.greatest_us = self.greatest_us.max(seen.rtt_us);
        self.sum_us += u64::from(seen.rtt_us);
        self.count += 1;
        self.congestion_window = self.congestion_window.max(seen.congestion_window);
        self.send_window = self.send_window.max(seen.send_window);
    }

    /// Mean of the smoothed round-trip times, microseconds.
    pub fn mean_us(&self) -> u64 {
        self.sum_us.checked_div(self.count).unwrap_or(0)
    }
}

impl Lane {
    /// What was done since counting began.
    pub(crate) fn counters(&self) -> Counters {
        self.meter.read().since(&self.base.counters)
    }

    /// Segments sent again since counting began.
    pub(crate) fn retransmits(&self) -> Option<u64> {
        let (now, base) = (self.last.connection?, self.base.connection?);
        Some(now.retransmits.saturating_sub(base.retransmits))
    }

    pub(crate) fn descriptor_number(&self) -> i32 {
        self.socket.told().0
    }

    /// Datagrams that reached this host and were dropped in the socket. The kernel counts messages, in each of which
    /// there were as many datagrams as in those that were not dropped.
    pub(super) fn socket_drops(&self) -> u64 {
        let Socket::Udp(socket) = &*self.socket else { return 0 };
        let dropped = u64::from(bulk::dropped(socket.as_fd()).unwrap_or(0));
        let [datagrams, messages] = self.meter.handed.each_ref().map(|counter| counter.load(Relaxed));
        let lost = self.meter.read().lost;
        dropped.saturating_mul(datagrams.max(1)).div_ceil(messages.max(1)).min(lost.max(dropped))
    }

    pub(super) fn results(&self, counted: Duration) -> StreamResults {
        let (all, counters) = (self.meter.read(), self.counters());
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        StreamResults {
            id: self.id,
            bytes: counters.octets,
            retransmits: self.retransmits().filter(|_| self.sends).map_or(-1, whole),
            jitter: counters.jitter,
            errors: whole(all.lost),
            omitted_errors: whole(self.base.counters.lost),
            packets: whole(all.datagrams),
            omitted_packets: whole(self.base.counters.datagrams),
            start_time: 0.0,
            end_time: counted.as_secs_f64(),
        }
    }
}

/// What the kernel knows of a sender's connection.
pub(super) fn look(socket: &Socket, sends: bool) -> Option<Connection> {
    match socket {
        Socket::Tcp(stream) if sends => bulk::connection(stream.as_fd()).ok(),
        _ => None,
    }
}

pub(super) fn spawn(socket: Arc<Socket>, sends: bool, work: Work) -> Result<JoinHandle<CpuTime>, ThroughputError> {
    let prepared = crate::sockets::look_around(&match &*socket {
        Socket::Tcp(stream) => socket2::SockRef::from(stream),
        Socket::Udp(socket) => socket2::SockRef::from(socket),
    });
    let thread = std::thread::Builder::new().name("throughput".into());
    let thread = prepared.and_then(|()| {
        thread.spawn(move || match (&*socket, sends) {
            (Socket::Tcp(stream), true) => stream::send_tcp(stream, &work),
            (Socket::Tcp(stream), false) => stream::receive_tcp(stream, &work),
            (Socket::Udp(socket), true) => stream::send_udp(socket, &work),
            (Socket::Udp(socket), false) => stream::receive_udp(socket, &work),
        })
    });
    thread.map_err(|source| ThroughputError::Socket { what: "a stream cannot be started".into(), source })
}
