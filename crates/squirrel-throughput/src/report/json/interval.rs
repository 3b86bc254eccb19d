//! One interval, by stream and together.

use serde_json::{Value, json};

use super::figures::{losses, put, rate};
use crate::report::{Direction, LaneInterval, Start};
use crate::run::Interval;

/// One interval of a run that began so.
pub fn interval_document(start: &Start, interval: &Interval) -> Value {
    let udp = start.parameters.udp;
    let sockets: Vec<i32> = start.connected.iter().map(|(socket, ..)| *socket).collect();
    let streams = interval.lanes.iter().enumerate().map(|(place, lane)| {
        let mut stream = part(interval, &[lane], udp);
        put(&mut stream, "socket", sockets.get(place).copied().into());
        if let Some(seen) = lane.connection.filter(|_| lane.sends) {
            for (name, value) in [
                ("snd_cwnd", seen.congestion_window),
                ("snd_wnd", seen.send_window.into()),
                ("rtt", seen.rtt_us.into()),
                ("rttvar", seen.rttvar_us.into()),
                ("pmtu", seen.path_mtu.into()),
            ] {
                put(&mut stream, name, value.into());
            }
        }
        stream
    });
    let mut document = json!({ "streams": streams.collect::<Vec<_>>() });
    let of = |sends: bool| interval.lanes.iter().filter(|lane| lane.sends == sends).collect::<Vec<_>>();
    let (sent, received) = (of(true), of(false));
    if sent.is_empty() || received.is_empty() {
        let all = if sent.is_empty() { received } else { sent };
        put(&mut document, "sum", part(interval, &all, udp));
    } else {
        let client = start.way_from_server() == Direction::Received;
        let (forward, reverse) = if client { (sent, received) } else { (received, sent) };
        put(&mut document, "sum", part(interval, &forward, udp));
        put(&mut document, "sum_bidir_reverse", part(interval, &reverse, udp));
    }
    document
}

/// Streams of one direction in one interval, together.
fn part(interval: &Interval, lanes: &[&LaneInterval], udp: bool) -> Value {
    let (start, end) = (interval.start.as_secs_f64(), interval.end.as_secs_f64());
    let octets: u64 = lanes.iter().map(|lane| lane.counters.octets).sum();
    let sends = lanes.first().is_some_and(|lane| lane.sends);
    let mut part = rate(start, end, octets);
    put(&mut part, "omitted", interval.omitted.into());
    put(&mut part, "sender", sends.into());
    if udp {
        let datagrams: u64 = lanes.iter().map(|lane| lane.counters.datagrams).sum();
        put(&mut part, "packets", datagrams.into());
        if !sends {
            let jitter = lanes.iter().map(|lane| lane.counters.jitter).sum::<f64>() / lanes.len().max(1) as f64;
            losses(&mut part, jitter, lanes.iter().map(|lane| lane.counters.lost).sum(), datagrams);
        }
    } else if let Some(again) = lanes.iter().filter_map(|lane| lane.retransmits).reduce(|one, two| one + two) {
        put(&mut part, "retransmits", again.into());
    }
    part
}
