//! Squirrel itself, under the names that Prometheus' client libraries use.
//!
//! Sources: `proc(5)`, `/proc/self/stat`, `/proc/self/limits`, `/proc/stat`.

use std::time::Duration;

use squirrel_model::{Batch, Elapsed, Kind, Metric, Unit};
use squirrel_sys::Kernel;

use crate::desc::{Collector, CollectorDesc, Opened, Unavailable, report};
use crate::page_size::page_size;
use crate::parse::{decimal, lines, words};

const STAT: &str = "/proc/self/stat";
const LIMITS: &str = "/proc/self/limits";
const OPEN: &str = "/proc/self/fd";
const BOOT: &str = "/proc/stat";

/// Clock ticks a second in `/proc` (`USER_HZ`): 100 on every machine that Squirrel runs on.
const TICKS: f64 = 100.0;

/// How often open files are counted and their limit is read: counting costs about a microsecond a file.
const FILES_EVERY: Duration = Duration::from_secs(10);

static CPU: Metric = Metric::new(
    "process_cpu_seconds_total",
    Kind::Counter,
    Unit::Seconds,
    "CPU time that this Squirrel used, in user space and in the kernel.",
)
.why("A monitor must not be the load that it measures.")
.check(&["See node_scrape_collector_duration_seconds for the collector that takes longest."]);
static START: Metric = Metric::new(
    "process_start_time_seconds",
    Kind::Gauge,
    Unit::Seconds,
    "When this Squirrel started, in seconds since 1970.",
)
.why("A change is a restart: counters of Squirrel begin anew.")
.check(&["Read the log from before that moment."]);
static RESIDENT: Metric =
    Metric::new("process_resident_memory_bytes", Kind::Gauge, Unit::Bytes, "Memory of this Squirrel that is in RAM.")
        .why("Growth without end is a mistake of ours.")
        .check(&[
            "See how many series the store holds: each costs memory.",
            "Please report growth that does not level off.",
        ]);
static VIRTUAL: Metric = Metric::new(
    "process_virtual_memory_bytes",
    Kind::Gauge,
    Unit::Bytes,
    "Address space of this Squirrel; mapped files are part of it and cost nothing by themselves.",
)
.why("It matters only where a limit on address space is set.")
.check(&["See process_resident_memory_bytes for what is really used."]);
static OPEN_FDS: Metric = Metric::new(
    "process_open_fds",
    Kind::Gauge,
    Unit::None,
    "Files and sockets that this Squirrel has open, counted each ten seconds.",
)
.why("At process_max_fds no client can connect and no block can be opened.")
.check(&["Many clients of the event stream are normal; growth without clients is a mistake of ours."]);
static MAX_FDS: Metric =
    Metric::new("process_max_fds", Kind::Gauge, Unit::None, "Most files and sockets that this Squirrel may have open.")
        .why("At the limit no client can connect and no block can be opened.")
        .check(&["Raise LimitNOFILE of the service when it is below 1024."]);

pub(crate) static DESC: CollectorDesc = CollectorDesc {
    name: "self",
    about: "CPU time, memory and limits of Squirrel itself, from /proc/self.",
    metrics: &[&CPU, &START, &RESIDENT, &VIRTUAL, &OPEN_FDS, &MAX_FDS],
    open,
};

fn open(kernel: &dyn Kernel) -> Opened {
    let mut text = Vec::new();
    let read = kernel.read(STAT, &mut text);
    read.map_err(|error| Unavailable::because(&error, "It needs /proc mounted."))?;
    // The moment of boot as the kernel tells it moves when the wall clock is set; read once, the
    // start time stays the same as long as this process runs.
    let booted = kernel.read(BOOT, &mut text).ok().and_then(|()| {
        let line = lines(&text).find_map(|line| line.strip_prefix(b"btime "))?;
        decimal(line.trim_ascii())
    });
    Ok(Box::new(Process {
        text,
        page: page_size(kernel) as f64,
        booted,
        open_fds: None,
        max_fds: None,
        files_read: None,
    }))
}

struct Process {
    text: Vec<u8>,
    page: f64,
    /// When the host booted, in seconds since 1970.
    booted: Option<u64>,
    open_fds: Option<f64>,
    max_fds: Option<f64>,
    files_read: Option<Elapsed>,
}

impl Collector for Process {
    fn collect(&mut self, kernel: &dyn Kernel, now: Elapsed, out: &mut Batch) {
        match kernel.read(STAT, &mut self.text) {
            Ok(()) => self.stat(out),
            Err(error) => report(out, &error),
        }
        if self.files_read.is_none_or(|read| now.0.saturating_sub(read.0) >= FILES_EVERY) {
            self.files_read = Some(now);
            self.files(kernel, out);
        }
        for (metric, value) in [(&OPEN_FDS, self.open_fds), (&MAX_FDS, self.max_fds)] {
            if let Some(value) = value {
                out.put_plain(metric, value);
            }
        }
    }
}

impl Process {
    fn files(&mut self, kernel: &dyn Kernel, out: &mut Batch) {
        let mut count = 0u32;
        self.open_fds = match kernel.list(OPEN, &mut |_| count += 1) {
            // The folder itself was open while it was listed.
            Ok(()) => Some(f64::from(count.saturating_sub(1))),
            // A process that gave up root may not list its own files; nothing else depends on it.
            Err(error) if error.is_forbidden() => None,
            Err(error) => {
                report(out, &error);
                None
            }
        };
        match kernel.read(LIMITS, &mut self.text) {
            Ok(()) => self.max_fds = max_fds(&self.text),
            Err(error) => report(out, &error),
        }
    }

    fn stat(&self, out: &mut Batch) {
        // The second field is the program's name in parentheses and may hold anything, so fields
        // are counted from behind it: the first there is field 3 of proc(5).
        let after_name = self.text.iter().rposition(|&b| b == b')').map_or(0, |end| end + 1);
        let rest = self.text.get(after_name..).unwrap_or_default();
        let field = |number: usize| words(rest).nth(number - 3).and_then(decimal).map(|n| n as f64);
        let fields = (field(14), field(15), field(22), field(23), field(24));
        let (Some(user), Some(system), Some(started), Some(address_space), Some(pages)) = fields else {
            return out.fault(STAT, "It has fewer numbers than proc(5) says.");
        };
        out.put_plain(&CPU, (user + system) / TICKS);
        if let Some(booted) = self.booted {
            out.put_plain(&START, booted as f64 + started / TICKS);
        }
        out.put_plain(&RESIDENT, pages * self.page);
        out.put_plain(&VIRTUAL, address_space);
    }
}

/// The soft limit on open files; the client libraries write no limit as the largest number.
fn max_fds(text: &[u8]) -> Option<f64> {
    let limit = lines(text).find_map(|line| words(line.strip_prefix(b"Max open files")?).next())?;
    if limit == b"unlimited" { Some(u64::MAX as f64) } else { decimal(limit).map(|n| n as f64) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use squirrel_testkit::FakeKernel;

    use super::*;
    use crate::testing::{check_reading, check_survives};

    const STAT_TEXT: &str = "7 (sq) uir) S 1 7 7 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 4 0 2000 40960000 300 1 1\n";

    fn kernel() -> FakeKernel {
        FakeKernel::default()
            .with(STAT, STAT_TEXT)
            .with("/proc/self/statm", "10000 300 1 1 0 1 0\n")
            .with(BOOT, "cpu 1 2 3\nbtime 1700000000\nprocesses 9\n")
            .with("/proc/self/fd/0", "")
            .with("/proc/self/fd/1", "")
            .with("/proc/self/fd/7", "")
            .with(LIMITS, "Limit      Soft Limit   Hard Limit   Units\nMax open files   1024   4096   files\n")
    }

    #[test]
    fn squirrel_reports_itself_as_client_libraries_do() {
        let seen = check_reading(&DESC, &kernel());
        let expected = [
            ("process_cpu_seconds_total", 2.0),
            ("process_start_time_seconds", 1_700_000_020.0),
            ("process_resident_memory_bytes", 1_228_800.0),
            ("process_virtual_memory_bytes", 40_960_000.0),
            ("process_open_fds", 2.0),
            ("process_max_fds", 1024.0),
        ];
        for (name, value) in expected {
            assert_eq!(seen.value(name, &[]), Some(value), "{name}");
        }
        assert_eq!(seen.batch.faults, []);
    }

    #[test]
    fn no_limit_is_the_largest_number() {
        assert_eq!(max_fds(b"Max open files unlimited unlimited files\n"), Some(u64::MAX as f64));
    }

    #[test]
    fn what_is_unreadable_costs_only_itself() {
        let kernel = kernel();
        kernel.refuse(LIMITS, 13);
        kernel.remove(BOOT);
        let mut collector = (DESC.open)(&kernel).unwrap();
        let mut batch = Batch::default();
        collector.collect(&kernel, Elapsed::default(), &mut batch);
        assert_eq!((batch.rows.len(), batch.faults.len()), (4, 1));
    }

    proptest! {
        #[test]
        fn any_bytes_survive(text: Vec<u8>, cut in 0..STAT_TEXT.len()) {
            check_survives(&DESC, STAT, &text);
            check_survives(&DESC, STAT, &STAT_TEXT.as_bytes()[..cut]);
        }
    }
}
