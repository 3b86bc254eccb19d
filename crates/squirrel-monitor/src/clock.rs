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

    /// When it was born, as others tell moments.
    pub(crate) fn birth(&self) -> std::time::Instant {
        self.0.into_std()
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

/// Measures how long something takes, by the clock of the runtime: in a test with `start_paused` it
/// stands still until the test turns it forward.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The present moment, for who observes a connection.
pub(crate) fn moment() -> std::time::Instant {
    Instant::now().into_std()
}
