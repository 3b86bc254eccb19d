//! The only place that reads a clock.
#![expect(clippy::disallowed_methods, reason = "this module is the door to the clock")]

use std::time::{Instant, SystemTime};

use squirrel_model::{Elapsed, Timestamp};

/// The wall clock, now. A clock set before 1970 gives a negative moment.
pub fn wall() -> Timestamp {
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => Timestamp(i64::try_from(after.as_millis()).unwrap_or(i64::MAX)),
        Err(before) => Timestamp(-i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX)),
    }
}

/// The wall clock in nanoseconds since the epoch, as the kernel stamps packets with it; 0 before 1970.
pub fn wall_nanos() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// This moment, for those who measure between moments.
pub fn now() -> Instant {
    Instant::now()
}

/// A monotonic clock that begins at its birth.
#[derive(Clone, Copy, Debug)]
pub struct Monotonic(Instant);

impl Monotonic {
    /// Starts at zero, now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Elapsed {
        Elapsed(self.0.elapsed())
    }
}
