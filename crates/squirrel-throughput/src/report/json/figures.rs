//! Figures as iperf3 has them in many places of its document.

use serde_json::{Map, Value, json};

use crate::report::Total;

/// Octets of a span, with their rate.
pub(super) fn rate(start: f64, end: f64, octets: u64) -> Value {
    let seconds = end - start;
    let rate = if seconds > 0.0 { octets as f64 * 8.0 / seconds } else { 0.0 };
    json!({ "start": start, "end": end, "seconds": seconds, "bytes": octets, "bits_per_second": rate })
}

/// What became of datagrams.
pub(super) fn losses(part: &mut Value, jitter: f64, lost: u64, datagrams: u64) {
    put(part, "jitter_ms", (jitter * 1000.0).into());
    put(part, "lost_packets", lost.into());
    put(part, "packets", datagrams.into());
    let percent = if datagrams > 0 { lost as f64 / datagrams as f64 * 100.0 } else { 0.0 };
    put(part, "lost_percent", percent.into());
}

/// What was sent and what was received, by TCP.
pub(super) fn sums_tcp(total: &Total, sender: bool) -> [Value; 2] {
    let mut sent = rate(0.0, total.sent_seconds, total.sent.unwrap_or(0));
    if let Some(again) = total.retransmits {
        put(&mut sent, "retransmits", again.into());
    }
    let mut received = rate(0.0, total.received_seconds, total.received.unwrap_or(0));
    for end in [&mut sent, &mut received] {
        put(end, "sender", sender.into());
    }
    [sent, received]
}

/// The same by UDP.
pub(super) fn sums_udp(total: &Total) -> [Value; 2] {
    let mut sent = rate(0.0, total.sent_seconds, total.sent.unwrap_or(0));
    losses(&mut sent, 0.0, 0, total.datagrams);
    put(&mut sent, "sender", true.into());
    let mut received = rate(0.0, total.received_seconds, total.received.unwrap_or(0));
    losses(&mut received, total.jitter, total.lost, total.datagrams);
    put(&mut received, "sender", false.into());
    [sent, received]
}

/// Adds a field.
pub(super) fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(map) = object {
        Map::insert(map, name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_divided_by_nothing() {
        assert_eq!(rate(0.0, 0.0, 5)["bits_per_second"], 0.0);
        let [sent, received] = sums_udp(&Total::default());
        assert_eq!((&sent["lost_percent"], &received["lost_percent"]), (&json!(0.0), &json!(0.0)));
    }
}
