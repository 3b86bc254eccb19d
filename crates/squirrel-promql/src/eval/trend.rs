//! Straight lines and smoothing.

use super::sums::Sum;
use super::window::Window;

/// Least squares: slope per second, and the line's value at `at_ms`.
fn line(window: &Window<'_>, at_ms: i64) -> Option<(f64, f64)> {
    let first = *window.values.first()?;
    if window.values.len() < 2 {
        return None;
    }
    if window.values.iter().all(|v| *v == first) {
        // A level line, exactly; infinity has no slope.
        return Some(if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) });
    }
    let [mut x, mut y, mut xy, mut xx] = [Sum::default(); 4];
    for (time, value) in window.times.iter().zip(window.values) {
        let seconds = (time - at_ms) as f64 / 1000.0;
        x.add(seconds);
        y.add(*value);
        xy.add(seconds * value);
        xx.add(seconds * seconds);
    }
    let count = window.values.len() as f64;
    let [x, y, xy, xx] = [x, y, xy, xx].map(|sum| sum.high + sum.low);
    let slope = (xy - x * y / count) / (xx - x * x / count);
    Some((slope, y / count - slope * x / count))
}

/// Slope per second, computed near the samples' own times, where numbers are small.
pub(crate) fn slope(window: &Window<'_>) -> Option<f64> {
    line(window, *window.times.first()?).map(|(slope, _)| slope)
}

/// Where the line will be so many seconds after the evaluation's time.
pub(crate) fn predicted(window: &Window<'_>) -> Option<f64> {
    line(window, window.now).map(|(slope, now)| slope * window.params[0] + now)
}

/// Holt's linear method: level and trend, each smoothed by its factor.
pub(crate) fn smoothed(window: &Window<'_>) -> Option<f64> {
    let [level_factor, trend_factor] = window.params;
    let [first, second, ..] = window.values else { return None };
    let (mut before, mut level, mut trend) = (0.0, *first, second - first);
    for (i, value) in window.values.iter().enumerate().skip(1) {
        if i > 1 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        before = level;
        level = level_factor * value + (1.0 - level_factor) * (level + trend);
    }
    Some(level)
}
