//! Addresses of interfaces, by one `RTM_GETADDR` dump a tick.

use std::collections::BTreeMap;
use std::net::IpAddr;

use squirrel_model::{Batch, Kind, Labels, Metric, Unit};
use squirrel_sys::{Kernel, Netlink};
use squirrel_wire::address::{Address, DUMP_ADDRESSES, RTM_GETADDR, RTM_NEWADDR, Scope, flag};

use crate::desc::report;

static ADDRESS_INFO: Metric = Metric::new(
    "squirrel_network_address_info",
    Kind::Info,
    Unit::None,
    "An address of an interface, with the length of its prefix and the kernel's scope; the value is always 1.",
)
.why("It shows when an address came, went or moved to another interface.")
.check(&[
    "Two interfaces in one subnet answer for each other (ARP flux): use different subnets.",
    "An IPv4 address of 169.254.0.0/16 means that DHCP did not answer.",
])
.labels(&["device", "family", "address", "prefix", "scope"]);

static NODE_ADDRESS_INFO: Metric = Metric::new(
    "node_network_address_info",
    Kind::Info,
    Unit::None,
    "An address of an interface in node_exporter's form; the value is always 1.",
)
.why("Dashboards made for node_exporter read it; squirrel_network_address_info says more.")
.check(&["See squirrel_network_address_info."])
.labels(&["device", "address", "netmask", "scope"]);

static DUPLICATE: Metric = Metric::new(
    "squirrel_network_duplicate_addresses",
    Kind::Gauge,
    Unit::None,
    "IPv6 addresses of the interface that are not used because another host has them.",
)
.why("Two hosts were given one address, or a clone kept the hardware address of its original.")
.check(&[
    "`ip -6 address show dadfailed` names them.",
    "Find the other host by its hardware address in the switch's table.",
])
.labels(super::DEVICE);

pub(super) const METRICS: &[&Metric] = &[&ADDRESS_INFO, &NODE_ADDRESS_INFO, &DUPLICATE];

/// Most addresses that become series.
const MAX_ADDRESSES: usize = 4096;

/// What makes one address; the order of rows is the order of this key.
type Key = (u32, IpAddr, u8, u8);

struct Entry {
    device: String,
    labels: [Labels; 2],
    present: bool,
}

/// Addresses with their labels, kept from tick to tick.
#[derive(Default)]
pub(super) struct Addresses {
    entries: BTreeMap<Key, Entry>,
    /// Duplicate addresses of each interface that has IPv6, with the label of its device.
    duplicates: BTreeMap<u32, Duplicates>,
}

struct Duplicates {
    device: String,
    labels: Labels,
    count: u32,
    present: bool,
}

impl Addresses {
    /// Adds the rows of all addresses. `name` knows the interfaces by their numbers.
    pub(super) fn collect<'n>(&mut self, kernel: &dyn Kernel, name: &dyn Fn(u32) -> Option<&'n str>, out: &mut Batch) {
        self.entries.values_mut().for_each(|entry| entry.present = false);
        self.duplicates.values_mut().for_each(|duplicates| (duplicates.present, duplicates.count) = (false, 0));
        let (mut malformed, mut surplus) = (0usize, 0usize);
        let read = kernel.dump(Netlink::Route, RTM_GETADDR, &DUMP_ADDRESSES, &mut |kind, payload| {
            if kind != RTM_NEWADDR {
                return;
            }
            let Ok(address) = Address::parse(payload) else {
                malformed += 1;
                return;
            };
            // An interface that came after the dump of interfaces has its addresses in the next tick.
            if let (Some(local), Some(device)) = (address.local, name(address.index)) {
                surplus += usize::from(!self.see(&address, local, device));
            }
        });
        if let Err(error) = read {
            return report(out, &error);
        }
        if malformed > 0 {
            out.fault("rtnetlink", format!("{malformed} descriptions of addresses could not be read; this kernel writes them in an unknown form."));
        }
        if surplus > 0 {
            out.fault("rtnetlink", format!("{surplus} addresses beyond the first {MAX_ADDRESSES} are not shown."));
        }
        self.entries.retain(|_, entry| entry.present);
        self.duplicates.retain(|_, duplicates| duplicates.present);
        for entry in self.entries.values() {
            for (metric, labels) in [&ADDRESS_INFO, &NODE_ADDRESS_INFO].into_iter().zip(&entry.labels) {
                out.put(metric, labels, 1.0);
            }
        }
        for duplicates in self.duplicates.values() {
            out.put(&DUPLICATE, &duplicates.labels, f64::from(duplicates.count));
        }
    }

    /// Takes note of an address; `false` if there is no room for it.
    fn see(&mut self, address: &Address<'_>, local: IpAddr, device: &str) -> bool {
        if local.is_ipv6() {
            self.see_ipv6(address, device);
        }
        let key = (address.index, local, address.prefix_len, address.scope.0);
        let full = self.entries.len() >= MAX_ADDRESSES;
        match self.entries.get_mut(&key) {
            Some(entry) if entry.device == device => entry.present = true,
            None if full => return false,
            _ => {
                let labels = labels(device, local, address.prefix_len, address.scope);
                self.entries.insert(key, Entry { device: device.to_owned(), labels, present: true });
            }
        }
        true
    }

    fn see_ipv6(&mut self, address: &Address<'_>, device: &str) {
        let duplicates = self.duplicates.entry(address.index).or_insert_with(|| Duplicates {
            device: String::new(),
            labels: Labels::empty(),
            count: 0,
            present: true,
        });
        if duplicates.device != device {
            device.clone_into(&mut duplicates.device);
            duplicates.labels = Labels::new([("device", device)]).unwrap_or_default();
        }
        duplicates.present = true;
        duplicates.count += u32::from(address.has(flag::DUPLICATE));
    }
}

fn labels(device: &str, local: IpAddr, prefix_len: u8, scope: Scope) -> [Labels; 2] {
    let (text, prefix) = (local.to_string(), prefix_len.to_string());
    let family = if local.is_ipv4() { "ipv4" } else { "ipv6" };
    let scope = scope.word().map_or_else(|| scope.0.to_string(), str::to_owned);
    let ours =
        [("device", device), ("family", family), ("address", &text), ("prefix", &prefix), ("scope", scope.as_str())];
    let theirs = [("device", device), ("address", &text), ("netmask", &prefix), ("scope", node_scope(local))];
    [Labels::new(ours).unwrap_or_default(), Labels::new(theirs).unwrap_or_default()]
}

/// The scope as node_exporter works it out, from the address alone.
fn node_scope(address: IpAddr) -> &'static str {
    let (near, broadcast) = match address {
        IpAddr::V4(v4) => (v4.is_loopback() || v4.is_link_local(), v4.is_broadcast()),
        IpAddr::V6(v6) => (v6.is_loopback() || v6.is_unicast_link_local(), false),
    };
    if near {
        "link-local"
    } else if broadcast || address.is_multicast() || address.is_unspecified() {
        ""
    } else {
        "global"
    }
}
