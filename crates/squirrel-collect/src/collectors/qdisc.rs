//! Queueing disciplines: what waits before the wire, and what was dropped there, by one
//! `RTM_GETQDISC` dump a tick.
//!
//! As in node_exporter, `node_qdisc_…` shows the root discipline of each interface. Disciplines below
//! it (of classes, and one for each hardware queue below `mq`) and `ingress` stand under
//! `squirrel_qdisc_…` with the labels `handle` and `parent`.

use std::collections::BTreeMap;

use squirrel_model::{Batch, Elapsed, Kind, Labels, Metric, Unit};
use squirrel_sys::{Kernel, Netlink};
use squirrel_wire::qdisc::{DUMP_QDISCS, Handle, Qdisc, RTM_GETQDISC, RTM_NEWQDISC, Statistics};

use crate::desc::{Collector, CollectorDesc, Opened, Unavailable, report};
use crate::interface_names::InterfaceNames;

const ROOT: &[&str] = &["device", "kind"];
const CHILD: &[&str] = &["device", "kind", "handle", "parent"];

const WHY_BYTES: &str = "It is what the discipline let through: compare it with what the interface sent.";
const CHECK_BYTES: &[&str] =
    &["Compare its rate with the rate limit that is configured: `tc -s qdisc show dev <device>`."];
const WHY_DROPS: &str = "These packets were dropped here, by design or for lack of room, before the wire.";
const CHECK_DROPS: &[&str] = &[
    "A few drops by fq_codel, cake or red keep delay low and are healthy; a steady flood means a link that is too slow.",
    "With pfifo_fast or pfifo look at txqueuelen and consider fq_codel.",
    "With htb, tbf or a policer compare the rate with the limit: `tc -s class show dev <device>`.",
];
const WHY_REQUEUES: &str =
    "The driver had no room and the packet was put back: the device is slower than what is sent.";
const CHECK_REQUEUES: &[&str] = &[
    "Some are normal under load; a steady rise without load points to the driver or its ring size.",
    "Enlarge the transmit ring: `ethtool -G <device> tx <n>`.",
];
const WHY_OVERLIMITS: &str = "A shaper made packets wait: the configured rate was reached.";
const CHECK_OVERLIMITS: &[&str] = &[
    "Compare traffic with the configured rate: `tc -s class show dev <device>`.",
    "Raise the rate, or find who uses it up with `iftop`.",
];
const WHY_QUEUE: &str = "Each packet that waits here delays the ones behind it: this is where bufferbloat is seen.";
const CHECK_QUEUE: &[&str] = &[
    "A queue that stays above zero for seconds means that more is sent than the link carries.",
    "Use fq_codel or cake, so that short flows do not wait behind long ones.",
];

/// The same seven metrics, for roots and for children.
struct Set {
    bytes: Metric,
    packets: Metric,
    drops: Metric,
    requeues: Metric,
    overlimits: Metric,
    queue_len: Metric,
    backlog: Metric,
}

macro_rules! set {
    ($prefix:literal, $labels:ident) => {
        Set {
            bytes: Metric::new(
                concat!($prefix, "_bytes_total"),
                Kind::Counter,
                Unit::Bytes,
                "Octets that left the queueing discipline.",
            )
            .why(WHY_BYTES)
            .check(CHECK_BYTES)
            .labels($labels),
            packets: Metric::new(
                concat!($prefix, "_packets_total"),
                Kind::Counter,
                Unit::Packets,
                "Packets that left the queueing discipline.",
            )
            .why(WHY_BYTES)
            .check(CHECK_BYTES)
            .labels($labels),
            drops: Metric::new(
                concat!($prefix, "_drops_total"),
                Kind::Counter,
                Unit::Packets,
                "Packets dropped by the queueing discipline.",
            )
            .why(WHY_DROPS)
            .check(CHECK_DROPS)
            .labels($labels),
            requeues: Metric::new(
                concat!($prefix, "_requeues_total"),
                Kind::Counter,
                Unit::Packets,
                "Packets put back because the driver could not take them.",
            )
            .why(WHY_REQUEUES)
            .check(CHECK_REQUEUES)
            .labels($labels),
            overlimits: Metric::new(
                concat!($prefix, "_overlimits_total"),
                Kind::Counter,
                Unit::None,
                "Times that a packet had to wait for a rate limit.",
            )
            .why(WHY_OVERLIMITS)
            .check(CHECK_OVERLIMITS)
            .labels($labels),
            queue_len: Metric::new(
                concat!($prefix, "_current_queue_length"),
                Kind::Gauge,
                Unit::Packets,
                "Packets waiting in the queueing discipline now.",
            )
            .why(WHY_QUEUE)
            .check(CHECK_QUEUE)
            .labels($labels),
            backlog: Metric::new(
                concat!($prefix, "_backlog"),
                Kind::Gauge,
                Unit::Bytes,
                "Octets waiting in the queueing discipline now.",
            )
            .why(WHY_QUEUE)
            .check(CHECK_QUEUE)
            .labels($labels),
        }
    };
}

static ROOTS: Set = set!("node_qdisc", ROOT);
static CHILDREN: Set = set!("squirrel_qdisc", CHILD);

pub(crate) static DESC: CollectorDesc = CollectorDesc {
    name: "qdisc",
    about: "Queueing disciplines of every interface: traffic, drops, queue and backlog, by rtnetlink.",
    metrics: &[
        &ROOTS.bytes,
        &ROOTS.packets,
        &ROOTS.drops,
        &ROOTS.requeues,
        &ROOTS.overlimits,
        &ROOTS.queue_len,
        &ROOTS.backlog,
        &CHILDREN.bytes,
        &CHILDREN.packets,
        &CHILDREN.drops,
        &CHILDREN.requeues,
        &CHILDREN.overlimits,
        &CHILDREN.queue_len,
        &CHILDREN.backlog,
    ],
    open,
};

impl Set {
    fn put(&'static self, statistics: &Statistics, labels: &Labels, out: &mut Batch) {
        let narrow = |number: Option<u32>| number.map(u64::from);
        let rows: [(&'static Metric, Option<u64>); 7] = [
            (&self.bytes, statistics.bytes),
            (&self.packets, statistics.packets),
            (&self.drops, narrow(statistics.drops)),
            (&self.requeues, narrow(statistics.requeues)),
            (&self.overlimits, narrow(statistics.overlimits)),
            (&self.queue_len, narrow(statistics.queue_len)),
            (&self.backlog, narrow(statistics.backlog)),
        ];
        for (metric, value) in rows {
            if let Some(value) = value {
                out.put(metric, labels, value as f64);
            }
        }
    }
}

/// Most disciplines that become series; `mq` on many interfaces with many queues has a lot of children.
const MAX_QDISCS: usize = 2048;

fn open(kernel: &dyn Kernel) -> Opened {
    let read = kernel.dump(Netlink::Route, RTM_GETQDISC, &DUMP_QDISCS, &mut |_, _| {});
    read.map_err(|error| Unavailable::because(&error, "It needs a kernel with traffic control (CONFIG_NET_SCHED)."))?;
    Ok(Box::new(Qdiscs::default()))
}

#[derive(Default)]
struct Qdiscs {
    names: InterfaceNames,
    /// Where each discipline is attached; a root comes before its children.
    entries: BTreeMap<Key, Entry>,
}

/// Interface, whether it is a child, parent, handle.
type Key = (u32, bool, u32, u32);

struct Entry {
    device: String,
    kind: String,
    labels: Labels,
    /// What was read in this tick, if it was there.
    statistics: Option<Statistics>,
}

impl Collector for Qdiscs {
    fn collect(&mut self, kernel: &dyn Kernel, _now: Elapsed, out: &mut Batch) {
        if let Err(error) = self.names.read(kernel) {
            return report(out, &error);
        }
        self.entries.values_mut().for_each(|entry| entry.statistics = None);
        let (mut malformed, mut surplus) = (0usize, 0usize);
        let read = kernel.dump(Netlink::Route, RTM_GETQDISC, &DUMP_QDISCS, &mut |kind, payload| {
            if kind != RTM_NEWQDISC {
                return;
            }
            match Qdisc::parse(payload) {
                // A discipline of an interface that came after the names has its rows in the next tick.
                Ok(qdisc) => {
                    if let Some(device) = self.names.name(qdisc.index) {
                        surplus += usize::from(!see(&mut self.entries, &qdisc, device));
                    }
                }
                Err(_) => malformed += 1,
            }
        });
        if let Err(error) = read {
            return report(out, &error);
        }
        if malformed > 0 {
            out.fault("rtnetlink", format!("{malformed} descriptions of queueing disciplines could not be read; this kernel writes them in an unknown form."));
        }
        if surplus > 0 {
            out.fault(
                "rtnetlink",
                format!("{surplus} queueing disciplines beyond the first {MAX_QDISCS} are not shown."),
            );
        }
        self.entries.retain(|_, entry| entry.statistics.is_some());
        for ((_, is_child, ..), entry) in &self.entries {
            if let Some(statistics) = &entry.statistics {
                let set = if *is_child { &CHILDREN } else { &ROOTS };
                set.put(statistics, &entry.labels, out);
            }
        }
    }
}

/// Takes note of a discipline; `false` if there is no room for it.
fn see(entries: &mut BTreeMap<Key, Entry>, qdisc: &Qdisc<'_>, device: &str) -> bool {
    let is_child = !qdisc.is_root();
    // A root has its interface for itself: only its kind tells an old one from a new one.
    let handle = if is_child { qdisc.handle.0 } else { 0 };
    let key = (qdisc.index, is_child, qdisc.parent.0, handle);
    let full = entries.len() >= MAX_QDISCS;
    match entries.get_mut(&key) {
        Some(entry) if entry.device == device && qdisc.kind == entry.kind.as_str() => {
            entry.statistics = Some(qdisc.statistics);
        }
        None if full => return false,
        _ => {
            let kind = qdisc.kind.to_string();
            let labels = labels(device, &kind, is_child.then_some((qdisc.handle, qdisc.parent)));
            let statistics = Some(qdisc.statistics);
            entries.insert(key, Entry { device: device.to_owned(), kind, labels, statistics });
        }
    }
    true
}

fn labels(device: &str, kind: &str, place: Option<(Handle, Handle)>) -> Labels {
    let mut labels = squirrel_model::LabelsBuilder::default();
    labels.set("device", device).set("kind", kind);
    if let Some((handle, parent)) = place {
        labels.set("handle", handle.to_string()).set("parent", parent.to_string());
    }
    labels.build().unwrap_or_default()
}

#[cfg(test)]
mod tests;
