//! Moments and spans. Nothing here reads a clock: time is always handed over.

use std::fmt;

/// A moment of the wall clock: milliseconds since 1970-01-01T00:00:00Z, as Prometheus counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The earliest moment that can be written.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest moment that can be written.
    pub const MAX: Self = Self(i64::MAX);

    /// The moment `seconds` after the epoch; saturates at the ends, and NaN is the epoch.
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * 1000.0).round() as i64)
    }

    /// Seconds since the epoch.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Milliseconds since the epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// The last multiple of `step_ms` that is not later than this moment.
    /// A `step_ms` below one is taken as one.
    #[must_use]
    pub fn floor_to(self, step_ms: i64) -> Self {
        let step = step_ms.max(1);
        Self(self.0.div_euclid(step).saturating_mul(step))
    }

    /// This moment moved by `ms` milliseconds, held at the ends of time.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let ms = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:03}", ms / 1000, ms % 1000)
    }
}

/// A moment of the monotonic clock: time since the program's start. Never goes back, never jumps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Elapsed(pub std::time::Duration);

/// A span of time with both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeRange {
    /// First moment in the range.
    pub start: Timestamp,
    /// Last moment in the range.
    pub end: Timestamp,
}

impl TimeRange {
    /// All of time.
    pub const ALL: Self = Self { start: Timestamp::MIN, end: Timestamp::MAX };

    /// The range from `start` to `end`, both included. Empty when `end < start`.
    pub fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }

    /// Whether `at` lies in the range.
    pub fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at <= self.end
    }

    /// Whether the two ranges share a moment.
    pub fn overlaps(self, other: Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floor_goes_down_before_the_epoch_too() {
        assert_eq!(Timestamp(1_999).floor_to(1000), Timestamp(1_000));
        assert_eq!(Timestamp(-1).floor_to(1000), Timestamp(-1_000));
        assert_eq!(Timestamp(5).floor_to(0), Timestamp(5));
    }

    #[test]
    fn display_has_three_decimals_on_both_sides_of_the_epoch() {
        assert_eq!(Timestamp(1_500).to_string(), "1.500");
        assert_eq!(Timestamp(-1).to_string(), "-0.001");
    }

    #[test]
    fn hostile_seconds_saturate() {
        assert_eq!(Timestamp::from_seconds(f64::INFINITY), Timestamp::MAX);
        assert_eq!(Timestamp::from_seconds(f64::NAN), Timestamp(0));
    }
}
