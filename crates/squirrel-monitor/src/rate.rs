//! Rates by sliding windows over a counter's totals.
//!
//! The window ends now and is `span` long. Where it begins there is seldom a sample, so the total at
//! that moment is taken from the line between the samples before and after it. Totals may wrap at 2⁶⁴.
//!
//! A gap of more than [`GAP`] intervals between two samples (a machine that was suspended, a process
//! that was stopped, a monitor that was) breaks the window: nobody knows when within the gap the bytes
//! went, so they are in the totals and in no rate, and the window begins anew after it.

use std::collections::VecDeque;
use std::time::Duration;

/// After how many intervals without a sample the window is broken.
const GAP: u32 = 4;

/// Most samples that are kept; more come only when ticks are far denser than the interval.
const MAX_SAMPLES: usize = 256;

#[derive(Clone, Copy, Debug)]
struct Sample<const WIDTH: usize> {
    at: Duration,
    totals: [u64; WIDTH],
}

/// Samples of a few totals that are taken together.
#[derive(Debug)]
pub(crate) struct RateWindow<const WIDTH: usize> {
    samples: VecDeque<Sample<WIDTH>>,
    /// The last tick, whether or not its sample was kept: gaps are counted from it.
    last: Duration,
    interval: Duration,
    /// The longest span that is asked for.
    keep: Duration,
}

impl<const WIDTH: usize> RateWindow<WIDTH> {
    /// A window for ticks of this interval that is asked for spans up to `keep`.
    pub(crate) fn new(interval: Duration, keep: Duration) -> Self {
        Self { samples: VecDeque::new(), last: Duration::ZERO, interval, keep: keep.max(interval) }
    }

    /// Takes the totals as they are at a moment; one before the last sample is not taken.
    pub(crate) fn observe(&mut self, now: Duration, totals: [u64; WIDTH]) {
        let newest = self.samples.back().map(|sample| sample.at);
        if newest.is_some() && now < self.last {
            return;
        }
        let since = now.saturating_sub(std::mem::replace(&mut self.last, now));
        match newest {
            Some(_) if self.is_gap(since) => self.samples.clear(),
            // Ticks that crowd (start after stop, again and again) bring nothing new.
            Some(newest) if now.saturating_sub(newest) < self.interval / 8 => return,
            _ => {}
        }
        self.samples.push_back(Sample { at: now, totals });
        let begin = now.saturating_sub(self.keep);
        // The one before the beginning is needed to find the total there.
        while self.samples.len() > MAX_SAMPLES || self.samples.get(1).is_some_and(|second| second.at <= begin) {
            self.samples.pop_front();
        }
    }

    /// Rates per second over the last `span`, or over as much of it as there are samples of. Zero
    /// when there is no sample, or the last is older than the longest gap.
    pub(crate) fn rates(&self, now: Duration, totals: [u64; WIDTH], span: Duration) -> [f64; WIDTH] {
        let zero = [0.0; WIDTH];
        let Some(first) = self.samples.front() else {
            return zero;
        };
        match now.checked_sub(self.last) {
            Some(since) if !self.is_gap(since) => {}
            _ => return zero,
        }
        let begin = now.saturating_sub(span).max(first.at);
        let seconds = now.saturating_sub(begin).as_secs_f64();
        if seconds <= 0.0 {
            return zero;
        }
        let then = self.totals_at(begin, Sample { at: now, totals });
        let mut rates = zero;
        for ((rate, now), then) in rates.iter_mut().zip(totals).zip(then) {
            *rate = now.wrapping_sub(then) as f64 / seconds;
        }
        rates
    }

    fn is_gap(&self, since: Duration) -> bool {
        since > self.interval.saturating_mul(GAP)
    }

    /// The totals at a moment not before the first sample.
    fn totals_at(&self, at: Duration, now: Sample<WIDTH>) -> [u64; WIDTH] {
        let after = self.samples.partition_point(|sample| sample.at <= at);
        let Some(before) = after.checked_sub(1).and_then(|i| self.samples.get(i)) else {
            return now.totals;
        };
        let after = self.samples.get(after).copied().unwrap_or(now);
        let whole = after.at.saturating_sub(before.at).as_secs_f64();
        let part = if whole > 0.0 { at.saturating_sub(before.at).as_secs_f64() / whole } else { 0.0 };
        let mut totals = before.totals;
        for (total, later) in totals.iter_mut().zip(after.totals) {
            let growth = later.wrapping_sub(*total);
            // Never past what it grew by: the product of floats may round up.
            *total = total.wrapping_add(((growth as f64 * part) as u64).min(growth));
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn window() -> RateWindow<1> {
        RateWindow::new(SECOND, 10 * SECOND)
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn nothing_observed_is_no_rate() {
        assert_eq!(window().rates(ms(5_000), [100], SECOND), [0.0]);
        let mut once = window();
        once.observe(ms(5_000), [100]);
        assert_eq!(once.rates(ms(5_000), [100], SECOND), [0.0], "no time has passed");
    }

    #[test]
    fn a_burst_leaves_the_window_when_it_is_older_than_the_span() {
        let mut window = window();
        window.observe(ms(0), [0]);
        for tick in 1..=8 {
            window.observe(ms(tick * 1_000), [1_000]);
        }
        assert_eq!(window.rates(ms(8_000), [1_000], SECOND), [0.0]);
        assert_eq!(window.rates(ms(8_000), [1_000], 8 * SECOND), [125.0]);
    }

    #[test]
    fn what_came_since_the_last_tick_is_in_the_rate() {
        let mut window = window();
        window.observe(ms(0), [0]);
        window.observe(ms(1_000), [0]);
        assert_eq!(window.rates(ms(1_500), [600], SECOND), [600.0]);
    }

    #[test]
    fn totals_that_wrap_go_on_as_if_they_had_not() {
        let mut window = window();
        window.observe(ms(0), [u64::MAX - 99]);
        window.observe(ms(1_000), [400]);
        assert_eq!(window.rates(ms(1_000), [400], SECOND), [500.0]);
        assert_eq!(window.rates(ms(1_500), [650], SECOND), [500.0]);
    }

    #[test]
    fn a_suspended_machine_breaks_the_window() {
        let mut window = window();
        window.observe(ms(0), [0]);
        window.observe(ms(1_000), [1_000]);
        let awake = ms(1_000) + Duration::from_hours(8);
        assert_eq!(window.rates(awake, [1_500], SECOND), [0.0], "before the first tick");
        window.observe(awake, [1_500]);
        assert_eq!(window.rates(awake, [1_500], 10 * SECOND), [0.0]);
        window.observe(awake + SECOND, [1_700]);
        assert_eq!(window.rates(awake + SECOND, [1_700], 10 * SECOND), [200.0]);
    }

    #[test]
    fn a_clock_that_goes_back_is_not_believed() {
        let mut window = window();
        window.observe(ms(2_000), [100]);
        window.observe(ms(1_000), [50]);
        assert_eq!(window.rates(ms(1_500), [120], SECOND), [0.0]);
        assert_eq!(window.rates(ms(3_000), [300], SECOND), [200.0]);
    }

    #[test]
    fn crowding_ticks_do_not_push_the_past_out() {
        let mut window = window();
        window.observe(ms(0), [0]);
        for i in 1..100_000u64 {
            window.observe(Duration::from_micros(i * 50), [i * 50]);
        }
        assert!(window.samples.len() <= MAX_SAMPLES);
        assert_eq!(window.rates(ms(5_000), [5_000_000], 4 * SECOND), [1_000_000.0]);
    }

    #[test]
    fn a_gap_is_counted_from_the_last_tick_even_if_its_sample_was_not_kept() {
        let mut window = window();
        window.observe(ms(0), [0]);
        window.observe(ms(100), [100]);
        assert_eq!(window.samples.len(), 1);
        assert_eq!(window.rates(ms(4_050), [4_050], SECOND), [1_000.0]);
        window.observe(ms(4_050), [4_050]);
        assert_eq!(window.rates(ms(4_050), [4_050], SECOND), [1_000.0]);
    }

    proptest! {
        /// At a steady flow the rate is right whenever the ticks come and whenever it is asked for.
        #[test]
        fn irregular_ticks_do_not_bend_a_steady_rate(
            ticks in prop::collection::vec(1u64..3_900, 2..60),
            per_ms in 1u64..1_000_000,
            start in any::<u64>(),
            span in 1u64..10_000,
        ) {
            let mut window = window();
            let total = |at: u64| start.wrapping_add(at * per_ms);
            let mut at = 0;
            for tick in ticks {
                window.observe(ms(at), [total(at)]);
                at += tick;
            }
            // The moment that is asked for lies up to a tick after the last sample.
            let [rate] = window.rates(ms(at), [total(at)], ms(span));
            let exact = per_ms * 1_000;
            // The total at the window's beginning is cut to whole bytes.
            let allowed = 2 + 1_000 / span.min(at);
            prop_assert!((rate - exact as f64).abs() <= allowed as f64, "{rate} for {exact}");
        }

        /// Over any window the rate lies between the slowest and the fastest flow within it.
        #[test]
        fn a_rate_is_never_outside_of_what_flowed(
            flows in prop::collection::vec((200u64..3_900, 0u64..1_000), 2..40),
            span in 1_000u64..10_000,
        ) {
            let mut window = window();
            let (mut at, mut total) = (0, 0);
            window.observe(ms(0), [0]);
            for (tick, per_ms) in &flows {
                (at, total) = (at + tick, total + tick * per_ms);
                window.observe(ms(at), [total]);
            }
            let [rate] = window.rates(ms(at), [total], ms(span));
            let fastest = flows.iter().map(|(_, per_ms)| per_ms * 1_000).max().unwrap_or(0);
            let slowest = flows.iter().map(|(_, per_ms)| per_ms * 1_000).min().unwrap_or(0);
            prop_assert!(rate <= fastest as f64 + 2.0 && rate + 2.0 >= slowest as f64, "{slowest} {rate} {fastest}");
        }
    }
}
