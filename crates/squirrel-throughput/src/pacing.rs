//! When the next octets may be sent, so that a bitrate is kept.

use std::time::Duration;

/// How much of a standstill may be caught up: a thread that was not scheduled shall not lose its rate.
const CATCH_UP: Duration = Duration::from_millis(100);

/// Keeps a bitrate. Time is an argument.
#[derive(Clone, Debug)]
pub(crate) struct Pacer {
    octets_per_second: f64,
    due: Duration,
}

impl Pacer {
    /// Keeps so many bits a second.
    pub(crate) fn new(bits_per_second: u64, now: Duration) -> Self {
        Self { octets_per_second: bits_per_second.max(8) as f64 / 8.0, due: now }
    }

    /// How long to wait before anything may be sent; zero if it may be now.
    pub(crate) fn wait(&self, now: Duration) -> Duration {
        self.due.saturating_sub(now)
    }

    /// So many octets were sent.
    pub(crate) fn sent(&mut self, octets: usize, now: Duration) {
        let cost = Duration::try_from_secs_f64(octets as f64 / self.octets_per_second).unwrap_or(Duration::MAX);
        self.due = self.due.max(now.saturating_sub(CATCH_UP)).saturating_add(cost);
    }

    /// Octets that may go at once without a burst that would be seen: what the rate gives in a millisecond.
    pub(crate) fn burst(&self) -> usize {
        (self.octets_per_second / 1000.0) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_kept_over_a_second() {
        let mut now = Duration::ZERO;
        let mut pacer = Pacer::new(8_000_000, now);
        let mut sent = 0;
        while now < Duration::from_secs(1) {
            now += pacer.wait(now);
            pacer.sent(1000, now);
            sent += 1000;
        }
        assert!((1_000_000..=1_001_000).contains(&sent), "{sent}");
    }

    #[test]
    fn a_standstill_is_caught_up_only_in_part() {
        let mut pacer = Pacer::new(8_000_000, Duration::ZERO);
        let now = Duration::from_secs(10);
        let mut sent = 0;
        while pacer.wait(now).is_zero() {
            pacer.sent(1000, now);
            sent += 1000;
        }
        assert!((99_000..=101_000).contains(&sent), "{sent}");
    }

    #[test]
    fn no_rate_overflows() {
        let mut pacer = Pacer::new(1, Duration::MAX);
        pacer.sent(usize::MAX, Duration::MAX);
        assert_eq!(Pacer::new(u64::MAX, Duration::ZERO).wait(Duration::ZERO), Duration::ZERO);
    }
}
