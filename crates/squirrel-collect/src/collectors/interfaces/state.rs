//! The state of an interface as numbers.

use squirrel_model::{Batch, Kind, Labels, Metric, Unit};
use squirrel_wire::link::OperState;

use super::DEVICE;
use super::reading::Reading;
use super::sysfs::Sysfs;

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric::new(name, Kind::Gauge, Unit::None, help).labels(DEVICE)
}

const fn changes(name: &'static str, help: &'static str) -> Metric {
    Metric::new(name, Kind::Counter, Unit::None, help).labels(DEVICE)
}

static UP: Metric = gauge("node_network_up", "1 if the operational state is `up`, else 0.")
    .why("An interface that should carry traffic and is not up explains everything behind it.")
    .check(&[
        "Read operstate and adminstate of node_network_info.",
        "The loopback and many tunnels are `unknown` and show 0 while they work.",
        "See node_network_carrier: without a signal look at cable, optic and switch port.",
    ]);

static ADMIN_UP: Metric =
    gauge("squirrel_network_admin_up", "1 if the administrator switched the interface on, else 0.")
        .why("On, and yet not operational, is a fault; off is somebody's decision.")
        .check(&[
            "Alert on `squirrel_network_admin_up == 1 and node_network_carrier == 0`, not on node_network_up alone.",
        ]);

static CARRIER: Metric =
    gauge("node_network_carrier", "1 if the interface has a signal, else 0; absent while it is switched off.")
        .why("Without a signal nothing else matters: cable, optic, the other end.")
        .check(&[
            "Check cable and optic, and whether the port of the other end is on.",
            "A bridge without members, or whose members are down, has none either.",
        ]);

static CARRIER_CHANGES: Metric =
    changes("node_network_carrier_changes_total", "How often the signal came or went since the interface exists.")
        .why("A flapping link drops packets and makes routing and bonds switch each time.")
        .check(&[
            "Look for a pattern in time: heat, vibration, somebody working at the rack.",
            "Compare with the switch's log; replace cable or optic.",
        ]);

static CARRIER_UP: Metric = changes("node_network_carrier_up_changes_total", "How often the signal came.")
    .why("Each is the end of an interruption.")
    .check(&["See node_network_carrier_down_changes_total and the kernel's log for the times."]);

static CARRIER_DOWN: Metric = changes("node_network_carrier_down_changes_total", "How often the signal went.")
    .why("Each is an interruption of everything on this interface.")
    .check(&["Look at the kernel's log and the switch's log at that time.", "Replace cable or optic if it repeats."]);

static MTU: Metric = Metric::new(
    "node_network_mtu_bytes",
    Kind::Gauge,
    Unit::Bytes,
    "The largest packet that the interface sends, without link-layer header.",
)
.labels(DEVICE)
.why("Where MTUs along a path differ and ICMP is filtered, small packets pass and large transfers hang.")
.check(&[
    "Compare with the neighbours on the segment and with the tunnels above: VXLAN needs 50 octets, WireGuard 60 to 80.",
    "Try the path: `ping -M do -s 1472 <host>`, or `mtr`.",
]);

static SPEED: Metric = Metric::new(
    "node_network_speed_bytes",
    Kind::Gauge,
    Unit::BytesPerSecond,
    "The speed that the driver reports, in bytes a second; -125000 means that it does not know.",
)
.labels(DEVICE)
.why("A link that negotiated 100 Mbit/s instead of 1 Gbit/s works, and is ten times too slow.")
.check(&[
    "Compare with what the port can: `ethtool <device>`.",
    "One broken pair of the cable makes 1 Gbit/s fall to 100 Mbit/s: replace it.",
    "Virtual interfaces report an invented number.",
]);

static CAPACITY: Metric = Metric::new(
    "squirrel_network_capacity_bytes_per_second",
    Kind::Gauge,
    Unit::BytesPerSecond,
    "What the link can carry in each direction; absent where the driver does not know or invents it.",
)
.labels(DEVICE)
.why("It is the denominator of utilisation.")
.check(&["Divide `rate(node_network_transmit_bytes_total[1m])` by it; above 0.8 for minutes, queues grow."]);

static TRANSMIT_QUEUE_LEN: Metric = Metric::new(
    "node_network_transmit_queue_length",
    Kind::Gauge,
    Unit::Packets,
    "How many packets a queue of this interface may hold (txqueuelen).",
)
.labels(DEVICE)
.why("Queueing disciplines take their limit from it: a long queue on a slow link is delay for everybody.")
.check(&["Use fq_codel or cake on slow uplinks instead of changing the length."]);

static FLAGS: Metric = gauge("node_network_flags", "The interface's flags as one number, from linux/if.h.")
    .why("It shows modes that are easily forgotten, such as promiscuous (256).")
    .check(&["Read them by name: `ip link show dev <device>`."]);

static PROTOCOL_TYPE: Metric =
    gauge("node_network_protocol_type", "What is beneath: 1 Ethernet, 772 loopback, 65534 none (a tunnel).")
        .why("It tells which headers a packet capture will show.")
        .check(&["See the list in linux/if_arp.h."]);

static IFACE_ID: Metric = gauge("node_network_iface_id", "The interface's number in its network namespace.")
    .why("The kernel's log and other tools name interfaces by it; a new number is a new interface.")
    .check(&["`ip -o link` shows numbers and names."]);

static IFACE_LINK: Metric = gauge(
    "node_network_iface_link",
    "The number of the interface below or at the other end; its own if there is none.",
)
.why("It leads from a VLAN to its trunk and from a container's interface to its end on the host.")
.check(&["For veth the number counts in the other namespace: `ip link show dev <device>` shows link-netns."]);

static IFACE_LINK_MODE: Metric =
    gauge("node_network_iface_link_mode", "0: ordinary; 1: stays dormant until user space says otherwise.")
        .why("With 1 a supplicant (802.1X) must bring the interface up.")
        .check(&["See whether wpa_supplicant runs for this interface."]);

static DORMANT: Metric = gauge(
    "node_network_dormant",
    "1 if the interface waits for an event such as authentication; absent while it is off.",
)
.why("The cable is fine and yet nothing passes: it is not authorised.")
.check(&["Check the 802.1X supplicant and the switch's port authentication."]);

static GROUP: Metric = gauge("node_network_net_dev_group", "The group number that the administrator gave.")
    .why("Groups let rules and commands address many interfaces at once.")
    .check(&["`ip link show group <n>`; names stand in /etc/iproute2/group."]);

static ADDRESS_ASSIGN: Metric = gauge(
    "node_network_address_assign_type",
    "Where the hardware address comes from: 0 the device, 1 random, 2 taken from another, 3 set by hand.",
)
.why("A random address changes with each boot: DHCP reservations and port security do not know it.")
.check(&["Set a fixed address in the network configuration if others rely on it."]);

static NAME_ASSIGN: Metric = gauge(
    "node_network_name_assign_type",
    "Where the name comes from: 1 the kernel's numbering, 2 predictable, 3 user space, 4 renamed.",
)
.why("A name by the kernel's numbering can change between boots, and the configuration with it.")
.check(&["Use predictable names, or name it by its hardware address in a .link file."]);

static DEVICE_ID: Metric =
    gauge("node_network_device_id", "Tells interfaces apart that share one hardware address; mostly 0.")
        .why("Some partitioned and mainframe cards use one address for several interfaces.")
        .check(&["Nothing to do unless IPv6 addresses of such interfaces collide."]);

static PROMISCUOUS: Metric = gauge(
    "squirrel_network_promiscuous_listeners",
    "How many programs or functions asked the interface to take every frame that passes.",
)
.why("A capture that was forgotten, a bridge, or somebody who listens.")
.check(&["A bridge member or macvlan parent has one by right.", "`ss -0 -p` names the programs with packet sockets."]);

static PROTO_DOWN: Metric =
    gauge("squirrel_network_proto_down", "1 if a program holds the interface down although it has a signal.")
        .why("Routing daemons do so to keep traffic away (MLAG, VRRP); by hand one looks for a cable fault in vain.")
        .check(&["`ip -d link show dev <device>` names the reason.", "Ask the routing daemon (FRR)."]);

/// A number of the dump, and from what it is taken.
type Row = (&'static Metric, fn(&Reading) -> Option<u32>);

/// `value` while the interface is switched on: sysfs, and so node_exporter, has none otherwise.
fn while_up(reading: &Reading, value: Option<u32>) -> Option<u32> {
    value.filter(|_| reading.admin_up)
}

static ROWS: &[Row] = &[
    (&UP, |r| Some(u32::from(r.oper_state == Some(OperState::UP)))),
    (&ADMIN_UP, |r| Some(u32::from(r.admin_up))),
    (&CARRIER, |r| while_up(r, r.carrier.map(u32::from))),
    (&CARRIER_CHANGES, |r| r.carrier_changes),
    (&CARRIER_UP, |r| r.carrier_up_count),
    (&CARRIER_DOWN, |r| r.carrier_down_count),
    (&MTU, |r| r.mtu),
    (&TRANSMIT_QUEUE_LEN, |r| r.transmit_queue_len),
    (&FLAGS, |r| Some(r.flags)),
    (&PROTOCOL_TYPE, |r| Some(u32::from(r.hardware_type))),
    (&IFACE_ID, |r| Some(r.index)),
    (&IFACE_LINK, |r| Some(r.lower_index.unwrap_or(r.index))),
    (&IFACE_LINK_MODE, |r| r.link_mode.map(u32::from)),
    (&DORMANT, |r| while_up(r, Some(u32::from(r.dormant)))),
    (&GROUP, |r| r.group),
    (&PROMISCUOUS, |r| r.promiscuity),
    (&PROTO_DOWN, |r| r.proto_down.map(u32::from)),
];

/// All metrics of this file.
pub(super) const METRICS: &[&Metric] = &[
    &UP,
    &ADMIN_UP,
    &CARRIER,
    &CARRIER_CHANGES,
    &CARRIER_UP,
    &CARRIER_DOWN,
    &MTU,
    &TRANSMIT_QUEUE_LEN,
    &FLAGS,
    &PROTOCOL_TYPE,
    &IFACE_ID,
    &IFACE_LINK,
    &IFACE_LINK_MODE,
    &DORMANT,
    &GROUP,
    &PROMISCUOUS,
    &PROTO_DOWN,
    &ADDRESS_ASSIGN,
    &NAME_ASSIGN,
    &DEVICE_ID,
    &SPEED,
    &CAPACITY,
];

/// Bytes a second in one megabit a second.
const BYTES_PER_MBIT: i64 = 125_000;

/// Adds a row for each number that there is.
/// `speed_is_real` says whether the speed is that of something that exists.
pub(super) fn put(reading: &Reading, sysfs: &Sysfs, speed_is_real: bool, device: &Labels, out: &mut Batch) {
    for (metric, value) in ROWS {
        if let Some(value) = value(reading) {
            out.put(*metric, device, f64::from(value));
        }
    }
    let of_sysfs = [
        (&ADDRESS_ASSIGN, sysfs.address_assign_type),
        (&NAME_ASSIGN, sysfs.name_assign_type),
        (&DEVICE_ID, sysfs.device_id),
    ];
    for (metric, value) in of_sysfs {
        if let Some(value) = value {
            out.put(metric, device, value as f64);
        }
    }
    if let Some(mbit) = sysfs.speed_mbit {
        let bytes = mbit.saturating_mul(BYTES_PER_MBIT) as f64;
        out.put(&SPEED, device, bytes);
        // Older kernels write "unknown" as the largest number of 32 bits.
        let known = (1..i64::from(u32::MAX)).contains(&mbit);
        if known && speed_is_real {
            out.put(&CAPACITY, device, bytes);
        }
    }
}
