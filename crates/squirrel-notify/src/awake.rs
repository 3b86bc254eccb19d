//! The time by which waiting is counted. It follows the wall clock while that walks, and stands where it jumps:
//! a step of ten years forwards must not end every wait at once, and one backwards must not make them longer.

use squirrel_model::Timestamp;

/// More than this between two calls is a step of the clock or a sleep of the machine. [`Awake`] is called at least
/// each minute while there is anything to wait for.
const LONGEST_STEP_MS: i64 = 10 * 60_000;
/// Time in which the program did not run counts as waited, up to this; more is a wrong clock.
const LONGEST_ABSENCE_MS: i64 = 7 * 86_400_000;

/// Milliseconds waited since the first start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Awake {
    /// The wall clock at the last call.
    pub(crate) wall: Option<Timestamp>,
    pub(crate) ms: i64,
    /// Whether the program was away since the last call.
    pub(crate) was_away: bool,
}

impl Awake {
    /// The time waited until `at`.
    pub(crate) fn advance(&mut self, at: Timestamp) -> i64 {
        let limit = if self.was_away { LONGEST_ABSENCE_MS } else { LONGEST_STEP_MS };
        let step = self.wall.map_or(0, |wall| at.millis().saturating_sub(wall.millis()));
        self.ms = self.ms.saturating_add(step.clamp(0, limit));
        self.wall = Some(at);
        self.was_away = false;
        self.ms
    }

    /// The wall clock when the waiting that ends at `ms` is over.
    pub(crate) fn wall_of(&self, ms: i64) -> Timestamp {
        self.wall.unwrap_or_default().plus_ms(ms.saturating_sub(self.ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_the_clock_are_no_waiting_but_an_absence_is() {
        let mut awake = Awake::default();
        assert_eq!(awake.advance(Timestamp(1_000_000)), 0);
        assert_eq!(awake.advance(Timestamp(1_060_000)), 60_000);
        assert_eq!(awake.advance(Timestamp(0)), 60_000, "a step backwards");
        assert_eq!(awake.advance(Timestamp(60_000)), 120_000);
        assert_eq!(awake.advance(Timestamp(i64::MAX)), 120_000 + LONGEST_STEP_MS);
        let mut restored = Awake { wall: Some(Timestamp(0)), ms: 5, was_away: true };
        assert_eq!(restored.advance(Timestamp(4 * 3_600_000)), 5 + 4 * 3_600_000);
    }
}
