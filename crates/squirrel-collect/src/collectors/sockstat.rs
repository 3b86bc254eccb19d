//! Sockets and their memory by protocol: `/proc/net/sockstat` and `/proc/net/sockstat6`.
//!
//! A line is a protocol and pairs of key and number, written by `sockstat_seq_show` in
//! `net/ipv4/proc.c` and `net/ipv6/proc.c`. `mem` counts pages; node_exporter adds `mem_bytes`.

use squirrel_model::{Batch, Elapsed, Kind, Labels, Metric, MetricRef, Unit};
use squirrel_sys::Kernel;

use crate::desc::{Collector, CollectorDesc, Opened, Unavailable, report};
use crate::page_size::page_size;
use crate::parse::{complete, decimal, lines, words};

const PATH4: &str = "/proc/net/sockstat";
const PATH6: &str = "/proc/net/sockstat6";
const PREFIX: &str = "node_sockstat_";

/// Most values that are remembered; a current kernel has some 20.
const MAX_VALUES: usize = 256;

const fn gauge(
    name: &'static str,
    unit: Unit,
    help: &'static str,
    why: &'static str,
    check: &'static [&'static str],
) -> Metric {
    Metric::new(name, Kind::Gauge, unit, help).why(why).check(check)
}

static FAMILY: Metric = gauge(
    "node_sockstat_<protocol>_<value>",
    Unit::None,
    "A number that the kernel keeps of a protocol's sockets, under the kernel's own names.",
    "It shows how many sockets of a protocol there are, or what they hold.",
    &["See the protocol's sockets with `ss`."],
);

const COUNT_WHY: &str = "A number that grows without end is a program that does not close its sockets.";
const COUNT_CHECK: &[&str] = &["See which process owns them (`ss -anp`)."];
const PAGES_WHY: &str =
    "Near the third number of the limit, the kernel refuses memory and drops data of all such sockets.";

static USED: Metric = gauge(
    "node_sockstat_sockets_used",
    Unit::None,
    "Sockets of all kinds in use, Unix sockets included.",
    COUNT_WHY,
    COUNT_CHECK,
);
static TCP_INUSE: Metric = gauge(
    "node_sockstat_TCP_inuse",
    Unit::None,
    "IPv4 TCP sockets in use, without those in TIME_WAIT.",
    COUNT_WHY,
    COUNT_CHECK,
);
static TCP_ORPHAN: Metric = gauge(
    "node_sockstat_TCP_orphan",
    Unit::None,
    "TCP sockets that no process holds any more and that still have something to send.",
    "Beyond the limit the kernel resets them, and their last data is lost.",
    &[
        "Compare with `sysctl net.ipv4.tcp_max_orphans`.",
        "See sockets in FIN_WAIT1 and LAST_ACK: their peers do not answer.",
    ],
);
static TCP_TW: Metric = gauge(
    "node_sockstat_TCP_tw",
    Unit::None,
    "TCP sockets in TIME_WAIT, IPv4 and IPv6.",
    "Harmless by itself; many towards one address and port can use up the local ports.",
    &[
        "See whether one destination has most of them, and reuse connections there.",
        "Compare with `sysctl net.ipv4.tcp_max_tw_buckets`; do not shorten TIME_WAIT, it cannot be shortened.",
    ],
);
static TCP_ALLOC: Metric =
    gauge("node_sockstat_TCP_alloc", Unit::None, "TCP sockets allocated, in any state.", COUNT_WHY, COUNT_CHECK);
static TCP_MEM: Metric = gauge(
    "node_sockstat_TCP_mem",
    Unit::None,
    "Memory pages that TCP sockets hold.",
    PAGES_WHY,
    &[
        "Compare with `sysctl net.ipv4.tcp_mem`, which is in pages too.",
        "Find the sockets with large queues (`ss -tmnp`).",
    ],
);
static TCP_MEM_BYTES: Metric = gauge(
    "node_sockstat_TCP_mem_bytes",
    Unit::Bytes,
    "Memory that TCP sockets hold.",
    PAGES_WHY,
    &["Compare with `sysctl net.ipv4.tcp_mem`, which is in pages.", "Find the sockets with large queues (`ss -tmnp`)."],
);
static UDP_INUSE: Metric =
    gauge("node_sockstat_UDP_inuse", Unit::None, "IPv4 UDP sockets in use.", COUNT_WHY, COUNT_CHECK);
static UDP_MEM: Metric = gauge(
    "node_sockstat_UDP_mem",
    Unit::None,
    "Memory pages that UDP sockets hold.",
    PAGES_WHY,
    &[
        "Compare with `sysctl net.ipv4.udp_mem`, which is in pages too.",
        "Find the socket with the large queue (`ss -uanm`).",
    ],
);
static UDP_MEM_BYTES: Metric = gauge(
    "node_sockstat_UDP_mem_bytes",
    Unit::Bytes,
    "Memory that UDP sockets hold.",
    PAGES_WHY,
    &[
        "Compare with `sysctl net.ipv4.udp_mem`, which is in pages.",
        "Find the socket with the large queue (`ss -uanm`).",
    ],
);
static UDPLITE_INUSE: Metric =
    gauge("node_sockstat_UDPLITE_inuse", Unit::None, "IPv4 UDP-Lite sockets in use.", COUNT_WHY, COUNT_CHECK);
static RAW_INUSE: Metric = gauge(
    "node_sockstat_RAW_inuse",
    Unit::None,
    "IPv4 raw sockets in use.",
    "Each gets a copy of every packet of its protocol; programs such as ping, and intruders, use them.",
    &["See which process owns them (`ss -wp`)."],
);
static FRAG_INUSE: Metric = gauge(
    "node_sockstat_FRAG_inuse",
    Unit::None,
    "IPv4 packets of which some fragments have come.",
    "Fragments that wait long have lost their siblings.",
    &["See node_netstat_Ip_ReasmFails and node_netstat_Ip_ReasmTimeout."],
);
static FRAG_MEMORY: Metric = gauge(
    "node_sockstat_FRAG_memory",
    Unit::Bytes,
    "Memory that waiting IPv4 fragments hold.",
    "Beyond the limit fragments are thrown away, and whole packets with them.",
    &["Compare with `sysctl net.ipv4.ipfrag_high_thresh`."],
);
static TCP6_INUSE: Metric = gauge(
    "node_sockstat_TCP6_inuse",
    Unit::None,
    "IPv6 TCP sockets in use, without those in TIME_WAIT.",
    COUNT_WHY,
    COUNT_CHECK,
);
static UDP6_INUSE: Metric =
    gauge("node_sockstat_UDP6_inuse", Unit::None, "IPv6 UDP sockets in use.", COUNT_WHY, COUNT_CHECK);
static UDPLITE6_INUSE: Metric =
    gauge("node_sockstat_UDPLITE6_inuse", Unit::None, "IPv6 UDP-Lite sockets in use.", COUNT_WHY, COUNT_CHECK);
static RAW6_INUSE: Metric = gauge(
    "node_sockstat_RAW6_inuse",
    Unit::None,
    "IPv6 raw sockets in use.",
    "Each gets a copy of every packet of its protocol; router daemons, ping, and intruders use them.",
    &["See which process owns them (`ss -wp`)."],
);
static FRAG6_INUSE: Metric = gauge(
    "node_sockstat_FRAG6_inuse",
    Unit::None,
    "IPv6 packets of which some fragments have come.",
    "Fragments that wait long have lost their siblings.",
    &["See node_netstat_Ip6_ReasmFails and node_netstat_Ip6_ReasmTimeout."],
);
static FRAG6_MEMORY: Metric = gauge(
    "node_sockstat_FRAG6_memory",
    Unit::Bytes,
    "Memory that waiting IPv6 fragments hold.",
    "Beyond the limit fragments are thrown away, and whole packets with them.",
    &["Compare with `sysctl net.ipv6.ip6frag_high_thresh`."],
);

static METRICS: &[&Metric] = &[
    &USED,
    &TCP_INUSE,
    &TCP_ORPHAN,
    &TCP_TW,
    &TCP_ALLOC,
    &TCP_MEM,
    &TCP_MEM_BYTES,
    &UDP_INUSE,
    &UDP_MEM,
    &UDP_MEM_BYTES,
    &UDPLITE_INUSE,
    &RAW_INUSE,
    &FRAG_INUSE,
    &FRAG_MEMORY,
    &TCP6_INUSE,
    &UDP6_INUSE,
    &UDPLITE6_INUSE,
    &RAW6_INUSE,
    &FRAG6_INUSE,
    &FRAG6_MEMORY,
    &FAMILY,
];

pub(crate) static DESC: CollectorDesc = CollectorDesc {
    name: "sockstat",
    about: "Sockets and the memory they hold, by protocol, from /proc/net/sockstat and /proc/net/sockstat6.",
    metrics: METRICS,
    open,
};

fn open(kernel: &dyn Kernel) -> Opened {
    let mut text = Vec::new();
    let read = kernel.read(PATH4, &mut text);
    read.map_err(|error| Unavailable::because(&error, "It needs /proc mounted and a kernel with IPv4."))?;
    Ok(Box::new(Sockstat { text, page: page_size(kernel) as f64, values: Vec::new() }))
}

struct Sockstat {
    text: Vec<u8>,
    page: f64,
    /// The values met so far, in the order of the files.
    values: Vec<Value>,
}

/// One key of one protocol.
struct Value {
    protocol: Vec<u8>,
    key: Vec<u8>,
    metric: MetricRef,
    /// For a value in pages, the metric in bytes.
    bytes: Option<MetricRef>,
}

impl Collector for Sockstat {
    fn collect(&mut self, kernel: &dyn Kernel, _now: Elapsed, out: &mut Batch) {
        let mut place = 0;
        for path in [PATH4, PATH6] {
            match kernel.read(path, &mut self.text) {
                Ok(()) => {
                    let text = complete(path, &self.text, out);
                    for line in lines(text) {
                        read_line(path, line, &mut self.values, &mut place, self.page, out);
                    }
                }
                // Without IPv6 there is no such file, and nothing is missing.
                Err(error) if path == PATH6 && error.is_absent() => {}
                Err(error) => report(out, &error),
            }
        }
        self.values.truncate(place);
    }
}

/// Emits the pairs of one line. `place` is where the next pair stood in the last tick.
fn read_line(path: &str, line: &[u8], values: &mut Vec<Value>, place: &mut usize, page: f64, out: &mut Batch) {
    let none = Labels::empty();
    let mut words = words(line);
    let Some(protocol) = words.next().and_then(|word| word.strip_suffix(b":")) else {
        return out.fault(path, "A line does not begin with a protocol and a colon.");
    };
    while let Some(key) = words.next() {
        let Some(number) = words.next().and_then(decimal) else {
            let (protocol, key) = (String::from_utf8_lossy(protocol), String::from_utf8_lossy(key));
            out.fault(path, format!("{} of {} is not a number.", key.escape_debug(), protocol.escape_debug()));
            continue;
        };
        let Some(value) = settle(values, *place, protocol, key) else { continue };
        *place += 1;
        out.put(value.metric.clone(), &none, number as f64);
        if let Some(bytes) = &value.bytes {
            out.put(bytes.clone(), &none, number as f64 * page);
        }
    }
}

/// The value that belongs at this place: mostly the one of the last tick, else an old one moved
/// here or a new one. None when its name cannot be one, or was seen before in this tick.
fn settle<'a>(values: &'a mut Vec<Value>, place: usize, protocol: &[u8], key: &[u8]) -> Option<&'a Value> {
    let is = |value: &Value| value.protocol == protocol && value.key == key;
    if !values.get(place).is_some_and(is) {
        match values.iter().position(is) {
            Some(earlier) if earlier < place => return None,
            Some(later) => values.swap(place, later),
            None if values.len() < MAX_VALUES => values.insert(place.min(values.len()), learn(protocol, key)?),
            None => return None,
        }
    }
    values.get(place)
}

fn learn(protocol: &[u8], key: &[u8]) -> Option<Value> {
    let name = format!("{PREFIX}{}_{}", std::str::from_utf8(protocol).ok()?, std::str::from_utf8(key).ok()?);
    let plain = squirrel_model::is_metric_name(&name) && !protocol.is_empty();
    // `mem` brings a second name with it; a file that says `mem_bytes` itself would repeat it.
    if !plain || key == b"mem_bytes" {
        return None;
    }
    let bytes = (key == b"mem").then(|| metric(&format!("{name}_bytes")));
    Some(Value { protocol: protocol.to_vec(), key: key.to_vec(), metric: metric(&name), bytes })
}

fn metric(name: &str) -> MetricRef {
    match METRICS.iter().find(|metric| metric.name == name) {
        Some(metric) => MetricRef::Static(metric),
        None => FAMILY.member(name, "A number that the kernel keeps of a protocol's sockets."),
    }
}

#[cfg(test)]
mod tests;
