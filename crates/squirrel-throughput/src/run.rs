//! The streams of a run with their threads, and the figures that are taken of them while they work.

use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::Duration;

use squirrel_sys::bulk::{self, Connection, CpuTime};
use squirrel_sys::clock::Monotonic;

use crate::ThroughputError;
use crate::protocol::{OwnResults, Parameters, Results, StreamResults};
use crate::stream::{self, Budget, Counters, Meter, Stop, Work};

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
        use std::os::fd::AsRawFd as _;
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
    socket: Arc<Socket>,
    meter: Arc<Meter>,
    thread: Option<JoinHandle<CpuTime>>,
    cpu: CpuTime,
    /// As it was when counting began.
    base: Look,
    /// As it was when the last interval ended.
    last: Look,
    pub(crate) round_trips: RoundTrips,
}

/// A look at a stream.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    counters: Counters,
    connection: Option<Connection>,
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
    fn note(&mut self, seen: &Connection) {
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

/// One stream in one interval.
#[derive(Clone, Copy, Debug)]
pub struct LaneInterval {
    /// Which stream.
    pub id: u32,
    /// Whether this end sends.
    pub sends: bool,
    /// What was done in the interval.
    pub counters: Counters,
    /// Segments sent again in the interval, by a sender of TCP.
    pub retransmits: Option<u64>,
    /// The connection at the end of the interval, of a sender of TCP.
    pub connection: Option<Connection>,
}

/// All streams in one interval.
#[derive(Clone, Debug)]
pub struct Interval {
    /// When it began, since the run or the counting did.
    pub start: Duration,
    /// When it ended.
    pub end: Duration,
    /// Whether it does not count.
    pub omitted: bool,
    /// The streams.
    pub lanes: Vec<LaneInterval>,
}

impl Interval {
    /// Takes in what came right after it.
    pub(crate) fn extend(&mut self, rest: &Self) {
        self.end = rest.end;
        for (lane, more) in self.lanes.iter_mut().zip(&rest.lanes) {
            let (one, two) = (lane.counters, more.counters);
            lane.counters = Counters {
                octets: one.octets + two.octets,
                datagrams: one.datagrams + two.datagrams,
                lost: one.lost + two.lost,
                out_of_order: one.out_of_order + two.out_of_order,
                jitter: two.jitter,
            };
            lane.retransmits = lane.retransmits.zip(more.retransmits).map(|(one, two)| one + two);
            lane.connection = more.connection;
        }
    }
}

/// The streams of a run.
pub(crate) struct Run {
    pub(crate) lanes: Vec<Lane>,
    pub(crate) parameters: Parameters,
    stop: Arc<Stop>,
    clock: Monotonic,
    began: Duration,
    counting_since: Duration,
    interval_since: Duration,
    ended: Option<Duration>,
}

/// The number of the stream that was connected as the n-th, from 0: iperf3 has no second.
fn stream_id(place: usize) -> u32 {
    u32::try_from(if place == 0 { 1 } else { place + 2 }).unwrap_or(u32::MAX)
}

/// What bounds the rate of each stream besides the parameters.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bounds {
    /// Bits a second of each stream, in both directions; none if 0.
    pub(crate) rate: u64,
    /// Send without a copy.
    pub(crate) zero_copy: bool,
}

impl Run {
    /// Starts a thread for each stream. `sockets` come in the order in which they were connected, and say which sends.
    pub(crate) fn start(
        sockets: Vec<(Socket, bool)>,
        parameters: &Parameters,
        bounds: Bounds,
        spends: bool,
    ) -> Result<Self, ThroughputError> {
        let clock = Monotonic::start();
        let stop = Arc::new(Stop::default());
        // Who ends the run bounds what it sends; the other side sends until it is told to stop.
        let budget =
            parameters.octets().filter(|_| spends && parameters.omit == 0).map(|all| Arc::new(Budget::new(all)));
        let lanes = sockets.into_iter().enumerate().map(|(place, (socket, sends))| {
            let meter = Arc::new(Meter::default());
            let rate = match (parameters.bandwidth, bounds.rate) {
                (asked, 0) => asked,
                (0, most) => most,
                (asked, most) => asked.min(most),
            };
            let work = Work {
                meter: meter.clone(),
                stop: stop.clone(),
                clock,
                block: parameters.len as usize,
                rate: if sends { rate } else { bounds.rate },
                budget: budget.clone().filter(|_| sends),
                wide: parameters.udp_counters_64bit != 0,
                zero_copy: bounds.zero_copy,
            };
            let socket = Arc::new(socket);
            let base = Look { counters: Counters::default(), connection: look(&socket, sends) };
            let thread = spawn(socket.clone(), sends, work)?;
            Ok(Lane {
                id: stream_id(place),
                sends,
                socket,
                meter,
                thread: Some(thread),
                cpu: CpuTime::default(),
                base,
                last: base,
                round_trips: RoundTrips::default(),
            })
        });
        let lanes = lanes.collect::<Result<Vec<_>, ThroughputError>>();
        if lanes.is_err() {
            stop.set();
        }
        let zero = Duration::ZERO;
        Ok(Self {
            lanes: lanes?,
            parameters: parameters.clone(),
            stop,
            clock,
            began: zero,
            counting_since: zero,
            interval_since: zero,
            ended: None,
        })
    }

    /// Time since the threads were started.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.elapsed().0
    }

    /// From here on everything counts; what was before does not.
    pub(crate) fn omit_until_now(&mut self) {
        let now = self.elapsed();
        for lane in &mut self.lanes {
            lane.base = Look { counters: lane.meter.read(), connection: look(&lane.socket, lane.sends) };
            lane.last = lane.base;
            lane.round_trips = RoundTrips::default();
        }
        (self.began, self.counting_since, self.interval_since) = (now, now, now);
    }

    /// Ends an interval.
    pub(crate) fn interval(&mut self, omitted: bool) -> Interval {
        let now = self.ended.unwrap_or_else(|| self.elapsed());
        let lanes = self.lanes.iter_mut().map(|lane| {
            let seen = Look { counters: lane.meter.read(), connection: look(&lane.socket, lane.sends) };
            let earlier = std::mem::replace(&mut lane.last, seen);
            if let Some(connection) = &seen.connection {
                lane.round_trips.note(connection);
            }
            let retransmits = seen
                .connection
                .map(|now| now.retransmits.saturating_sub(earlier.connection.map_or(0, |earlier| earlier.retransmits)));
            LaneInterval {
                id: lane.id,
                sends: lane.sends,
                counters: seen.counters.since(&earlier.counters),
                retransmits,
                connection: seen.connection,
            }
        });
        let lanes = lanes.collect();
        let start = self.interval_since.saturating_sub(self.counting_since);
        let end = now.saturating_sub(self.counting_since);
        self.interval_since = now;
        Interval { start, end, omitted, lanes }
    }

    /// Octets that were moved since counting began: sent, and received.
    pub(crate) fn moved(&self) -> (u64, u64) {
        let sum = |sends: bool| {
            let those = self.lanes.iter().filter(|lane| lane.sends == sends);
            those.map(|lane| lane.meter.read().since(&lane.base.counters).octets).sum()
        };
        (sum(true), sum(false))
    }

    /// The smoothed round-trip times of the connections on which this end sends, now.
    pub(crate) fn round_trips(&self) -> Vec<Duration> {
        let seen = self.lanes.iter().filter_map(|lane| look(&lane.socket, lane.sends));
        seen.map(|seen| Duration::from_micros(seen.rtt_us.into())).collect()
    }

    /// Whether every stream has ended by itself.
    pub(crate) fn all_broken(&self) -> bool {
        !self.lanes.is_empty() && self.lanes.iter().all(|lane| lane.meter.broken.load(Relaxed))
    }

    /// Ends the threads and waits for them; their time limits are short.
    pub(crate) fn end(&mut self) {
        if self.ended.is_some() {
            return;
        }
        self.ended = Some(self.elapsed());
        self.stop.set();
        for lane in &mut self.lanes {
            if let Some(thread) = lane.thread.take() {
                lane.cpu = thread.join().unwrap_or_default();
            }
        }
    }

    /// Ends the connections, after the last look at them. Iperf3 reads whole blocks, and would wait for the rest of one
    /// that was cut by the end before it hears anything else.
    pub(crate) fn close(&self) {
        for lane in &self.lanes {
            if let Socket::Tcp(stream) = &*lane.socket {
                // Who is gone already needs no goodbye.
                let _ = stream.shutdown(Shutdown::Write);
            }
        }
    }

    /// How long everything counted. After [`Run::end`].
    pub(crate) fn counted(&self) -> Duration {
        self.ended.unwrap_or_else(|| self.elapsed()).saturating_sub(self.began)
    }

    /// The figures for the other side. After [`Run::end`].
    pub(crate) fn results(&self) -> Results {
        let all = self.ended.unwrap_or_else(|| self.elapsed()).as_secs_f64().max(1e-6);
        let (mut user, mut system) = (Duration::ZERO, Duration::ZERO);
        for lane in &self.lanes {
            user += lane.cpu.user;
            system += lane.cpu.system;
        }
        let percent = |time: Duration| time.as_secs_f64() / all * 100.0;
        let sends = self.lanes.iter().any(|lane| lane.sends);
        Results {
            cpu_util_total: percent(user + system),
            cpu_util_user: percent(user),
            cpu_util_system: percent(system),
            sender_has_retransmits: if sends { i64::from(self.parameters.tcp) } else { -1 },
            congestion_used: self.congestion(),
            streams: self.lanes.iter().map(|lane| lane.results(self.counted())).collect(),
            squirrel: Some(self.own_results()),
        }
    }

    /// The congestion control of the streams.
    pub(crate) fn congestion(&self) -> Option<String> {
        self.lanes.iter().find_map(|lane| match &*lane.socket {
            Socket::Tcp(stream) => crate::sockets::congestion_control(stream),
            Socket::Udp(_) => None,
        })
    }

    /// What only Squirrel tells. After [`Run::end`].
    pub(crate) fn own_results(&self) -> OwnResults {
        let all = self.ended.unwrap_or_else(|| self.elapsed()).as_micros().max(1) as f64;
        let permille = |part: f64| (part * 1000.0).clamp(0.0, 1000.0) as u32;
        let busiest = |sends: bool| {
            let those = self.lanes.iter().filter(|lane| lane.sends == sends);
            permille(those.map(|lane| (lane.cpu.user + lane.cpu.system).as_micros() as f64 / all).fold(0.0, f64::max))
        };
        let mut own =
            OwnResults { busiest_sender: busiest(true), busiest_receiver: busiest(false), ..OwnResults::default() };
        let (mut busy, mut receiver, mut buffer, mut paced, mut senders) = (0, 0, 0, 0, 0);
        for lane in &self.lanes {
            if let (Some(now), Some(base)) = (lane.last.connection, lane.base.connection) {
                busy += now.busy_us.saturating_sub(base.busy_us);
                receiver += now.receiver_limited_us.saturating_sub(base.receiver_limited_us);
                buffer += now.buffer_limited_us.saturating_sub(base.buffer_limited_us);
            }
            if lane.sends {
                paced += lane.meter.paced_us.load(Relaxed);
                senders += 1;
            } else {
                own.socket_drops += lane.socket_drops();
            }
        }
        let of = |part: u64, whole: f64| permille(part as f64 / whole.max(1.0));
        own.receiver_limited = of(receiver, busy as f64);
        own.buffer_limited = of(buffer, busy as f64);
        own.paced = of(paced, all * f64::from(senders));
        own
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.end();
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
    fn socket_drops(&self) -> u64 {
        let Socket::Udp(socket) = &*self.socket else { return 0 };
        let dropped = u64::from(bulk::dropped(socket.as_fd()).unwrap_or(0));
        let [datagrams, messages] = self.meter.handed.each_ref().map(|counter| counter.load(Relaxed));
        let lost = self.meter.read().lost;
        dropped.saturating_mul(datagrams.max(1)).div_ceil(messages.max(1)).min(lost.max(dropped))
    }

    fn results(&self, counted: Duration) -> StreamResults {
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

fn look(socket: &Socket, sends: bool) -> Option<Connection> {
    match socket {
        Socket::Tcp(stream) if sends => bulk::connection(stream.as_fd()).ok(),
        _ => None,
    }
}

fn spawn(socket: Arc<Socket>, sends: bool, work: Work) -> Result<JoinHandle<CpuTime>, ThroughputError> {
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
