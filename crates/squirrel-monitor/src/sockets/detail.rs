//! How much is asked of the system, and when that is less: the tracking pays for itself or steps down.

use std::time::Duration;

/// Of its time, so much may be spent on collecting connections: one part in this many, 0.5 %.
pub(super) const SHARE: u32 = 200;

/// How closely connections are tracked. A step is taken down when two collections in a row took longer than
/// 0.5 % of the time from one to the next, and up when three in a row would have taken less than half of what
/// the step above allows. Each change is told by [`AlertKind::TrackingDetail`](crate::AlertKind::TrackingDetail).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TrackingDetail {
    /// Each connection, each collection interval.
    #[default]
    Full,
    /// Each connection, each fourth collection interval.
    Slower,
    /// A sample of a tenth of the limit, each sixteenth collection interval.
    Sampled,
}

impl TrackingDetail {
    const STEPS: [Self; 3] = [Self::Full, Self::Slower, Self::Sampled];

    /// A sentence for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Full => "connections are followed closely again",
            Self::Slower => "following connections takes over 0.5 % of the time: each fourth interval from now on",
            Self::Sampled => {
                "following connections takes over 0.5 % of the time: a sample each sixteenth interval from now on"
            }
        }
    }

    /// Collection intervals from one collection to the next.
    pub fn intervals(self) -> u32 {
        match self {
            Self::Full => 1,
            Self::Slower => 4,
            Self::Sampled => 16,
        }
    }

    /// How many connections are kept at most, of a limit.
    pub(super) fn of(self, limit: usize) -> usize {
        match self {
            Self::Full | Self::Slower => limit,
            Self::Sampled => limit.div_ceil(10),
        }
    }
}

/// Which step is due.
#[derive(Debug, Default)]
pub(super) struct Steps {
    step: usize,
    /// Collections in a row that took too long.
    over: u32,
    /// Collections in a row that the step above could have afforded.
    under: u32,
}

impl Steps {
    pub(super) fn detail(&self) -> TrackingDetail {
        TrackingDetail::STEPS.get(self.step).copied().unwrap_or_default()
    }

    /// Takes what a collection has cost; the new step if it is another.
    pub(super) fn observe(&mut self, cost: Duration, interval: Duration) -> Option<TrackingDetail> {
        let allowed = |detail: TrackingDetail| interval * detail.intervals() / SHARE;
        let above = self.step.checked_sub(1).and_then(|step| TrackingDetail::STEPS.get(step));
        self.over = if cost > allowed(self.detail()) { self.over + 1 } else { 0 };
        self.under = if above.is_some_and(|above| cost <= allowed(*above) / 2) { self.under + 1 } else { 0 };
        if self.over >= 2 && self.step + 1 < TrackingDetail::STEPS.len() {
            *self = Self { step: self.step + 1, over: 0, under: 0 };
        } else if self.under >= 3 {
            *self = Self { step: self.step - 1, over: 0, under: 0 };
        } else {
            return None;
        }
        Some(self.detail())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn told(steps: &mut Steps, costs_ms: &[u64]) -> Vec<TrackingDetail> {
        costs_ms.iter().filter_map(|ms| steps.observe(Duration::from_millis(*ms), SECOND)).collect()
    }

    #[test]
    fn one_slow_collection_changes_nothing_and_two_do() {
        let mut steps = Steps::default();
        assert_eq!(told(&mut steps, &[6, 5, 6, 5, 6]), []);
        assert_eq!(told(&mut steps, &[6, 20, 20]), [TrackingDetail::Slower], "20 ms in 4 s are 0.5 %");
        assert_eq!(told(&mut steps, &[21, 21, 500, 500, 500]), [TrackingDetail::Sampled], "there is no step below");
    }

    #[test]
    fn it_recovers_step_by_step_and_does_not_swing() {
        let mut steps = Steps::default();
        assert_eq!(told(&mut steps, &[100; 4]), [TrackingDetail::Slower, TrackingDetail::Sampled]);
        // Above half of what 4 s allow, it stays; below it, it goes up, and only so far as it can pay.
        assert_eq!(told(&mut steps, &[11; 20]), []);
        assert_eq!(told(&mut steps, &[4; 20]), [TrackingDetail::Slower]);
        assert_eq!(told(&mut steps, &[2, 2, 4, 2, 2, 2]), [TrackingDetail::Full]);
        assert_eq!(steps.detail().intervals(), 1);
    }
}
