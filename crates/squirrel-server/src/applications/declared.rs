//! The declarations of what the daemon says of applications, and of what they say of themselves.

use squirrel_model::{Kind, Metric, Unit};

pub(super) static APPLICATIONS: Metric = Metric::new(
    "squirrel_application_instances",
    Kind::Gauge,
    Unit::None,
    "Instances of applications that report to this daemon, by state: live or silent.",
)
.why("One that becomes silent has stopped, or cannot reach this daemon.")
.check(&["the Applications page says which, and since when", "whether the process runs, by its pid on that page"])
.labels(&["state"]);

pub(super) static SERIES: Metric = Metric::new(
    "squirrel_application_series",
    Kind::Gauge,
    Unit::None,
    "Series that are kept of applications at present.",
)
.why("Near its limit, what is new is refused.")
.check(&[
    "count by (application, __name__) ({job=\"application\"})",
    "max_series_total under [applications] in the configuration",
]);

pub(super) static ALERTS: Metric =
    Metric::new("squirrel_application_alerts", Kind::Gauge, Unit::None, "Alerts that live applications hold raised.")
        .why("Each is something that its developer wanted somebody to look at.")
        .check(&["the Applications page has their sentences"]);

pub(super) static REPORTS: Metric = Metric::new(
    "squirrel_application_reports_total",
    Kind::Counter,
    Unit::None,
    "Reports of applications, by outcome: taken, or why not. Replaced ones are among the taken: a newer one came before the tick.",
)
.why("A report that is refused is a moment that is missing from the application's charts.")
.check(&["the Applications page has the last refusals, with what to do", "limits under [applications] in the configuration"])
.labels(&["outcome"]);

pub(super) static REFUSED: Metric = Metric::new(
    "squirrel_application_metrics_refused_total",
    Kind::Counter,
    Unit::None,
    "Metrics of reports that were taken which are not kept, by reason.",
)
.why("They are missing from every chart; the application is told in each answer.")
.check(&[
    "series_limit: labels that take ever new values",
    "reserved_name: an application uses a name of Squirrel's own",
    "new_series_rate: a program that restarts again and again under new instance names",
])
.labels(&["reason"]);

pub(super) static SAMPLES: Metric = Metric::new(
    "squirrel_application_samples_total",
    Kind::Counter,
    Unit::None,
    "Samples of applications that were handed to the store, the ends of series among them.",
)
.why("What applications cost in space: about a byte each.")
.check(&["count by (application) ({job=\"application\"})"]);

pub(super) static LOST: Metric = Metric::new(
    "squirrel_application_samples_lost_total",
    Kind::Counter,
    Unit::None,
    "Samples of applications that the store did not take.",
)
.why("They are missing from the record.")
.check(&["the log of squirrel", "squirrel_store_degraded"]);

/// What the daemon says of applications.
pub static METRICS: &[&Metric] = &[&APPLICATIONS, &SERIES, &ALERTS, &REPORTS, &REFUSED, &SAMPLES, &LOST];

static IO: Metric = Metric::new(
    "process_network_io_bytes_total",
    Kind::Counter,
    Unit::Bytes,
    "Bytes that an application moved over the network, as its own library counted them.",
)
.why("What the application believes it sent; the kernel's own count of its sockets also has what was sent again.")
.check(&["squirrel_message_io_bytes_total by message type", "the interfaces, when it cannot send what it should"])
.labels(&["application", "network_io_direction"]);

static CONNECTIONS: Metric = Metric::new(
    "squirrel_connections_active",
    Kind::Gauge,
    Unit::None,
    "Connections that an application has open now, as it tells.",
)
.why("One that only rises is a leak; one that falls to zero is a peer that is gone.")
.check(&["squirrel_connection_attempts_total by outcome", "ss -tp, for the connections that the kernel knows"])
.labels(&["application"]);

static ATTEMPTS: Metric = Metric::new(
    "squirrel_connection_attempts_total",
    Kind::Counter,
    Unit::None,
    "Attempts of an application to connect, by outcome: success or failure.",
)
.why("Failures are a peer that is down, a name that does not resolve, or a firewall.")
.check(&["the application's log names the error", "squirrel_connection_duration_seconds: slow, then failing"])
.labels(&["application", "outcome"]);

static CONNECT_TIME: Metric = Metric::new(
    "squirrel_connection_duration_seconds_<part>",
    Kind::Counter,
    Unit::Seconds,
    "How long an application's successful connections took to be made: buckets, sum and count.",
)
.why("Users wait this long before anything else.")
.check(&["a step at one or three seconds: the first packet was lost and sent again", "the name server's latency"])
.labels(&["application", "le"]);

static LIFETIME: Metric = Metric::new(
    "squirrel_connection_lifetime_seconds_<part>",
    Kind::Counter,
    Unit::Seconds,
    "How long an application's connections lived that have ended: buckets, sum and count.",
)
.why("Short lives are connections that are not used again, or that somebody cuts.")
.check(&["squirrel_io_errors_total by kind: whether errors end them", "time limits of proxies on the way"])
.labels(&["application", "le"]);

static FIRST_BYTE: Metric = Metric::new(
    "squirrel_connection_time_to_first_byte_seconds_<part>",
    Kind::Counter,
    Unit::Seconds,
    "From the beginning of an application's connection to the first byte received: buckets, sum and count.",
)
.why("Where it grows and connecting does not, the peer is slow to answer.")
.check(&["squirrel_connection_phase_duration_seconds by phase", "the peer's own latency"])
.labels(&["application", "le"]);

static PHASE_TIME: Metric = Metric::new(
    "squirrel_connection_phase_duration_seconds_<part>",
    Kind::Counter,
    Unit::Seconds,
    "How long the parts of connecting took that succeeded, by phase (dns, tcp, tls): buckets, sum and count.",
)
.why("It says which part of connecting is slow.")
.check(&["dns: the name server", "tcp: the way, or a first packet that was lost", "tls: the peer's load"])
.labels(&["application", "phase", "le"]);

static PHASE_FAILURES: Metric = Metric::new(
    "squirrel_connection_phase_failures_total",
    Kind::Counter,
    Unit::None,
    "How often a part of an application's connecting failed or was given up, by phase (dns, tcp, tls).",
)
.why("It says where connecting ends: at a name, at a peer or a firewall, at a certificate.")
.check(&["squirrel_io_errors_total by kind", "the application's log names the error"])
.labels(&["application", "phase"]);

static IO_ERRORS: Metric = Metric::new(
    "squirrel_io_errors_total",
    Kind::Counter,
    Unit::None,
    "Errors of reading, writing, accepting and connecting of an application, by kind.",
)
.why("Each ended a connection, or kept one from being made.")
.check(&["connection_reset: the peer or something on the way cut it", "timed_out: nobody answered"])
.labels(&["application", "error_type"]);

static REQUESTS: Metric = Metric::new(
    "squirrel_requests_active",
    Kind::Gauge,
    Unit::None,
    "Requests of an application that have begun and not ended.",
)
.why("One that only rises is work that nobody finishes.")
.check(&["squirrel_message_duration_seconds: slower, or more of them"])
.labels(&["application"]);

static FAILURES: Metric = Metric::new(
    "squirrel_message_failures_total",
    Kind::Counter,
    Unit::None,
    "What failed of an application's messages, by class (protocol, tool, unanswered, conformance, application) and \
     kind; by type, or in MCP by role, method and tool.",
)
.why("The class says who is to be asked: a tool that failed is no error of the protocol.")
.check(&[
    "failure_class tool: the tool's own log",
    "failure_class protocol: what the client sent, such as invalid_params",
    "failure_class unanswered: a server that hangs",
])
.labels(&["application", "message_type", "role", "mcp_method_name", "gen_ai_tool_name", "failure_class", "error_type"]);

static MESSAGES: Metric = Metric::new(
    "squirrel_messages_total",
    Kind::Counter,
    Unit::None,
    "Messages of an application's protocol, by type and direction.",
)
.why("The application's work; a type that stops or multiplies is the first sign of a fault.")
.check(&["the type other: there are more types than max_message_types", "squirrel_protocol_errors_total"])
.labels(&["application", "message_type", "network_io_direction"]);

static MESSAGE_IO: Metric = Metric::new(
    "squirrel_message_io_bytes_total",
    Kind::Counter,
    Unit::Bytes,
    "Bytes of the messages of an application's protocol, by type and direction.",
)
.why("Divided by squirrel_messages_total it is the mean size of a type.")
.check(&["which type grew: topk(5, rate(squirrel_message_io_bytes_total[5m]))"])
.labels(&["application", "message_type", "network_io_direction"]);

static MESSAGE_TIME: Metric = Metric::new(
    "squirrel_message_duration_seconds_<part>",
    Kind::Counter,
    Unit::Seconds,
    "How long messages of an application's protocol took, by type: buckets, sum and count.",
)
.why("What its users feel.")
.check(&["one type or all: one is the code behind it, all is the host, the network or the runtime"])
.labels(&["application", "message_type", "le"]);

static MCP_TIME: Metric = Metric::new(
    "mcp_<role>_operation_duration_seconds_<part>",
    Kind::Counter,
    Unit::Seconds,
    "How long requests of the Model Context Protocol took, by method and tool: buckets, sum and count.",
)
.why("A slow tool holds up the model that waits for it.")
.check(&[
    "by gen_ai_tool_name: one tool or all",
    "squirrel_protocol_errors_total: failures that come fast look healthy here",
])
.labels(&["application", "mcp_method_name", "gen_ai_tool_name", "le"]);

static ERRORS: Metric = Metric::new(
    "squirrel_protocol_errors_total",
    Kind::Counter,
    Unit::None,
    "Errors of an application's protocol, by kind.",
)
.why("Beside squirrel_messages_total: the share of the work that fails.")
.check(&["the kind says where to look first", "the log of the application at that moment"])
.labels(&["application", "error_type"]);

static VERSION: Metric = Metric::new(
    "squirrel_protocol_info",
    Kind::Info,
    Unit::None,
    "Constant 1; the label says which version of its protocol an application speaks.",
)
.why("A change of behaviour at the moment of an upgrade explains itself.")
.check(&["the peer's version"])
.labels(&["application", "version"]);

static MONITOR_LOST: Metric = Metric::new(
    "squirrel_monitor_lost_total",
    Kind::Counter,
    Unit::None,
    "What an application's library could not tell: alerts that no sink took, exports that nobody took.",
)
.why("Where it rises, the other figures of the application have gaps.")
.check(&["squirrel_application_reports_total by outcome: whether this daemon refuses its reports"])
.labels(&["application", "what"]);

/// What `squirrel-monitor` tells of an application: the names that the Applications page asks for.
pub static APPLICATION_METRICS: &[&Metric] = &[
    &IO,
    &CONNECTIONS,
    &ATTEMPTS,
    &CONNECT_TIME,
    &LIFETIME,
    &FIRST_BYTE,
    &PHASE_TIME,
    &PHASE_FAILURES,
    &IO_ERRORS,
    &REQUESTS,
    &MESSAGES,
    &MESSAGE_IO,
    &MESSAGE_TIME,
    &MCP_TIME,
    &FAILURES,
    &ERRORS,
    &VERSION,
    &MONITOR_LOST,
];
