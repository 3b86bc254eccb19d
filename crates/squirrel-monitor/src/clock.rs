//! The only place that reads clocks: tokio's, so that tests can turn it forward, and the wall clock for
//! the times that other systems are told.
//!
//! On Linux it is `CLOCK_MONOTONIC`, which never goes back and stands still while the machine is
//! suspended.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// A clock that begins at its birth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the birth.
    pub(crate) fn now(&self) -> Duration {
        self.0.elapsed()
    }

    /// The wall clock's time. It may be set, also back.
    #[expect(clippy::disallowed_methods, reason = "the door to the clock")]
    pub(crate) fn wall() -> SystemTime {
        SystemTime::now()
    }

    /// The moment `after` this clock's birth, for the runtime to wait for.
    pub(crate) fn moment(&self, after: Duration) -> Instant {
        self.0 + after
    }
}
