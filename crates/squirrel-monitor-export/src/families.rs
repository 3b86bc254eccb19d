//! What is exported, by OpenTelemetry's names.

mod declared;
mod named;

use std::time::SystemTime;

use squirrel_exchange::{Family, Kind, Point, Value};
use squirrel_model::Timestamp;
use squirrel_monitor::{HistogramSnapshot, MessageTypeMetrics, MonitorSnapshot};

use crate::histogram::{classic, exponential};
use crate::options::{Options, Protocol};
pub use declared::{DECLARED, Declared};
pub use named::{NamedDurations, durations};
use named::{TYPE, operation};

const DIRECTION: &str = "network.io.direction";

/// The families of a snapshot, in OpenTelemetry's naming:
///
/// | name | kind, unit | attributes |
/// |---|---|---|
/// | `process.network.io` | counter, `By` | `network.io.direction`: `receive`, `transmit` |
/// | `squirrel.connections.active` | gauge | |
/// | `squirrel.connection.attempts` | counter | `outcome`: `success`, `failure` |
/// | `squirrel.connection.duration` | histogram, `s` | |
/// | `squirrel.connection.lifetime`, `….time_to_first_byte` | histogram, `s` | |
/// | `squirrel.connection.phase.duration` | histogram, `s` | `phase`: `dns`, `tcp`, `tls` |
/// | `squirrel.connection.phase.failures` | counter | `phase` |
/// | `squirrel.io.errors` | counter | `error.type` |
/// | `squirrel.requests.active` | gauge | |
/// | `squirrel.messages` | counter | `message.type`, `network.io.direction` |
/// | `squirrel.message.io` | counter, `By` | `message.type`, `network.io.direction` |
/// | `squirrel.message.duration` | histogram, `s` | `message.type` |
/// | `mcp.server.operation.duration` or `mcp.client.…` | histogram, `s` | `mcp.method.name`, `gen_ai.tool.name` |
/// | `squirrel.message.failures` | counter | `failure.class`, `error.type`, and whose: `message.type`, or `role`, `mcp.method.name` and `gen_ai.tool.name` |
/// | `squirrel.protocol.errors` | counter | `error.type` |
/// | `squirrel.protocol` | info | `version` |
/// | `squirrel.monitor.lost` | counter | `what`: `alerts`, `exports` |
///
/// With the option `protocol` the MCP name replaces `squirrel.message.duration`, and failures are told by
/// method and tool, and by role: `server`, `client`. Counters count from the monitor's start; types, kinds and
/// parts that were never seen have no points, nor has what only wrappers tell without one.
///
/// `failure.class` is `protocol`, `tool`, `unanswered` or `conformance`, as
/// [`FailureClass`](squirrel_monitor::FailureClass) has them, and `application` for those that were recorded
/// without inspection, whose `error.type` is `_OTHER`, OpenTelemetry's word for what is not known.
pub fn families(snapshot: &MonitorSnapshot, options: &Options) -> Vec<Family> {
    let mut out =
        Made { options, start: timestamp(snapshot.started), at: timestamp(snapshot.taken), families: Vec::new() };
    out.connections(snapshot);
    out.messages(snapshot);
    out.failures(snapshot);
    out.transport(snapshot);
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

    fn failures(&mut self, snapshot: &MonitorSnapshot) {
        let protocol = self.options.protocol;
        let role = match protocol {
            Protocol::Any => None,
            Protocol::McpServer => Some(("role", "server")),
            Protocol::McpClient => Some(("role", "client")),
        };
        let labels = |message_type, class, error| {
            let mut labels = operation(message_type, protocol);
            labels.extend(role);
            labels.extend([("failure.class", class), ("error.type", error)]);
            labels
        };
        let inspected = snapshot
            .failures
            .iter()
            .map(|row| (labels(row.message_type.as_str(), row.class.name(), row.error.as_str()), row.count));
        let told = snapshot.message_types.iter().map(|row| {
            let count = row.failed.saturating_sub(row.failed_inspected);
            (labels(row.message_type.as_str(), "application", "_OTHER"), count)
        });
        let rows: Vec<_> = inspected.chain(told).filter(|(_, count)| *count > 0).collect();
        let points = rows.iter().map(|(labels, count)| (labels.as_slice(), number(*count)));
        self.family("squirrel.message.failures", points);
    }

    fn transport(&mut self, snapshot: &MonitorSnapshot) {
        let transport = &snapshot.transport;
        // Zero requests in flight is told of those who have had one.
        let active = (transport.requests > 0).then(|| Value::Number(f64::from(transport.requests_in_flight)));
        self.family("squirrel.requests.active", active.map(|active| (&[] as &[_], active)));
        let errors: Vec<_> =
            transport.io_errors.iter().map(|(kind, count)| ([("error.type", *kind)], number(*count))).collect();
        self.family("squirrel.io.errors", errors.iter().map(|(labels, count)| (labels.as_slice(), count.clone())));
        let failed = transport.connect_phases.iter().filter(|phase| phase.failures > 0);
        let failed: Vec<_> = failed.map(|phase| ([("phase", phase.phase.name())], number(phase.failures))).collect();
        let points = failed.iter().map(|(labels, count)| (labels.as_slice(), count.clone()));
        self.family("squirrel.connection.phase.failures", points);
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

#[cfg(test)]
mod tests;
