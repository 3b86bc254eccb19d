//! The clocks that the prober's drivers read.

use squirrel_model::{Elapsed, Timestamp};
use squirrel_sys::clock::{self, Monotonic};

/// The wall clock, and the steady one since the program's start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(pub(crate) Monotonic);

impl Clock {
    pub(crate) fn wall(self) -> Timestamp {
        clock::wall()
    }

    pub(crate) fn steady(self) -> Elapsed {
        self.0.elapsed()
    }
}
