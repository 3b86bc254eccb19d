//! What an interface is: two metrics that are always 1 and carry texts.

use std::fmt::Write as _;

use squirrel_model::{Batch, Kind, Labels, LabelsBuilder, Metric, Unit};

use super::reading::Reading;
use super::sysfs::Sysfs;

static INFO: Metric = Metric::new(
    "node_network_info",
    Kind::Info,
    Unit::None,
    "Texts about the interface: addresses, alias, duplex and states; the value is always 1.",
)
.why("It joins names and addresses to the numbers, and its states tell a pulled cable from a port switched off.")
.check(&[
    "adminstate down: somebody switched it off; `ip link set dev <device> up`.",
    "operstate lowerlayerdown: look at the interface below it (VLAN, macvlan).",
    "duplex half on a modern network: one side does not negotiate; set both sides to automatic.",
])
.labels(&["device", "address", "broadcast", "duplex", "operstate", "adminstate", "ifalias"]);

static INTERFACE_INFO: Metric = Metric::new(
    "squirrel_network_interface_info",
    Kind::Info,
    Unit::None,
    "What kind of interface it is and which one it belongs to; the value is always 1.",
)
.why("A packet on a bond is counted at the bond and at its member: sums over interfaces must take one kind only.")
.check(&[
    "Sum traffic over virtual=\"false\" for what entered and left the host.",
    "master names the bridge, bond or VRF; compare a bond's members with `cat /proc/net/bonding/<master>`.",
])
.labels(&["device", "kind", "master", "virtual"]);

pub(super) const METRICS: &[&Metric] = &[&INFO, &INTERFACE_INFO];

/// What the labels are made of.
pub(super) struct Inputs<'a> {
    pub(super) name: &'a str,
    pub(super) address: &'a [u8],
    pub(super) broadcast: &'a [u8],
    pub(super) alias: &'a [u8],
    pub(super) kind: &'a str,
    pub(super) master: &'a str,
    pub(super) reading: &'a Reading,
    pub(super) sysfs: &'a Sysfs,
}

/// The labels of both metrics.
#[derive(Default)]
pub(super) struct InfoLabels {
    node: Labels,
    interface: Labels,
}

impl InfoLabels {
    pub(super) fn new(inputs: &Inputs<'_>) -> Self {
        let alias = String::from_utf8_lossy(inputs.alias);
        let mut node = LabelsBuilder::default();
        node.set("device", inputs.name)
            .set("address", hardware_address(inputs.address))
            .set("broadcast", hardware_address(inputs.broadcast))
            .set("duplex", inputs.sysfs.duplex.as_str())
            .set("operstate", inputs.reading.oper_state.map_or("unknown", |state| state.word()))
            .set("adminstate", if inputs.reading.admin_up { "up" } else { "down" })
            .set("ifalias", alias.trim());
        let (kind, is_virtual) = kind(inputs);
        let mut interface = LabelsBuilder::default();
        interface
            .set("device", inputs.name)
            .set("kind", kind)
            .set("master", inputs.master)
            .set("virtual", if is_virtual { "true" } else { "false" });
        Self { node: node.build().unwrap_or_default(), interface: interface.build().unwrap_or_default() }
    }

    pub(super) fn put(&self, out: &mut Batch) {
        out.put(&INFO, &self.node, 1.0);
        out.put(&INTERFACE_INFO, &self.interface, 1.0);
    }
}

/// The kind, and whether no device stands behind it.
fn kind<'a>(inputs: &Inputs<'a>) -> (&'a str, bool) {
    if !inputs.kind.is_empty() {
        return (inputs.kind, true);
    }
    if inputs.reading.loopback {
        return ("loopback", true);
    }
    match inputs.sysfs.has_device {
        Some(true) => ("physical", false),
        Some(false) => ("virtual", true),
        // Without sysfs nobody knows; an interface that no software claims to have made is taken for real.
        None => ("", false),
    }
}

/// `02:00:5e:00:53:01`, as sysfs writes it; empty when there is none.
fn hardware_address(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() * 3);
    for (i, octet) in octets.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{}{octet:02x}", if i == 0 { "" } else { ":" });
    }
    text
}
