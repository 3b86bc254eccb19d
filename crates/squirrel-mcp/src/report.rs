//! What passed, for people and for programs.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use squirrel_model::Untrusted;
use squirrel_monitor::{HistogramSnapshot, NetworkMonitor};

/// What passed so far. Its JSON form is stable: fields are added, and `schema` grows when one changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The version of this form: 1.
    pub schema: u32,
    /// Seconds since the start.
    pub seconds: f64,
    /// The revision that is spoken; empty before it is known.
    pub protocol_version: String,
    /// Bytes from the client to the server.
    pub bytes_to_server: u64,
    /// Bytes from the server to the client.
    pub bytes_to_client: u64,
    /// Requests that await an answer.
    pub pending: u64,
    /// Message types in the order of their names.
    pub messages: Vec<MessageType>,
    /// What failed, in the order of message types.
    pub failures: Vec<Failed>,
}

/// One message type: a method, and for `tools/call` the tool after a space.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MessageType {
    /// The type; `other` for those beyond the limit.
    #[serde(rename = "type")]
    pub name: String,
    /// Messages from the client.
    pub to_server: u64,
    /// Bytes of these.
    pub to_server_bytes: u64,
    /// Messages from the server, answers included.
    pub to_client: u64,
    /// Bytes of these.
    pub to_client_bytes: u64,
    /// Answers whose request was seen.
    pub answered: u64,
    /// The time to an answer that half of them did not exceed, in milliseconds. `null` without answers.
    pub p50_ms: Option<f64>,
    /// As `p50_ms`, for 95 of a hundred.
    pub p95_ms: Option<f64>,
    /// As `p50_ms`, for 99 of a hundred.
    pub p99_ms: Option<f64>,
    /// The longest, in milliseconds.
    pub max_ms: Option<f64>,
}

/// How often one message type failed in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// The message type.
    #[serde(rename = "type")]
    pub name: String,
    /// `protocol`, `tool`, `unanswered` or `conformance`.
    pub class: &'static str,
    /// What it was, such as `tool_error` or `invalid_params`.
    pub error: String,
    /// How often.
    pub count: u64,
}

impl Report {
    /// What a monitor has counted, `elapsed` after its start.
    pub fn of(monitor: &NetworkMonitor, elapsed: Duration) -> Self {
        let bandwidth = monitor.bandwidth_metrics();
        let found = monitor.inspection_metrics();
        let failed = |row: squirrel_monitor::FailureMetrics| Failed {
            name: row.message_type,
            class: row.class.name(),
            error: row.error,
            count: row.count,
        };
        let message = |row: squirrel_monitor::MessageTypeMetrics| MessageType {
            name: row.message_type,
            to_server: row.received,
            to_server_bytes: row.received_bytes,
            to_client: row.sent,
            to_client_bytes: row.sent_bytes,
            answered: row.latency.count(),
            p50_ms: quantile(&row.latency, 0.5),
            p95_ms: quantile(&row.latency, 0.95),
            p99_ms: quantile(&row.latency, 0.99),
            max_ms: quantile(&row.latency, 1.0).map(|_| milliseconds(row.latency.max())),
        };
        Self {
            schema: 1,
            seconds: elapsed.as_secs_f64(),
            protocol_version: monitor.recorder().protocol_metrics().protocol_version,
            bytes_to_server: bandwidth.bytes_received,
            bytes_to_client: bandwidth.bytes_transmitted,
            pending: found.pending,
            messages: monitor.message_types().into_iter().map(message).collect(),
            failures: found.failures.into_iter().map(failed).collect(),
        }
    }

    /// The report as one JSON document in one line.
    pub fn to_json(&self) -> String {
        // A structure of numbers and texts always has a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn quantile(latency: &HistogramSnapshot, quantile: f64) -> Option<f64> {
    latency.quantile(quantile).map(milliseconds)
}

/// For people. Names come from the network and are shown as [`Untrusted`].
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = if self.protocol_version.is_empty() { "unknown" } else { &self.protocol_version };
        writeln!(
            f,
            "MCP revision {version}, {:.1} s, {} bytes to the server, {} to the client, {} unanswered",
            self.seconds, self.bytes_to_server, self.bytes_to_client, self.pending
        )?;
        let rows = self.messages.iter().map(cells);
        let head = ["message", "to server", "to client", "p50 ms", "p95 ms", "p99 ms", "max ms"].map(str::to_owned);
        write_table(f, &std::iter::once(head).chain(rows).collect::<Vec<_>>())?;
        if !self.failures.is_empty() {
            let rows = self.failures.iter().map(|row| {
                let (name, error) = (Untrusted(&row.name).to_string(), Untrusted(&row.error).to_string());
                [name, row.class.to_owned(), error, row.count.to_string()]
            });
            let head = ["failed", "class", "error", "count"].map(str::to_owned);
            write_table(f, &std::iter::once(head).chain(rows).collect::<Vec<_>>())?;
        }
        Ok(())
    }
}

fn cells(row: &MessageType) -> [String; 7] {
    let time = |milliseconds: Option<f64>| milliseconds.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1}"));
    [
        Untrusted(&row.name).to_string(),
        row.to_server.to_string(),
        row.to_client.to_string(),
        time(row.p50_ms),
        time(row.p95_ms),
        time(row.p99_ms),
        time(row.max_ms),
    ]
}

/// The first column to the left, the others to the right.
fn write_table<const COLUMNS: usize>(f: &mut fmt::Formatter<'_>, rows: &[[String; COLUMNS]]) -> fmt::Result {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows {
        for (column, (width, cell)) in widths.iter().zip(row).enumerate() {
            if column == 0 {
                write!(f, "  {cell:width$}")?;
            } else {
                write!(f, "  {cell:>width$}")?;
            }
        }
        writeln!(f)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_table_in_which_hostile_names_do_nothing() {
        let report = Report {
            schema: 1,
            seconds: 2.5,
            protocol_version: "2025-06-18".to_owned(),
            bytes_to_server: 10,
            bytes_to_client: 20,
            pending: 1,
            messages: vec![MessageType {
                name: "tools/call \u{202e}x".to_owned(),
                to_server: 2,
                to_server_bytes: 10,
                to_client: 1,
                to_client_bytes: 20,
                answered: 1,
                p50_ms: Some(1.25),
                p95_ms: None,
                p99_ms: None,
                max_ms: None,
            }],
            failures: vec![Failed { name: "ping".to_owned(), class: "tool", error: "tool_error".to_owned(), count: 3 }],
        };
        let expected = "\
MCP revision 2025-06-18, 2.5 s, 10 bytes to the server, 20 to the client, 1 unanswered
  message               to server  to client  p50 ms  p95 ms  p99 ms  max ms
  tools/call \\u{202e}x          2          1     1.2       -       -       -
  failed  class       error  count
  ping     tool  tool_error      3
";
        assert_eq!(report.to_string(), expected);
        let json = report.to_json();
        assert!(json.starts_with("{\"schema\":1,\"seconds\":2.5,\"protocol_version\":\"2025-06-18\""), "{json}");
        assert!(json.contains("\"p50_ms\":1.25,\"p95_ms\":null"), "{json}");
    }
}
