//! What the accountant's numbers mean.

use squirrel_model::{Kind, Metric, Unit};

/// Never the process number or an address: those are in the live tables.
const GROUP: &[&str] = &["process", "unit", "container", "user"];
const REASON: &[&str] = &["reason"];
const PART: &[&str] = &["device", "part"];

pub(crate) static RECEIVE: Metric = Metric::new(
    "squirrel_process_receive_bytes_total",
    Kind::Counter,
    Unit::Bytes,
    "Payload that processes of this name, unit, container and user received.",
)
.why("It tells who uses the network, also when the process is long gone.")
.check(&[
    "See which connections and remote hosts they are with `squirrel top`.",
    "A row whose process is (other) holds what is beyond the bound of rows; see squirrel_process_rows_beyond.",
])
.labels(GROUP);

pub(crate) static TRANSMIT: Metric = Metric::new(
    "squirrel_process_transmit_bytes_total",
    Kind::Counter,
    Unit::Bytes,
    "Payload that processes of this name, unit, container and user transmitted.",
)
.why("It tells who uses the network, also when the process is long gone.")
.check(&[
    "See which connections and remote hosts they are with `squirrel top`.",
    "Compare with squirrel_unattributed_transmit_bytes_total, which belongs to nobody.",
])
.labels(GROUP);

pub(crate) static CONNECTIONS: Metric = Metric::new(
    "squirrel_process_connections",
    Kind::Gauge,
    Unit::None,
    "Open TCP and UDP sockets of processes of this name, unit, container and user, listeners among them.",
)
.why("A number that only grows is a program that forgets to close.")
.check(&["See their states with `squirrel sockets`; many in CLOSE-WAIT are not closed by the program."])
.labels(GROUP);

pub(crate) static BEYOND: Metric = Metric::new(
    "squirrel_process_rows_beyond",
    Kind::Gauge,
    Unit::None,
    "Processes without a row of their own: summed as (other), of their own user or container where that one has its share of the rows.",
)
.why("Above 0 some process is not told apart in the series; the live tables still have it.")
.check(&[
    "See whose (other) grows: a row of (other) with a user or container is of that one alone, who has a third of all rows.",
    "Find what makes up ever new process names with `squirrel top`, or raise the bound in the configuration.",
]);

pub(crate) static NOBODY_RECEIVE: Metric = Metric::new(
    "squirrel_unattributed_receive_bytes_total",
    Kind::Counter,
    Unit::Bytes,
    "Received payload that belongs to no process, by reason.",
)
.why("It is what the series by process lack.")
.check(&[
    "Read the reason's sentence with `squirrel top`; most vanish with more privilege, or with the ledger by eBPF.",
])
.labels(REASON);

pub(crate) static NOBODY_TRANSMIT: Metric = Metric::new(
    "squirrel_unattributed_transmit_bytes_total",
    Kind::Counter,
    Unit::Bytes,
    "Transmitted payload that belongs to no process, by reason.",
)
.why("It is what the series by process lack.")
.check(&[
    "Read the reason's sentence with `squirrel top`; most vanish with more privilege, or with the ledger by eBPF.",
])
.labels(REASON);

pub(crate) static BOOKS_RECEIVE: Metric = Metric::new(
    "squirrel_books_receive_bytes",
    Kind::Gauge,
    Unit::Bytes,
    "Received wire bytes of an interface of this namespace since the accountant began, by what they were.",
)
.why("The parts add up to the interface's own counter; unexplained is what no source accounts for.")
.check(&["A large unexplained part on a router is what passes through; count packets to tell it apart."])
.labels(PART);

pub(crate) static BOOKS_TRANSMIT: Metric = Metric::new(
    "squirrel_books_transmit_bytes",
    Kind::Gauge,
    Unit::Bytes,
    "Transmitted wire bytes of an interface of this namespace since the accountant began, by what they were.",
)
.why("The parts add up to the interface's own counter; unexplained is what no source accounts for.")
.check(&["A large unexplained part on a router is what passes through; count packets to tell it apart."])
.labels(PART);

pub(crate) static TRACKED: Metric = Metric::new(
    "squirrel_account_connections",
    Kind::Gauge,
    Unit::None,
    "Sockets that the accountant follows, lately ended ones among them.",
)
.why("Its memory grows with them.")
.check(&["See squirrel_account_sampling for whether it follows all of them."]);

pub(crate) static MEMORY: Metric = Metric::new(
    "squirrel_account_memory_bytes",
    Kind::Gauge,
    Unit::Bytes,
    "Memory of the accountant's tables, near enough.",
)
.why("It has a ceiling, at which detail is pruned.")
.check(&["Compare with the configured ceiling, and with squirrel_account_pruned_total."]);

pub(crate) static SAMPLING: Metric = Metric::new(
    "squirrel_account_sampling",
    Kind::Gauge,
    Unit::None,
    "One connection in so many is followed; 1 means all.",
)
.why("Above 1 the bytes of processes are estimates.")
.check(&["Raise the limit of connections if memory allows, or look for a flood with `squirrel top hosts`."]);

pub(crate) static LOST: Metric = Metric::new(
    "squirrel_account_lost_events_total",
    Kind::Counter,
    Unit::None,
    "Ends of sockets that the kernel announced and nobody fetched in time.",
)
.why("Connections that came and went in between are not counted.")
.check(&["Look for a storm of short connections, or for a machine without processor time to spare."]);

pub(crate) static PRUNED: Metric = Metric::new(
    "squirrel_account_pruned_total",
    Kind::Counter,
    Unit::None,
    "Rows of connections, hosts and processes that were dropped or refused to keep the bounds.",
)
.why("The live tables are incomplete; the sums by process keep what the dropped rows had.")
.check(&["Raise the bounds if memory allows."]);

pub(crate) static LEVEL: Metric = Metric::new(
    "squirrel_account_level",
    Kind::Info,
    Unit::None,
    "1, with the level at which bytes are accounted for: packets, sockets, counters or own.",
)
.why("It tells what the other numbers can know.")
.check(&["`squirrel top` says what the next level needs."])
.labels(&["level"]);

pub(crate) static ALL: &[&Metric] = &[
    &RECEIVE,
    &TRANSMIT,
    &CONNECTIONS,
    &BEYOND,
    &NOBODY_RECEIVE,
    &NOBODY_TRANSMIT,
    &BOOKS_RECEIVE,
    &BOOKS_TRANSMIT,
    &TRACKED,
    &MEMORY,
    &SAMPLING,
    &LOST,
    &PRUNED,
    &LEVEL,
];
