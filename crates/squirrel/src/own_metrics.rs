//! What the program says of itself beside its parts, and the catalogue of all metrics.

use std::path::PathBuf;

use squirrel_model::{Batch, Catalogue, Kind, Labels, Metric, Unit};
use squirrel_sys::disk;

static UP: Metric = Metric::new("up", Kind::Gauge, Unit::None, "1 for each second in which this host was read.")
    .why(
        "Its gaps are the times in which nothing was recorded: Squirrel was down, the host slept, or the disk refused.",
    )
    .check(&["Read the log of squirrel at the start of the gap.", "Look at squirrel_ticks_missed_total."]);

static BUILD_INFO: Metric = Metric::new(
    "squirrel_build_info",
    Kind::Info,
    Unit::None,
    "Constant 1; the labels say which build of Squirrel runs.",
)
.why("A change of behaviour at the moment of an upgrade explains itself.")
.check(&["Read CHANGELOG.md for that version."])
.labels(&["version"]);

static TICKS: Metric =
    Metric::new("squirrel_ticks_total", Kind::Counter, Unit::None, "Readings of the kernel since the start.")
        .why("Its rate is one over the configured interval when Squirrel keeps up.")
        .check(&[
            "Compare with squirrel_ticks_missed_total.",
            "Look at interval under [collect] in the configuration.",
        ]);

static TICKS_MISSED: Metric = Metric::new(
    "squirrel_ticks_missed_total",
    Kind::Counter,
    Unit::None,
    "Readings that were skipped because the one before took too long or the host slept.",
)
.why("Each is a second without a sample: rates over it are still right, spikes within it are unseen.")
.check(&[
    "Look for a slow collector in node_scrape_collector_duration_seconds.",
    "Ask whether the host was suspended or starved of CPU.",
]);

static TICK_SECONDS: Metric = Metric::new(
    "squirrel_tick_duration_seconds",
    Kind::Gauge,
    Unit::Seconds,
    "Time that the last reading took, from the first question to the kernel to the sample on disk.",
)
.why("When it nears the interval, readings will be skipped.")
.check(&[
    "Look for a slow collector in node_scrape_collector_duration_seconds.",
    "Look for a slow disk in the rate of squirrel_store_sync_seconds_total.",
]);

static ACCOUNTING_SECONDS: Metric = Metric::new(
    "squirrel_accounting_duration_seconds",
    Kind::Gauge,
    Unit::Seconds,
    "Time that the last step of the accountant took: reading sockets and processes, and booking their bytes.",
)
.why("A step runs beside the reading of the other collectors; one that takes longer than they do comes a second late.")
.check(&["Look at squirrel_accounting_late_total.", "Lower connections under [accounting] in the configuration."]);

static ACCOUNTING_LATE: Metric = Metric::new(
    "squirrel_accounting_late_total",
    Kind::Counter,
    Unit::None,
    "Readings that show the accountant's figures of the second before, because its step was not ready.",
)
.why("No byte is lost by it: what moved is in the next reading.")
.check(&["Look at squirrel_accounting_duration_seconds.", "Ask whether the host was starved of CPU."]);

static DISK_FREE: Metric = Metric::new(
    "squirrel_store_disk_free_ratio",
    Kind::Gauge,
    Unit::Ratio,
    "Free share of the file system of the data directory, 0 to 1, as programs that are not root's see it.",
)
.why("A store that finds no room keeps the newest samples in memory only, and loses them when Squirrel ends.")
.check(&[
    "Find what fills the file system: `du -x --max-depth=2` from its mount point.",
    "Compare with squirrel_store_disk_bytes, and set max_size or retention under [store].",
]);

static DECLARED: [&Metric; 8] =
    [&UP, &BUILD_INFO, &TICKS, &TICKS_MISSED, &TICK_SECONDS, &ACCOUNTING_SECONDS, &ACCOUNTING_LATE, &DISK_FREE];

/// Every metric that any part of the program may emit.
pub(crate) fn catalogue() -> Catalogue {
    let own: Vec<&'static Metric> = own().iter().collect();
    Catalogue::new([&own, squirrel_server::APPLICATION_METRICS])
}

/// Of these, what the daemon itself measures: names that no application may use.
pub(crate) fn own() -> Catalogue {
    let collected: Vec<&'static Metric> = squirrel_collect::catalogue().iter().collect();
    let accounted: Vec<&'static Metric> = squirrel_account::catalogue().iter().collect();
    let [written, received, exported, asked] = crate::serve::remote::METRICS;
    let [kept, started] = crate::keeper::METRICS;
    Catalogue::new([
        &collected,
        &accounted,
        written,
        received,
        exported,
        asked,
        squirrel_store::METRICS,
        squirrel_server::METRICS,
        squirrel_server::APPLICATIONS_METRICS,
        crate::serve::alerting::METRICS,
        crate::serve::checks::METRICS,
        &DECLARED,
        kept,
        started,
        squirrel_check::METRICS,
        squirrel_watch::METRICS,
    ])
}

/// The program's own counters.
#[derive(Debug)]
pub(crate) struct OwnMetrics {
    build: Labels,
    ticks: u64,
    pub(crate) missed: u64,
    pub(crate) tick_seconds: f64,
    /// The duration of the accountant's last step, and how often one was late; `None` when it is off.
    pub(crate) accounting: Option<(f64, u64)>,
    /// The data directory.
    directory: PathBuf,
}

impl OwnMetrics {
    /// All at zero, for a daemon with this data directory.
    pub(crate) fn new(directory: PathBuf) -> Self {
        let build = Labels::new([("version", env!("CARGO_PKG_VERSION"))]).unwrap_or_default();
        Self { build, ticks: 0, missed: 0, tick_seconds: 0.0, accounting: None, directory }
    }

    /// Counts one reading and adds the rows.
    pub(crate) fn tick(&mut self, out: &mut Batch) {
        self.ticks += 1;
        out.put_plain(&UP, 1.0);
        out.put(&BUILD_INFO, &self.build, 1.0);
        out.put_plain(&TICKS, self.ticks as f64);
        out.put_plain(&TICKS_MISSED, self.missed as f64);
        out.put_plain(&TICK_SECONDS, self.tick_seconds);
        // A folder that is gone is told by the store, which cannot write there any more.
        if let Some(free) = disk::room(&self.directory).ok().and_then(disk::Room::free_ratio) {
            out.put_plain(&DISK_FREE, free);
        }
        if let Some((seconds, late)) = self.accounting {
            out.put_plain(&ACCOUNTING_SECONDS, seconds);
            out.put_plain(&ACCOUNTING_LATE, late as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_says_what_it_is_why_it_matters_and_what_to_check() {
        for metric in catalogue().iter() {
            assert!(!metric.help.is_empty() && !metric.why.is_empty() && !metric.check.is_empty(), "{}", metric.name);
        }
    }

    #[test]
    fn charts_and_checks_ask_for_metrics_that_are_declared() {
        let catalogue = catalogue();
        let mut asked = 0;
        for (_, text) in squirrel_server::expressions() {
            let text = text.replace("$device", "eth0").replace("$scope", "application=\"a\"").replace("$window", "15s");
            let expr = squirrel_promql::parse(&text, &squirrel_promql::ParseOptions::default());
            let expr = expr.unwrap_or_else(|error| panic!("{text}: {error}"));
            for matchers in squirrel_promql::selectors(&expr) {
                let name = matchers.iter().find(|matcher| matcher.name() == squirrel_model::NAME_LABEL);
                // A pattern of names, such as the histograms of a driver, is not one declared name.
                let Some(name) = name.filter(|matcher| matcher.op() == squirrel_model::MatchOp::Equal) else {
                    continue;
                };
                asked += 1;
                assert!(
                    catalogue.find(name.value()).is_some(),
                    "{text} asks for {}, which nobody declares",
                    name.value()
                );
            }
        }
        assert!(asked > 20, "{asked}");
    }
}
