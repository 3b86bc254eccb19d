//! What drivers' counters and link settings mean, and how node_exporter names them.

use squirrel_model::{Kind, Metric, MetricRef, Unit};

const DEVICE: &[&str] = &["device"];
const DEVICE_CHECK: &[&str] = &["See `ethtool DEVICE`, and the same of the switch port at the other end."];

pub(super) static INFO: Metric =
    Metric::new("node_ethtool_info", Kind::Info, Unit::None, "Driver, firmware and place of a network device.")
        .why("Faults often belong to one driver or firmware version.")
        .check(&["Compare the versions of hosts with and without a fault."])
        .labels(&["bus_info", "device", "driver", "expansion_rom_version", "firmware_version", "version"]);

pub(super) static FAMILY: Metric = Metric::new(
    "node_ethtool_<statistic>",
    Kind::Untyped,
    Unit::None,
    "A counter of a network driver, under the driver's own name.",
)
.why("Drivers count what nobody else sees: full rings, damaged frames, pauses, each queue by itself.")
.check(&[
    "Look at the rate, and compare with the other queues and devices.",
    "The name is the driver's; its documentation, or `ethtool -S DEVICE`, says more.",
])
.labels(DEVICE);

const fn driver(
    name: &'static str,
    unit: Unit,
    help: &'static str,
    why: &'static str,
    check: &'static [&'static str],
) -> Metric {
    Metric::new(name, Kind::Untyped, unit, help).why(why).check(check).labels(DEVICE)
}

const DROPS_WHY: &str = "The frames reached this host's network card and were lost before the kernel had them.";
const DROPS_CHECK: &[&str] = &[
    "Enlarge the receive ring (`ethtool -g DEVICE`, then `ethtool -G DEVICE rx N`).",
    "See node_softnet_times_squeezed_total: is the CPU that serves the device too busy?",
];
const ERRORS_WHY: &str = "Damaged frames are lost; TCP slows down long before anybody sees an error.";
const ERRORS_CHECK: &[&str] =
    &["Look at cable, optics and duplex at both ends.", "See the counters by kind beside it."];

static RECEIVED_BYTES: Metric = driver(
    "node_ethtool_received_bytes_total",
    Unit::Bytes,
    "Bytes received, as the driver counts them.",
    "The hardware's own count, to compare with the kernel's.",
    &["Compare with node_network_receive_bytes_total; some drivers count the frame check sequence too."],
);
static RECEIVED_DROPPED: Metric = driver(
    "node_ethtool_received_dropped_total",
    Unit::Packets,
    "Received frames that the driver dropped.",
    DROPS_WHY,
    DROPS_CHECK,
);
static RECEIVED_ERRORS: Metric = driver(
    "node_ethtool_received_errors_total",
    Unit::Packets,
    "Frames received with an error, as the driver counts them.",
    ERRORS_WHY,
    ERRORS_CHECK,
);
static RECEIVED_PACKETS: Metric = driver(
    "node_ethtool_received_packets_total",
    Unit::Packets,
    "Frames received, as the driver counts them.",
    "The hardware's own count, to compare with the kernel's.",
    &["Compare with node_network_receive_packets_total: the difference is what the driver dropped."],
);
static TRANSMITTED_BYTES: Metric = driver(
    "node_ethtool_transmitted_bytes_total",
    Unit::Bytes,
    "Bytes sent, as the driver counts them.",
    "The hardware's own count, to compare with the kernel's.",
    &["Compare with node_network_transmit_bytes_total; some drivers count the frame check sequence too."],
);
static TRANSMITTED_ERRORS: Metric = driver(
    "node_ethtool_transmitted_errors_total",
    Unit::Packets,
    "Frames that could not be sent, as the driver counts them.",
    ERRORS_WHY,
    ERRORS_CHECK,
);
static TRANSMITTED_PACKETS: Metric = driver(
    "node_ethtool_transmitted_packets_total",
    Unit::Packets,
    "Frames sent, as the driver counts them.",
    "The hardware's own count, to compare with the kernel's.",
    &[
        "Compare with node_network_transmit_packets_total: segmentation in the card makes more frames than the kernel counts.",
    ],
);
static RECEIVED_DROPS: Metric = driver(
    "node_ethtool_received_drops",
    Unit::Packets,
    "Received frames that the driver dropped (virtio_net and others).",
    DROPS_WHY,
    DROPS_CHECK,
);
static RECEIVED_XDP_DROPS: Metric = driver(
    "node_ethtool_received_xdp_drops",
    Unit::Packets,
    "Frames that an XDP program dropped.",
    "An XDP program decides before the kernel sees a frame; nothing else counts these.",
    &["See which program is attached (`ip link show DEVICE`, `bpftool net`)."],
);
static TRANSMIT_TIMEOUTS: Metric = driver(
    "node_ethtool_transmitted_tx_timeouts",
    Unit::None,
    "Times the device did not send for so long that the kernel reset its queue.",
    "The device, its firmware or the hypervisor stood still for seconds.",
    &["Look in the kernel log for `transmit queue timed out`.", "Update firmware and driver."],
);

/// Driver's names that node_exporter renames in a way of their own.
static RENAMED: &[(&str, &Metric)] = &[
    ("rx_bytes", &RECEIVED_BYTES),
    ("rx_dropped", &RECEIVED_DROPPED),
    ("rx_errors", &RECEIVED_ERRORS),
    ("rx_packets", &RECEIVED_PACKETS),
    ("tx_bytes", &TRANSMITTED_BYTES),
    ("tx_errors", &TRANSMITTED_ERRORS),
    ("tx_packets", &TRANSMITTED_PACKETS),
];

/// Names of the family that have their own words.
static KNOWN: &[&Metric] = &[&RECEIVED_DROPS, &RECEIVED_XDP_DROPS, &TRANSMIT_TIMEOUTS];

const fn setting(
    name: &'static str,
    unit: Unit,
    help: &'static str,
    why: &'static str,
    labels: &'static [&'static str],
) -> Metric {
    Metric::new(name, Kind::Gauge, unit, help).why(why).check(DEVICE_CHECK).labels(labels)
}

const SPEED_LABELS: &[&str] = &["device", "duplex", "mode"];
const AGREE_WHY: &str =
    "When only one end agrees on speed and duplex by itself, the link falls back to half duplex and loses frames.";
const PAUSE_WHY: &str =
    "With pause frames a slow receiver stops the sender, and with it all others behind the same port.";

pub(super) static PORT: Metric = setting(
    "node_network_supported_port_info",
    Unit::None,
    "1 for each kind of port that the device has.",
    "It tells copper from fibre.",
    &["device", "type"],
);
pub(super) static SUPPORTED_SPEED: Metric = setting(
    "node_network_supported_speed_bytes",
    Unit::BytesPerSecond,
    "Each speed that the device can run at.",
    "A link that runs below the fastest of these has a reason to be found.",
    SPEED_LABELS,
);
pub(super) static ADVERTISED_SPEED: Metric = setting(
    "node_network_advertised_speed_bytes",
    Unit::BytesPerSecond,
    "Each speed that the device offers to the other end.",
    "What is supported and not offered was switched off by somebody.",
    SPEED_LABELS,
);
pub(super) static AUTONEGOTIATE: Metric = setting(
    "node_network_autonegotiate",
    Unit::None,
    "1 when the device agrees on speed and duplex with the other end.",
    AGREE_WHY,
    DEVICE,
);
pub(super) static AUTONEGOTIATE_SUPPORTED: Metric = setting(
    "node_network_autonegotiate_supported",
    Unit::None,
    "1 when the device can agree on speed and duplex with the other end.",
    AGREE_WHY,
    DEVICE,
);
pub(super) static AUTONEGOTIATE_ADVERTISED: Metric = setting(
    "node_network_autonegotiate_advertised",
    Unit::None,
    "1 when the device offers to agree on speed and duplex.",
    AGREE_WHY,
    DEVICE,
);
pub(super) static PAUSE_SUPPORTED: Metric =
    setting("node_network_pause_supported", Unit::None, "1 when the device can use pause frames.", PAUSE_WHY, DEVICE);
pub(super) static PAUSE_ADVERTISED: Metric = setting(
    "node_network_pause_advertised",
    Unit::None,
    "1 when the device offers to use pause frames.",
    PAUSE_WHY,
    DEVICE,
);
pub(super) static ASYMMETRIC_SUPPORTED: Metric = setting(
    "node_network_asymmetricpause_supported",
    Unit::None,
    "1 when the device can use pause frames in one direction only.",
    PAUSE_WHY,
    DEVICE,
);
pub(super) static ASYMMETRIC_ADVERTISED: Metric = setting(
    "node_network_asymmetricpause_advertised",
    Unit::None,
    "1 when the device offers to use pause frames in one direction only.",
    PAUSE_WHY,
    DEVICE,
);

pub(super) static METRICS: &[&Metric] = &[
    &INFO,
    &RECEIVED_BYTES,
    &RECEIVED_DROPPED,
    &RECEIVED_ERRORS,
    &RECEIVED_PACKETS,
    &TRANSMITTED_BYTES,
    &TRANSMITTED_ERRORS,
    &TRANSMITTED_PACKETS,
    &RECEIVED_DROPS,
    &RECEIVED_XDP_DROPS,
    &TRANSMIT_TIMEOUTS,
    &PORT,
    &SUPPORTED_SPEED,
    &ADVERTISED_SPEED,
    &AUTONEGOTIATE,
    &AUTONEGOTIATE_SUPPORTED,
    &AUTONEGOTIATE_ADVERTISED,
    &PAUSE_SUPPORTED,
    &PAUSE_ADVERTISED,
    &ASYMMETRIC_SUPPORTED,
    &ASYMMETRIC_ADVERTISED,
    &FAMILY,
];

/// The metric of a driver's statistic, as node_exporter names it. None when it would take the name
/// of [`INFO`], or nothing is left of the name.
pub(super) fn metric(statistic: &str) -> Option<MetricRef> {
    if let Some((_, metric)) = RENAMED.iter().find(|(name, _)| *name == statistic) {
        return Some(MetricRef::Static(metric));
    }
    let name = name(statistic);
    if !FAMILY.covers(&name) || name == INFO.name {
        return None;
    }
    Some(match KNOWN.iter().find(|metric| metric.name == name) {
        Some(metric) => MetricRef::Static(metric),
        None => FAMILY.member(name, format!("The driver's counter {}.", statistic.escape_debug())),
    })
}

/// node_exporter's name: in lower case; each run of other characters, with the underscores around
/// it, is one underscore; none at the front; `rx` and `tx` as whole words are spelled out.
pub(super) fn name(statistic: &str) -> String {
    let mut plain = String::with_capacity(statistic.len());
    let mut rest = statistic;
    while let Some(first) = rest.chars().next() {
        let odd = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        let after = rest.trim_start_matches('_').trim_start_matches(odd);
        if rest.trim_start_matches('_').starts_with(odd) {
            plain.push('_');
            rest = after.trim_start_matches('_');
        } else {
            plain.push(first.to_ascii_lowercase());
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    let plain = spelled_out(plain.trim_start_matches('_'), "rx", "received");
    format!("node_ethtool_{}", spelled_out(&plain, "tx", "transmitted"))
}

/// Replaces `word` where underscores or the ends stand around it. An underscore can end one match
/// or begin the next, not both, so of `tx_tx_` the second stays: node_exporter does the same.
fn spelled_out(name: &str, word: &str, long: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let (mut rest, mut at_start) = (name, true);
    while !rest.is_empty() {
        let inner = if at_start { Some(("", rest)) } else { None };
        let candidates = [inner, rest.strip_prefix('_').map(|after| ("_", after))];
        let found = candidates.into_iter().flatten().find_map(|(before, after)| {
            let after = after.strip_prefix(word)?;
            let end = after.strip_prefix('_');
            (end.is_some() || after.is_empty())
                .then(|| (before, if end.is_some() { "_" } else { "" }, end.unwrap_or("")))
        });
        if let Some((before, end, after)) = found {
            out.extend([before, long, end]);
            rest = after;
        } else {
            let first = rest.chars().next().unwrap_or_default();
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
        at_start = false;
    }
    out
}

#[cfg(test)]
mod tests;
