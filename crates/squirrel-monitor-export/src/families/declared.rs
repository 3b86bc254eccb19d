//! The names under which numbers are exported.

use squirrel_exchange::Kind;

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
    declared("squirrel.connection.lifetime", Kind::Histogram, "s", "How long connections lived that have ended."),
    declared(
        "squirrel.connection.time_to_first_byte",
        Kind::Histogram,
        "s",
        "From the beginning of a connection to the first byte received.",
    ),
    declared(
        "squirrel.connection.phase.duration",
        Kind::Histogram,
        "s",
        "How long the parts of connecting took that succeeded: the name, TCP, TLS.",
    ),
    declared(
        "squirrel.connection.phase.failures",
        Kind::Counter,
        "{failure}",
        "How often a part of connecting failed or was given up.",
    ),
    declared(
        "squirrel.io.errors",
        Kind::Counter,
        "{error}",
        "Errors of reading, writing, accepting and connecting, by kind.",
    ),
    declared(
        "squirrel.requests.active",
        Kind::Gauge,
        "{request}",
        "Requests of the application that have begun and not ended.",
    ),
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
    declared(
        "squirrel.message.failures",
        Kind::Counter,
        "{failure}",
        "What failed of the application's messages, by who is to be asked: the protocol, a tool, nobody who answered, \
         a message that is not as it should be.",
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
