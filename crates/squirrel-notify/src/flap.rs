//! Whether an alert comes and goes too often: Icinga 2's method (`lib/icinga/checkable-flapping.cpp`). Of the last
//! 20 evaluations those with a change of state are summed, the oldest with weight 0.8 and the newest with 1.18.

use crate::settings::Flapping;

/// How many evaluations are looked at.
const STATES: u32 = 20;
/// The bits in use.
pub(crate) const MASK: u32 = (1 << STATES) - 1;

/// The changes of an alert within the last evaluations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flap {
    /// A bit for each evaluation, the newest lowest; set where the state changed.
    pub(crate) bits: u32,
    /// Up to when evaluations were counted, in milliseconds of waiting.
    pub(crate) until: i64,
    /// Whether it flaps.
    pub(crate) flapping: bool,
}

impl Flap {
    /// Counts the evaluations up to `now` as ones without a change. They need not have been seen: of an alert that
    /// is over, nothing is shown.
    pub(crate) fn pass(&mut self, now: i64, interval_ms: i64, settings: &Flapping) -> i64 {
        let interval = interval_ms.max(1);
        let passed = now.saturating_sub(self.until).max(0) / interval;
        self.bits = if passed >= i64::from(STATES) { 0 } else { (self.bits << passed) & MASK };
        self.until = self.until.saturating_add(passed.saturating_mul(interval));
        self.judge(settings);
        passed
    }

    /// Counts a change at `now`.
    pub(crate) fn change(&mut self, now: i64, interval_ms: i64, settings: &Flapping) {
        // The change belongs to the evaluation that was counted last, unless that was before.
        if self.pass(now, interval_ms, settings) == 0 {
            self.bits = (self.bits << 1) & MASK;
        }
        self.bits |= 1;
        self.until = now;
        self.judge(settings);
    }

    fn judge(&mut self, settings: &Flapping) {
        let limit = if self.flapping { settings.low } else { settings.high };
        self.flapping = settings.enabled && self.percent() > f64::from(limit);
    }

    /// Weighted changes per evaluation, in per cent.
    pub(crate) fn percent(self) -> f64 {
        let weights =
            (0..STATES).filter(|age| self.bits >> age & 1 == 1).map(|age| 0.8 + 0.02 * f64::from(STATES - 1 - age));
        weights.sum::<f64>() * 100.0 / f64::from(STATES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: i64 = 15_000;

    #[test]
    fn six_changes_in_twenty_evaluations_flap_and_fewer_than_a_quarter_settle() {
        let settings = Flapping::default();
        let mut flap = Flap::default();
        let mut now = 0;
        for change in 1..=6 {
            now += EVERY;
            flap.change(now, EVERY, &settings);
            assert_eq!(flap.flapping, change == 6, "{change}: {}", flap.percent());
        }
        // 6 × about 1.13 / 20 = 33.9 %. The weights sink with age, and the changes leave one by one.
        let mut quiet = 0;
        while flap.flapping {
            now += EVERY;
            quiet += 1;
            flap.pass(now, EVERY, &settings);
        }
        assert_eq!(quiet, 15, "{}", flap.percent());
        assert!(flap.percent() < 25.0);
    }

    #[test]
    fn changes_further_apart_are_no_flapping() {
        let settings = Flapping::default();
        let mut flap = Flap::default();
        for change in 1..100 {
            flap.change(change * 4 * EVERY, EVERY, &settings);
            assert!(!flap.flapping, "{}", flap.percent());
        }
    }

    #[test]
    fn between_the_thresholds_it_stays_as_it_was() {
        let settings = Flapping { enabled: true, high: 60, low: 30 };
        let mut flap = Flap { bits: 0x3ff, until: 0, flapping: false };
        flap.pass(0, EVERY, &settings);
        assert!(!flap.flapping && flap.percent() > 30.0 && flap.percent() < 60.0);
        flap.flapping = true;
        flap.pass(0, EVERY, &settings);
        assert!(flap.flapping);
        flap.pass(i64::MAX, EVERY, &settings);
        assert_eq!((flap.bits, flap.flapping), (0, false));
    }

    #[test]
    fn two_changes_within_one_evaluation_are_two() {
        let mut flap = Flap::default();
        flap.change(EVERY, EVERY, &Flapping::default());
        flap.change(EVERY + 1, EVERY, &Flapping::default());
        assert_eq!(flap.bits, 0b11);
    }
}
