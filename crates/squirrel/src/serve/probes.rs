//! Probes on a schedule in the daemon: the prober, what it remembers on disk, and what the server may ask of it.

mod record;
mod run;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use anyhow::Context as _;
use squirrel_api::probes::{Probe, ProbeRan, ProbeRun, ProbedPath};
use squirrel_api::{ApiError, CollectorState, CollectorStatus, ErrorType};
use squirrel_model::{Batch, Elapsed, Labels, Timestamp, Untrusted};
use squirrel_probe::drive::{Driver, OpenError, Options};
use squirrel_server::Reply;
use squirrel_store::dir::Dir;
use squirrel_sys::clock::Monotonic;
use squirrel_sys::probe_socket::SocketOptions;
use squirrel_watch::{Parts, Target, Watch};

use crate::config::Probes;
use record::Record;

/// Octets of payload of an echo, as ping has always sent.
const USUAL_SIZE: usize = 56;

/// What was opened for it while the program still might.
pub(crate) struct Opened {
    /// The sockets of pings.
    pub(crate) pinger: (Driver, Vec<OpenError>),
    /// The folder of what is remembered.
    pub(crate) dir: Arc<dyn Dir>,
}

/// Opens the sockets of pings: those that need no privilege, else, where somebody is to be pinged, raw ones.
pub(crate) fn pinger(probes: &Probes) -> (Driver, Vec<OpenError>) {
    let options =
        Options { socket: SocketOptions::default(), size: USUAL_SIZE, run: RandomState::new().hash_one("probes") };
    Driver::open_all(&options, probes.pings())
}

/// The prober of the daemon.
pub(crate) struct Watched {
    watch: Watch,
    record: Record,
    /// Whether raw sockets were tried at the start: nobody may open them later.
    raw: bool,
}

impl Watched {
    /// Starts it. Call it within the runtime.
    ///
    /// # Errors
    /// A configuration that was not checked, a system without room for threads.
    pub(crate) fn start(opened: Opened, probes: &Probes, monotonic: Monotonic) -> anyhow::Result<Arc<Self>> {
        let record = Record::new(opened.dir);
        let parts = Parts {
            pinger: opened.pinger,
            checker: squirrel_check::Checker::new(),
            monotonic,
            remembered: record.read(),
        };
        let watch = Watch::start(parts, probes.targets()?, &tokio::runtime::Handle::current())
            .context("cannot start the probes")?;
        Ok(Arc::new(Self { watch, record, raw: probes.pings() }))
    }

    /// Takes a configuration that was read again.
    pub(crate) fn reload(&self, probes: &Probes) {
        match probes.targets() {
            Ok(targets) => self.watch.arrange(targets),
            Err(error) => tracing::error!("what is probed stays as it was: {error:#}"),
        }
    }

    /// Samples since the last call, each with its own time.
    pub(crate) fn due(&self, at: Timestamp, now: Elapsed) -> Vec<(Labels, Timestamp, f64)> {
        self.watch.due(at, now)
    }

    /// Counts samples that the store did not take.
    pub(crate) fn lost(&self, samples: usize) {
        self.watch.lost(samples);
    }

    /// Adds what the prober says of itself, if it has anything to do.
    pub(crate) fn rows(&self, out: &mut Batch) {
        if !self.watch.is_idle() {
            self.watch.rows(out);
        }
    }

    /// Writes down what changed.
    pub(crate) fn maintain(&self) {
        if let Some(text) = self.watch.remember() {
            self.record.write(&text);
        }
    }

    /// Ends everything, and gives the last samples.
    pub(crate) fn stop(&self, at: Timestamp) -> Vec<(Labels, Timestamp, f64)> {
        self.maintain();
        self.watch.stop(at)
    }

    /// How it does, as a collector.
    pub(crate) fn status(&self) -> CollectorStatus {
        let mut faults = self.watch.faults();
        for fault in faults.iter_mut().filter(|_| !self.raw) {
            fault.reason += "\nOr restart Squirrel: raw sockets are opened at its start alone, when a [[probe]] pings.";
        }
        let (state, sentence) = if self.watch.is_idle() {
            (CollectorState::Disabled, "No [[probe]] in the configuration names a target.")
        } else if faults.is_empty() {
            (CollectorState::Running, "")
        } else {
            (CollectorState::Degraded, "")
        };
        CollectorStatus {
            name: "probes".to_owned(),
            about: "Pings, paths and service checks on a schedule.".to_owned(),
            state,
            sentence: sentence.to_owned(),
            duration_seconds: 0.0,
            faults: faults.iter().map(Into::into).collect(),
        }
    }

    /// A target that the configuration names.
    fn target(&self, job: &str, instance: &str) -> Result<Arc<Target>, ApiError> {
        let found = self.watch.target(job, instance);
        found.ok_or_else(|| {
            let (job, instance) = (Untrusted(job), Untrusted(instance));
            ApiError::new(
                ErrorType::NotFound,
                format!("no [[probe]] {job} has the target {instance}; /api/probes lists them"),
            )
        })
    }
}

impl squirrel_server::Probes for Watched {
    fn all(&self) -> Vec<Probe> {
        self.watch.all()
    }

    fn path(&self, job: &str, instance: &str) -> Option<ProbedPath> {
        let (traced, path) = self.watch.path(job, instance)?;
        let document = traced.map(|traced| crate::path::scheduled::document(&traced, instance));
        Some(ProbedPath { document, ..path })
    }

    fn run(&self, run: ProbeRun) -> Reply<'_, ProbeRan> {
        Box::pin(async move {
            let target = self.target(&run.job, &run.instance)?;
            run::ran(self.watch.run(&run.job, &run.instance).await, &target)
        })
    }
}
