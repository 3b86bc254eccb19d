//! Packets on their way through each CPU's receive path: `/proc/net/softnet_stat`.
//!
//! One line a CPU, hexadecimal, written by `softnet_seq_show` in `net/core/net-procfs.c`. Older
//! kernels write fewer columns; what is not there is not emitted. Since Linux 5.14 column 13 says
//! which CPU a line is for; before, offline CPUs are skipped and a line's position stands for it,
//! as node_exporter reads it.

use squirrel_model::{Batch, Elapsed, Kind, Labels, Metric, Unit};
use squirrel_sys::Kernel;

use crate::desc::{Collector, CollectorDesc, Opened, Unavailable, report};
use crate::parse::{complete, hex, lines, words};

const PATH: &str = "/proc/net/softnet_stat";
const CPU: &[&str] = &["cpu"];

static PROCESSED: Metric = Metric::new(
    "node_softnet_processed_total",
    Kind::Counter,
    Unit::Packets,
    "Packets that this CPU took from network devices.",
)
.why("When one CPU takes nearly all packets it is the bottleneck while the others idle.")
.check(&[
    "Compare the CPUs: a single one that counts alone needs receive-side scaling (`ethtool -x`) or RPS.",
    "See which CPU serves the network card's interrupts in /proc/interrupts.",
])
.labels(CPU);

static DROPPED: Metric = Metric::new(
    "node_softnet_dropped_total",
    Kind::Counter,
    Unit::Packets,
    "Packets dropped because this CPU's backlog queue was full.",
)
.why("These packets had arrived and were lost inside this host, before any socket saw them.")
.check(&[
    "Compare node_softnet_backlog_len with `sysctl net.core.netdev_max_backlog` and raise the limit for short bursts.",
    "Look for a CPU that is busy with softirq or stolen by the hypervisor (`mpstat -P ALL 1`).",
    "Spread the load over more CPUs with RPS or more receive queues.",
])
.labels(CPU);

static SQUEEZED: Metric = Metric::new(
    "node_softnet_times_squeezed_total",
    Kind::Counter,
    Unit::None,
    "Times this CPU stopped receiving with work left, because its budget of packets or time was used up.",
)
.why("Each is a delay, not a loss; some are normal, a steady rise means that the CPU cannot keep up.")
.check(&[
    "See whether node_softnet_dropped_total rises too: only then packets are lost.",
    "Raise `sysctl net.core.netdev_budget` and `net.core.netdev_budget_usecs` if the CPU has time to spare.",
])
.labels(CPU);

static COLLISION: Metric = Metric::new(
    "node_softnet_cpu_collision_total",
    Kind::Counter,
    Unit::None,
    "Times this CPU found a device's transmit lock held by another CPU; kernels since 4.8 leave it at zero.",
)
.why("CPUs that wait for one another's transmit lock send less than the device could.")
.check(&["Give the device more transmit queues (`ethtool -L`) and map CPUs to them with XPS."])
.labels(CPU);

static RECEIVED_RPS: Metric = Metric::new(
    "node_softnet_received_rps_total",
    Kind::Counter,
    Unit::None,
    "Times another CPU woke this one to receive packets that RPS steered here.",
)
.why("It shows whether receive packet steering spreads the load, and each wake-up costs an interrupt.")
.check(&["Compare the CPUs with the masks in /sys/class/net/*/queues/rx-*/rps_cpus."])
.labels(CPU);

static FLOW_LIMIT: Metric = Metric::new(
    "node_softnet_flow_limit_count_total",
    Kind::Counter,
    Unit::Packets,
    "Packets dropped by the flow limit: one flow took too large a share of a filling backlog.",
)
.why("One heavy flow is being held back so that the others on this CPU survive.")
.check(&[
    "Find the heavy flow (`iftop`), or see `sysctl net.core.flow_limit_cpu_bitmap`.",
    "Spread the flow's work with RPS; a single flow cannot use a second receive queue.",
])
.labels(CPU);

static BACKLOG: Metric = Metric::new(
    "node_softnet_backlog_len",
    Kind::Gauge,
    Unit::Packets,
    "Packets that wait in this CPU's backlog queue now.",
)
.why("A queue that does not empty is delay now and drops soon.")
.check(&["Compare with `sysctl net.core.netdev_max_backlog`, and watch node_softnet_dropped_total."])
.labels(CPU);

/// Which column, counted from zero, feeds which metric.
static COLUMNS: &[(usize, &Metric)] = &[
    (0, &PROCESSED),
    (1, &DROPPED),
    (2, &SQUEEZED),
    (8, &COLLISION),
    (9, &RECEIVED_RPS),
    (10, &FLOW_LIMIT),
    (11, &BACKLOG),
];

/// The column that holds the number of the CPU, where there is one.
const CPU_COLUMN: usize = 12;

pub(crate) static DESC: CollectorDesc = CollectorDesc {
    name: "softnet",
    about: "Packets received, dropped and delayed on each CPU, from /proc/net/softnet_stat.",
    metrics: &[&PROCESSED, &DROPPED, &SQUEEZED, &COLLISION, &RECEIVED_RPS, &FLOW_LIMIT, &BACKLOG],
    open,
};

#[derive(Default)]
struct Softnet {
    text: Vec<u8>,
    /// Each CPU met so far, by its number.
    cpus: Vec<Cpu>,
    /// The number of this tick.
    tick: u64,
}

struct Cpu {
    labels: Labels,
    /// The tick in which it was last emitted.
    emitted: u64,
}

fn open(kernel: &dyn Kernel) -> Opened {
    let mut softnet = Box::new(Softnet::default());
    kernel
        .read(PATH, &mut softnet.text)
        .map_err(|error| Unavailable::because(&error, "It needs /proc mounted and a kernel with networking."))?;
    Ok(softnet)
}

impl Collector for Softnet {
    fn collect(&mut self, kernel: &dyn Kernel, _now: Elapsed, out: &mut Batch) {
        if let Err(error) = kernel.read(PATH, &mut self.text) {
            return report(out, &error);
        }
        self.tick += 1;
        let mut numbers = [0u64; CPU_COLUMN + 1];
        for (position, line) in lines(complete(PATH, &self.text, out)).enumerate() {
            let mut count = 0;
            for (slot, word) in numbers.iter_mut().zip(words(line)) {
                let Some(number) = hex(word) else { break };
                *slot = number;
                count += 1;
            }
            let row = numbers.get(..count).unwrap_or_default();
            if row.len() < 3 {
                out.fault(PATH, format!("Line {} has fewer than three hexadecimal numbers.", position + 1));
                continue;
            }
            let cpu = row.get(CPU_COLUMN).map_or(position, |&cpu| cpu as usize);
            let Some(known) = find(&mut self.cpus, cpu) else {
                out.fault(PATH, format!("Line {} is for CPU {cpu}, more than a kernel can have.", position + 1));
                continue;
            };
            if std::mem::replace(&mut known.emitted, self.tick) == self.tick {
                out.fault(PATH, format!("Line {} repeats CPU {cpu}.", position + 1));
                continue;
            }
            for &(column, metric) in COLUMNS {
                if let Some(&number) = row.get(column) {
                    out.put(metric, &known.labels, number as f64);
                }
            }
        }
    }
}

/// Most CPUs of one kernel (`NR_CPUS` is 8192 at most on any architecture); it bounds the memory
/// that a damaged file can ask for.
const MAX_CPUS: usize = 8192;

fn find(cpus: &mut Vec<Cpu>, cpu: usize) -> Option<&mut Cpu> {
    if cpu >= MAX_CPUS {
        return None;
    }
    while cpus.len() <= cpu {
        let labels = Labels::new([("cpu", cpus.len().to_string())]).unwrap_or_default();
        cpus.push(Cpu { labels, emitted: 0 });
    }
    cpus.get_mut(cpu)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use squirrel_testkit::FakeKernel;

    use super::*;
    use crate::testing::{check_reading, check_survives};

    #[test]
    fn a_line_of_a_current_kernel_names_its_cpu() {
        let line =
            "0000000a 00000001 00000002 0 0 0 0 0 00000003 00000004 00000005 00000006 00000009 00000000 00000000\n";
        let seen = check_reading(&DESC, &FakeKernel::default().with(PATH, line));
        let got: Vec<_> = COLUMNS.iter().map(|(_, metric)| seen.value(&metric.name, &[("cpu", "9")])).collect();
        assert_eq!(got, [10.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(Some));
    }

    #[test]
    fn older_kernels_have_fewer_columns_and_no_cpu_number() {
        let text = "00000001 00000000 00000000 0 0 0 0 0 00000007\n00000002 00000000 00000000 0 0 0 0 0 00000008\n";
        let seen = check_reading(&DESC, &FakeKernel::default().with(PATH, text));
        assert_eq!(seen.value("node_softnet_processed_total", &[("cpu", "1")]), Some(2.0));
        assert_eq!(seen.value("node_softnet_cpu_collision_total", &[("cpu", "1")]), Some(8.0));
        assert!(!seen.has("node_softnet_backlog_len") && !seen.has("node_softnet_received_rps_total"));
    }

    #[test]
    fn a_damaged_line_is_a_fault_and_the_others_count() {
        let seen = check_reading(
            &DESC,
            &FakeKernel::default()
                .with(PATH, "zz\n1 2 3\n0 0 0 0 0 0 0 0 0 0 0 0 ffffffff\n4 5 6\n5 6 7 0 0 0 0 0 0 0 0 0 3\n"),
        );
        assert_eq!(seen.value("node_softnet_dropped_total", &[("cpu", "1")]), Some(2.0));
        assert_eq!(seen.batch.faults.len(), 3);
    }

    proptest! {
        #[test]
        fn any_text_survives(text in "[0-9a-fx \\n]{0,200}", cut in 0usize..200) {
            check_survives(&DESC, PATH, text.as_bytes().get(..cut).unwrap_or(text.as_bytes()));
        }
    }
}
