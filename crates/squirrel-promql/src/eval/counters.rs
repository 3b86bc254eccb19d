//! Functions of counters and their differences.
//! <https://prometheus.io/docs/prometheus/latest/querying/functions/#rate>

use super::column::Column;
use super::window::{Frame, Track, Window};

pub(crate) fn rate(track: &Track<'_>, out: &mut Column) {
    extrapolate(track, out, Kind { counter: true, per_second: true });
}

pub(crate) fn increase(track: &Track<'_>, out: &mut Column) {
    extrapolate(track, out, Kind { counter: true, per_second: false });
}

pub(crate) fn delta(track: &Track<'_>, out: &mut Column) {
    extrapolate(track, out, Kind { counter: false, per_second: false });
}

#[derive(Clone, Copy)]
struct Kind {
    counter: bool,
    per_second: bool,
}

/// Difference of last and first sample of each window, as if samples reached the window's ends.
/// Where a counter fell it began again, so what it had reached is added; the falls of a series are
/// looked for once and not in each window again.
fn extrapolate(track: &Track<'_>, out: &mut Column, kind: Kind) {
    let falls: Vec<usize> = if kind.counter {
        let pairs = track.values.windows(2).enumerate();
        pairs.filter(|(_, pair)| matches!(pair, [a, b] if b < a)).map(|(i, _)| i + 1).collect()
    } else {
        Vec::new()
    };
    let mut next_fall = 0;
    for (i, frame) in track.frames.iter().enumerate() {
        while falls.get(next_fall).is_some_and(|fall| *fall <= frame.low) {
            next_fall += 1;
        }
        if frame.high - frame.low < 2 {
            continue;
        }
        let value = |i: usize| track.values.get(i).copied().unwrap_or(f64::NAN);
        let mut difference = value(frame.high - 1) - value(frame.low);
        for fall in falls.iter().skip(next_fall).take_while(|fall| **fall < frame.high) {
            difference += value(fall - 1);
        }
        let factor = extension(track, *frame, kind.counter.then_some((value(frame.low), difference)));
        let seconds = if kind.per_second { (frame.end - frame.start) as f64 / 1000.0 } else { 1.0 };
        out.set(i, difference * (factor / seconds));
    }
}

/// By how much the difference between first and last sample is stretched to the window's ends. A
/// series that seems to begin or end within the window (no sample where the usual distance would
/// put one) is stretched by half a distance only, and a counter never to below zero.
fn extension(track: &Track<'_>, frame: Frame, counter: Option<(f64, f64)>) -> f64 {
    let time = |i: usize| track.times.get(i).copied().unwrap_or_default();
    let (first, last) = (time(frame.low), time(frame.high - 1));
    let seconds = |ms: i64| ms as f64 / 1000.0;
    let sampled = seconds(last - first);
    let usual = sampled / (frame.high - frame.low - 1) as f64;
    let threshold = usual * 1.1;
    let near = |distance: f64| if distance >= threshold { usual / 2.0 } else { distance };
    let mut before = near(seconds(first - frame.start));
    let after = near(seconds(frame.end - last));
    if let Some((start_value, difference)) = counter
        && difference > 0.0
        && start_value >= 0.0
    {
        before = before.min(sampled * (start_value / difference));
    }
    (sampled + before + after) / sampled
}

/// The last two samples of a window.
fn last_two(window: &Window<'_>) -> Option<([f64; 2], f64)> {
    let [.., before, after] = window.values else { return None };
    let [.., t0, t1] = window.times else { return None };
    (t1 > t0).then(|| ([*before, *after], (t1 - t0) as f64 / 1000.0))
}

pub(crate) fn instant_rate(window: &Window<'_>) -> Option<f64> {
    let ([before, after], seconds) = last_two(window)?;
    let increase = if after < before { after } else { after - before };
    Some(increase / seconds)
}

pub(crate) fn instant_delta(window: &Window<'_>) -> Option<f64> {
    last_two(window).map(|([before, after], _)| after - before)
}

pub(crate) fn resets(window: &Window<'_>) -> Option<f64> {
    let falls = window.values.windows(2).filter(|pair| matches!(pair, [a, b] if b < a));
    Some(falls.count() as f64)
}

pub(crate) fn changes(window: &Window<'_>) -> Option<f64> {
    let differ = |pair: &&[f64]| matches!(pair, [a, b] if a != b && !(a.is_nan() && b.is_nan()));
    Some(window.values.windows(2).filter(differ).count() as f64)
}
