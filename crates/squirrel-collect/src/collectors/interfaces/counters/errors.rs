//! The kinds of errors and drops that node_exporter's sums hide: each has causes of its own.

use squirrel_model::Metric;

use super::packets;

pub(super) static LENGTH_ERRORS: Metric =
    packets("squirrel_network_receive_length_errors_total", "Frames received that were too short or too long.")
        .why("Somebody on the segment sends larger frames than this interface accepts: the MTUs disagree.")
        .check(&[
            "Compare node_network_mtu_bytes of all hosts and the switch's maximum frame size.",
            "Remember the 4 octets of a VLAN tag, 50 of VXLAN.",
        ]);

pub(super) static OVER_ERRORS: Metric =
    packets("squirrel_network_receive_over_errors_total", "Frames lost because the receiver's buffer overflowed.")
        .why("The device could not hand over packets fast enough.")
        .check(&["Enlarge the receive ring (`ethtool -G`).", "Spread the load over more queues (`ethtool -L`)."]);

pub(super) static CRC_ERRORS: Metric = packets(
    "squirrel_network_receive_crc_errors_total",
    "Frames received with a wrong checksum: bits changed on the wire.",
)
.why("It is the surest sign of a bad cable, optic, connector or port; even a few halve the speed of TCP on long paths.")
.check(&[
    "Replace the cable or clean and replace the optics; then try another port.",
    "Read the optic's power: `ethtool -m <device>`.",
    "Look at the switch port's own error counters: errors there and not here mean the other direction.",
]);

pub(super) static ALIGNMENT_ERRORS: Metric = packets(
    "squirrel_network_receive_alignment_errors_total",
    "Frames received that do not end at an octet (the kernel's rx_frame_errors).",
)
.why("It comes with a duplex mismatch or bad cabling.")
.check(&["Compare the duplex of both ends.", "Replace the cable."]);

pub(super) static MISSED_ERRORS: Metric = packets(
    "squirrel_network_receive_missed_errors_total",
    "Packets that the device dropped because the host had given it no free buffer.",
)
.why("The receive ring was full: the CPU did not come in time, and packets were lost before the kernel saw them.")
.check(&[
    "Enlarge the ring: `ethtool -g <device>`, `ethtool -G <device> rx <n>`.",
    "Look for a CPU that is 100 % busy in softirq: `mpstat -P ALL 1`.",
    "Spread interrupts over CPUs: /proc/interrupts, irqbalance, more queues.",
]);

pub(super) static RECEIVE_DROPPED: Metric = packets(
    "squirrel_network_receive_dropped_total",
    "Intact packets that the kernel let go after receiving them, without those that the device missed.",
)
.why("Together with squirrel_network_receive_missed_errors_total it tells a slow host from unwanted packets.")
.check(&[
    "See whether somebody wants them: `tcpdump -nei <device>` for unknown VLANs and protocols.",
    "See node_softnet_dropped_total for a full backlog.",
]);

pub(super) static OTHERHOST_DROPS: Metric = packets(
    "squirrel_network_receive_otherhost_drops_total",
    "Packets dropped because their hardware address is another host's (Linux 5.19 and later).",
)
.why("The interface is promiscuous, or a switch floods traffic of others because it forgot their address.")
.check(&[
    "See squirrel_network_promiscuous_listeners.",
    "Check the switch: asymmetric routing or a full address table causes unicast flooding.",
]);

pub(super) static ABORTED_ERRORS: Metric = packets(
    "squirrel_network_transmit_aborted_errors_total",
    "Transmissions aborted, mostly after too many collisions.",
)
.why("Half duplex under load, or a device that is reset.")
.check(&["Compare the duplex of both ends.", "Look for resets in the kernel's log."]);

pub(super) static CARRIER_ERRORS: Metric = packets(
    "squirrel_network_transmit_carrier_errors_total",
    "Transmissions that failed because the carrier was lost.",
)
.why("The cable, the optic or the other end failed while packets were being sent.")
.check(&["See node_network_carrier_changes_total.", "Check cable, optic and the switch port."]);

pub(super) static HEARTBEAT_ERRORS: Metric = packets(
    "squirrel_network_transmit_heartbeat_errors_total",
    "Heartbeat (signal quality) errors; only very old transceivers have them.",
)
.why("Some drivers put other troubles of sending here.")
.check(&["Read the driver's own counters: `ethtool -S <device>`."]);

pub(super) static WINDOW_ERRORS: Metric =
    packets("squirrel_network_transmit_window_errors_total", "Late collisions: after the first 64 octets of a frame.")
        .why("Late collisions never happen on a correct network: duplex mismatch or a cable that is too long.")
        .check(&["Compare the duplex of both ends.", "Measure the cable."]);
