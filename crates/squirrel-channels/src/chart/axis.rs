//! From numbers and moments to places, and the round ones among them.

use jiff::Timestamp;

/// A range of numbers laid on a range of points.
pub(super) struct Axis {
    low: f64,
    high: f64,
    first: f64,
    last: f64,
}

impl Axis {
    /// `low` comes to `first`, `high` to `last`, which may be the smaller one.
    pub(super) fn new(low: f64, high: f64, first: usize, last: usize) -> Self {
        Self { low, high, first: first as f64, last: last as f64 }
    }

    /// The point of a number; outside the range, its end.
    pub(super) fn place(&self, value: f64) -> usize {
        // Halves, so that the range of two numbers of the largest size is one too.
        let share = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        (self.first + share.clamp(0.0, 1.0) * (self.last - self.first)).round() as usize
    }
}

/// Three to seven round numbers that span a range.
pub(super) fn value_ticks(low: f64, high: f64) -> Vec<f64> {
    let (low, high) =
        if high > low { (low, high) } else { (low - low.abs().max(1.0) / 2.0, low + low.abs().max(1.0) / 2.0) };
    let rough = (high / 4.0 - low / 4.0).max(f64::MIN_POSITIVE);
    let decade = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|of| of * decade).into_iter().find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(rough);
    let (first, last) = ((low / step).floor(), (high / step).ceil());
    if !(first.is_finite() && last.is_finite() && last - first <= 10.0) {
        return vec![low, high];
    }
    (0..=(last - first) as usize).map(|i| (first + i as f64) * step).collect()
}

/// A number of an axis: `2.5k`, `40m`, `3e-9`.
pub(super) fn value_text(value: f64) -> String {
    let size = value.abs();
    let (divided, unit) = match size {
        0.0 => return "0".to_owned(),
        1e12..1e15 => (value / 1e12, "T"),
        1e9..1e12 => (value / 1e9, "G"),
        1e6..1e9 => (value / 1e6, "M"),
        1e3..1e6 => (value / 1e3, "k"),
        1e-2..1e3 => (value, ""),
        1e-5..1e-2 => (value * 1e3, "m"),
        _ => return format!("{value:.1e}"),
    };
    let text = format!("{divided:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}{unit}")
}

/// Steps between moments, in seconds.
const STEPS: [i64; 16] =
    [1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800, 2_592_000];

/// Up to six round moments within a range.
pub(super) fn moment_ticks(start_ms: i64, end_ms: i64) -> Vec<i64> {
    let span = end_ms.saturating_sub(start_ms) / 1000;
    let step = STEPS.into_iter().find(|step| span / step <= 6).unwrap_or(span / 6 + 1) * 1000;
    let first = start_ms.div_euclid(step).saturating_add(1).saturating_mul(step);
    (0..8).map(|i| first.saturating_add(i * step)).filter(|ms| *ms <= end_ms && *ms >= start_ms).collect()
}

/// A moment of an axis: its time, or its day where the range is long.
pub(super) fn moment_text(ms: i64, range_ms: i64) -> String {
    let form = match range_ms / 1000 {
        ..120 => "%H:%M:%S",
        120..172_800 => "%H:%M",
        _ => "%m-%d",
    };
    Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |at| at.strftime(form).to_string())
}
