//! The charts of one interface.

use super::{ChartSpec, ChartUnit, INTERFACES, above, below, chart};

/// The rate of one interface's counter.
macro_rules! device {
    ($factor:literal, $metric:literal) => {
        concat!($factor, "rate(", $metric, "{device=\"$device\"}[$window])")
    };
}

/// In the order of the page.
pub(super) static CHARTS: &[ChartSpec] = &[
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
