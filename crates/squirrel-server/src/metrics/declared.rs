//! The declarations of what the server says of itself.

use squirrel_model::{Kind, Metric, Unit};

pub(super) static REQUESTS: Metric = Metric::new(
    "squirrel_http_requests_total",
    Kind::Counter,
    Unit::None,
    "Requests answered, by route and class of status code.",
)
.why("Shows who asks how much, and whether clients are refused.")
.check(&["code=\"5xx\": the log says what failed", "code=\"4xx\": a client asks wrongly, or under a foreign name"])
.labels(&["code", "route"]);

pub(super) static DURATION_BUCKET: Metric = Metric::new(
    "squirrel_http_request_duration_seconds_bucket",
    Kind::Histogram,
    Unit::None,
    "Requests whose answer began within the time in label le.",
)
.why("How long a person waits for a page or a panel.")
.check(&[
    "squirrel_queries_waiting: others may be served first",
    "a longer step or a shorter range in the panel that is slow",
])
.labels(&["le"]);

pub(super) static DURATION_SUM: Metric = Metric::new(
    "squirrel_http_request_duration_seconds_sum",
    Kind::Histogram,
    Unit::Seconds,
    "Time from the heads of all requests to the beginning of their answers.",
)
.why("Divided by squirrel_http_request_duration_seconds_count it is the mean wait for an answer.")
.check(&["squirrel_http_request_duration_seconds_bucket: a mean hides the slow ones"]);

pub(super) static DURATION_COUNT: Metric = Metric::new(
    "squirrel_http_request_duration_seconds_count",
    Kind::Histogram,
    Unit::None,
    "Requests whose duration was taken.",
)
.why("The number that the sum and the buckets are divided by.")
.check(&["squirrel_http_requests_total for the same by route"]);

pub(super) static REJECTED: Metric = Metric::new(
    "squirrel_http_rejected_total",
    Kind::Counter,
    Unit::None,
    "Requests refused before they reached a route, by reason: host or origin.",
)
.why("A foreign Host or Origin is a misconfigured proxy, or a page of another site that tries to reach this host.")
.check(&["the log names the Host or Origin", "hosts under [server] in the configuration, if the name is yours"])
.labels(&["reason"]);

pub(super) static CONNECTIONS: Metric =
    Metric::new("squirrel_http_connections", Kind::Gauge, Unit::None, "Open connections of clients.")
        .why("Near the limit of 256, those that ask nothing at present give way to new ones.")
        .check(&["ss -tn sport = :7775 shows who is connected", "clients that open a connection for each request"]);

pub(super) static GAVE_WAY: Metric = Metric::new(
    "squirrel_http_connections_gave_way_total",
    Kind::Counter,
    Unit::None,
    "Connections closed to make room for a newer one: their clients had not ended a request, or asked nothing more.",
)
.why("Somebody opens more connections than are served at one time, by mistake or to keep others out.")
.check(&["ss -tn sport = :7775 shows who is connected", "clients that open a connection for each request"]);

pub(super) static QUERIES: Metric = Metric::new(
    "squirrel_queries_total",
    Kind::Counter,
    Unit::None,
    "Queries answered, by outcome: success or the kind of the error.",
)
.why("Queries that time out or are refused are panels that stay empty.")
.check(&["timeout: ask for a shorter range or a longer step", "unavailable: too many clients ask at one time"])
.labels(&["outcome"]);

pub(super) static QUERIES_RUNNING: Metric =
    Metric::new("squirrel_queries_running", Kind::Gauge, Unit::None, "Queries that run now.")
        .why("At its limit (twice the number of processors) further queries wait.")
        .check(&["squirrel_queries_total by outcome", "dashboards that refresh more often than a person looks"]);

pub(super) static QUERIES_WAITING: Metric =
    Metric::new("squirrel_queries_waiting", Kind::Gauge, Unit::None, "Queries that wait for others to end.")
        .why("Above zero for long: this machine is asked more than it can answer.")
        .check(&["squirrel_queries_running", "dashboards that refresh more often than a person looks"]);

pub(super) static STREAM_CLIENTS: Metric =
    Metric::new("squirrel_stream_clients", Kind::Gauge, Unit::None, "Live streams that are open.")
        .why("Each is a screen that someone has open; beyond the limit of 64 further screens are refused.")
        .check(&["screens left open on forgotten machines"]);

pub(super) static STREAM_EVENTS: Metric =
    Metric::new("squirrel_stream_events_total", Kind::Counter, Unit::None, "Events sent on live streams.")
        .why("One a second for each open screen when all is well.")
        .check(&["squirrel_stream_events_dropped_total", "squirrel_ticks_missed_total"]);

pub(super) static STREAM_DROPPED: Metric = Metric::new(
    "squirrel_stream_events_dropped_total",
    Kind::Counter,
    Unit::None,
    "Events of live streams dropped because a client was too slow to take them.",
)
.why("Such a screen has gaps until it asks for the missing range; each event says how many were dropped.")
.check(&["the network between the screen and this host", "the number of charts on that screen"]);

/// The metrics of the server, for the catalogue.
pub static METRICS: &[&Metric] = &[
    &REQUESTS,
    &DURATION_BUCKET,
    &DURATION_SUM,
    &DURATION_COUNT,
    &REJECTED,
    &CONNECTIONS,
    &GAVE_WAY,
    &QUERIES,
    &QUERIES_RUNNING,
    &QUERIES_WAITING,
    &STREAM_CLIENTS,
    &STREAM_EVENTS,
    &STREAM_DROPPED,
];
