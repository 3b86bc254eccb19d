//! Carries a schedule: starts what is due as tasks, and hears of their ends.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::hold;
use crate::schedule::{Run, Schedule, Step};

/// Longest wait between two looks: a clock that stood still while the host slept is noticed.
const LOOK: Duration = Duration::from_mins(1);

/// A schedule that others may set while it is carried.
#[derive(Clone)]
pub(crate) struct Carried {
    schedule: Arc<Mutex<Schedule>>,
    changed: Arc<Notify>,
    clock: Clock,
}

impl Carried {
    pub(crate) fn new(at_once: usize, clock: Clock) -> Self {
        Self { schedule: Arc::new(Mutex::new(Schedule::new(at_once))), changed: Arc::default(), clock }
    }

    /// See [`Schedule::set`].
    pub(crate) fn set(&self, index: u32, interval: Option<Duration>) {
        hold(&self.schedule).set(index, interval, self.clock.steady());
        self.changed.notify_one();
    }

    /// Makes it due after this time, if it is not before.
    pub(crate) fn hasten(&self, index: u32, after: Duration) {
        let at = squirrel_model::Elapsed(self.clock.steady().0 + after);
        hold(&self.schedule).hasten(index, at);
        self.changed.notify_one();
    }

    /// Runs that were started, and those that were skipped.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let schedule = hold(&self.schedule);
        (schedule.started(), schedule.skipped())
    }

    /// Starts what is due, for ever. Dropping this ends what runs.
    pub(crate) async fn carry<F>(self, start: impl Fn(u32) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut running = JoinSet::new();
        loop {
            // What ended is forgotten.
            while running.try_join_next().is_some() {}
            let step = hold(&self.schedule).step(self.clock.steady());
            match step {
                Step::Start(run) => {
                    let (work, end) = (start(run.index), End { run, of: self.clone() });
                    running.spawn(async move {
                        let _end = end;
                        work.await;
                    });
                }
                Step::Wait(at) => {
                    let span = at.0.saturating_sub(self.clock.steady().0).min(LOOK);
                    let _ = tokio::time::timeout(span, self.changed.notified()).await;
                }
                Step::Idle => self.changed.notified().await,
            }
        }
    }
}

/// Tells the schedule of the end of a run, also of one that ended in a panic.
struct End {
    run: Run,
    of: Carried,
}

impl Drop for End {
    fn drop(&mut self) {
        hold(&self.of.schedule).ended(self.run);
        self.of.changed.notify_one();
    }
}
