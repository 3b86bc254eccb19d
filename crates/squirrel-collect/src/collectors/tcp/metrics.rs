//! What the numbers about TCP sockets mean.

use squirrel_model::{Kind, Metric, Unit};

const PERCENTILE: &[&str] = &["percentile"];

pub(super) static STATES: Metric = Metric::new(
    "node_tcp_connection_states",
    Kind::Gauge,
    Unit::None,
    "TCP sockets in each state, and under rx_queued_bytes and tx_queued_bytes what waits in all their queues.",
)
.why("The states show where connections are stuck.")
.check(&[
    "Many in close_wait: a program here does not close; find it with `ss -tnp state close-wait`.",
    "Many in syn_sent: a peer does not answer. Many in syn_recv: clients do not, or a SYN flood.",
    "Many in time_wait are harmless unless they all go to one address and port.",
])
.labels(&["state"]);

pub(super) static ROUND_TRIP: Metric = Metric::new(
    "squirrel_tcp_round_trip_time_seconds",
    Kind::Gauge,
    Unit::Seconds,
    "Spread of the smoothed round-trip time over all established TCP sockets; right to one part in 128.",
)
.why("It is the delay that connections feel now, queues included; the upper percentiles are the unlucky ones.")
.check(&[
    "Compare with squirrel_tcp_min_round_trip_time_seconds: a large difference is a queue on the way.",
    "See which peers are slow (`ss -tinmp`).",
])
.labels(PERCENTILE);

pub(super) static MIN_ROUND_TRIP: Metric = Metric::new(
    "squirrel_tcp_min_round_trip_time_seconds",
    Kind::Gauge,
    Unit::Seconds,
    "Spread of the smallest recent round-trip time over all established TCP sockets; right to one part in 128.",
)
.why("It is the distance to the peers without queues; a jump is a new path or new peers.")
.check(&["Trace the path to a peer that became farther (`mtr`)."])
.labels(PERCENTILE);

pub(super) static RETRANSMITTED: Metric = Metric::new(
    "squirrel_tcp_retransmitted_ratio",
    Kind::Gauge,
    Unit::Ratio,
    "Spread over all established TCP sockets of the share of bytes that each had to send again since it opened.",
)
.why("It tells whether a few connections suffer or all of them, which an average hides.")
.check(&[
    "Only percentile 100 high: one peer's path. All high: this host's own link.",
    "See node_netstat_Tcp_RetransSegs for whether it happens now.",
])
.labels(PERCENTILE);

pub(super) static RETRANSMITTING: Metric = Metric::new(
    "squirrel_tcp_retransmitting_sockets",
    Kind::Gauge,
    Unit::None,
    "Established TCP sockets that have sent something again and wait for its acknowledgement.",
)
.why("These connections are losing data right now.")
.check(&["See which sockets, and what their peers have in common (`ss -tinmp`)."]);

pub(super) static BACKING_OFF: Metric = Metric::new(
    "squirrel_tcp_backing_off_sockets",
    Kind::Gauge,
    Unit::None,
    "Established TCP sockets whose retransmissions go unanswered, so that each wait is twice the one before.",
)
.why("Their peers are silent: these connections stand still and will time out.")
.check(&["See which peers (`ss -tinmp`), and whether they answer to `ping`."]);

pub(super) static ZERO_WINDOW: Metric = Metric::new(
    "squirrel_tcp_zero_window_sockets",
    Kind::Gauge,
    Unit::None,
    "Established TCP sockets that may not send because the peer's receive window is zero.",
)
.why("The network is fine; the program at the other end does not read.")
.check(&["See which peers (`ss -tinmp`), and look at the program there."]);

pub(super) static DROPS: Metric = Metric::new(
    "squirrel_tcp_socket_drops",
    Kind::Gauge,
    Unit::Packets,
    "Segments that the TCP sockets which are open now have dropped since they opened.",
)
.why("A socket drops when its program does not keep up, or its queue of new connections is full.")
.check(&[
    "See which sockets (`ss -tanm`, the number after `d`).",
    "See node_netstat_TcpExt_ListenDrops for listeners.",
]);

pub(super) static ACCEPT_WAITING: Metric = Metric::new(
    "squirrel_tcp_accept_queue_connections",
    Kind::Gauge,
    Unit::None,
    "Connections that are open and wait for a program to accept them, over all listening sockets.",
)
.why("Clients think they are connected and get no answer.")
.check(&["See which listener (`ss -ltn`, Recv-Q), and what its program does."]);

pub(super) static ACCEPT_FILL: Metric = Metric::new(
    "squirrel_tcp_accept_queue_fill_ratio",
    Kind::Gauge,
    Unit::Ratio,
    "How full the fullest accept queue of all listening sockets is; at 1 new connections are ignored.",
)
.why("It warns before node_netstat_TcpExt_ListenOverflows counts lost connections.")
.check(&[
    "See which listener (`ss -ltn`, Recv-Q against Send-Q), and what its program does.",
    "Only when the program keeps up on average, raise its backlog and `sysctl net.core.somaxconn`.",
]);

pub(super) static LISTENERS_FULL: Metric = Metric::new(
    "squirrel_tcp_full_listeners",
    Kind::Gauge,
    Unit::None,
    "Listening sockets whose accept queue is full at this moment.",
)
.why("These services turn every new connection away.")
.check(&["See which listener (`ss -ltn`, Recv-Q above Send-Q), and whether its program is stuck."]);

pub(super) static PORTS_USED: Metric = Metric::new(
    "squirrel_tcp_ephemeral_ports_used_ratio",
    Kind::Gauge,
    Unit::Ratio,
    "Ephemeral ports in use towards the destination (our address, theirs, their port) that uses the most, as a share of all; sockets in TIME_WAIT hold theirs.",
)
.why("At 1 no further connection to that destination can be opened: programs get EADDRNOTAVAIL. How many sockets are in TIME_WAIT in all says nothing of it.")
.check(&[
    "Which destination (`/api/live/ports` of Squirrel), and whether its clients could keep connections open.",
    "More ports: `sysctl net.ipv4.ip_local_port_range`; more of our addresses, or of theirs, multiply them.",
    "`sysctl net.ipv4.tcp_tw_reuse`: at 1 ports in TIME_WAIT are used again for the same destination.",
]);

pub(super) static METRICS: &[&Metric] = &[
    &STATES,
    &ROUND_TRIP,
    &MIN_ROUND_TRIP,
    &RETRANSMITTED,
    &RETRANSMITTING,
    &BACKING_OFF,
    &ZERO_WINDOW,
    &DROPS,
    &ACCEPT_WAITING,
    &ACCEPT_FILL,
    &LISTENERS_FULL,
    &PORTS_USED,
];
