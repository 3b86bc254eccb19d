//! What is exported, by OpenTelemetry's names.

use std::time::SystemTime;

use squirrel_exchange::{Family, Kind, Point, Value};
use squirrel_model::Timestamp;
use squirrel_monitor::{HistogramSnapshot, MessageTypeMetrics, MonitorSnapshot};

use crate::histogram::{classic, exponential};
use crate::options::{Options, Protocol};

const DIRECTION: &str = "network.io.direction";
const TYPE: &str = "message.type";

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
    out.family(
        "squirrel.monitor.lost",
        Kind::Counter,
        "{item}",
        "What the monitor could not tell: alerts that no sink took, exports that nobody took.",
        [
            (&[("what", "alerts")] as &[_], number(snapshot.lost_alerts)),
            (&[("what", "exports")], number(snapshot.lost_exports)),
        ],
    );
    out.families.retain(|family| !family.points.is_empty());
    out.families
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
    fn family<'p>(
        &mut self,
        name: &str,
        kind: Kind,
        unit: &str,
        help: &str,
        points: impl IntoIterator<Item = (&'p [(&'p str, &'p str)], Value)>,
    ) {
        let mut family = Family::new(name, kind, unit, help);
        let start = matches!(kind, Kind::Counter | Kind::Histogram).then_some(self.start);
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
        self.family(
            "process.network.io",
            Kind::Counter,
            "By",
            "Bytes that the application moved over the network.",
            [
                (&[(DIRECTION, "receive")] as &[_], number(bandwidth.bytes_received)),
                (&[(DIRECTION, "transmit")], number(bandwidth.bytes_transmitted)),
            ],
        );
        let active = Value::Number(f64::from(connections.active_connections));
        let help = "Connections of the application that are open now.";
        self.family("squirrel.connections.active", Kind::Gauge, "{connection}", help, [(&[] as &[_], active)]);
        let help = "Attempts of the application to connect.";
        self.family(
            "squirrel.connection.attempts",
            Kind::Counter,
            "{attempt}",
            help,
            [
                (&[("outcome", "success")] as &[_], number(connections.successful_connections)),
                (&[("outcome", "failure")], number(connections.failed_connections)),
            ],
        );
        if snapshot.connection_time.count() > 0 {
            let value = self.histogram(&snapshot.connection_time);
            let help = "How long successful connections took to be made.";
            self.family("squirrel.connection.duration", Kind::Histogram, "s", help, [(&[] as &[_], value)]);
        }
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
        self.family("squirrel.messages", Kind::Counter, "{message}", "Messages of the application's protocol.", counts);
        let bytes = rows.iter().map(|(labels, _, bytes)| (labels.as_slice(), number(*bytes)));
        self.family(
            "squirrel.message.io",
            Kind::Counter,
            "By",
            "Bytes of the messages of the application's protocol.",
            bytes,
        );

        let latencies = snapshot.message_types.iter().filter(|row| row.latency.count() > 0);
        let latencies: Vec<_> =
            latencies.map(|row| (self.latency_labels(&row.message_type), self.histogram(&row.latency))).collect();
        let (name, help) = match self.options.protocol {
            Protocol::Any => ("squirrel.message.duration", "How long messages took, usually from request to answer."),
            Protocol::McpServer => {
                ("mcp.server.operation.duration", "How long requests took as this MCP server saw them.")
            }
            Protocol::McpClient => {
                ("mcp.client.operation.duration", "How long requests took as this MCP client saw them.")
            }
        };
        let points = latencies.iter().map(|(labels, value)| (labels.as_slice(), value.clone()));
        self.family(name, Kind::Histogram, "s", help, points);

        let errors: Vec<_> = snapshot
            .protocol_errors
            .iter()
            .map(|(name, count)| ([("error.type", name.as_str())], number(*count)))
            .collect();
        let points = errors.iter().map(|(labels, value)| (labels.as_slice(), value.clone()));
        self.family(
            "squirrel.protocol.errors",
            Kind::Counter,
            "{error}",
            "Errors of the application's protocol.",
            points,
        );
        let version = [("version", snapshot.protocol_version.as_str())];
        let known = (!snapshot.protocol_version.is_empty()).then_some((version.as_slice(), Value::Number(1.0)));
        self.family("squirrel.protocol", Kind::Info, "", "The version of the application's protocol.", known);
    }

    /// An inspector names a tool's calls `tools/call(search)`.
    fn latency_labels<'t>(&self, message_type: &'t str) -> Vec<(&'static str, &'t str)> {
        if self.options.protocol == Protocol::Any {
            return vec![(TYPE, message_type)];
        }
        match message_type.strip_suffix(')').and_then(|whole| whole.split_once('(')) {
            Some((method, tool)) if !tool.is_empty() => vec![("mcp.method.name", method), ("gen_ai.tool.name", tool)],
            _ => vec![("mcp.method.name", message_type)],
        }
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
