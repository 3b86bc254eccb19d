//! When a group of rules is evaluated: at its interval, each group at a moment of its own.

use squirrel_model::Timestamp;

/// The moments of one group, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    interval: i64,
    /// Where in the interval; from the group's name, so that a restart finds the same moments and many groups do
    /// not come at once.
    offset: i64,
    next: i64,
}

impl Slot {
    /// The moments of a group from now on; the first is at once, as nobody wants to wait for a long interval.
    pub(super) fn new(file: &str, name: &str, interval_ms: i64, now: Timestamp) -> Self {
        let interval_ms = interval_ms.max(1);
        let offset = (hash(file, name) % interval_ms.unsigned_abs()) as i64;
        let mut slot = Self { interval: interval_ms, offset, next: 0 };
        slot.next = slot.latest(now);
        slot
    }

    /// Milliseconds between two moments.
    pub(super) fn interval_ms(self) -> i64 {
        self.interval
    }

    /// The next moment.
    pub(super) fn next(self) -> Timestamp {
        Timestamp(self.next)
    }

    /// Follows a clock that was set back, which would make the group wait for as long.
    pub(super) fn follow(&mut self, now: Timestamp) {
        if self.next > now.millis().saturating_add(self.interval) {
            self.next = self.latest(now).saturating_add(self.interval);
        }
    }

    /// The moment that is due, and how many before it were missed.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<(Timestamp, u64)> {
        self.follow(now);
        if self.next > now.millis() {
            return None;
        }
        let at = self.latest(now);
        let missed = (at.saturating_sub(self.next) / self.interval).unsigned_abs();
        self.next = at.saturating_add(self.interval);
        Some((Timestamp(at), missed))
    }

    /// The latest moment that is not after `now`.
    fn latest(self, now: Timestamp) -> i64 {
        now.plus_ms(-self.offset).floor_to(self.interval).millis().saturating_add(self.offset)
    }
}

/// FNV-1a: the same in each run and version.
fn hash(file: &str, name: &str) -> u64 {
    let bytes = file.bytes().chain([b';']).chain(name.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_comes_at_its_interval_and_counts_what_it_missed() {
        let mut slot = Slot::new("f", "g", 15_000, Timestamp(1_000_000));
        let (first, missed) = slot.due(Timestamp(1_000_000)).expect("at once");
        assert!(first.millis() <= 1_000_000 && first.millis() > 985_000 && missed == 0);
        assert_eq!(slot.due(Timestamp(1_000_000)), None, "once");
        assert_eq!(slot.due(first.plus_ms(15_000)), Some((first.plus_ms(15_000), 0)));
        assert_eq!(slot.due(first.plus_ms(61_000)), Some((first.plus_ms(60_000), 2)), "at 30 and 45 s nobody came");
        assert_eq!(slot.next(), first.plus_ms(75_000));
    }

    #[test]
    fn a_clock_that_is_set_back_stops_no_group() {
        let mut slot = Slot::new("f", "g", 15_000, Timestamp(10_000_000));
        let _ = slot.due(Timestamp(10_000_000));
        assert_eq!(slot.due(Timestamp(1_000_000)), None);
        assert!(slot.due(Timestamp(1_015_000)).is_some());
    }

    #[test]
    fn many_groups_are_spread_over_the_interval() {
        let mut seconds = std::collections::BTreeSet::new();
        for n in 0..1000 {
            seconds.insert(
                Slot::new("f", &format!("group {n}"), 15_000, Timestamp(0)).next().millis().rem_euclid(15_000) / 1000,
            );
        }
        assert_eq!(seconds.len(), 15);
    }
}
