//! The streams of a run with their threads, and the figures that are taken of them while they work.

mod lane;
mod told;

use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use squirrel_sys::bulk::{Connection, CpuTime};
use squirrel_sys::clock::Monotonic;

use crate::ThroughputError;
use crate::protocol::Parameters;
use crate::stream::{Budget, Counters, Meter, Stop, Work};
use lane::{Lane, Look, look, spawn};

pub use lane::RoundTrips;
pub(crate) use lane::Socket;

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
}

impl Drop for Run {
    fn drop(&mut self) {
        self.end();
    }
}
