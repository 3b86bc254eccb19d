//! Pauses between tries.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// The pause after the first try that failed; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(30);

/// The longest pause between tries that nobody asked for.
const LONGEST: Duration = Duration::from_secs(30);

/// The longest pause that a server can ask for.
const LONGEST_ASKED: Duration = Duration::from_mins(5);

/// Pauses that grow, with a part by chance, so that many senders do not come back at one moment.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    chance: RandomState,
}

impl Backoff {
    /// The pause after one more failure; `asked` is what the server wants.
    pub(crate) fn pause(&mut self, asked: Option<Duration>) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let doubled = FIRST.saturating_mul(1 << (self.failures - 1).min(16)).min(LONGEST);
        let wanted = asked.unwrap_or(Duration::ZERO).min(LONGEST_ASKED).max(doubled);
        let share = (self.chance.hash_one(self.failures) % 256) as u32;
        wanted + wanted / 1_024 * share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_a_minute_and_vary_by_a_quarter() {
        let mut backoff = Backoff::default();
        for expected_ms in [30, 60, 120, 240, 480, 960, 1_920, 3_840, 7_680, 15_360, 30_000, 30_000] {
            let (pause, expected) = (backoff.pause(None), Duration::from_millis(expected_ms));
            assert!((expected..=expected + expected / 4).contains(&pause), "{pause:?} for {expected:?}");
        }
    }

    #[test]
    fn a_server_may_ask_for_more_but_not_for_a_year() {
        let mut backoff = Backoff::default();
        assert!(backoff.pause(Some(Duration::from_secs(7))) >= Duration::from_secs(7));
        assert!(backoff.pause(Some(Duration::MAX)) <= LONGEST_ASKED + LONGEST_ASKED / 4);
    }
}
