//! The kernel's protocol counters: `/proc/net/netstat`, `/proc/net/snmp`, `/proc/net/snmp6`.
//!
//! The first two hold pairs of lines, names above values, written by `net/ipv4/proc.c`; the third
//! one name and value a line, from `net/ipv6/proc.c`. node_exporter shows a selection unless told
//! otherwise; here every counter is a row, under the name that node_exporter would give it.
//!
//! Which name stands at which place changes almost never, so it is remembered: a tick compares
//! the names' bytes with those of the last tick and reads only numbers.

mod table;

use std::collections::{HashMap, HashSet};

use squirrel_model::{Batch, Elapsed, Labels, Metric, MetricRef};
use squirrel_sys::Kernel;

use crate::desc::{Collector, CollectorDesc, Opened, Unavailable, report};
use crate::parse::{complete, lines, value, words};

const NETSTAT: &str = "/proc/net/netstat";
const SNMP: &str = "/proc/net/snmp";
const SNMP6: &str = "/proc/net/snmp6";

/// Most counters that are remembered; a current kernel has some 450. It bounds the memory that a
/// damaged file can ask for.
const MAX_COUNTERS: usize = 4096;

pub(crate) static DESC: CollectorDesc = CollectorDesc {
    name: "netstat",
    about: "All counters of IP, ICMP, TCP and UDP, from /proc/net/netstat, /proc/net/snmp and /proc/net/snmp6.",
    metrics: table::METRICS,
    open,
};

fn open(kernel: &dyn Kernel) -> Opened {
    let mut netstat = Box::new(Netstat::default());
    let read = kernel.read(SNMP, &mut netstat.text);
    read.map_err(|error| Unavailable::because(&error, "It needs /proc mounted and a kernel with IPv4."))?;
    Ok(netstat)
}

#[derive(Default)]
struct Netstat {
    text: Vec<u8>,
    names: Names,
    tables: [Table; 2],
    list: List,
}

impl Collector for Netstat {
    fn collect(&mut self, kernel: &dyn Kernel, _now: Elapsed, out: &mut Batch) {
        for (path, table) in [NETSTAT, SNMP].into_iter().zip(&mut self.tables) {
            match kernel.read(path, &mut self.text) {
                Ok(()) => table.collect(path, complete(path, &self.text, out), &mut self.names, out),
                Err(error) => report(out, &error),
            }
        }
        match kernel.read(SNMP6, &mut self.text) {
            Ok(()) => self.list.collect(complete(SNMP6, &self.text, out), &mut self.names, out),
            // Without IPv6 there is no such file, and nothing is missing.
            Err(error) if error.is_absent() => {}
            Err(error) => report(out, &error),
        }
    }
}

/// All counters met so far, by the text after `node_netstat_`. Each belongs to the place that asked
/// first, so a name that a file repeats is emitted once.
#[derive(Default)]
struct Names {
    known: HashMap<String, MetricRef>,
    taken: HashSet<String>,
}

impl Names {
    /// The metric of a counter, for the one place that emits it.
    fn take(&mut self, protocol: &str, counter: &str) -> Option<MetricRef> {
        let key = format!("{protocol}_{counter}");
        if !squirrel_model::is_metric_name(&key) || self.taken.len() >= MAX_COUNTERS || !self.taken.insert(key.clone())
        {
            return None;
        }
        let metric = self.known.get(&key).cloned().unwrap_or_else(|| metric(&key, protocol, counter));
        self.known.insert(key, metric.clone());
        Some(metric)
    }

    /// Gives back what a place held before it learns its names anew. What nobody takes again is
    /// forgotten at the next return.
    fn give_back<'a>(&mut self, held: impl Iterator<Item = &'a Option<MetricRef>>) {
        let taken = &self.taken;
        self.known.retain(|key, _| taken.contains(key));
        for metric in held.flatten() {
            if let Some(key) = metric.name.strip_prefix(PREFIX) {
                self.taken.remove(key);
            }
        }
    }
}

const PREFIX: &str = "node_netstat_";

/// The declared counter of this name, or a member of the family.
fn metric(key: &str, protocol: &str, counter: &str) -> MetricRef {
    let declared = |metric: &&&'static Metric| metric.name.strip_prefix(PREFIX) == Some(key);
    match table::METRICS.iter().find(declared) {
        Some(metric) => MetricRef::Static(metric),
        None => table::FAMILY
            .member(format!("{PREFIX}{key}"), format!("The kernel's counter {counter} of protocol {protocol}.")),
    }
}

/// A file of pairs of lines.
#[derive(Default)]
struct Table {
    pairs: Vec<Pair>,
}

/// One pair of lines: the upper line as last seen, and what its names mean.
struct Pair {
    header: Vec<u8>,
    metrics: Vec<Option<MetricRef>>,
}

impl Table {
    fn collect(&mut self, path: &str, text: &[u8], names: &mut Names, out: &mut Batch) {
        if !self.is_current(text) {
            self.learn(text, names);
        }
        let none = Labels::empty();
        let mut rest = lines(text);
        for pair in &self.pairs {
            let (Some(_), Some(numbers)) = (rest.next(), rest.next()) else { break };
            let protocol = words(&pair.header).next().unwrap_or_default();
            let before = (out.rows.len(), out.faults.len());
            let mut numbers = words(numbers);
            let same_protocol = numbers.next() == Some(protocol);
            let count = pair.metrics.iter().zip(numbers.by_ref()).fold(0, |count, (metric, word)| {
                if let Some(metric) = metric {
                    put(path, metric, word, &none, out);
                }
                count + 1
            });
            if !same_protocol || count != pair.metrics.len() || numbers.next().is_some() {
                // A number under a wrong name is worse than none.
                out.rows.truncate(before.0);
                out.faults.truncate(before.1);
                let protocol = String::from_utf8_lossy(protocol);
                out.fault(
                    path,
                    format!("The names and the numbers of {} do not fit together.", protocol.escape_debug()),
                );
            }
        }
        if !lines(text).count().is_multiple_of(2) {
            out.fault(path, "The last line of names has no line of numbers.");
        }
    }

    /// Whether every upper line is the one remembered, in the same order.
    fn is_current(&self, text: &[u8]) -> bool {
        let headers = lines(text).step_by(2);
        headers.eq(self.pairs.iter().map(|pair| pair.header.as_slice()))
    }

    fn learn(&mut self, text: &[u8], names: &mut Names) {
        names.give_back(self.pairs.iter().flat_map(|pair| &pair.metrics));
        self.pairs.clear();
        for header in lines(text).step_by(2) {
            let mut rest = words(header);
            let protocol = rest.next().and_then(|word| std::str::from_utf8(word).ok()).unwrap_or_default();
            let protocol = protocol.strip_suffix(':').unwrap_or_default();
            let counters = rest.map(|word| std::str::from_utf8(word).ok());
            let metrics = counters.map(|counter| names.take(protocol, counter.filter(|_| !protocol.is_empty())?));
            self.pairs.push(Pair { header: header.to_vec(), metrics: metrics.collect() });
        }
    }
}

/// A file of one counter a line.
#[derive(Default)]
struct List {
    entries: Vec<Entry>,
}

/// One line: the name as last seen and what it means.
struct Entry {
    name: Vec<u8>,
    metric: Option<MetricRef>,
}

impl List {
    fn collect(&mut self, text: &[u8], names: &mut Names, out: &mut Batch) {
        if !pairs(text).map(|(name, _)| name).eq(self.entries.iter().map(|entry| entry.name.as_slice())) {
            self.learn(text, names);
        }
        let none = Labels::empty();
        for (entry, (_, number)) in self.entries.iter().zip(pairs(text)) {
            if let Some(metric) = &entry.metric {
                put(SNMP6, metric, number, &none, out);
            }
        }
    }

    fn learn(&mut self, text: &[u8], names: &mut Names) {
        names.give_back(self.entries.iter().map(|entry| &entry.metric));
        self.entries.clear();
        for (name, _) in pairs(text) {
            // `Ip6InReceives` is the counter InReceives of Ip6: the protocol ends with the first 6.
            let split = std::str::from_utf8(name).ok().and_then(|name| name.split_at_checked(name.find('6')? + 1));
            let metric = split.and_then(|(protocol, counter)| names.take(protocol, counter));
            self.entries.push(Entry { name: name.to_vec(), metric });
        }
    }
}

/// The first two words of each line; lines with fewer are left out.
fn pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    lines(text).filter_map(|line| {
        let mut words = words(line);
        Some((words.next()?, words.next()?))
    })
}

fn put(path: &str, metric: &MetricRef, word: &[u8], none: &Labels, out: &mut Batch) {
    match value(word) {
        Some(number) => out.put(metric.clone(), none, number),
        None => out.fault(path, format!("{} is not a number.", metric.name)),
    }
}

#[cfg(test)]
mod tests;
