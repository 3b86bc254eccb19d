//! Connection tracking: how full the table is, and what it could not do.
//!
//! The count is of this network namespace, the limit of the whole kernel. `/proc/net/stat/nf_conntrack`
//! has one line a CPU below a line of names, in hexadecimal (`ct_cpu_seq_show` in
//! `net/netfilter/nf_conntrack_standalone.c`); columns are found by name, since kernels renamed some.

use squirrel_model::{Batch, Elapsed, Kind, Metric, Unit};
use squirrel_sys::Kernel;

use crate::desc::{Collector, CollectorDesc, Opened, Unavailable, report};
use crate::parse::{complete, decimal, hex, lines, words};

const COUNT: &str = "/proc/sys/net/netfilter/nf_conntrack_count";
const LIMIT: &str = "/proc/sys/net/netfilter/nf_conntrack_max";
const STAT: &str = "/proc/net/stat/nf_conntrack";

static ENTRIES: Metric = Metric::new(
    "node_nf_conntrack_entries",
    Kind::Gauge,
    Unit::None,
    "Connections that are tracked now, in this network namespace.",
)
.why("At the limit, packets of every new connection are dropped.")
.check(&[
    "Divide by node_nf_conntrack_entries_limit: above 0.8 act.",
    "See what fills it: `conntrack -L`, by state and destination.",
    "Raise `sysctl net.netfilter.nf_conntrack_max`, or exempt heavy traffic with a `notrack` rule.",
]);
static ENTRIES_LIMIT: Metric =
    Metric::new("node_nf_conntrack_entries_limit", Kind::Gauge, Unit::None, "Most connections that the kernel tracks.")
        .why("It is the ceiling for node_nf_conntrack_entries, for each namespace by itself.")
        .check(&["Read `sysctl net.netfilter.nf_conntrack_max`; it can be written in the initial namespace only."]);

const fn statistic(name: &'static str, help: &'static str) -> Metric {
    Metric::new(name, Kind::Counter, Unit::None, help)
}

static FOUND: Metric =
    statistic("node_nf_conntrack_stat_found", "Look-ups that found an entry; kernels since 4.8 hardly count here.")
        .why("It tells how busy look-ups are, on kernels that count them.")
        .check(&["Nothing needs checking by itself."]);
static INVALID: Metric =
    statistic("node_nf_conntrack_stat_invalid", "Packets that fit no connection and could not begin one.")
        .why("With a rule that drops them, connections hang though both ends think they are open.")
        .check(&[
            "Compare the idle timeouts (`sysctl net.netfilter | grep timeout`) with the keepalive of the applications.",
            "Look for asymmetric routing: this host sees only one direction.",
        ]);
static IGNORE: Metric =
    statistic("node_nf_conntrack_stat_ignore", "Packets that need no look-up, because they were tracked already.")
        .why("It is large on loopback and harmless.")
        .check(&["Nothing needs checking by itself."]);
static INSERT: Metric =
    statistic("node_nf_conntrack_stat_insert", "Entries put into the table; kernels since 4.8 hardly count here.")
        .why("It is the rate of new connections, on kernels that count them.")
        .check(&["Nothing needs checking by itself."]);
static INSERT_FAILED: Metric = statistic(
    "node_nf_conntrack_stat_insert_failed",
    "Entries that could not be put into the table, because one like it was there or no port was left for NAT.",
)
.why("Each is a lost packet; for DNS that is a wait of five seconds.")
.check(&[
    "When the table is not full: are the ports of a masquerade rule used up, towards one destination.",
    "Else two packets of one flow raced, as parallel A and AAAA queries do: `options single-request-reopen` in resolv.conf helps.",
]);
static DROP: Metric = statistic("node_nf_conntrack_stat_drop", "Packets dropped because connection tracking failed.")
    .why("Connections cannot be opened; clients see timeouts.")
    .check(&[
        "Compare node_nf_conntrack_entries with node_nf_conntrack_entries_limit: is the table full.",
        "When it is not, see node_nf_conntrack_stat_insert_failed.",
        "Look in the kernel log for `table full, dropping packet`.",
    ]);
static EARLY_DROP: Metric =
    statistic("node_nf_conntrack_stat_early_drop", "Entries removed before their time to make room for new ones.")
        .why("The table is full, and half-open or idle connections pay for it.")
        .check(&["Compare node_nf_conntrack_entries with node_nf_conntrack_entries_limit."]);
static SEARCH_RESTART: Metric =
    statistic("node_nf_conntrack_stat_search_restart", "Look-ups begun anew because the table changed under them.")
        .why("Some are normal; very many cost CPU.")
        .check(&["Compare the size of the table with `sysctl net.netfilter.nf_conntrack_buckets`."]);
static CLASHES: Metric = statistic(
    "squirrel_conntrack_clashes_total",
    "Times two packets of one new flow made an entry each, and the kernel joined them.",
)
.why("These races were won; those that were lost are in node_nf_conntrack_stat_insert_failed.")
.check(&["See node_nf_conntrack_stat_insert_failed."]);
static CHAIN_TOO_LONG: Metric = statistic(
    "squirrel_conntrack_chain_too_long_total",
    "Entries refused because too many others fell into the same bucket of the table.",
)
.why("Each is a lost packet: the table has too few buckets, or somebody aims at one.")
.check(&["Raise `sysctl net.netfilter.nf_conntrack_buckets`."]);

/// The column's name in the file, and what it feeds.
static COLUMNS: [(&[u8], &Metric); 10] = [
    (b"found", &FOUND),
    (b"invalid", &INVALID),
    (b"ignore", &IGNORE),
    (b"insert", &INSERT),
    (b"insert_failed", &INSERT_FAILED),
    (b"drop", &DROP),
    (b"early_drop", &EARLY_DROP),
    (b"search_restart", &SEARCH_RESTART),
    (b"clashres", &CLASHES),
    (b"chainlength", &CHAIN_TOO_LONG),
];

pub(crate) static DESC: CollectorDesc = CollectorDesc {
    name: "conntrack",
    about: "How full the table of tracked connections is, and what it dropped.",
    metrics: &[
        &ENTRIES,
        &ENTRIES_LIMIT,
        &FOUND,
        &INVALID,
        &IGNORE,
        &INSERT,
        &INSERT_FAILED,
        &DROP,
        &EARLY_DROP,
        &SEARCH_RESTART,
        &CLASHES,
        &CHAIN_TOO_LONG,
    ],
    open,
};

fn open(kernel: &dyn Kernel) -> Opened {
    let mut conntrack = Box::new(Conntrack::default());
    let read = kernel.read(COUNT, &mut conntrack.text);
    read.map_err(|error| {
        Unavailable::because(&error, "Connection tracking is not in use; it starts with a firewall or NAT rule that needs it, or with `modprobe nf_conntrack`.")
    })?;
    Ok(conntrack)
}

#[derive(Default)]
struct Conntrack {
    text: Vec<u8>,
    /// The line of names as last seen.
    header: Vec<u8>,
    /// For each column, its place in [`COLUMNS`].
    columns: Vec<Option<usize>>,
}

impl Collector for Conntrack {
    fn collect(&mut self, kernel: &dyn Kernel, _now: Elapsed, out: &mut Batch) {
        for (path, metric) in [(COUNT, &ENTRIES), (LIMIT, &ENTRIES_LIMIT)] {
            match kernel.read(path, &mut self.text) {
                Ok(()) => match decimal(self.text.trim_ascii()) {
                    Some(number) => out.put_plain(metric, number as f64),
                    None => out.fault(path, "It does not hold a number."),
                },
                Err(error) => report(out, &error),
            }
        }
        match kernel.read(STAT, &mut self.text) {
            Ok(()) => self.statistics(out),
            // A kernel may be built without this file, and nothing is missing then.
            Err(error) if error.is_absent() => {}
            Err(error) => report(out, &error),
        }
    }
}

impl Conntrack {
    /// The sums over all CPUs.
    fn statistics(&mut self, out: &mut Batch) {
        let mut lines = lines(complete(STAT, &self.text, out));
        let Some(header) = lines.next() else { return };
        if header != self.header {
            header.clone_into(&mut self.header);
            let place = |word: &[u8]| COLUMNS.iter().position(|(name, _)| *name == word);
            self.columns = words(header).take(256).map(place).collect();
        }
        let mut sums = [None::<u64>; COLUMNS.len()];
        for line in lines {
            let mut count = 0;
            for (place, word) in self.columns.iter().zip(words(line)) {
                count += 1;
                let Some(sum) = place.and_then(|place| sums.get_mut(place)) else { continue };
                match hex(word) {
                    Some(number) => *sum = Some(sum.unwrap_or(0).wrapping_add(number)),
                    None => return out.fault(STAT, "A number is not hexadecimal."),
                }
            }
            if count < self.columns.len() {
                return out.fault(STAT, "A line has fewer numbers than there are names.");
            }
        }
        for ((_, metric), sum) in COLUMNS.iter().zip(sums) {
            if let Some(sum) = sum {
                out.put_plain(metric, sum as f64);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use squirrel_testkit::FakeKernel;

    use super::*;
    use crate::testing::{check_reading, check_survives};

    const CURRENT: &str = "\
entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart\n\
00000003  00000001 00000000 00000000 00000002 00000003 00000000 00000004 00000000 00000005 00000006 00000007 00000000  00000000 00000000 00000000 00000008\n\
00000003  00000001 00000000 00000000 0000000a 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000  00000000 00000000 00000000 00000000\n";

    fn kernel(stat: &str) -> FakeKernel {
        FakeKernel::default().with(COUNT, "3\n").with(LIMIT, "262144\n").with(STAT, stat)
    }

    #[test]
    fn counters_are_summed_over_all_cpus() {
        let seen = check_reading(&DESC, &kernel(CURRENT));
        let statistics =
            ["found", "invalid", "ignore", "insert", "insert_failed", "drop", "early_drop", "search_restart"];
        let got = statistics.map(|name| seen.value(&format!("node_nf_conntrack_stat_{name}"), &[]));
        assert_eq!(got, [0.0, 12.0, 3.0, 0.0, 5.0, 6.0, 7.0, 8.0].map(Some));
        assert_eq!(seen.value("squirrel_conntrack_clashes_total", &[]), Some(2.0));
        assert_eq!(seen.value("squirrel_conntrack_chain_too_long_total", &[]), Some(4.0));
        assert_eq!(seen.value("node_nf_conntrack_entries_limit", &[]), Some(262_144.0));
    }

    #[test]
    fn an_older_kernels_columns_are_not_taken_for_others() {
        let seen = check_reading(&DESC, &kernel("entries searched found new invalid delete_list\n1 9 2 0 3 9\n"));
        assert_eq!(seen.value("node_nf_conntrack_stat_found", &[]), Some(2.0));
        assert!(!seen.has("squirrel_conntrack_clashes_total") && !seen.has("squirrel_conntrack_chain_too_long_total"));
    }

    #[test]
    fn without_the_module_it_says_how_to_get_it() {
        let why = (DESC.open)(&FakeKernel::default()).err().unwrap().to_string();
        assert!(why.contains("modprobe nf_conntrack"), "{why}");
    }

    #[test]
    fn damaged_statistics_cost_only_themselves() {
        for stat in ["found\nxyz\n", "found drop\n1\n", "found\n1"] {
            let seen = check_reading(&DESC, &kernel(stat));
            assert_eq!((seen.batch.rows.len(), seen.batch.faults.len()), (2, 1), "{stat:?}");
        }
        let kernel = kernel(CURRENT);
        kernel.remove(STAT);
        assert_eq!(check_reading(&DESC, &kernel).batch.faults, []);
    }

    proptest! {
        #[test]
        fn any_bytes_survive(text: Vec<u8>, cut in 0..CURRENT.len()) {
            check_survives(&DESC, COUNT, &text);
            check_reading(&DESC, &kernel(&CURRENT[..cut]));
            check_reading(&DESC, &kernel(&String::from_utf8_lossy(&text)));
        }
    }
}
