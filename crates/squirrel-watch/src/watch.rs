//! The prober: its threads and tasks, to be started, told of targets, asked and stopped.

mod inner;

use std::io;
use std::sync::{Arc, Mutex};

use squirrel_api::probes::{Probe, ProbedPath};
use squirrel_check::{Checker, Finding};
use squirrel_model::{Batch, Elapsed, Fault, Timestamp};
use squirrel_probe::drive::{Driver, OpenError};
use squirrel_sys::clock::Monotonic;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::entry::{Echo, Traced};
use crate::series::Sample;
use crate::{Target, hold, remembered};
use inner::Inner;

/// What the prober is made of.
pub struct Parts {
    /// The sockets of pings, and why there are none for one version of IP or both. They are opened while the program
    /// still may.
    pub pinger: (Driver, Vec<OpenError>),
    /// Carries checks out.
    pub checker: Checker,
    /// The steady clock.
    pub monotonic: Monotonic,
    /// What was remembered of the last run ([`Watch::remember`]).
    pub remembered: Option<String>,
}

/// What a probe by hand brought.
#[derive(Debug)]
pub enum Ran {
    /// An echo.
    Echo(Echo),
    /// A check.
    Finding(Finding),
    /// A trace.
    Traced(Box<Traced>),
}

/// Why a probe by hand was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// There is no such probe.
    Unknown,
    /// So many are under way already.
    TooMany(usize),
    /// It could not be carried out, in words.
    Failed(String),
}

/// The prober. Dropping it ends its tasks; [`Watch::stop`] ends its threads too.
pub struct Watch {
    inner: Arc<Inner>,
    tasks: Mutex<JoinSet<()>>,
}

impl Watch {
    /// Starts threads and tasks for these targets. Call it within a runtime.
    ///
    /// # Errors
    /// A system without room for threads or sockets.
    pub fn start(parts: Parts, targets: Vec<Arc<Target>>, runtime: &Handle) -> io::Result<Self> {
        let remembered = parts.remembered.clone();
        let inner = Arc::new(Inner::open(parts)?);
        inner.arrange(targets);
        if let Some(text) = remembered {
            for note in remembered::restore(&mut hold(&inner.board), &text) {
                tracing::warn!("what was known of probes before the start: {note}");
            }
        }
        let mut tasks = JoinSet::new();
        let own = Arc::clone(&inner);
        tasks.spawn_on(inner.checks.clone().carry(move |index| Arc::clone(&own).check(index)), runtime);
        let own = Arc::clone(&inner);
        tasks.spawn_on(inner.traces.clone().carry(move |index| Arc::clone(&own).trace(index)), runtime);
        let own = Arc::clone(&inner);
        tasks.spawn_on(inner.names.clone().carry(move |index| Arc::clone(&own).look_up(index)), runtime);
        Ok(Self { inner, tasks: Mutex::new(tasks) })
    }

    /// Takes targets as they are written now. What did not change goes on undisturbed.
    pub fn arrange(&self, targets: Vec<Arc<Target>>) {
        self.inner.arrange(targets);
    }

    /// Samples since the last call, each with its own time. Call it each second.
    pub fn due(&self, at: Timestamp, now: Elapsed) -> Vec<Sample> {
        hold(&self.inner.board).due(at, now)
    }

    /// Counts samples that the store did not take.
    pub fn lost(&self, samples: usize) {
        *hold(&self.inner.lost) += samples as u64;
    }

    /// Adds what the prober says of itself.
    pub fn rows(&self, out: &mut Batch) {
        self.inner.rows(out);
    }

    /// How it stands with all targets, in the order of the configuration.
    pub fn all(&self) -> Vec<Probe> {
        hold(&self.inner.board).all()
    }

    /// The last trace of a path, and its changes; none for a target whose path is not traced.
    pub fn path(&self, job: &str, instance: &str) -> Option<(Option<Arc<Traced>>, ProbedPath)> {
        hold(&self.inner.board).path(job, instance)
    }

    /// A target by its name.
    pub fn target(&self, job: &str, instance: &str) -> Option<Arc<Target>> {
        let board = hold(&self.inner.board);
        board.find(job, instance).and_then(|index| board.target(index).cloned())
    }

    /// Parts that do not work, for people: sockets that are not permitted while somebody is to be pinged.
    pub fn faults(&self) -> Vec<Fault> {
        self.inner.faults()
    }

    /// Whether there is nothing to probe.
    pub fn is_idle(&self) -> bool {
        hold(&self.inner.board).is_empty()
    }

    /// Probes once, beside the schedule, and within the probe's own time limit: a check may take as long as its module
    /// says, though one of the schedule ends with its interval. An echo and a check count as any other, but for a check
    /// that others outran; a trace is told alone, since it may take another way than those of the schedule.
    ///
    /// # Errors
    /// No such target, too many at once, or what is in the way.
    pub async fn run(&self, job: &str, instance: &str) -> Result<Ran, RunError> {
        self.inner.run(job, instance).await
    }

    /// What is to be remembered over a restart, if anything changed since the last call.
    pub fn remember(&self) -> Option<String> {
        let board = hold(&self.inner.board);
        let mut written = hold(&self.inner.written);
        (*written != board.revision).then(|| {
            *written = board.revision;
            remembered::save(&board)
        })
    }

    /// Ends tasks and threads, and gives the last samples: the end of all series. What is to be remembered must have
    /// been asked for before.
    pub fn stop(&self, at: Timestamp) -> Vec<Sample> {
        hold(&self.tasks).abort_all();
        self.inner.pings.stop();
        self.inner.paths.stop();
        hold(&self.inner.board).close(at)
    }
}
