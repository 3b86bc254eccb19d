//! What a run gives.

mod date;
mod json;

use std::net::SocketAddr;
use std::time::Duration;

use squirrel_model::Timestamp;
use squirrel_sys::clock;

use crate::client::Plan;
use crate::latency::Latency;
use crate::protocol::{Cookie, Parameters, Results, StreamResults};
use crate::run::{Run, Socket};
use crate::verdict::{Evidence, Verdict, judge};

pub use crate::run::{Interval, LaneInterval, RoundTrips};
pub use crate::stream::Counters;
pub use json::interval_document;

/// How a run began.
#[derive(Clone, Debug)]
pub struct Start {
    /// Streams: their descriptor's number, and both addresses.
    pub connected: Vec<(i32, Option<SocketAddr>, Option<SocketAddr>)>,
    /// The server as it was typed, and its port; none at a server.
    pub connecting_to: Option<(String, u16)>,
    /// The other end of the control connection.
    pub peer: SocketAddr,
    /// The run's cookie.
    pub cookie: String,
    /// Largest segment of the control connection, octets; 0 if unknown.
    pub mss: u32,
    /// Octets of the first stream's buffers, to send and to receive.
    pub buffers: (usize, usize),
    /// When.
    pub time: Timestamp,
    /// What was asked for.
    pub parameters: Parameters,
}

impl Start {
    pub(crate) fn new(plan: &Plan, to: SocketAddr, cookie: &Cookie, mss: u32, streams: &[(Socket, bool)]) -> Self {
        let mut start = Self::accepted(&plan.parameters, to, cookie, streams);
        start.connecting_to = Some((plan.host.clone(), plan.port));
        start.mss = mss;
        start
    }

    pub(crate) fn accepted(
        parameters: &Parameters,
        peer: SocketAddr,
        cookie: &Cookie,
        streams: &[(Socket, bool)],
    ) -> Self {
        Self {
            connected: streams.iter().map(|(socket, _)| socket.told()).collect(),
            connecting_to: None,
            peer,
            cookie: cookie.text(),
            mss: 0,
            buffers: streams.first().map_or((0, 0), |(socket, _)| socket.buffers()),
            time: clock::wall(),
            parameters: parameters.clone(),
        }
    }
}

/// One stream at the end of a run.
#[derive(Clone, Debug)]
pub struct LaneReport {
    /// Which stream.
    pub id: u32,
    /// Its descriptor's number.
    pub socket: i32,
    /// Whether this end sends.
    pub sends: bool,
    /// What this end counted.
    pub counters: Counters,
    /// Segments sent again, by a sender of TCP.
    pub retransmits: Option<u64>,
    /// What was seen of a sender's connection.
    pub round_trips: RoundTrips,
    /// What the other end tells of it.
    pub peer: Option<StreamResults>,
}

/// What a run gave.
#[derive(Clone, Debug)]
pub struct Report {
    /// How it began.
    pub start: Start,
    /// Its intervals.
    pub intervals: Vec<Interval>,
    /// Its streams.
    pub lanes: Vec<LaneReport>,
    /// How long it counted.
    pub counted: Duration,
    /// What this end tells.
    pub own: Results,
    /// What the other end tells.
    pub peer: Option<Results>,
    /// Which part limited what this end sent, and what it received.
    pub verdicts: Vec<(Direction, Verdict)>,
    /// How the network answered under load.
    pub latency: Option<Latency>,
    /// Why it ended early.
    pub error: Option<String>,
    /// Whether the user ended it early.
    pub interrupted: bool,
}

/// Which way data went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From this end.
    Sent,
    /// To this end.
    Received,
}

/// All streams of one direction together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Total {
    /// Octets that the sender counted; none if it did not tell.
    pub sent: Option<u64>,
    /// Octets that the receiver counted; none if it did not tell.
    pub received: Option<u64>,
    /// Seconds that the sender counted.
    pub sent_seconds: f64,
    /// Seconds that the receiver counted.
    pub received_seconds: f64,
    /// Segments sent again.
    pub retransmits: Option<u64>,
    /// Datagrams that the sender counted, or the receiver if the sender does not tell.
    pub datagrams: u64,
    /// Datagrams that did not arrive.
    pub lost: u64,
    /// Datagrams that came late; only this end tells of it.
    pub out_of_order: u64,
    /// Seconds of jitter, the mean of all streams.
    pub jitter: f64,
}

impl Report {
    pub(crate) fn new(start: Start, intervals: Vec<Interval>, run: &Run, peer: Option<Results>) -> Self {
        let told = |id: u32| peer.as_ref()?.streams.iter().find(|stream| stream.id == id).cloned();
        let lanes = run.lanes.iter().map(|lane| LaneReport {
            id: lane.id,
            socket: lane.descriptor_number(),
            sends: lane.sends,
            counters: lane.counters(),
            retransmits: lane.retransmits(),
            round_trips: lane.round_trips,
            peer: told(lane.id),
        });
        let mut report = Self {
            start,
            intervals,
            lanes: lanes.collect(),
            counted: run.counted(),
            own: run.results(),
            peer,
            verdicts: Vec::new(),
            latency: None,
            error: None,
            interrupted: false,
        };
        for direction in [Direction::Sent, Direction::Received] {
            if let Some(total) = report.total(direction) {
                report.verdicts.push((direction, judge(&report.evidence(direction, &total))));
            }
        }
        report
    }

    /// All streams of a direction, if there are any.
    pub fn total(&self, direction: Direction) -> Option<Total> {
        let sends = direction == Direction::Sent;
        let lanes: Vec<&LaneReport> = self.lanes.iter().filter(|lane| lane.sends == sends).collect();
        if lanes.is_empty() {
            return None;
        }
        let own: u64 = lanes.iter().map(|lane| lane.counters.octets).sum();
        let peers: Vec<&StreamResults> = lanes.iter().filter_map(|lane| lane.peer.as_ref()).collect();
        let other =
            (peers.len() == lanes.len()).then(|| peers.iter().fold(0_u64, |sum, one| sum.saturating_add(one.bytes)));
        let own_seconds = self.counted.as_secs_f64();
        let their_seconds = peers.iter().map(|one| one.end_time).fold(0.0, f64::max);
        let their_seconds = if their_seconds > 0.0 && their_seconds.is_finite() { their_seconds } else { own_seconds };
        let whole = |number: i64| u64::try_from(number).unwrap_or(0);
        let packets = |one: &StreamResults| whole(one.packets.saturating_sub(one.omitted_packets));
        let lost = |one: &StreamResults| whole(one.errors.saturating_sub(one.omitted_errors));
        let mean = |sum: f64| sum / lanes.len() as f64;
        let total = if sends {
            let sum = |of: &dyn Fn(&StreamResults) -> u64| peers.iter().map(|one| of(one)).fold(0, u64::saturating_add);
            Total {
                sent: Some(own),
                received: other,
                sent_seconds: own_seconds,
                received_seconds: their_seconds,
                retransmits: lanes.iter().filter_map(|lane| lane.retransmits).reduce(|one, two| one + two),
                datagrams: lanes.iter().map(|lane| lane.counters.datagrams).sum(),
                lost: sum(&lost),
                out_of_order: 0,
                jitter: mean(peers.iter().map(|one| one.jitter).sum()),
            }
        } else {
            let own_packets: u64 = lanes.iter().map(|lane| lane.counters.datagrams).sum();
            Total {
                sent: other,
                received: Some(own),
                sent_seconds: their_seconds,
                received_seconds: own_seconds,
                retransmits: peers
                    .iter()
                    .filter_map(|one| u64::try_from(one.retransmits).ok())
                    .reduce(u64::saturating_add),
                datagrams: peers.iter().map(|one| packets(one)).fold(0, u64::saturating_add).max(own_packets),
                lost: lanes.iter().map(|lane| lane.counters.lost).sum(),
                out_of_order: lanes.iter().map(|lane| lane.counters.out_of_order).sum(),
                jitter: mean(lanes.iter().map(|lane| lane.counters.jitter).sum()),
            }
        };
        Some(total)
    }

    fn evidence(&self, direction: Direction, total: &Total) -> Evidence {
        let parameters = &self.start.parameters;
        let peer = self.peer.as_ref();
        let told = peer.and_then(|peer| peer.squirrel.clone());
        // Only of a run in one direction it is known which work a program's processor did.
        let percent =
            peer.filter(|_| told.is_none() && !parameters.bidirectional).map_or(0.0, |peer| peer.cpu_util_total);
        let own = self.own.squirrel.clone();
        let sent = direction == Direction::Sent;
        let octets = total.received.or(total.sent).unwrap_or(0) as f64;
        let segment = f64::from(self.start.mss.max(1448));
        Evidence {
            udp: parameters.udp,
            asked: parameters.bandwidth as f64 * f64::from(parameters.parallel),
            received: octets * 8.0 / total.received_seconds.max(1e-6),
            sender: if sent { own.clone() } else { told.clone() },
            receiver: if sent { told } else { own },
            receiver_percent: if sent { percent } else { 0.0 },
            sender_percent: if sent { 0.0 } else { percent },
            sent: if parameters.udp { total.datagrams } else { (octets / segment) as u64 },
            retransmits: total.retransmits.unwrap_or(0),
            lost: total.lost,
        }
    }
}
