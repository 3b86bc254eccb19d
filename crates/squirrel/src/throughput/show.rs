//! What a person sees of a run, and the stream of documents.

use serde_json::json;
use squirrel_model::Untrusted;
use squirrel_throughput::Report;
use squirrel_throughput::report::{Direction, Interval, LaneInterval, Start, Total, interval_document};

use super::{system, version};
use crate::output;
use crate::units::{bytes, milliseconds, rate};

/// Prints while a run goes on.
pub(super) struct Shown {
    people: bool,
    stream: bool,
    start: Option<Start>,
    headed: bool,
    outcome: anyhow::Result<()>,
}

impl Shown {
    pub(super) fn new(json: bool, json_lines: bool) -> Self {
        Self { people: !json && !json_lines, stream: json_lines, start: None, headed: false, outcome: Ok(()) }
    }

    /// What could not be printed.
    pub(super) fn outcome(self) -> anyhow::Result<()> {
        self.outcome
    }

    pub(super) fn start(&mut self, start: &Start) {
        if self.people {
            self.lines(&[greeting(start)]);
        } else if self.stream {
            self.document(&json!({ "event": "start", "data": start.document(&version(), &system()) }));
        }
        self.start = Some(start.clone());
    }

    pub(super) fn interval(&mut self, interval: &Interval) {
        let Some(start) = self.start.take() else { return };
        if self.people {
            let mut lines = Vec::new();
            if !std::mem::replace(&mut self.headed, true) {
                lines.push(heading(start.parameters.udp));
            }
            lines.extend(rows(interval, start.parameters.udp));
            self.lines(&lines);
        } else if self.stream {
            self.document(&json!({ "event": "interval", "data": interval_document(&start, interval) }));
        }
        self.start = Some(start);
    }

    fn lines(&mut self, lines: &[String]) {
        if self.outcome.is_ok() {
            self.outcome = output::print_lines(lines).map_err(Into::into);
        }
    }

    fn document(&mut self, document: &serde_json::Value) {
        if self.outcome.is_ok() {
            self.outcome = output::print_json(document);
        }
    }
}

fn greeting(start: &Start) -> String {
    let parameters = &start.parameters;
    let host = start.connecting_to.as_ref().map_or("", |(host, _)| host.as_str());
    let protocol = if parameters.udp { "UDP" } else { "TCP" };
    let way = match (parameters.reverse, parameters.bidirectional) {
        (true, _) => "the server sends",
        (_, true) => "both send",
        _ => "this host sends",
    };
    let streams =
        if parameters.parallel == 1 { "one stream".to_owned() } else { format!("{} streams", parameters.parallel) };
    let kind = if parameters.udp { "datagrams" } else { "blocks" };
    format!("{} ({}), {protocol}: {way}, {streams}, {kind} of {} octets", Untrusted(host), start.peer, parameters.len)
}

fn heading(udp: bool) -> String {
    let rest = if udp { "DATAGRAMS      LOST    JITTER" } else { "    AGAIN    WINDOW       RTT" };
    format!("{:<15}{:<10}{:>6}  {:>9}  {:>13}  {rest}", "SECONDS", "WAY", "STREAM", "MOVED", "RATE")
}

/// Each stream, and all together if there are several.
fn rows(interval: &Interval, udp: bool) -> Vec<String> {
    let mut rows = Vec::new();
    for sends in [true, false] {
        let lanes: Vec<&LaneInterval> = interval.lanes.iter().filter(|lane| lane.sends == sends).collect();
        rows.extend(lanes.iter().map(|lane| row(interval, &[*lane], &lane.id.to_string(), udp)));
        if lanes.len() > 1 {
            rows.push(row(interval, &lanes, "all", udp));
        }
    }
    rows
}

fn row(interval: &Interval, lanes: &[&LaneInterval], name: &str, udp: bool) -> String {
    let (start, end) = (interval.start.as_secs_f64(), interval.end.as_secs_f64());
    let octets: u64 = lanes.iter().map(|lane| lane.counters.octets).sum();
    let sends = lanes.first().is_some_and(|lane| lane.sends);
    let rest = if udp { of_datagrams(lanes, sends) } else { of_connections(lanes) };
    let omitted = if interval.omitted { "  does not count" } else { "" };
    let row = format!(
        "{:<15}{:<10}{name:>6}  {:>9}  {:>13}  {rest}{omitted}",
        format!("{start:.2}-{end:.2}"),
        if sends { "sent" } else { "received" },
        bytes(octets),
        rate(octets as f64 / (end - start).max(1e-6)),
    );
    row.trim_end().to_owned()
}

fn of_datagrams(lanes: &[&LaneInterval], sends: bool) -> String {
    let sum = |of: &dyn Fn(&LaneInterval) -> u64| lanes.iter().map(|lane| of(lane)).sum::<u64>();
    let datagrams = sum(&|lane| lane.counters.datagrams);
    if sends {
        return format!("{datagrams:>9}");
    }
    let jitter = lanes.iter().map(|lane| lane.counters.jitter).sum::<f64>() / lanes.len().max(1) as f64;
    format!("{datagrams:>9} {:>9} {:>6.3} ms", sum(&|lane| lane.counters.lost), jitter * 1000.0)
}

fn of_connections(lanes: &[&LaneInterval]) -> String {
    let Some(again) = lanes.iter().filter_map(|lane| lane.retransmits).reduce(|one, two| one + two) else {
        return String::new();
    };
    match lanes {
        [lane] => lane.connection.map_or_else(String::new, |seen| {
            format!("{again:>9} {:>9} {:>6} ms", bytes(seen.congestion_window), milliseconds(seen.rtt_us))
        }),
        _ => format!("{again:>9}"),
    }
}

/// The figures of the whole run, and what they mean.
pub(super) fn summary(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for direction in [Direction::Sent, Direction::Received] {
        let Some(total) = report.total(direction) else { continue };
        lines.push(told(report, direction, &total));
        let verdict = report.verdicts.iter().find(|(of, _)| *of == direction);
        lines.extend(verdict.map(|(_, verdict)| format!("Limit: {}", verdict.sentence)));
    }
    let cpu = |percent: f64| format!("{percent:.0} %");
    let there = report.peer.as_ref().map_or_else(String::new, |peer| format!(", there {}", cpu(peer.cpu_util_total)));
    lines.push(format!("Processor: here {}{there} of one", cpu(report.own.cpu_util_total)));
    lines.extend(report.latency.as_ref().map(|latency| format!("Latency: {}", latency.sentence())));
    lines
}

fn told(report: &Report, direction: Direction, total: &Total) -> String {
    let part = |octets: Option<u64>, seconds: f64| match octets {
        Some(octets) => format!("{} in {seconds:.2} s, {}", bytes(octets), rate(octets as f64 / seconds.max(1e-6))),
        None => "not told".to_owned(),
    };
    let way = if direction == Direction::Sent { "Sent" } else { "Received" };
    let (own, other, verb) = match direction {
        Direction::Sent => {
            (part(total.sent, total.sent_seconds), part(total.received, total.received_seconds), "received there")
        }
        Direction::Received => {
            (part(total.received, total.received_seconds), part(total.sent, total.sent_seconds), "sent there")
        }
    };
    let rest = if report.start.parameters.udp {
        let percent = total.lost as f64 / total.datagrams.max(1) as f64 * 100.0;
        format!(
            "; {} of {} datagrams lost ({percent:.3} %), jitter {:.3} ms",
            total.lost,
            total.datagrams,
            total.jitter * 1000.0
        )
    } else {
        total.retransmits.map_or_else(String::new, |again| format!("; {again} segments sent again"))
    };
    format!("{way}: {own}; {verb}: {other}{rest}")
}
