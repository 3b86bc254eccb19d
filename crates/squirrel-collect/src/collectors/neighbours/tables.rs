//! The kernel's neighbour tables as wholes: one for IPv4, one for IPv6, shared by all network namespaces.
//!
//! `/proc/net/stat/arp_cache` and `ndisc_cache` have a line of names and one of hexadecimal numbers for each CPU;
//! see `neigh_stat_seq_show` in `net/core/neighbour.c`. They and the thresholds exist in the first network
//! namespace only; in another one nothing is missing when they are absent.

use std::time::Duration;

use squirrel_model::{Batch, Elapsed, Kind, Labels, Metric, Unit};
use squirrel_sys::Kernel;

use crate::desc::report;
use crate::parse::{complete, decimal, hex, lines, words};

const FAMILY: &[&str] = &["family"];

static TABLE_ENTRIES: Metric = Metric::new(
    "squirrel_neighbour_table_entries",
    Kind::Gauge,
    Unit::None,
    "Entries of the neighbour table of this address family, over all interfaces and network namespaces.",
)
.why("At the third threshold the kernel refuses new entries, and new neighbours cannot be reached.")
.check(&["Compare with squirrel_neighbour_table_threshold_entries{threshold=\"gc_thresh3\"}."])
.labels(FAMILY);

static TABLE_FULLS: Metric = Metric::new(
    "squirrel_neighbour_table_fulls_total",
    Kind::Counter,
    Unit::None,
    "Times that an entry could not be made because the neighbour table was full.",
)
.why("Each is a packet that was dropped for a neighbour that may be perfectly well: `Neighbour table overflow` in the log.")
.check(&[
    "Raise `net.ipv4.neigh.default.gc_thresh3` (and 1 and 2 with it), or the same below net.ipv6.",
    "Look for a scan: squirrel_neighbour_entries{state=\"incomplete\"}.",
])
.labels(FAMILY);

static RESOLUTION_FAILED: Metric = Metric::new(
    "squirrel_neighbour_resolution_failed_total",
    Kind::Counter,
    Unit::None,
    "Neighbours that did not answer when asked for their hardware address.",
)
.why("Packets for them were dropped and programs saw `No route to host`.")
.check(&["`ip neighbour show nud failed` names those of now.", "Check VLAN, cable and firewall of the missing host."])
.labels(FAMILY);

static UNRESOLVED_DISCARDS: Metric = Metric::new(
    "squirrel_neighbour_unresolved_discards_total",
    Kind::Counter,
    Unit::Packets,
    "Packets dropped while they waited for a neighbour's hardware address.",
)
.why("The first packets to a host are lost when many are sent before it has answered.")
.check(&["Raise `net.ipv4.neigh.<device>.unres_qlen_bytes` if bursts to new hosts are normal here."])
.labels(FAMILY);

static THRESHOLD: Metric = Metric::new(
    "squirrel_neighbour_table_threshold_entries",
    Kind::Gauge,
    Unit::None,
    "Sizes of the neighbour table: below gc_thresh1 nothing is removed, above gc_thresh2 soon, at gc_thresh3 it is full.",
)
.why("The defaults (128, 512, 1024) are too small for a router or a host of many containers.")
.check(&["Set gc_thresh3 to twice the largest number of neighbours expected."])
.labels(&["family", "threshold"]);

pub(super) const METRICS: &[&Metric] =
    &[&TABLE_ENTRIES, &TABLE_FULLS, &RESOLUTION_FAILED, &UNRESOLVED_DISCARDS, &THRESHOLD];

/// A column of the file: its name, its metric, and whether its numbers are added over the CPUs.
static COLUMNS: &[(&[u8], &Metric, bool)] = &[
    (b"entries", &TABLE_ENTRIES, false),
    (b"table_fulls", &TABLE_FULLS, true),
    (b"res_failed", &RESOLUTION_FAILED, true),
    (b"unresolved_discards", &UNRESOLVED_DISCARDS, true),
];

/// The thresholds are read every so often: they change by hand only.
const THRESHOLDS_AGAIN: Duration = Duration::from_secs(10);
const THRESHOLDS: [&str; 3] = ["gc_thresh1", "gc_thresh2", "gc_thresh3"];

pub(super) struct Tables {
    text: Vec<u8>,
    families: [Family; 2],
    due: Elapsed,
}

struct Family {
    statistics: &'static str,
    thresholds: [Threshold; 3],
    labels: Labels,
}

struct Threshold {
    path: String,
    labels: Labels,
    value: Option<u64>,
}

impl Default for Tables {
    fn default() -> Self {
        let families = [("ipv4", "/proc/net/stat/arp_cache"), ("ipv6", "/proc/net/stat/ndisc_cache")];
        Self {
            text: Vec::new(),
            families: families.map(|(name, path)| Family::new(name, path)),
            due: Elapsed::default(),
        }
    }
}

impl Family {
    fn new(name: &'static str, statistics: &'static str) -> Self {
        let thresholds = THRESHOLDS.map(|threshold| Threshold {
            path: format!("/proc/sys/net/{name}/neigh/default/{threshold}"),
            labels: Labels::new([("family", name), ("threshold", threshold)]).unwrap_or_default(),
            value: None,
        });
        Self { statistics, thresholds, labels: Labels::new([("family", name)]).unwrap_or_default() }
    }

    /// Adds up the columns that have a metric.
    fn put(&self, text: &[u8], out: &mut Batch) {
        let mut lines = lines(text);
        let Some(header) = lines.next() else { return };
        let mut sums = [None::<u64>; COLUMNS.len()];
        for line in lines {
            for (name, word) in words(header).zip(words(line)) {
                let column = COLUMNS.iter().zip(&mut sums).find(|((wanted, ..), _)| *wanted == name);
                let (Some(((.., is_added), sum)), Some(number)) = (column, hex(word)) else { continue };
                *sum = Some(if *is_added { sum.unwrap_or(0).saturating_add(number) } else { number });
            }
        }
        for ((_, metric, _), sum) in COLUMNS.iter().zip(sums) {
            if let Some(sum) = sum {
                out.put(*metric, &self.labels, sum as f64);
            }
        }
    }
}

impl Tables {
    pub(super) fn collect(&mut self, kernel: &dyn Kernel, now: Elapsed, out: &mut Batch) {
        let due = now >= self.due;
        for family in &mut self.families {
            match kernel.read(family.statistics, &mut self.text) {
                Ok(()) => family.put(complete(family.statistics, &self.text, out), out),
                // Another network namespace than the first, or no IPv6.
                Err(error) if error.is_absent() => {}
                Err(error) => report(out, &error),
            }
            for threshold in &mut family.thresholds {
                if due {
                    let read = kernel.read(&threshold.path, &mut self.text);
                    threshold.value = read.ok().and_then(|()| decimal(self.text.trim_ascii()));
                }
                if let Some(value) = threshold.value {
                    out.put(&THRESHOLD, &threshold.labels, value as f64);
                }
            }
        }
        if due {
            self.due = Elapsed(now.0.saturating_add(THRESHOLDS_AGAIN));
        }
    }
}
