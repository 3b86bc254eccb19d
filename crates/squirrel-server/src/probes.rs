//! Probes on a schedule, as far as the server must know them.

use std::future::Future;
use std::pin::Pin;

use squirrel_api::ApiError;
use squirrel_api::probes::{Probe, ProbeRan, ProbeRun, ProbedPath};

mod judge;
mod page;
mod record;

pub(crate) use page::{Asked, Question};
pub(crate) use record::span_names;

/// An answer that comes after its probe ended.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, ApiError>> + Send + 'a>>;

/// What the program knows of its probes.
pub trait Probes: Send + Sync {
    /// All targets as they stand now, in the order of the configuration. Waits for nobody.
    fn all(&self) -> Vec<Probe>;

    /// The path to a target whose path is traced; none for others.
    fn path(&self, job: &str, instance: &str) -> Option<ProbedPath>;

    /// What happened in the last scheduled probe of a target, in order; empty where it is not kept.
    fn last_words(&self, job: &str, instance: &str) -> Vec<String> {
        let _ = (job, instance);
        Vec::new()
    }

    /// Probes once, beside the schedule. Bounded in number and time by whoever implements it: too many at once are
    /// refused. Never ends later than the probe's own time limit.
    fn run(&self, run: ProbeRun) -> Reply<'_, ProbeRan>;
}
