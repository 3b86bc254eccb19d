//! Functions that make one number of the samples in a window.

use std::collections::VecDeque;

use super::Evaluator;
use super::column::{Column, Numbers};
use super::sums::{self, Mean, Sum};
use super::window::{Track, Window};
use crate::EvalError;
use crate::ast::Call;

/// One window to one number, or none when the window has too few samples.
pub(crate) type WindowFn = fn(&Window<'_>) -> Option<f64>;

/// Looks at the other arguments once, before any window.
pub(super) fn check_params(eval: &mut Evaluator<'_>, call: &Call, params: &[Numbers]) -> Result<(), EvalError> {
    let values = |i: usize| params.get(i).map(Numbers::values).unwrap_or_default();
    match call.function.name {
        "quantile_over_time" => {
            let span = call.args.first().map(|arg| arg.span).unwrap_or_default();
            eval.warn_of_quantiles(values(0), span);
        }
        "double_exponential_smoothing" => {
            for (i, word) in [(0, "smoothing"), (1, "trend")] {
                if let Some(bad) = values(i).iter().find(|v| !(**v > 0.0 && **v < 1.0)) {
                    let message = format!("the {word} factor must lie between 0 and 1, got {bad}");
                    return Err(EvalError::execution(message));
                }
            }
        }
        _ => {}
    }
    Ok(())
}

pub(crate) fn average(window: &Window<'_>) -> Option<f64> {
    let mut mean = Mean::default();
    window.values.iter().for_each(|v| mean.add(*v));
    Some(mean.value())
}

pub(crate) fn sum(window: &Window<'_>) -> Option<f64> {
    let mut sum = Sum::default();
    window.values.iter().for_each(|v| sum.add(*v));
    Some(sum.value())
}

pub(crate) fn count(window: &Window<'_>) -> Option<f64> {
    Some(window.values.len() as f64)
}

pub(crate) fn present(_: &Window<'_>) -> Option<f64> {
    Some(1.0)
}

pub(crate) fn first(window: &Window<'_>) -> Option<f64> {
    window.values.first().copied()
}

pub(crate) fn last(window: &Window<'_>) -> Option<f64> {
    window.values.last().copied()
}

pub(crate) fn quantile(window: &Window<'_>) -> Option<f64> {
    Some(sums::quantile(window.params[0], &mut window.values.to_vec()))
}

/// Population variance by Welford's method, both running numbers compensated.
pub(crate) fn variance(window: &Window<'_>) -> Option<f64> {
    let (mut count, mut mean, mut squares) = (0.0, Sum::default(), Sum::default());
    for value in window.values {
        count += 1.0;
        let distance = value - (mean.high + mean.low);
        mean.add(distance / count);
        squares.add(distance * (value - (mean.high + mean.low)));
    }
    Some((squares.high + squares.low) / count)
}

pub(crate) fn deviation(window: &Window<'_>) -> Option<f64> {
    variance(window).map(f64::sqrt)
}

/// Median of the distances to the median.
pub(crate) fn median_deviation(window: &Window<'_>) -> Option<f64> {
    let mut values = window.values.to_vec();
    if values.iter().any(|v| v.is_nan()) {
        return Some(f64::NAN);
    }
    let median = sums::quantile(0.5, &mut values);
    for value in &mut values {
        *value = (*value - median).abs();
    }
    Some(sums::quantile(0.5, &mut values))
}

pub(crate) fn time_of_first(window: &Window<'_>) -> Option<f64> {
    window.times.first().map(|t| *t as f64 / 1000.0)
}

pub(crate) fn time_of_last(window: &Window<'_>) -> Option<f64> {
    window.times.last().map(|t| *t as f64 / 1000.0)
}

/// When the extreme was last reached; NaN gives way to any number.
fn time_of(window: &Window<'_>, reaches: fn(f64, f64) -> bool) -> Option<f64> {
    let mut best: Option<(i64, f64)> = None;
    for (time, value) in window.times.iter().zip(window.values) {
        if best.is_none_or(|(_, old)| reaches(*value, old) || old.is_nan()) {
            best = Some((*time, *value));
        }
    }
    best.map(|(time, _)| time as f64 / 1000.0)
}

pub(crate) fn time_of_maximum(window: &Window<'_>) -> Option<f64> {
    time_of(window, |new, old| new >= old)
}

pub(crate) fn time_of_minimum(window: &Window<'_>) -> Option<f64> {
    time_of(window, |new, old| new <= old)
}

pub(crate) fn maximum(track: &Track<'_>, out: &mut Column) {
    extreme(track, out, |new, old| new > old);
}

pub(crate) fn minimum(track: &Track<'_>, out: &mut Column) {
    extreme(track, out, |new, old| new < old);
}

/// Sliding extreme: a queue of samples each better than all that follow it, so that a window's best
/// is always in front. Each sample enters and leaves once, however much the windows overlap.
fn extreme(track: &Track<'_>, out: &mut Column, better: fn(f64, f64) -> bool) {
    let value = |i: usize| track.values.get(i).copied().unwrap_or(f64::NAN);
    let mut queue: VecDeque<usize> = VecDeque::new();
    let mut next = 0;
    for (i, frame) in track.frames.iter().enumerate() {
        next = next.max(frame.low);
        while next < frame.high {
            let new = value(next);
            if !new.is_nan() {
                while queue.back().is_some_and(|old| better(new, value(*old))) {
                    queue.pop_back();
                }
                queue.push_back(next);
            }
            next += 1;
        }
        while queue.front().is_some_and(|old| *old < frame.low) {
            queue.pop_front();
        }
        if frame.low < frame.high {
            // Nothing but NaN in the window: NaN.
            out.set(i, queue.front().map_or(f64::NAN, |best| value(*best)));
        }
    }
}
