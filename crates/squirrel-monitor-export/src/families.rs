//! What is exported, by OpenTelemetry's names.

use std::time::SystemTime;

use squirrel_exchange::{Family, Kind, Point, Value};
use squirrel_model::Timestamp;
use squirrel_monitor::{HistogramSnapshot, MessageTypeMetrics, MonitorSnapshot};

use crate::histogram::{classic, exponential};
use crate::options::{Options, Protocol};

const DIRECTION: &str = "network.io.direction";
const TYPE: &str = "message.type";

/// A family that is exported, declared once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Declared {
    /// Its name by OpenTelemetry's conventions.
    pub name: &'static str,
    /// How its values behave.
    pub kind: Kind,
    /// Unit by UCUM.
    pub unit: &'static str,
    /// What it counts.
    pub help: &'static str,
}

const fn declared(name: &'static str, kind: Kind, unit: &'static str, help: &'static str) -> Declared {
    Declared { name, kind, unit, help }
}

/// All families that there can be.
pub static DECLARED: &[Declared] = &[
    declared("process.network.io", Kind::Counter, "By", "Bytes that the application moved over the network."),
    declared(
        "squirrel.connections.active",
        Kind::Gauge,
        "{connection}",
        "Connections of the application that are open now.",
    ),
    declared("squirrel.connection.attempts", Kind::Counter, "{attempt}", "Attempts of the application to connect."),
    declared("squirrel.connection.duration", Kind::Histogram, "s", "How long successful connections took to be made."),
    declared("squirrel.messages", Kind::Counter, "{message}", "Messages of the application's protocol."),
    declared("squirrel.message.io", Kind::Counter, "By", "Bytes of the messages of the application's protocol."),
    declared(
        "squirrel.message.duration",
        Kind::Histogram,
        "s",
        "How long messages took, usually from request to answer.",
    ),
    declared(
        "mcp.server.operation.duration",
        Kind::Histogram,
        "s",
        "How long requests took as this MCP server saw them.",
    ),
    declared(
        "mcp.client.operation.duration",
        Kind::Histogram,
        "s",
        "How long requests took as this MCP client saw them.",
    ),
    declared("squirrel.protocol.errors", Kind::Counter, "{error}", "Errors of the application's protocol."),
    declared("squirrel.protocol", Kind::Info, "", "The version of the application's protocol."),
    declared(
        "squirrel.monitor.lost",
        Kind::Counter,
        "{item}",
        "What the monitor could not tell: alerts that no sink took, samples that nobody took.",
    ),
];

/// The families of a snapshot, in OpenTelemetry's naming:
///
/// | name | kind, unit | attributes |
/// |---|---|---|
/// | `process.network.io` | counter, `By` | `network.io.direction`: `receive`, `transmit` |
/// | `squirrel.connections.active` | gauge | |
/// | `squirrel.connection.attempts` | counter | `outcome`: `success`, `failure` |
/// | `squirrel.connection.duration` | histogram, `s` | |
/// | `squirrel.messages` | counter | `message.type`, `network.io.direction` |
/// | `squirrel.message.io` | counter, `By` | `message.type`, `network.io.direction` |
/// | `squirrel.message.duration` | histogram, `s` | `message.type` |
/// | `mcp.server.operation.duration` or `mcp.client.…` | histogram, `s` | `mcp.method.name`, `gen_ai.tool.name` |
/// | `squirrel.protocol.errors` | counter | `error.type` |
/// | `squirrel.protocol` | info | `version` |
/// | `squirrel.monitor.lost` | counter | `what`: `alerts`, `exports` |
///
/// With the option `protocol` the MCP name replaces `squirrel.message.duration`. Counters count from the
/// monitor's start; types that were never seen have no points.
pub fn families(snapshot: &MonitorSnapshot, options: &Options) -> Vec<Family> {
    let mut out =
        Made { options, start: timestamp(snapshot.started), at: timestamp(snapshot.taken), families: Vec::new() };
    out.connections(snapshot);
    out.messages(snapshot);
    out.durations(snapshot);
    let lost = [("alerts", snapshot.lost_alerts), ("exports", snapshot.lost_exports)];
    let lost = lost.map(|(what, count)| ([("what", what)], number(count)));
    out.family("squirrel.monitor.lost", lost.iter().map(|(labels, count)| (labels.as_slice(), count.clone())));
    out.families.retain(|family| !family.points.is_empty());
    out.families
}

/// What is known of the service beside its name and instance, as `target_info`: in OTLP it is the resource's, and
/// whoever stores that makes the same of it.
pub(crate) fn target(options: &Options) -> Option<Family> {
    let more = |(name, _): &&(String, String)| name != "service.name" && name != "service.instance.id";
    let attributes: Vec<_> = options.service.iter().filter(more).cloned().collect();
    if attributes.is_empty() {
        return None;
    }
    let mut family = Family::new("target", Kind::Info, "", "What is known of the application.");
    family.points.push(Point { attributes, start: None, at: None, value: Value::Number(1.0) });
    Some(family)
}

/// Milliseconds since the epoch; times before it are none that a process could have.
pub(crate) fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn number(count: u64) -> Value {
    Value::Number(count as f64)
}

/// A message type and a direction.
type Way<'a> = [(&'a str, &'a str); 2];

struct Made<'a> {
    options: &'a Options,
    start: Timestamp,
    at: Timestamp,
    families: Vec<Family>,
}

impl Made<'_> {
    fn family<'p>(&mut self, name: &str, points: impl IntoIterator<Item = (&'p [(&'p str, &'p str)], Value)>) {
        let Some(declared) = DECLARED.iter().find(|declared| declared.name == name) else { return };
        let mut family = Family::new(declared.name, declared.kind, declared.unit, declared.help);
        let start = matches!(declared.kind, Kind::Counter | Kind::Histogram).then_some(self.start);
        let point = |(attributes, value)| Point { start, at: Some(self.at), ..Point::new(attributes, value) };
        family.points = points.into_iter().map(point).collect();
        self.families.push(family);
    }

    fn histogram(&self, snapshot: &HistogramSnapshot) -> Value {
        if self.options.exponential {
            Value::Exponential(exponential(snapshot))
        } else {
            Value::Histogram(classic(snapshot, &self.options.buckets))
        }
    }

    fn connections(&mut self, snapshot: &MonitorSnapshot) {
        let (connections, bandwidth) = (&snapshot.connections, &snapshot.bandwidth);
        let (received, transmitted) = (number(bandwidth.bytes_received), number(bandwidth.bytes_transmitted));
        let (receive, transmit) = ([(DIRECTION, "receive")], [(DIRECTION, "transmit")]);
        self.family("process.network.io", [(receive.as_slice(), received), (transmit.as_slice(), transmitted)]);
        let active = Value::Number(f64::from(connections.active_connections));
        self.family("squirrel.connections.active", [(&[] as &[_], active)]);
        let (successful, failed) = (number(connections.successful_connections), number(connections.failed_connections));
        let (success, failure) = ([("outcome", "success")], [("outcome", "failure")]);
        self.family("squirrel.connection.attempts", [(success.as_slice(), successful), (failure.as_slice(), failed)]);
    }

    fn messages(&mut self, snapshot: &MonitorSnapshot) {
        let directions = |row: &MessageTypeMetrics| {
            [("receive", row.received, row.received_bytes), ("transmit", row.sent, row.sent_bytes)]
        };
        let rows: Vec<(Way<'_>, u64, u64)> = snapshot
            .message_types
            .iter()
            .flat_map(|row| {
                directions(row)
                    .map(|(way, count, bytes)| ([(TYPE, row.message_type.as_str()), (DIRECTION, way)], count, bytes))
            })
            .filter(|(_, count, _)| *count > 0)
            .collect();
        let counts = rows.iter().map(|(labels, count, _)| (labels.as_slice(), number(*count)));
        self.family("squirrel.messages", counts);
        let bytes = rows.iter().map(|(labels, _, bytes)| (labels.as_slice(), number(*bytes)));
        self.family("squirrel.message.io", bytes);

        let errors: Vec<_> = snapshot
            .protocol_errors
            .iter()
            .map(|(name, count)| ([("error.type", name.as_str())], number(*count)))
            .collect();
        let points = errors.iter().map(|(labels, value)| (labels.as_slice(), value.clone()));
        self.family("squirrel.protocol.errors", points);
        let version = [("version", snapshot.protocol_version.as_str())];
        let known = (!snapshot.protocol_version.is_empty()).then_some((version.as_slice(), Value::Number(1.0)));
        self.family("squirrel.protocol", known);
    }

    fn durations(&mut self, snapshot: &MonitorSnapshot) {
        let durations = durations(snapshot, self.options);
        // Those of one name stand together.
        for same in durations.chunk_by(|a, b| a.name == b.name) {
            let points = same.iter().map(|one| (one.attributes.as_slice(), self.histogram(one.values)));
            let points: Vec<_> = points.collect();
            if let Some(first) = same.first() {
                self.family(first.name, points);
            }
        }
    }
}

/// A histogram of durations with its name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NamedDurations<'a> {
    /// The family's name, one of [`DECLARED`].
    pub name: &'static str,
    /// Whose durations.
    pub attributes: Vec<(&'static str, &'a str)>,
    /// The durations.
    pub values: &'a HistogramSnapshot,
}

/// The histograms among [`families`] as the library has them, those of one name together, for bridges that
/// have no use for bounds. Those that hold nothing are left out.
pub fn durations<'a>(snapshot: &'a MonitorSnapshot, options: &Options) -> Vec<NamedDurations<'a>> {
    let connections =
        NamedDurations { name: "squirrel.connection.duration", attributes: vec![], values: &snapshot.connection_time };
    let name = match options.protocol {
        Protocol::Any => "squirrel.message.duration",
        Protocol::McpServer => "mcp.server.operation.duration",
        Protocol::McpClient => "mcp.client.operation.duration",
    };
    let messages = snapshot.message_types.iter().map(|row| NamedDurations {
        name,
        attributes: latency_attributes(&row.message_type, options.protocol),
        values: &row.latency,
    });
    std::iter::once(connections).chain(messages).filter(|durations| durations.values.count() > 0).collect()
}

/// An inspector names a tool's calls `tools/call(search)`.
fn latency_attributes(message_type: &str, protocol: Protocol) -> Vec<(&'static str, &str)> {
    if protocol == Protocol::Any {
        return vec![(TYPE, message_type)];
    }
    match message_type.strip_suffix(')').and_then(|whole| whole.split_once('(')) {
        Some((method, tool)) if !tool.is_empty() => vec![("mcp.method.name", method), ("gen_ai.tool.name", tool)],
        _ => vec![("mcp.method.name", message_type)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use squirrel_exchange::text::{Format, write};
    use squirrel_monitor::{NetworkConfig, NetworkMonitor};
    use std::time::Duration;

    pub(crate) fn busy() -> NetworkMonitor {
        let monitor = NetworkMonitor::new(NetworkConfig::default());
        let recorder = monitor.recorder();
        recorder.record_connection_attempt(true, Duration::from_millis(3));
        recorder.record_connection_attempt(false, Duration::from_millis(3));
        recorder.update_active_connections(2);
        recorder.record_bytes_received(1_000);
        recorder.record_message_received("tools/call(search)", 100);
        recorder.record_message_latency("tools/call(search)", Duration::from_millis(20));
        recorder.record_protocol_error("parse \"it\"\n");
        recorder.set_protocol_version("2025-06-18");
        monitor
    }

    fn text(options: &[(&str, &str)]) -> String {
        let options = options.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut text = String::new();
        let refused =
            write(&mut text, Format::Prometheus, &families(&busy().snapshot(), &Options::read(&options).unwrap()));
        assert!(refused.is_none());
        text
    }

    #[test]
    fn every_number_is_exported() {
        let text = text(&[("buckets", "0.01,0.1")]);
        for line in [
            "process_network_io_bytes_total{network_io_direction=\"receive\"} 1000",
            "process_network_io_bytes_total{network_io_direction=\"transmit\"} 0",
            "squirrel_connections_active 2",
            "squirrel_connection_attempts_total{outcome=\"failure\"} 1",
            "squirrel_connection_duration_seconds_bucket{le=\"0.01\"} 1",
            "squirrel_messages_total{message_type=\"tools/call(search)\",network_io_direction=\"receive\"} 1",
            "squirrel_message_io_bytes_total{message_type=\"tools/call(search)\",network_io_direction=\"receive\"} 100",
            "squirrel_message_duration_seconds_bucket{le=\"0.1\",message_type=\"tools/call(search)\"} 1",
            "squirrel_message_duration_seconds_sum{message_type=\"tools/call(search)\"} 0.02",
            "squirrel_protocol_errors_total{error_type=\"parse \\\"it\\\"\\n\"} 1",
            "squirrel_protocol_info{version=\"2025-06-18\"} 1",
            "squirrel_monitor_lost_total{what=\"exports\"} 0",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn mcp_has_its_own_names() {
        let text = text(&[("protocol", "mcp.server")]);
        let line =
            "mcp_server_operation_duration_seconds_count{gen_ai_tool_name=\"search\",mcp_method_name=\"tools/call\"} 1";
        assert!(text.contains(line) && !text.contains("squirrel_message_duration"), "{text}");
    }
}
