//! The report as iperf3 prints it with `--json`, so that what reads the one reads the other.
//!
//! Source: the output of iperf 3.12, which the tests compare the names with. What iperf3 does not have stands in the
//! object `squirrel`.

mod figures;
mod interval;

use serde_json::{Value, json};

use super::date::http_date;
use super::{Direction, LaneReport, Report, Start};
use crate::latency::Source;
use crate::run::Interval;
use figures::{put, sums_tcp, sums_udp};

pub use interval::interval_document;

impl Report {
    /// The whole document. `version` and `system` say which program made it, and where.
    pub fn document(&self, version: &str, system: &str) -> Value {
        let mut document = json!({
            "start": self.start.document(version, system),
            "intervals": self.intervals.iter().map(|interval| self.interval(interval)).collect::<Vec<_>>(),
            "end": self.end(),
            "squirrel": self.own_part(),
        });
        if let Some(error) = &self.error {
            put(&mut document, "error", format!("error - {error}").into());
        } else if self.interrupted {
            put(&mut document, "error", "interrupt - the client has terminated by signal".into());
        }
        document
    }

    /// One interval.
    pub fn interval(&self, interval: &Interval) -> Value {
        interval_document(&self.start, interval)
    }

    fn end(&self) -> Value {
        let udp = self.start.parameters.udp;
        let mut end = json!({
            "streams": self.lanes.iter().map(|lane| self.lane(lane)).collect::<Vec<_>>(),
            "cpu_utilization_percent": {
                "host_total": self.own.cpu_util_total,
                "host_user": self.own.cpu_util_user,
                "host_system": self.own.cpu_util_system,
                "remote_total": self.peer.as_ref().map_or(0.0, |peer| peer.cpu_util_total),
                "remote_user": self.peer.as_ref().map_or(0.0, |peer| peer.cpu_util_user),
                "remote_system": self.peer.as_ref().map_or(0.0, |peer| peer.cpu_util_system),
            },
        });
        let both = self.total(Direction::Sent).is_some() && self.total(Direction::Received).is_some();
        for direction in [Direction::Sent, Direction::Received] {
            let Some(total) = self.total(direction) else { continue };
            // Of a run in both directions, the way from the server has names of its own, at either end.
            let suffix = if both && direction == self.start.way_from_server() { "_bidir_reverse" } else { "" };
            let sender = direction == Direction::Sent;
            let [sent, received] = if udp { sums_udp(&total) } else { sums_tcp(&total, sender) };
            if udp {
                let mut sum = if sender { sent.clone() } else { received.clone() };
                for name in ["jitter_ms", "lost_packets", "lost_percent"] {
                    put(&mut sum, name, received[name].clone());
                }
                put(&mut sum, "sender", sender.into());
                put(&mut end, &format!("sum{suffix}"), sum);
            }
            put(&mut end, &format!("sum_sent{suffix}"), sent);
            put(&mut end, &format!("sum_received{suffix}"), received);
        }
        if !udp {
            let own = self.own.congestion_used.clone();
            let peer = self.peer.as_ref().and_then(|peer| peer.congestion_used.clone());
            let (sender, receiver) = if self.total(Direction::Sent).is_some() { (own, peer) } else { (peer, own) };
            for (name, congestion) in [("sender_tcp_congestion", sender), ("receiver_tcp_congestion", receiver)] {
                if let Some(congestion) = congestion {
                    put(&mut end, name, congestion.into());
                }
            }
        }
        end
    }

    fn lane(&self, lane: &LaneReport) -> Value {
        // One stream is a total of one.
        let alone = Self { lanes: vec![lane.clone()], ..self.clone() };
        let direction = if lane.sends { Direction::Sent } else { Direction::Received };
        let Some(total) = alone.total(direction) else { return Value::Null };
        if self.start.parameters.udp {
            let [sent, received] = sums_udp(&total);
            let mut udp = if lane.sends { sent } else { received.clone() };
            for name in ["jitter_ms", "lost_packets", "lost_percent"] {
                put(&mut udp, name, received[name].clone());
            }
            put(&mut udp, "socket", lane.socket.into());
            put(&mut udp, "out_of_order", total.out_of_order.into());
            put(&mut udp, "sender", lane.sends.into());
            return json!({ "udp": udp });
        }
        let [mut sent, mut received] = sums_tcp(&total, lane.sends);
        let seen = &lane.round_trips;
        // Iperf3's client has these also where it receives; its server does not.
        let has = lane.sends || self.start.connecting_to.is_some();
        for (name, value) in [
            ("max_snd_cwnd", seen.congestion_window),
            ("max_snd_wnd", seen.send_window.into()),
            ("max_rtt", seen.greatest_us.into()),
            ("min_rtt", seen.least_us.into()),
            ("mean_rtt", seen.mean_us()),
        ]
        .into_iter()
        .filter(|_| has)
        {
            put(&mut sent, name, value.into());
        }
        for end in [&mut sent, &mut received] {
            put(end, "socket", lane.socket.into());
        }
        json!({ "sender": sent, "receiver": received })
    }

    /// What iperf3 does not have.
    fn own_part(&self) -> Value {
        let verdicts = self.verdicts.iter().map(|(direction, verdict)| {
            let direction = if *direction == Direction::Sent { "sent" } else { "received" };
            json!({ "direction": direction, "limit": verdict.limit.name(), "sentence": verdict.sentence })
        });
        let drops = |results: Option<&crate::protocol::Results>| {
            results.and_then(|results| results.squirrel.as_ref()).map(|own| own.socket_drops)
        };
        let latency = self.latency.as_ref().map(|latency| {
            let us = |span: std::time::Duration| span.as_micros() as u64;
            json!({
                "source": match latency.source {
                    Source::Server => "server",
                    Source::Icmp => "icmp",
                    Source::Connections => "connections",
                },
                "idle_us": latency.idle.map(us),
                "loaded_us": us(latency.loaded),
                "loaded_p95_us": us(latency.loaded_p95),
                "rpm": latency.rpm,
                "answered": latency.answered,
                "missed": latency.missed,
                "responsiveness": latency.grade.name(),
                "sentence": latency.sentence(),
            })
        });
        json!({
            "verdicts": verdicts.collect::<Vec<_>>(),
            "latency": latency,
            "socket_drops": { "host": drops(Some(&self.own)), "remote": drops(self.peer.as_ref()) },
            "interrupted": self.interrupted,
        })
    }
}

impl Start {
    /// What the server sends, as this end sees it.
    pub(super) fn way_from_server(&self) -> Direction {
        if self.connecting_to.is_some() { Direction::Received } else { Direction::Sent }
    }

    /// The part that tells how the run began.
    pub fn document(&self, version: &str, system: &str) -> Value {
        let parameters = &self.parameters;
        let connected = self.connected.iter().map(|(socket, local, remote)| {
            json!({
                "socket": socket,
                "local_host": local.map(|address| address.ip().to_string()),
                "local_port": local.map(|address| address.port()),
                "remote_host": remote.map(|address| address.ip().to_string()),
                "remote_port": remote.map(|address| address.port()),
            })
        });
        let seconds = self.time.0.div_euclid(1000);
        let mut start = json!({
            "connected": connected.collect::<Vec<_>>(),
            "version": version,
            "system_info": system,
            "timestamp": { "time": http_date(seconds), "timesecs": seconds },
            "cookie": self.cookie,
            "target_bitrate": parameters.bandwidth,
            "sock_bufsize": parameters.window,
            "sndbuf_actual": self.buffers.0,
            "rcvbuf_actual": self.buffers.1,
            "test_start": {
                "protocol": if parameters.udp { "UDP" } else { "TCP" },
                "num_streams": parameters.parallel,
                "blksize": parameters.len,
                "omit": parameters.omit,
                "duration": parameters.time,
                "bytes": parameters.num,
                "blocks": parameters.blockcount,
                "reverse": u8::from(parameters.reverse),
                "bidir": u8::from(parameters.bidirectional),
                "tos": parameters.tos,
                "target_bitrate": parameters.bandwidth,
            },
        });
        let peer = json!({ "host": self.peer.ip().to_string(), "port": self.peer.port() });
        match &self.connecting_to {
            Some((host, port)) => put(&mut start, "connecting_to", json!({ "host": host, "port": port })),
            None => put(&mut start, "accepted_connection", peer),
        }
        match parameters.mss {
            _ if parameters.udp => {}
            // A server does not look, as iperf3's does not.
            0 => put(&mut start, "tcp_mss_default", self.mss.into()),
            asked => put(&mut start, "tcp_mss", asked.into()),
        }
        start
    }
}
