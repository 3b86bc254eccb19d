//! Probes on a schedule: pings, paths and service checks, their history, and how it stands with each target.
//!
//! ```text
//! configuration ─► Target ─► Watch ─┬─ Pings (one thread, one driver, one machine for all targets)
//!                                   ├─ Carried: Schedule ─► checks (tasks), names (tasks)
//!                                   └─ Carried: Schedule ─► Paths (threads)
//!                                            │ results
//!                                            ▼
//!                                   Board (no clock, no socket) ─► samples, views, what is remembered
//! ```
//!
//! When what is started is decided by state machines that are handed the time ([`schedule::Schedule`],
//! [`squirrel_probe::Ping`]), so that tests let years pass in a moment. Starts are spread over the interval; a run that
//! outlasts it is not started twice, and counted.
//!
//! Absences: the store, HTTP, screens, files, a probe without a time limit.
#![forbid(unsafe_code)]

mod board;
mod clock;
mod conduct;
mod entry;
mod history;
mod metrics;
mod minute;
mod names;
mod paths;
mod pings;
mod remembered;
mod series;
mod standing;
mod target;
mod watch;

pub mod emodel;
pub mod schedule;

pub use entry::{Echo, Traced};
pub use history::{MOST_CHANGES, PathHistory};
pub use metrics::METRICS;
pub use series::Sample;
pub use target::{MOST_PATHS, MOST_TARGETS, Target, Work};
pub use watch::{Parts, Ran, RunError, Watch};

#[cfg(test)]
mod tests;

/// A lock whose holder panicked is still good: values are replaced as a whole.
fn hold<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
