//! Histograms as the library has them, and whose they are.

use squirrel_monitor::{HistogramSnapshot, MonitorSnapshot};

use crate::options::{Options, Protocol};

/// The attribute of a message type where it is not that of MCP.
pub(super) const TYPE: &str = "message.type";

/// A histogram of durations with its name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NamedDurations<'a> {
    /// The family's name, one of those that are declared.
    pub name: &'static str,
    /// Whose durations.
    pub attributes: Vec<(&'static str, &'a str)>,
    /// The durations.
    pub values: &'a HistogramSnapshot,
}

/// The histograms among [`families`](crate::families) as the library has them, those of one name together, for
/// bridges that have no use for bounds. Those that hold nothing are left out.
pub fn durations<'a>(snapshot: &'a MonitorSnapshot, options: &Options) -> Vec<NamedDurations<'a>> {
    let name = match options.protocol {
        Protocol::Any => "squirrel.message.duration",
        Protocol::McpServer => "mcp.server.operation.duration",
        Protocol::McpClient => "mcp.client.operation.duration",
    };
    let messages = snapshot.message_types.iter().map(|row| NamedDurations {
        name,
        attributes: operation(&row.message_type, options.protocol),
        values: &row.latency,
    });
    let transport = &snapshot.transport;
    let of_all = |name, values| NamedDurations { name, attributes: vec![], values };
    let phases = transport.connect_phases.iter().map(|phase| NamedDurations {
        name: "squirrel.connection.phase.duration",
        attributes: vec![("phase", phase.phase.name())],
        values: &phase.time,
    });
    std::iter::once(of_all("squirrel.connection.duration", &snapshot.connection_time))
        .chain(messages)
        .chain([
            of_all("squirrel.connection.lifetime", &transport.connection_lifetime),
            of_all("squirrel.connection.time_to_first_byte", &transport.time_to_first_byte),
        ])
        .chain(phases)
        .filter(|durations| durations.values.count() > 0)
        .collect()
}

/// What a message type is called: in MCP by method and tool. The inspector names a tool's calls
/// `tools/call search`; applications that record for themselves also write `tools/call(search)`.
pub(super) fn operation(message_type: &str, protocol: Protocol) -> Vec<(&'static str, &str)> {
    if protocol == Protocol::Any {
        return vec![(TYPE, message_type)];
    }
    let in_brackets = || message_type.strip_suffix(')').and_then(|whole| whole.split_once('('));
    let inspected = message_type.split_once(' ').filter(|(method, _)| *method == "tools/call");
    match inspected.or_else(in_brackets) {
        Some((method, tool)) if !tool.is_empty() => vec![("mcp.method.name", method), ("gen_ai.tool.name", tool)],
        _ => vec![("mcp.method.name", message_type)],
    }
}
