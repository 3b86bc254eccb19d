//! The counters of `struct rtnl_link_stats64` as metrics: which of them, added up, is which.
//!
//! node_exporter groups them as `/proc/net/dev` does. What such a sum hides has a metric of its own, in
//! `counters/errors.rs`.

mod errors;

use squirrel_model::{Batch, Kind, Labels, Metric, Unit};
use squirrel_wire::link::Counter;

use self::errors::{
    ABORTED_ERRORS, ALIGNMENT_ERRORS, CARRIER_ERRORS, CRC_ERRORS, HEARTBEAT_ERRORS, LENGTH_ERRORS, MISSED_ERRORS,
    OTHERHOST_DROPS, OVER_ERRORS, RECEIVE_DROPPED, WINDOW_ERRORS,
};
use super::DEVICE;
use super::reading::Reading;

const fn bytes(name: &'static str, help: &'static str) -> Metric {
    Metric::new(name, Kind::Counter, Unit::Bytes, help).labels(DEVICE)
}

const fn packets(name: &'static str, help: &'static str) -> Metric {
    Metric::new(name, Kind::Counter, Unit::Packets, help).labels(DEVICE)
}

static RECEIVE_BYTES: Metric =
    bytes("node_network_receive_bytes_total", "Octets received by the interface, link-layer headers among them.")
        .why("Its rate against the capacity is the utilisation; queues grow and delay rises well before 100 %.")
        .check(&[
            "Compare `rate(node_network_receive_bytes_total[1m])` with squirrel_network_capacity_bytes_per_second.",
            "Find who receives it with `iftop`.",
        ]);

static TRANSMIT_BYTES: Metric =
    bytes("node_network_transmit_bytes_total", "Octets sent by the interface, link-layer headers among them.")
        .why("Its rate against the capacity is the utilisation; a full uplink delays everybody behind it.")
        .check(&[
            "Compare its rate with squirrel_network_capacity_bytes_per_second.",
            "See whether the queue builds up: node_qdisc_backlog and node_qdisc_drops_total.",
            "Find who sends it with `iftop`.",
        ]);

static RECEIVE_PACKETS: Metric = packets(
    "node_network_receive_packets_total",
    "Packets received without error; with GRO several segments may count as one on virtual interfaces.",
)
.why("Small packets cost as much work as large ones: a host can be full by packets long before it is by bytes.")
.check(&[
    "Divide bytes by packets: an average below 200 bytes at a high rate points to a flood or a chatty protocol.",
    "See node_softnet_times_squeezed_total for a CPU that cannot keep up.",
]);

static TRANSMIT_PACKETS: Metric = packets(
    "node_network_transmit_packets_total",
    "Packets handed to the device and sent; with segmentation offload one may become many on the wire.",
)
.why("A sudden change without a change in bytes means that another kind of traffic took over.")
.check(&["Divide bytes by packets to see the average size.", "Find who sends with `iftop`."]);

static RECEIVE_ERRORS: Metric =
    packets("node_network_receive_errs_total", "Packets received damaged, of all kinds together.")
        .why("A healthy wired link has none: each is a packet that somebody must send again.")
        .check(&[
            "See which kind rises: squirrel_network_receive_crc_errors_total and its neighbours.",
            "For CRC or frame errors replace cable or optics first, then try another switch port.",
            "Ask the driver: `ethtool -S <device>`.",
        ]);

static TRANSMIT_ERRORS: Metric =
    packets("node_network_transmit_errs_total", "Packets that could not be sent, of all kinds together.")
        .why("What the program believes sent never left this host.")
        .check(&[
            "See which kind rises: squirrel_network_transmit_carrier_errors_total and its neighbours.",
            "Look for resets of the device in the kernel's log: `dmesg | grep -i 'transmit queue\\|reset'`.",
        ]);

static RECEIVE_DROPS: Metric = packets(
    "node_network_receive_drop_total",
    "Intact packets that were let go: no buffer, no room, or no protocol that takes them (missed ones among them).",
)
.why("They arrived and were lost inside this host; TCP slows down for each, UDP and voice lose it for good.")
.check(&[
    "See squirrel_network_receive_missed_errors_total: if it rises, enlarge the receive ring (`ethtool -G <device> rx <n>`).",
    "If only a few a second drop on an idle host, it is mostly LLDP, STP or VLANs that nobody here listens to: harmless.",
    "See node_softnet_dropped_total for a backlog that overflows.",
]);

static TRANSMIT_DROPS: Metric =
    packets("node_network_transmit_drop_total", "Packets dropped on their way out, before the wire.")
        .why("The sender sees loss that no switch shows: it happened here.")
        .check(&[
            "See node_qdisc_drops_total: a queueing discipline drops by design when its rate or queue is full.",
            "A tunnel or VLAN drops what does not fit: compare node_network_mtu_bytes along the way.",
            "An interface without a carrier drops everything: node_network_carrier.",
        ]);

static RECEIVE_FIFO: Metric =
    packets("node_network_receive_fifo_total", "Receive errors because the device's own FIFO overflowed.")
        .why("The card received faster than the bus or the host took packets away: a burst was cut.")
        .check(&[
            "Enlarge the receive ring: `ethtool -g <device>` shows the limit, `ethtool -G` sets it.",
            "Switch on flow control if short pauses are acceptable: `ethtool -A <device> rx on`.",
        ]);

static TRANSMIT_FIFO: Metric =
    packets("node_network_transmit_fifo_total", "Transmit errors because the device's FIFO ran empty in mid-frame.")
        .why("The host fed the card too slowly: bus or memory is overloaded.")
        .check(&["Check the slot's width and speed: `lspci -vv`, LnkSta.", "Update driver and firmware."]);

static RECEIVE_FRAME: Metric = packets(
    "node_network_receive_frame_total",
    "Damaged frames: wrong length, receiver overrun, wrong checksum or not aligned, together.",
)
.why("It is what `ifconfig` shows as frame errors; the parts have different causes and metrics of their own.")
.check(&[
    "See which part rises: squirrel_network_receive_crc_errors_total, _length_errors_total, _over_errors_total, _alignment_errors_total.",
]);

static RECEIVE_MULTICAST: Metric = packets("node_network_receive_multicast_total", "Multicast packets received.")
    .why("A flood of multicast reaches every host of the segment and wakes each of them.")
    .check(&[
        "See who joined: `ip maddress show dev <device>`.",
        "Check IGMP or MLD snooping on the switch; without it all multicast goes everywhere.",
    ]);

static RECEIVE_COMPRESSED: Metric =
    packets("node_network_receive_compressed_total", "Compressed packets received (PPP and SLIP).")
        .why("Only serial lines count here; elsewhere it stays zero.")
        .check(&["Nothing to do unless a PPP link with compression is in use: `pppstats`."]);

static TRANSMIT_COMPRESSED: Metric =
    packets("node_network_transmit_compressed_total", "Compressed packets sent (PPP and SLIP).")
        .why("Only serial lines count here; elsewhere it stays zero.")
        .check(&["Nothing to do unless a PPP link with compression is in use: `pppstats`."]);

static RECEIVE_NOHANDLER: Metric = packets(
    "node_network_receive_nohandler_total",
    "Packets received on an inactive interface (a standby member of a bond), or that no protocol takes.",
)
.why("On a bond's standby member it is normal; elsewhere traffic arrives that nobody here wants.")
.check(&[
    "See whether it is a standby member: `cat /proc/net/bonding/<master>`.",
    "See what arrives: `tcpdump -nei <device> not ip and not ip6 and not arp`.",
]);

static TRANSMIT_COLLISIONS: Metric =
    packets("node_network_transmit_colls_total", "Collisions while sending, on half-duplex links.")
        .why("A modern link is full duplex and has none: one collision proves that the two sides disagree.")
        .check(&[
            "Compare the duplex of both ends; set both to automatic negotiation.",
            "Read the duplex label of node_network_info.",
        ]);

static TRANSMIT_CARRIER: Metric = packets(
    "node_network_transmit_carrier_total",
    "Transmissions that failed for loss of carrier, abort, heartbeat or a late collision, together.",
)
.why("The link went away, or the other side was not ready, while a packet was on its way.")
.check(&[
    "See node_network_carrier_changes_total for a flapping link.",
    "See which part rises: squirrel_network_transmit_carrier_errors_total, _aborted_errors_total, _window_errors_total.",
]);

/// Each metric is the sum of its counters, and exists if the first of them does.
static COUNTERS: &[(&Metric, &[Counter])] = &[
    (&RECEIVE_BYTES, &[Counter::RX_BYTES]),
    (&RECEIVE_PACKETS, &[Counter::RX_PACKETS]),
    (&RECEIVE_ERRORS, &[Counter::RX_ERRORS]),
    (&RECEIVE_DROPS, &[Counter::RX_DROPPED, Counter::RX_MISSED_ERRORS]),
    (&RECEIVE_FIFO, &[Counter::RX_FIFO_ERRORS]),
    (
        &RECEIVE_FRAME,
        &[Counter::RX_FRAME_ERRORS, Counter::RX_LENGTH_ERRORS, Counter::RX_OVER_ERRORS, Counter::RX_CRC_ERRORS],
    ),
    (&RECEIVE_COMPRESSED, &[Counter::RX_COMPRESSED]),
    (&RECEIVE_MULTICAST, &[Counter::MULTICAST]),
    (&RECEIVE_NOHANDLER, &[Counter::RX_NOHANDLER]),
    (&TRANSMIT_BYTES, &[Counter::TX_BYTES]),
    (&TRANSMIT_PACKETS, &[Counter::TX_PACKETS]),
    (&TRANSMIT_ERRORS, &[Counter::TX_ERRORS]),
    (&TRANSMIT_DROPS, &[Counter::TX_DROPPED]),
    (&TRANSMIT_FIFO, &[Counter::TX_FIFO_ERRORS]),
    (&TRANSMIT_COLLISIONS, &[Counter::COLLISIONS]),
    (
        &TRANSMIT_CARRIER,
        &[
            Counter::TX_CARRIER_ERRORS,
            Counter::TX_ABORTED_ERRORS,
            Counter::TX_HEARTBEAT_ERRORS,
            Counter::TX_WINDOW_ERRORS,
        ],
    ),
    (&TRANSMIT_COMPRESSED, &[Counter::TX_COMPRESSED]),
    (&LENGTH_ERRORS, &[Counter::RX_LENGTH_ERRORS]),
    (&OVER_ERRORS, &[Counter::RX_OVER_ERRORS]),
    (&CRC_ERRORS, &[Counter::RX_CRC_ERRORS]),
    (&ALIGNMENT_ERRORS, &[Counter::RX_FRAME_ERRORS]),
    (&MISSED_ERRORS, &[Counter::RX_MISSED_ERRORS]),
    (&RECEIVE_DROPPED, &[Counter::RX_DROPPED]),
    (&OTHERHOST_DROPS, &[Counter::RX_OTHERHOST_DROPPED]),
    (&ABORTED_ERRORS, &[Counter::TX_ABORTED_ERRORS]),
    (&CARRIER_ERRORS, &[Counter::TX_CARRIER_ERRORS]),
    (&HEARTBEAT_ERRORS, &[Counter::TX_HEARTBEAT_ERRORS]),
    (&WINDOW_ERRORS, &[Counter::TX_WINDOW_ERRORS]),
];

/// The same metrics as a list.
pub(super) const METRICS: &[&Metric] = &[
    &RECEIVE_BYTES,
    &RECEIVE_PACKETS,
    &RECEIVE_ERRORS,
    &RECEIVE_DROPS,
    &RECEIVE_FIFO,
    &RECEIVE_FRAME,
    &RECEIVE_COMPRESSED,
    &RECEIVE_MULTICAST,
    &RECEIVE_NOHANDLER,
    &TRANSMIT_BYTES,
    &TRANSMIT_PACKETS,
    &TRANSMIT_ERRORS,
    &TRANSMIT_DROPS,
    &TRANSMIT_FIFO,
    &TRANSMIT_COLLISIONS,
    &TRANSMIT_CARRIER,
    &TRANSMIT_COMPRESSED,
    &LENGTH_ERRORS,
    &OVER_ERRORS,
    &CRC_ERRORS,
    &ALIGNMENT_ERRORS,
    &MISSED_ERRORS,
    &RECEIVE_DROPPED,
    &OTHERHOST_DROPS,
    &ABORTED_ERRORS,
    &CARRIER_ERRORS,
    &HEARTBEAT_ERRORS,
    &WINDOW_ERRORS,
];

/// Adds a row for each counter that the kernel has.
pub(super) fn put(reading: &Reading, device: &Labels, out: &mut Batch) {
    for (metric, parts) in COUNTERS {
        let mut parts = parts.iter().map(|part| reading.counter(*part));
        if let Some(Some(first)) = parts.next() {
            let sum = parts.flatten().fold(first, u64::saturating_add);
            out.put(*metric, device, sum as f64);
        }
    }
}
