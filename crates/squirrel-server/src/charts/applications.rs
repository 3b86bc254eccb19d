//! The charts of one application, by the names under which `squirrel-monitor` reports.
//!
//! `$scope` stands for the label matchers that say whose: `application="…"`, and for one process
//! `instance="…"` beside it; who fills it in escapes backslash and quote. `$window` is at least three
//! intervals of the application's reports.

use super::{ChartSpec, ChartUnit, above, below, chart};

/// The sum of a counter's rate over the chosen processes.
macro_rules! rate {
    ($by:literal, $metric:literal, $more:literal) => {
        concat!("sum ", $by, "(rate(", $metric, "{job=\"application\",$scope", $more, "}[$window]))")
    };
}

/// A quantile of a histogram, over the chosen processes.
macro_rules! quantile {
    ($q:literal, $by:literal, $metric:literal) => {
        concat!(
            "histogram_quantile(",
            $q,
            ", sum by (",
            $by,
            ") (rate(",
            $metric,
            "_bucket{job=\"application\",$scope}[$window])))"
        )
    };
}

const APPLICATION: &str = "application";
/// Shown unless all latencies are told as those of MCP.
const LATENCY: &str = "application-latency";
/// Shown where the application speaks MCP.
const MCP: &str = "application-mcp";

/// Shown where wrappers tell of connections or requests.
const TRANSPORT: &str = "application-transport";

/// In the order of the page.
pub(super) static CHARTS: &[ChartSpec] = &[
    chart(
        APPLICATION,
        "app-bandwidth",
        "Bandwidth",
        ChartUnit::BitsPerSecond,
        "What the application's transport moved: received above, transmitted below zero.",
        const {
            &[
                above(
                    "received",
                    concat!("8 * ", rate!("", "process_network_io_bytes_total", ",network_io_direction=\"receive\"")),
                ),
                below(
                    "transmitted",
                    concat!("8 * ", rate!("", "process_network_io_bytes_total", ",network_io_direction=\"transmit\"")),
                ),
            ]
        },
    ),
    chart(
        APPLICATION,
        "app-connections",
        "Connections",
        ChartUnit::Count,
        "Connections that the application has open. A line that only rises is a leak.",
        const { &[above("open", "sum(squirrel_connections_active{job=\"application\",$scope})")] },
    ),
    chart(
        APPLICATION,
        "app-attempts",
        "Attempts to connect",
        ChartUnit::PerSecond,
        "Attempts that succeeded above, those that failed below zero.",
        const {
            &[
                above("succeeded", rate!("", "squirrel_connection_attempts_total", ",outcome=\"success\"")),
                below("failed", rate!("", "squirrel_connection_attempts_total", ",outcome=\"failure\"")),
            ]
        },
    ),
    chart(
        APPLICATION,
        "app-messages",
        "Messages by type",
        ChartUnit::PerSecond,
        "Messages of the application's protocol: received above, sent below zero. Types beyond the library's limit are \
         counted as other.",
        const {
            &[
                above(
                    "receive {{message_type}}",
                    rate!("by (message_type) ", "squirrel_messages_total", ",network_io_direction=\"receive\""),
                ),
                below(
                    "transmit {{message_type}}",
                    rate!("by (message_type) ", "squirrel_messages_total", ",network_io_direction=\"transmit\""),
                ),
            ]
        },
    ),
    chart(
        APPLICATION,
        "app-errors",
        "Errors by kind",
        ChartUnit::PerSecond,
        "Errors of the application's protocol, by the kind that the application gives them.",
        const { &[above("{{error_type}}", rate!("by (error_type) ", "squirrel_protocol_errors_total", ""))] },
    ),
    chart(
        APPLICATION,
        "app-error-share",
        "Share of errors",
        ChartUnit::Ratio,
        "Protocol errors as a share of the messages received and sent, and failed attempts as a share of all attempts to \
         connect.",
        const {
            &[
                above(
                    "errors of messages",
                    // One that never met an error has no such series, and a share of zero.
                    concat!(
                        "(",
                        rate!("", "squirrel_protocol_errors_total", ""),
                        " or 0 * ",
                        rate!("", "squirrel_messages_total", ""),
                        ") / (",
                        rate!("", "squirrel_messages_total", ""),
                        " > 0)"
                    ),
                ),
                above(
                    "failed attempts",
                    concat!(
                        rate!("", "squirrel_connection_attempts_total", ",outcome=\"failure\""),
                        " / (",
                        rate!("", "squirrel_connection_attempts_total", ""),
                        " > 0)"
                    ),
                ),
            ]
        },
    ),
    chart(
        LATENCY,
        "app-latency",
        "Latency",
        ChartUnit::Seconds,
        "How long messages took, all types together: half of them less than the median, one in a hundred more than the \
         99th percentile. Read from the buckets of a histogram, so each is exact to its bucket only.",
        const {
            &[
                above("median", quantile!("0.5", "le", "squirrel_message_duration_seconds")),
                above("95th percentile", quantile!("0.95", "le", "squirrel_message_duration_seconds")),
                above("99th percentile", quantile!("0.99", "le", "squirrel_message_duration_seconds")),
            ]
        },
    ),
    chart(
        LATENCY,
        "app-latency-types",
        "Latency by type, 95th percentile",
        ChartUnit::Seconds,
        "One message in twenty of the type took longer. A type that is slow by itself does not show in the latency of \
         all together.",
        const { &[above("{{message_type}}", quantile!("0.95", "le, message_type", "squirrel_message_duration_seconds"))] },
    ),
    chart(
        MCP,
        "app-mcp-methods",
        "MCP requests by method",
        ChartUnit::PerSecond,
        "Requests that were answered: as a server above, as a client below zero.",
        const {
            &[
                above(
                    "receive {{mcp_method_name}}",
                    rate!("by (mcp_method_name) ", "mcp_server_operation_duration_seconds_count", ""),
                ),
                below(
                    "transmit {{mcp_method_name}}",
                    rate!("by (mcp_method_name) ", "mcp_client_operation_duration_seconds_count", ""),
                ),
            ]
        },
    ),
    chart(
        MCP,
        "app-mcp-method-latency",
        "MCP methods, 95th percentile",
        ChartUnit::Seconds,
        "One request in twenty to the method took longer.",
        const {
            &[
                above(
                    "{{mcp_method_name}}",
                    quantile!("0.95", "le, mcp_method_name", "mcp_server_operation_duration_seconds"),
                ),
                above(
                    "client {{mcp_method_name}}",
                    quantile!("0.95", "le, mcp_method_name", "mcp_client_operation_duration_seconds"),
                ),
            ]
        },
    ),
    chart(
        MCP,
        "app-mcp-tools",
        "MCP calls by tool",
        ChartUnit::PerSecond,
        "Calls of each tool: as a server above, as a client below zero.",
        const {
            &[
                above(
                    "receive {{gen_ai_tool_name}}",
                    rate!(
                        "by (gen_ai_tool_name) ",
                        "mcp_server_operation_duration_seconds_count",
                        ",gen_ai_tool_name!=\"\""
                    ),
                ),
                below(
                    "transmit {{gen_ai_tool_name}}",
                    rate!(
                        "by (gen_ai_tool_name) ",
                        "mcp_client_operation_duration_seconds_count",
                        ",gen_ai_tool_name!=\"\""
                    ),
                ),
            ]
        },
    ),
    chart(
        MCP,
        "app-mcp-failures",
        "MCP failures by method and tool",
        ChartUnit::PerSecond,
        "Requests that failed: of a tool, whose answer says so, of the protocol, or without an answer. As a server \
         above, as a client below zero.",
        const {
            &[
                above(
                    "receive {{mcp_method_name}} {{gen_ai_tool_name}} {{failure_class}}",
                    rate!(
                        "by (mcp_method_name, gen_ai_tool_name, failure_class) ",
                        "squirrel_message_failures_total",
                        ",role=\"server\",failure_class!=\"conformance\""
                    ),
                ),
                below(
                    "transmit {{mcp_method_name}} {{gen_ai_tool_name}} {{failure_class}}",
                    rate!(
                        "by (mcp_method_name, gen_ai_tool_name, failure_class) ",
                        "squirrel_message_failures_total",
                        ",role=\"client\",failure_class!=\"conformance\""
                    ),
                ),
            ]
        },
    ),
    chart(
        TRANSPORT,
        "app-connect-phases",
        "Parts of connecting, 95th percentile",
        ChartUnit::Seconds,
        "One attempt in twenty took longer to find the name (dns), to reach the peer (tcp) or to shake hands (tls).",
        const { &[above("{{phase}}", quantile!("0.95", "le, phase", "squirrel_connection_phase_duration_seconds"))] },
    ),
    chart(
        TRANSPORT,
        "app-first-byte",
        "Time to first byte",
        ChartUnit::Seconds,
        "From the beginning of a connection to the first byte received. Where it grows and connecting does not, the \
         peer is slow to answer.",
        const {
            &[
                above("median", quantile!("0.5", "le", "squirrel_connection_time_to_first_byte_seconds")),
                above("95th percentile", quantile!("0.95", "le", "squirrel_connection_time_to_first_byte_seconds")),
            ]
        },
    ),
    chart(
        TRANSPORT,
        "app-lifetime",
        "Lifetime of connections",
        ChartUnit::Seconds,
        "Half of the connections that ended then lived shorter. Short lives are connections that are not used again, or that \
         somebody cuts.",
        const { &[above("median", quantile!("0.5", "le", "squirrel_connection_lifetime_seconds"))] },
    ),
    chart(
        TRANSPORT,
        "app-io-errors",
        "Errors of connections",
        ChartUnit::PerSecond,
        "Errors of reading, writing, accepting and connecting by kind, and below zero the parts of connecting that \
         failed.",
        const {
            &[
                above("{{error_type}}", rate!("by (error_type) ", "squirrel_io_errors_total", "")),
                below("{{phase}}", rate!("by (phase) ", "squirrel_connection_phase_failures_total", "")),
            ]
        },
    ),
    chart(
        TRANSPORT,
        "app-requests-active",
        "Requests in flight",
        ChartUnit::Count,
        "Requests that have begun and not ended. A line that only rises is work that nobody finishes.",
        const { &[above("in flight", "sum(squirrel_requests_active{job=\"application\",$scope})")] },
    ),
];
