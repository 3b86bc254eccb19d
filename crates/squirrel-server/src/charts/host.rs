//! The charts of the host as a whole.

use super::{ChartSpec, ChartUnit, OVERVIEW, above, below, chart};

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

/// In the order of the page.
pub(super) static CHARTS: &[ChartSpec] = &[
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
];
