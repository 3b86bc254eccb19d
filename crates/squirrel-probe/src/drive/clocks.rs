//! The clocks under a driver: the steady one, and the one that the kernel stamps packets with.

use squirrel_model::Elapsed;

/// By how much the wall clock may run away from the steady one between two looks. More, and somebody set it.
const DRIFT_NS: i128 = 500_000;

/// The clocks that the driver reads.
pub struct Clocks<'a> {
    /// The steady one.
    pub steady: &'a dyn Fn() -> Elapsed,
    /// The wall clock in nanoseconds since the epoch, which the kernel stamps packets with.
    pub wall: &'a dyn Fn() -> u64,
}

/// How far the wall clock is ahead of the steady one.
pub(crate) struct Offset(i128);

impl Offset {
    pub(crate) fn read(clocks: &Clocks<'_>) -> Self {
        let steady = (clocks.steady)().0.as_nanos();
        Self(i128::from((clocks.wall)()) - i128::try_from(steady).unwrap_or(i128::MAX))
    }

    /// Whether somebody set the wall clock since the last look. Being interrupted between the two readings looks the
    /// same, and costs the kernel's time of what is under way.
    pub(crate) fn was_moved(&mut self, clocks: &Clocks<'_>) -> bool {
        let before = std::mem::replace(self, Self::read(clocks));
        (self.0 - before.0).abs() > DRIFT_NS
    }
}
