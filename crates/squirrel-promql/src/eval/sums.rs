//! Sums that lose as little as possible.

/// A running sum with the error of its roundings (Neumaier's variant of Kahan's method), so that
/// `1 + 1e100 - 1e100` is 1.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) high: f64,
    pub(crate) low: f64,
}

impl Sum {
    pub(crate) fn add(&mut self, value: f64) {
        let total = self.high + value;
        if total.is_infinite() {
            // The error of an infinite sum would be NaN.
            self.low = 0.0;
        } else if self.high.abs() >= value.abs() {
            self.low += (self.high - total) + value;
        } else {
            self.low += (value - total) + self.high;
        }
        self.high = total;
    }

    pub(crate) fn value(self) -> f64 {
        if self.high.is_infinite() { self.high } else { self.high + self.low }
    }
}

/// A running mean: of the sum while that does not overflow, updated step by step after it would.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mean {
    sum: Sum,
    count: f64,
    stepwise: bool,
}

impl Mean {
    pub(crate) fn add(&mut self, value: f64) {
        let before = self.count;
        self.count += 1.0;
        if before == 0.0 {
            self.sum = Sum { high: value, low: 0.0 };
            return;
        }
        if !self.stepwise {
            let mut next = self.sum;
            next.add(value);
            if !next.high.is_infinite() {
                self.sum = next;
                return;
            }
            self.stepwise = true;
            self.sum = Sum { high: self.sum.high / before, low: self.sum.low / before };
        }
        let share = before / self.count;
        self.sum = Sum { high: self.sum.high * share, low: self.sum.low * share };
        self.sum.add(value / self.count);
    }

    pub(crate) fn value(self) -> f64 {
        if self.stepwise {
            self.sum.high + self.sum.low
        } else {
            self.sum.high / self.count + self.sum.low / self.count
        }
    }
}

/// The value below which a share `q` of the values lies, interpolated between neighbours. Sorts.
/// NaN counts as the smallest.
pub(crate) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if q.is_nan() || values.is_empty() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_unstable_by(|a, b| nan_first(*a, *b));
    let last = values.len() - 1;
    let rank = q * last as f64;
    let below = (rank.floor() as usize).min(last);
    let above = (below + 1).min(last);
    let weight = rank - rank.floor();
    let at = |i: usize| values.get(i).copied().unwrap_or(f64::NAN);
    at(below) * (1.0 - weight) + at(above) * weight
}

/// Orders numbers, NaN before all.
pub(crate) fn nan_first(a: f64, b: f64) -> std::cmp::Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_keeps_what_rounding_would_lose() {
        let mut sum = Sum::default();
        for value in [1.0, 1e100, 1.0, -1e100] {
            sum.add(value);
        }
        assert_eq!(sum.value(), 2.0);
        sum.add(f64::INFINITY);
        assert_eq!(sum.value(), f64::INFINITY);
    }

    #[test]
    fn a_mean_does_not_overflow() {
        let mut mean = Mean::default();
        for value in [f64::MAX; 3] {
            mean.add(value);
        }
        assert!((mean.value() / f64::MAX - 1.0).abs() < 1e-12);
    }

    #[test]
    fn quantiles_are_interpolated_and_bounded() {
        let mut values = [3.0, 1.0, 2.0, 4.0];
        assert_eq!(quantile(0.5, &mut values), 2.5);
        assert_eq!(quantile(1.0, &mut values), 4.0);
        assert_eq!((quantile(-1.0, &mut values), quantile(2.0, &mut values)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(quantile(f64::NAN, &mut values).is_nan() && quantile(0.5, &mut []).is_nan());
        assert_eq!(quantile(1.0, &mut [f64::NAN, 7.0]), 7.0);
    }
}
