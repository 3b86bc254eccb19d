//! The clocks that the prober's drivers read.

use squirrel_model::{Elapsed, Timestamp};
use squirrel_sys::clock::{self, Monotonic};

/// The wall clock, and the steady one since the program's start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    steady: Monotonic,
    wall: fn() -> Timestamp,
}

impl Clock {
    pub(crate) fn new(steady: Monotonic) -> Self {
        Self { steady, wall: clock::wall }
    }

    pub(crate) fn wall(self) -> Timestamp {
        (self.wall)()
    }

    pub(crate) fn steady(self) -> Elapsed {
        self.steady.elapsed()
    }
}
