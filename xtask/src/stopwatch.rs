//! How long a step took, and waiting for another process.
#![expect(clippy::disallowed_methods, reason = "measuring programs from outside needs a clock, and they send no event")]

use std::time::{Duration, Instant};

/// A clock that runs since it was made.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Asks `ready` every 50 ms until it says yes; `false` when `limit` has passed without one.
pub(crate) fn wait_until(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let watch = Stopwatch::start();
    loop {
        if ready() {
            return true;
        }
        if watch.elapsed() >= limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
