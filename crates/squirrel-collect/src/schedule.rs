//! Opening the collectors and running them once a tick.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use squirrel_model::{Batch, Elapsed, Fault, Kind, Labels, Metric, Unit};
use squirrel_sys::Kernel;

use crate::{COLLECTORS, Collector, CollectorDesc};

/// How long after a failed opening a collector is tried again: a module may have been loaded since.
pub const RETRY_AFTER: Duration = Duration::from_mins(1);

const COLLECTOR: &[&str] = &["collector"];

static DURATION: Metric = Metric::new(
    "node_scrape_collector_duration_seconds",
    Kind::Gauge,
    Unit::Seconds,
    "How long the last reading of a collector took.",
)
.why("A collector that is slow delays all others of the same second.")
.check(&["See which collector is slow, and disable it in the configuration if its numbers are not worth it."])
.labels(COLLECTOR);

static SUCCESS: Metric = Metric::new(
    "node_scrape_collector_success",
    Kind::Gauge,
    Unit::None,
    "1 when the last reading of a collector was complete, 0 when a part failed or it cannot run here.",
)
.why("Where it is 0, missing numbers mean that nobody looked, not that nothing happened.")
.check(&["Read the collector's reason on the status page, or in the log."])
.labels(COLLECTOR);

static FAULTS: Metric = Metric::new(
    "squirrel_collector_faults_total",
    Kind::Counter,
    Unit::None,
    "Parts of readings that failed, by collector.",
)
.why("Every failed part is a gap in what Squirrel knows; it is counted so that no gap is silent.")
.check(&["Read the collector's faults on the status page: each is a sentence with what would help."])
.labels(COLLECTOR);

/// What the schedule itself emits.
pub(crate) static METRICS: &[&Metric] = &[&DURATION, &SUCCESS, &FAULTS];

/// Whether a collector runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is read each tick.
    Running,
    /// It cannot run here; the text says why. It is tried again each [`RETRY_AFTER`].
    Unavailable(String),
    /// The configuration switched it off.
    Disabled,
    /// It panicked, which is a mistake of ours, and stays off until a restart; the text is the
    /// panic's message.
    Broken(String),
}

/// One collector's state, for status pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its name in the table.
    pub name: &'static str,
    /// What it reads, in one sentence.
    pub about: &'static str,
    /// Whether it runs.
    pub state: State,
    /// What failed in the last tick.
    pub faults: Vec<Fault>,
    /// How many parts failed since the start.
    pub faults_total: u64,
    /// How long the last reading took; none before the first.
    pub last_duration: Option<Duration>,
}

/// All collectors of a table, opened or waiting.
pub struct Schedule {
    slots: Vec<Slot>,
}

struct Slot {
    desc: &'static CollectorDesc,
    labels: Labels,
    phase: Phase,
    faults: Vec<Fault>,
    faults_total: u64,
    last_duration: Option<Duration>,
}

enum Phase {
    Running(Box<dyn Collector>),
    Unavailable { reason: String, tried: Elapsed },
    Disabled,
    Broken(String),
}

impl Schedule {
    /// Opens all collectors of [`COLLECTORS`] but those named in `disabled`. One that cannot run
    /// here is kept with its reason and tried again later.
    ///
    /// Names in `disabled` that are not in the table have no effect; whoever reads the
    /// configuration asks [`crate::find`] and refuses them.
    pub fn open<S: AsRef<str>>(kernel: &dyn Kernel, disabled: &[S], now: Elapsed) -> Self {
        Self::open_table(COLLECTORS, kernel, disabled, now)
    }

    fn open_table<S: AsRef<str>>(
        table: &[&'static CollectorDesc],
        kernel: &dyn Kernel,
        disabled: &[S],
        now: Elapsed,
    ) -> Self {
        let slot = |desc: &&'static CollectorDesc| Slot {
            desc,
            labels: Labels::new([("collector", desc.name)]).unwrap_or_default(),
            phase: if disabled.iter().any(|name| name.as_ref() == desc.name) {
                Phase::Disabled
            } else {
                open_one(desc, kernel, now)
            },
            faults: Vec::new(),
            faults_total: 0,
            last_duration: None,
        };
        Self { slots: table.iter().map(slot).collect() }
    }

    /// Runs every collector once and adds what it brought to `out`, then what the schedule knows of
    /// itself. `clock` gives the moment of the reading and how long each collector took.
    pub fn tick(&mut self, kernel: &dyn Kernel, clock: &dyn Fn() -> Elapsed, out: &mut Batch) {
        for slot in &mut self.slots {
            slot.run(kernel, clock, out);
        }
        // One metric after the other: writers of the exposition format and of blocks like runs.
        let seen = |slot: &&Slot| !matches!(slot.phase, Phase::Disabled);
        for slot in self.slots.iter().filter(seen) {
            if let Some(duration) = slot.last_duration {
                out.put(&DURATION, &slot.labels, duration.as_secs_f64());
            }
        }
        for slot in self.slots.iter().filter(seen) {
            let complete = matches!(slot.phase, Phase::Running(_)) && slot.faults.is_empty();
            out.put(&SUCCESS, &slot.labels, f64::from(u8::from(complete)));
        }
        for slot in self.slots.iter().filter(seen) {
            out.put(&FAULTS, &slot.labels, slot.faults_total as f64);
        }
    }

    /// Switches off the collectors named in `disabled` and opens those that no longer are, for a
    /// configuration that was read again. A collector that goes on keeps what it knows.
    pub fn set_disabled<S: AsRef<str>>(&mut self, kernel: &dyn Kernel, disabled: &[S], now: Elapsed) {
        for slot in &mut self.slots {
            let off = disabled.iter().any(|name| name.as_ref() == slot.desc.name);
            if off {
                slot.phase = Phase::Disabled;
                slot.faults.clear();
                slot.last_duration = None;
            } else if matches!(slot.phase, Phase::Disabled) {
                slot.phase = open_one(slot.desc, kernel, now);
            }
        }
    }

    /// The state of every collector, in the order of the table.
    pub fn status(&self) -> Vec<Status> {
        self.slots.iter().map(Slot::status).collect()
    }
}

fn open_one(desc: &CollectorDesc, kernel: &dyn Kernel, now: Elapsed) -> Phase {
    match catch_unwind(AssertUnwindSafe(|| (desc.open)(kernel))) {
        Ok(Ok(collector)) => Phase::Running(collector),
        Ok(Err(unavailable)) => Phase::Unavailable { reason: unavailable.to_string(), tried: now },
        Err(panic) => Phase::Broken(message(&*panic)),
    }
}

impl Slot {
    fn run(&mut self, kernel: &dyn Kernel, clock: &dyn Fn() -> Elapsed, out: &mut Batch) {
        let started = clock();
        if let Phase::Unavailable { tried, .. } = self.phase
            && started.0.saturating_sub(tried.0) >= RETRY_AFTER
        {
            self.phase = open_one(self.desc, kernel, started);
        }
        self.faults.clear();
        let Phase::Running(collector) = &mut self.phase else { return };

        let (rows, faults) = (out.rows.len(), out.faults.len());
        // A panic is caught so that one mistake does not cost the other collectors. The collector
        // is dropped afterwards and its rows of this tick are taken back, so nobody sees a state
        // that the panic left half changed.
        let ran = catch_unwind(AssertUnwindSafe(|| collector.collect(kernel, started, out)));
        if let Err(panic) = ran {
            let message = message(&*panic);
            out.rows.truncate(rows);
            out.faults.truncate(faults);
            out.fault(
                self.desc.name,
                format!("The collector stopped with a mistake of ours ({message}) and stays off until squirrel restarts. Please report it."),
            );
            self.phase = Phase::Broken(message);
        }
        self.last_duration = Some(clock().0.saturating_sub(started.0));
        if let Some(new) = out.faults.get(faults..) {
            self.faults.extend_from_slice(new);
            self.faults_total += new.len() as u64;
        }
    }

    fn status(&self) -> Status {
        Status {
            name: self.desc.name,
            about: self.desc.about,
            state: match &self.phase {
                Phase::Running(_) => State::Running,
                Phase::Unavailable { reason, .. } => State::Unavailable(reason.clone()),
                Phase::Disabled => State::Disabled,
                Phase::Broken(message) => State::Broken(message.clone()),
            },
            faults: self.faults.clone(),
            faults_total: self.faults_total,
            last_duration: self.last_duration,
        }
    }
}

/// What a panic said.
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it gave no message".to_owned())
}

#[cfg(test)]
mod tests;
