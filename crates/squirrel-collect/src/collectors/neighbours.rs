//! Neighbours: which hardware addresses are known (ARP and neighbour discovery), by rtnetlink, and how
//! full the kernel's tables are, from `/proc/net/stat`.
//!
//! `node_arp_entries` counts what `/proc/net/arp` lists, as node_exporter does: IPv4 without those that need
//! no resolution, and with proxy entries.

mod tables;

use std::collections::BTreeMap;
use std::time::Duration;

use squirrel_model::{Batch, Elapsed, Kind, Labels, LabelsBuilder, Metric, Unit};
use squirrel_sys::{Kernel, Netlink, SysError};
use squirrel_wire::neighbour::{Neighbour, RTM_GETNEIGH, RTM_NEWNEIGH, State, dump_neighbours, dump_proxies};
use squirrel_wire::{AF_INET, AF_INET6, AF_UNSPEC};

use crate::desc::{Collector, CollectorDesc, Opened, Unavailable, report};
use crate::interface_names::InterfaceNames;
use tables::Tables;

static ARP_ENTRIES: Metric = Metric::new(
    "node_arp_entries",
    Kind::Gauge,
    Unit::None,
    "IPv4 neighbours behind the interface, as /proc/net/arp lists them.",
)
.why("A sudden rise is a scan of the segment or a prefix that is much too large; near the table's limit, new neighbours fail.")
.check(&[
    "See squirrel_neighbour_entries by state: many incomplete or failed ones mean that somebody scans.",
    "Compare squirrel_neighbour_table_entries with squirrel_neighbour_table_threshold_entries.",
])
.labels(&["device"]);

static ENTRIES: Metric = Metric::new(
    "squirrel_neighbour_entries",
    Kind::Gauge,
    Unit::None,
    "Neighbours behind the interface by address family and state (RFC 4861), and proxy entries.",
)
.why("A gateway that is failed or incomplete explains why nothing beyond it answers.")
.check(&[
    "`ip neighbour show nud failed` names those that do not answer.",
    "stale is normal: known, and not used lately.",
    "Many incomplete ones: somebody asks for addresses that do not exist (a scan, a wrong prefix).",
])
.labels(&["device", "family", "state"]);

pub(crate) static DESC: CollectorDesc = CollectorDesc {
    name: "neighbours",
    about: "ARP and neighbour discovery: entries by state and how full the tables are, by rtnetlink and /proc/net/stat.",
    metrics: &crate::desc::join::<{ 2 + tables::METRICS.len() }>(&[&[&ARP_ENTRIES, &ENTRIES], tables::METRICS]),
    open,
};

/// Beyond so many neighbours the dump costs milliseconds and is made every ten seconds only.
const MANY: usize = 8192;
const PAUSE_OF_MANY: Duration = Duration::from_secs(10);

fn open(kernel: &dyn Kernel) -> Opened {
    let request = dump_neighbours(AF_UNSPEC);
    let read = kernel.dump(Netlink::Route, RTM_GETNEIGH, &request, &mut |_, _| {});
    read.map_err(|error| Unavailable::because(&error, "It needs a kernel with rtnetlink (CONFIG_NET)."))?;
    Ok(Box::new(Neighbours::default()))
}

#[derive(Default)]
struct Neighbours {
    names: InterfaceNames,
    groups: BTreeMap<Group, Count>,
    arp: BTreeMap<u32, Count>,
    due: Elapsed,
    tables: Tables,
}

/// Neighbours that are counted together; the order of rows is the order of this key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    index: u32,
    family: u8,
    kind: GroupKind,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum GroupKind {
    InState(State),
    Proxy,
}

#[derive(Default)]
struct Count {
    device: String,
    labels: Labels,
    number: u32,
}

impl Collector for Neighbours {
    fn collect(&mut self, kernel: &dyn Kernel, now: Elapsed, out: &mut Batch) {
        let counted = if now >= self.due { self.count(kernel, now, out) } else { Ok(()) };
        match counted {
            Ok(()) => self.put(out),
            Err(error) => report(out, &error),
        }
        self.tables.collect(kernel, now, out);
    }
}

impl Neighbours {
    fn count(&mut self, kernel: &dyn Kernel, now: Elapsed, out: &mut Batch) -> Result<(), SysError> {
        self.names.read(kernel)?;
        // A group that was met once is shown, with zero if need be, as long as its interface is there.
        self.groups.retain(|group, count| keep(&self.names, group.index, count));
        self.arp.retain(|index, count| keep(&self.names, *index, count));
        let (mut total, mut malformed) = (0usize, 0usize);
        for (request, is_proxy) in [(dump_neighbours(AF_UNSPEC), false), (dump_proxies(AF_UNSPEC), true)] {
            kernel.dump(Netlink::Route, RTM_GETNEIGH, &request, &mut |kind, payload| {
                if kind != RTM_NEWNEIGH {
                    return;
                }
                match Neighbour::parse(payload) {
                    Ok(neighbour) => self.see(&neighbour, is_proxy),
                    Err(_) => malformed += 1,
                }
                total += 1;
            })?;
        }
        if malformed > 0 {
            out.fault("rtnetlink", format!("{malformed} descriptions of neighbours could not be read; this kernel writes them in an unknown form."));
        }
        if total > MANY {
            self.due = Elapsed(now.0.saturating_add(PAUSE_OF_MANY));
        }
        Ok(())
    }

    fn see(&mut self, neighbour: &Neighbour<'_>, is_proxy: bool) {
        let Neighbour { index, family, state, .. } = *neighbour;
        let family_name = match family {
            AF_INET => "ipv4",
            AF_INET6 => "ipv6",
            // Forwarding tables of bridges are no neighbours.
            _ => return,
        };
        let Some(device) = self.names.name(index) else { return };
        let (kind, word) = match state.word() {
            _ if is_proxy => (GroupKind::Proxy, "proxy"),
            Some(word) => (GroupKind::InState(state), word),
            // Several bits at once is nothing that the kernel does; it is shown as one kind.
            None => (GroupKind::InState(State(u16::MAX)), "unknown"),
        };
        let count = self.groups.entry(Group { index, family, kind }).or_default();
        count.add(device, |labels| labels.set("family", family_name).set("state", word));
        if family == AF_INET && (is_proxy || !matches!(state, State::NOARP | State::NONE)) {
            self.arp.entry(index).or_default().add(device, |labels| labels);
        }
    }

    fn put(&self, out: &mut Batch) {
        for count in self.arp.values() {
            out.put(&ARP_ENTRIES, &count.labels, f64::from(count.number));
        }
        for count in self.groups.values() {
            out.put(&ENTRIES, &count.labels, f64::from(count.number));
        }
    }
}

/// Sets a count to zero, and says whether its interface is still there under the same name.
fn keep(names: &InterfaceNames, index: u32, count: &mut Count) -> bool {
    count.number = 0;
    names.name(index) == Some(count.device.as_str())
}

impl Count {
    fn add(&mut self, device: &str, more: impl FnOnce(&mut LabelsBuilder) -> &mut LabelsBuilder) {
        if self.device != device {
            device.clone_into(&mut self.device);
            let mut labels = LabelsBuilder::default();
            labels.set("device", device);
            self.labels = more(&mut labels).build().unwrap_or_default();
        }
        self.number = self.number.saturating_add(1);
    }
}

#[cfg(test)]
mod tests;
