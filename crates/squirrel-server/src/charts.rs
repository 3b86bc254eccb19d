//! Which charts there are, declared once: the dashboard, the terminal and reports draw the same.
//!
//! In an expression `$device` stands for an interface's name (inside quotes: who fills it in escapes
//! backslash and quote) and `$window` for the range of a rate, such as `15s`. Traffic of the whole
//! host is summed over physical interfaces, because a bridge, a bond or a VLAN counts the frames of its
//! ports again; a host without physical ones (a container) sums those that are no port of another.

use std::borrow::Cow;

use squirrel_api::{ChartQuery, ChartSpec, ChartUnit};

mod applications;

/// All charts, in the order in which pages show them.
pub fn charts() -> impl Iterator<Item = &'static ChartSpec> {
    CHARTS.iter().chain(applications::CHARTS)
}

/// A sum over the host's outer interfaces of the rate of a counter.
macro_rules! outer {
    ($factor:literal, $metric:literal) => {
        concat!(
            $factor,
            "(sum(rate(",
            $metric,
            "{device!=\"lo\"}[$window]) unless on (device) squirrel_network_interface_info{virtual=\"true\"})",
            " or sum(rate(",
            $metric,
            "{device!=\"lo\"}[$window]) unless on (device) squirrel_network_interface_info{master!=\"\"}))"
        )
    };
}

/// The rate of one interface's counter.
macro_rules! device {
    ($factor:literal, $metric:literal) => {
        concat!($factor, "rate(", $metric, "{device=\"$device\"}[$window])")
    };
}

const fn above(legend: &'static str, expr: &'static str) -> ChartQuery {
    ChartQuery { legend: Cow::Borrowed(legend), expr: Cow::Borrowed(expr), mirrored: false }
}

const fn below(legend: &'static str, expr: &'static str) -> ChartQuery {
    ChartQuery { legend: Cow::Borrowed(legend), expr: Cow::Borrowed(expr), mirrored: true }
}

const fn chart(
    page: &'static str,
    id: &'static str,
    title: &'static str,
    unit: ChartUnit,
    help: &'static str,
    queries: &'static [ChartQuery],
) -> ChartSpec {
    ChartSpec {
        page: Cow::Borrowed(page),
        id: Cow::Borrowed(id),
        title: Cow::Borrowed(title),
        unit,
        help: Cow::Borrowed(help),
        queries: Cow::Borrowed(queries),
    }
}

const OVERVIEW: &str = "overview";
const INTERFACES: &str = "interfaces";

/// The charts of the host and its interfaces.
static CHARTS: &[ChartSpec] = &[
    chart(
        OVERVIEW,
        "throughput",
        "Throughput",
        ChartUnit::BitsPerSecond,
        "Received above, transmitted below zero, over the interfaces by which bytes enter and leave this host. \
         Bridges, bonds and virtual interfaces are left out, so that nothing is counted twice.",
        const {
            &[
                above("received", outer!("8 * ", "node_network_receive_bytes_total")),
                below("transmitted", outer!("8 * ", "node_network_transmit_bytes_total")),
            ]
        },
    ),
    chart(
        OVERVIEW,
        "errors",
        "Errors and drops",
        ChartUnit::PacketsPerSecond,
        "Errors are frames that were damaged on the wire or could not be sent; drops were in order and let go for \
         want of room or of somebody to take them. Errors point at cables, optics and drivers, drops at load.",
        const {
            &[
                above(
                    "receive errors {{device}}",
                    "sum by (device) (rate(node_network_receive_errs_total[$window])) > 0",
                ),
                above(
                    "receive drops {{device}}",
                    "sum by (device) (rate(node_network_receive_drop_total[$window])) > 0",
                ),
                below(
                    "transmit errors {{device}}",
                    "sum by (device) (rate(node_network_transmit_errs_total[$window])) > 0",
                ),
                below(
                    "transmit drops {{device}}",
                    "sum by (device) (rate(node_network_transmit_drop_total[$window])) > 0",
                ),
            ]
        },
    ),
    chart(
        OVERVIEW,
        "retransmissions",
        "TCP retransmissions",
        ChartUnit::Ratio,
        "Segments that TCP sent again, as a share of those that it sent. Below 0.1 % is usual within a data centre; \
         above 1 % users feel it.",
        const {
            &[above(
                "sent again",
                "rate(node_netstat_Tcp_RetransSegs[$window]) / (rate(node_netstat_Tcp_OutSegs[$window]) > 0)",
            )]
        },
    ),
    chart(
        OVERVIEW,
        "round-trip-time",
        "TCP round-trip time",
        ChartUnit::Seconds,
        "The kernel's estimate for each established connection, and how it is spread: half of the connections are \
         below the median, one in a hundred is above the 99th percentile.",
        const {
            &[
                above("median", "squirrel_tcp_round_trip_time_seconds{percentile=\"50\"}"),
                above("90th percentile", "squirrel_tcp_round_trip_time_seconds{percentile=\"90\"}"),
                above("99th percentile", "squirrel_tcp_round_trip_time_seconds{percentile=\"99\"}"),
            ]
        },
    ),
    chart(
        OVERVIEW,
        "sockets",
        "TCP sockets by state",
        ChartUnit::Count,
        "Many in time_wait are the trace of many short connections and harmless by themselves; a growing close_wait is \
         a program that does not close.",
        const { &[above("{{state}}", "sum by (state) (node_tcp_connection_states{state!~\".*_queued_bytes\"}) > 0")] },
    ),
    chart(
        OVERVIEW,
        "udp",
        "UDP drops",
        ChartUnit::PacketsPerSecond,
        "Datagrams that arrived and were thrown away: the receiving program was too slow or its buffer too small, the \
         checksum was wrong, or nobody listens at the port.",
        const {
            &[
                above("receive buffer full", "rate(node_netstat_Udp_RcvbufErrors[$window])"),
                above("no listener", "rate(node_netstat_Udp_NoPorts[$window])"),
                above("receive buffer full, IPv6", "rate(node_netstat_Udp6_RcvbufErrors[$window])"),
                below("send buffer full", "rate(node_netstat_Udp_SndbufErrors[$window])"),
            ]
        },
    ),
    chart(
        OVERVIEW,
        "softnet",
        "Kernel receive queue",
        ChartUnit::PerSecond,
        "Dropped: a processor's queue of received frames was full. Squeezed: a round of receiving ended for lack of \
         time with work left, which delays and loses nothing.",
        const {
            &[
                above("dropped", "sum(rate(node_softnet_dropped_total[$window]))"),
                above("squeezed", "sum(rate(node_softnet_times_squeezed_total[$window]))"),
            ]
        },
    ),
    chart(
        OVERVIEW,
        "accept-queues",
        "Connections not taken",
        ChartUnit::PerSecond,
        "Connections that clients tried to open and a full accept queue refused. The program that listens does not \
         accept fast enough.",
        const {
            &[
                above("accept queue full", "rate(node_netstat_TcpExt_ListenOverflows[$window])"),
                above("all reasons", "rate(node_netstat_TcpExt_ListenDrops[$window])"),
            ]
        },
    ),
    chart(
        OVERVIEW,
        "conntrack",
        "Connection tracking",
        ChartUnit::Ratio,
        "Share of the connection-tracking table that is in use. When it is full, new connections are dropped.",
        const { &[above("in use", "node_nf_conntrack_entries / (node_nf_conntrack_entries_limit > 0)")] },
    ),
    chart(
        INTERFACES,
        "device-throughput",
        "Throughput",
        ChartUnit::BitsPerSecond,
        "Received above, transmitted below zero.",
        const {
            &[
                above("received", device!("8 * ", "node_network_receive_bytes_total")),
                below("transmitted", device!("8 * ", "node_network_transmit_bytes_total")),
            ]
        },
    ),
    chart(
        INTERFACES,
        "device-utilisation",
        "Utilisation",
        ChartUnit::Ratio,
        "Throughput as a share of the link's speed. Above 80 % queues begin to grow; averages hide shorter peaks.",
        const {
            &[
                above(
                    "received",
                    "rate(node_network_receive_bytes_total{device=\"$device\"}[$window]) / squirrel_network_capacity_bytes_per_second{device=\"$device\"}",
                ),
                below(
                    "transmitted",
                    "rate(node_network_transmit_bytes_total{device=\"$device\"}[$window]) / squirrel_network_capacity_bytes_per_second{device=\"$device\"}",
                ),
            ]
        },
    ),
    chart(
        INTERFACES,
        "device-packets",
        "Packets",
        ChartUnit::PacketsPerSecond,
        "Many small packets cost as much as few large ones: a processor's limit is packets, a link's is bits.",
        const {
            &[
                above("received", device!("", "node_network_receive_packets_total")),
                above("multicast", device!("", "node_network_receive_multicast_total")),
                below("transmitted", device!("", "node_network_transmit_packets_total")),
            ]
        },
    ),
    chart(
        INTERFACES,
        "device-errors",
        "Errors by kind",
        ChartUnit::PacketsPerSecond,
        "Frame and CRC errors: the wire (cable, optics, duplex). Missed and FIFO: this host was too slow. Carrier and collisions: the link \
         was lost, or duplex does not fit on both ends.",
        const {
            &[
                above("all received", device!("", "node_network_receive_errs_total")),
                above("frame", device!("", "node_network_receive_frame_total")),
                above("CRC", device!("", "squirrel_network_receive_crc_errors_total")),
                above("missed", device!("", "squirrel_network_receive_missed_errors_total")),
                above("receive FIFO", device!("", "node_network_receive_fifo_total")),
                below("all transmitted", device!("", "node_network_transmit_errs_total")),
                below("carrier", device!("", "node_network_transmit_carrier_total")),
                below("collisions", device!("", "node_network_transmit_colls_total")),
                below("transmit FIFO", device!("", "node_network_transmit_fifo_total")),
            ]
        },
    ),
    chart(
        INTERFACES,
        "device-drops",
        "Drops",
        ChartUnit::PacketsPerSecond,
        "Frames in order that were let go: for want of memory or of a queue's room, or because no protocol wanted them.",
        const {
            &[
                above("received", device!("", "node_network_receive_drop_total")),
                above("no handler", device!("", "node_network_receive_nohandler_total")),
                below("transmitted", device!("", "node_network_transmit_drop_total")),
            ]
        },
    ),
    chart(
        INTERFACES,
        "device-qdisc",
        "Queueing discipline",
        ChartUnit::PerSecond,
        "Drops are loss. Overlimits are a shaper at work and lose nothing. Requeues: the device could not take a packet \
         at once.",
        const {
            &[
                above("drops {{kind}}", device!("", "node_qdisc_drops_total")),
                above("overlimits {{kind}}", device!("", "node_qdisc_overlimits_total")),
                above("requeues {{kind}}", device!("", "node_qdisc_requeues_total")),
            ]
        },
    ),
    chart(
        INTERFACES,
        "device-backlog",
        "Queue",
        ChartUnit::Bytes,
        "Bytes that wait to be transmitted. Divided by the link's speed this is the delay that the queue adds.",
        const { &[above("waiting {{kind}}", "node_qdisc_backlog{device=\"$device\"}")] },
    ),
    chart(
        INTERFACES,
        "device-carrier",
        "Link",
        ChartUnit::Count,
        "1 while the link is up; changes are counted over five minutes. A link that comes and goes is a cable, a \
         transceiver or the port at the other end.",
        const {
            &[
                above("up", "node_network_carrier{device=\"$device\"}"),
                above("changes in 5 minutes", "increase(node_network_carrier_changes_total{device=\"$device\"}[5m])"),
            ]
        },
    ),
];

#[cfg(test)]
mod tests;
