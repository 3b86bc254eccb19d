//! How round-trip times are spread: percentiles over everything in bounded memory, and jitter.

use std::collections::BTreeMap;
use std::time::Duration;

/// Times that are kept one by one; beyond, they are counted in steps.
const EXACT: usize = 4096;
/// Steps for each doubling, once times are counted: an answer is off by less than 1/128.
const STEPS_BITS: u32 = 7;

/// The times of answers.
///
/// The first 4,096 are kept as they are, and percentiles of them are exact. Beyond, each is counted in a step that is
/// less than 0.8 % wide, so that a probe that runs for years needs no more memory than one of an hour.
#[derive(Clone, Debug, Default)]
pub struct Spread {
    exact: Vec<u64>,
    steps: BTreeMap<u32, u64>,
    count: u64,
    min: u64,
    max: u64,
    sum: f64,
    squares: f64,
    last: Option<u64>,
    jitter: f64,
    changes: f64,
}

impl Spread {
    /// Adds the time of an answer, in the order in which answers came.
    pub fn add(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.min = if self.count == 0 { nanos } else { self.min.min(nanos) };
        self.max = self.max.max(nanos);
        self.count += 1;
        self.sum += nanos as f64;
        self.squares += (nanos as f64).powi(2);
        if let Some(last) = self.last {
            let change = nanos.abs_diff(last) as f64;
            self.changes += change;
            self.jitter += (change - self.jitter) / 16.0;
        }
        self.last = Some(nanos);
        if self.steps.is_empty() && self.exact.len() < EXACT {
            self.exact.push(nanos);
            return;
        }
        for early in self.exact.drain(..) {
            *self.steps.entry(step(early)).or_default() += 1;
        }
        *self.steps.entry(step(nanos)).or_default() += 1;
    }

    /// Adds all times of another: percentiles and means are as of both, jitter the mean of the two by their counts.
    pub fn absorb(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let share = other.count as f64 / (self.count + other.count) as f64;
        self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
        self.changes += other.changes;
        self.jitter += (other.jitter - self.jitter) * share;
        self.last = other.last.or(self.last);
        if self.steps.is_empty() && other.steps.is_empty() && self.exact.len() + other.exact.len() <= EXACT {
            self.exact.extend(&other.exact);
            return;
        }
        for nanos in self.exact.drain(..).chain(other.exact.iter().copied()) {
            *self.steps.entry(step(nanos)).or_default() += 1;
        }
        for (step, count) in &other.steps {
            *self.steps.entry(*step).or_default() += count;
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The shortest.
    pub fn min(&self) -> Option<Duration> {
        self.some(self.min)
    }

    /// The longest.
    pub fn max(&self) -> Option<Duration> {
        self.some(self.max)
    }

    /// The mean.
    pub fn mean(&self) -> Option<Duration> {
        self.some((self.sum / self.count.max(1) as f64) as u64)
    }

    /// The standard deviation of the whole (not of a sample of it).
    pub fn deviation(&self) -> Option<Duration> {
        let mean = self.sum / self.count.max(1) as f64;
        let variance = self.squares / self.count.max(1) as f64 - mean.powi(2);
        self.some(variance.max(0.0).sqrt() as u64)
    }

    /// Jitter as RFC 3550 (section 6.4.1) smooths it: the change from one to the next, the past fading by a sixteenth
    /// each time.
    pub fn jitter(&self) -> Option<Duration> {
        self.some(self.jitter as u64)
    }

    /// The mean change from one to the next (the delay variation of RFC 3393, without its sign). None below two.
    pub fn variation(&self) -> Option<Duration> {
        let changes = self.count.checked_sub(1).filter(|changes| *changes > 0)?;
        self.some((self.changes / changes as f64) as u64)
    }

    /// The shortest time that `share` (0 to 1) of all do not exceed (nearest rank).
    pub fn percentile(&self, share: f64) -> Option<Duration> {
        if self.count == 0 {
            return None;
        }
        let rank = ((share.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).clamp(1, self.count);
        if self.steps.is_empty() {
            let mut sorted = self.exact.clone();
            let (_, found, _) = sorted.select_nth_unstable(usize::try_from(rank - 1).unwrap_or(usize::MAX));
            return self.some(*found);
        }
        let mut before = 0;
        let found = self.steps.iter().find(|(_, count)| {
            before += **count;
            before >= rank
        });
        let nanos = found.map_or(self.max, |(step, _)| middle(*step));
        self.some(nanos.clamp(self.min, self.max))
    }

    fn some(&self, nanos: u64) -> Option<Duration> {
        (self.count > 0).then(|| Duration::from_nanos(nanos))
    }
}

/// Which step a time falls into: its highest bits.
fn step(nanos: u64) -> u32 {
    let doubling = (u64::BITS - nanos.leading_zeros()).saturating_sub(STEPS_BITS + 1);
    (doubling << (STEPS_BITS + 1)) | u32::try_from(nanos >> doubling).unwrap_or(0)
}

/// The time in the middle of a step.
fn middle(step: u32) -> u64 {
    let doubling = step >> (STEPS_BITS + 1);
    let highest = u64::from(step & ((1 << (STEPS_BITS + 1)) - 1));
    (highest << doubling) + ((1_u64 << doubling) >> 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(times: impl IntoIterator<Item = u64>) -> Spread {
        let mut spread = Spread::default();
        for time in times {
            spread.add(Duration::from_micros(time));
        }
        spread
    }

    #[test]
    fn percentiles_are_the_nearest_ranks() {
        let spread = of((1..=100).rev());
        let at = |share| spread.percentile(share).map(|time| time.as_micros());
        assert_eq!((at(0.5), at(0.95), at(0.99), at(0.0), at(1.0)), (Some(50), Some(95), Some(99), Some(1), Some(100)));
        assert_eq!(spread.mean(), Some(Duration::from_nanos(50_500)));
        assert_eq!(Spread::default().percentile(0.5), None);
    }

    #[test]
    fn jitter_is_that_of_rfc_3550_and_variation_the_plain_mean() {
        let spread = of([100, 116, 100, 116]);
        // 16/16 = 1; 1 + 15/16; 1.9375 + 14.0625/16.
        assert_eq!(spread.jitter(), Some(Duration::from_nanos(2_816)));
        assert_eq!(spread.variation(), Some(Duration::from_micros(16)));
        assert_eq!(of([7]).variation(), None);
        assert_eq!(spread.deviation(), Some(Duration::from_micros(8)));
    }

    #[test]
    fn two_spreads_make_one_that_tells_of_both() {
        for half in [50_u64, 3_000, 5_000] {
            let mut one = of(1..=half);
            one.absorb(&of(half + 1..=2 * half));
            one.absorb(&Spread::default());
            let whole = of(1..=2 * half);
            assert_eq!(
                (one.count(), one.min(), one.max(), one.mean()),
                (2 * half, whole.min(), whole.max(), whole.mean())
            );
            let (told, exact) = (one.percentile(0.5).expect("times"), Duration::from_micros(half));
            assert!(told.abs_diff(exact) <= exact / 128, "{told:?} for {exact:?}");
        }
    }

    #[test]
    fn a_year_of_seconds_takes_little_memory() {
        let spread = of((0..200_000_u64).map(|n| 1000 + n * n % 900_000));
        assert!(spread.exact.is_empty() && spread.steps.len() < 2_000, "{} steps", spread.steps.len());
    }

    proptest! {
        #[test]
        fn counted_percentiles_are_off_by_less_than_a_percent(
            times in proptest::collection::vec(1_u64..5_000_000_000, 5000..6000), share in 0.0_f64..1.0,
        ) {
            let mut spread = Spread::default();
            for time in &times {
                spread.add(Duration::from_nanos(*time));
            }
            let mut sorted = times.clone();
            sorted.sort_unstable();
            let rank = ((share * times.len() as f64).ceil() as usize).clamp(1, times.len());
            let (exact, told) = (sorted[rank - 1] as f64, spread.percentile(share).expect("there are times").as_nanos() as f64);
            prop_assert!((told - exact).abs() <= exact / 128.0 + 1.0, "{told} for {exact}");
        }

        #[test]
        fn every_time_falls_into_a_step_that_holds_it(nanos in any::<u64>()) {
            prop_assert!(middle(step(nanos)).abs_diff(nanos) <= nanos / 128 + 1);
        }
    }
}
