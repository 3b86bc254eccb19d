//! Functions between scalars and vectors, limits, and what is absent.

use squirrel_model::{Labels, LabelsBuilder, MatchOp, Matcher, NAME_LABEL};

use super::bitmap::Bitmap;
use super::column::{Column, Numbers, Operand, Series, Steps};
use super::{Evaluator, argument};
use crate::EvalError;
use crate::ast::{Call, Expr, ExprKind};

type Outcome = Result<Operand, EvalError>;

pub(crate) fn time(_: &mut Evaluator<'_>, _: &Expr, _: &Call, steps: Steps) -> Outcome {
    let seconds = (0..steps.count).map(|i| steps.time(i) as f64 / 1000.0);
    Ok(Operand::Scalar(Numbers::Each(seconds.collect())))
}

fn constant(value: f64) -> Outcome {
    Ok(Operand::Scalar(Numbers::Constant(value)))
}

pub(crate) fn pi(_: &mut Evaluator<'_>, _: &Expr, _: &Call, _: Steps) -> Outcome {
    constant(std::f64::consts::PI)
}

pub(crate) fn query_start(eval: &mut Evaluator<'_>, _: &Expr, _: &Call, _: Steps) -> Outcome {
    constant(eval.query.start as f64 / 1000.0)
}

pub(crate) fn query_end(eval: &mut Evaluator<'_>, _: &Expr, _: &Call, _: Steps) -> Outcome {
    constant(eval.query_end as f64 / 1000.0)
}

pub(crate) fn query_range(eval: &mut Evaluator<'_>, _: &Expr, _: &Call, _: Steps) -> Outcome {
    constant((eval.query_end.saturating_sub(eval.query.start)) as f64 / 1000.0)
}

/// Of an instant query: 0.
pub(crate) fn query_step(eval: &mut Evaluator<'_>, _: &Expr, _: &Call, _: Steps) -> Outcome {
    let instant = eval.query.start == eval.query_end;
    constant(if instant { 0.0 } else { eval.query.step as f64 / 1000.0 })
}

/// Two scalars to one, step by step.
pub(super) fn zip(left: &Numbers, right: &Numbers, count: usize, f: impl Fn(f64, f64) -> f64) -> Numbers {
    match (left, right) {
        (Numbers::Constant(a), Numbers::Constant(b)) => Numbers::Constant(f(*a, *b)),
        _ => Numbers::Each((0..count).map(|i| f(left.at(i), right.at(i))).collect()),
    }
}

fn of_two(eval: &mut Evaluator<'_>, call: &Call, steps: Steps, f: fn(f64, f64) -> f64) -> Outcome {
    let (left, right) = (eval.scalar_arg(call, 0, steps)?, eval.scalar_arg(call, 1, steps)?);
    Ok(Operand::Scalar(zip(&left, &right, steps.count, f)))
}

pub(crate) fn max_of(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Outcome {
    of_two(eval, call, steps, larger)
}

pub(crate) fn min_of(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Outcome {
    of_two(eval, call, steps, smaller)
}

/// NaN if either is: unlike `f64::max`, which prefers the number.
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

fn smaller(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) }
}

pub(crate) fn vector(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Outcome {
    let numbers = eval.scalar_arg(call, 0, steps)?;
    let values = (0..steps.count).map(|i| numbers.at(i)).collect();
    let column = Column::of(values, Bitmap::full(steps.count));
    Ok(Operand::Vector(vec![Series { labels: Labels::empty(), drop_name: false, column }]))
}

/// The value of the only series; NaN where there is none or more than one.
pub(crate) fn scalar(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Outcome {
    let mut values = vec![f64::NAN; steps.count];
    let mut seen = Bitmap::clear(steps.count);
    for one in eval.numbers_arg(call, 0, steps)? {
        for (i, value) in one.column.iter() {
            if let Some(slot) = values.get_mut(i) {
                *slot = if seen.has(i) { f64::NAN } else { value };
            }
            seen.set(i);
        }
    }
    Ok(Operand::Scalar(Numbers::Each(values)))
}

/// When the samples were taken, of a selector; of anything else the evaluation's time.
pub(crate) fn timestamp(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Outcome {
    let arg = argument(call, 0)?.unwrapped();
    let mut series = if let ExprKind::Selector(selector) = &arg.kind {
        match eval.latest(selector, steps, |time, _| time as f64 / 1000.0)? {
            Operand::Vector(series) => series,
            _ => Vec::new(),
        }
    } else {
        let mut series = eval.vector(arg, steps)?;
        for one in &mut series {
            one.column.histograms = None;
            for (i, value) in one.column.values.iter_mut().enumerate() {
                *value = steps.time(i) as f64 / 1000.0;
            }
        }
        series
    };
    for one in &mut series {
        one.drop_name = true;
    }
    Ok(Operand::Vector(series))
}

/// Holds each value between two limits. Where the upper is below the lower there is no result.
fn clamped(eval: &mut Evaluator<'_>, call: &Call, steps: Steps, low: &Numbers, high: &Numbers) -> Outcome {
    let mut series = eval.numbers_arg(call, 0, steps)?;
    for one in &mut series {
        one.drop_name = true;
        for i in 0..steps.count {
            let (low, high) = (low.at(i), high.at(i));
            if high < low {
                one.column.present.unset(i);
            } else if let Some(value) = one.column.values.get_mut(i) {
                *value = larger(low, smaller(high, *value));
            }
        }
    }
    series.retain(|one| !one.column.present.is_empty());
    Ok(Operand::Vector(series))
}

pub(crate) fn clamp(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Outcome {
    let (low, high) = (eval.scalar_arg(call, 1, steps)?, eval.scalar_arg(call, 2, steps)?);
    clamped(eval, call, steps, &low, &high)
}

pub(crate) fn clamp_min(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Outcome {
    let low = eval.scalar_arg(call, 1, steps)?;
    clamped(eval, call, steps, &low, &Numbers::Constant(f64::INFINITY))
}

pub(crate) fn clamp_max(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Outcome {
    let high = eval.scalar_arg(call, 1, steps)?;
    clamped(eval, call, steps, &Numbers::Constant(f64::NEG_INFINITY), &high)
}

/// To the nearest multiple, halves up. Works with the inverse, which is exact more often (1/0.1).
pub(crate) fn round(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Outcome {
    let nearest = if call.args.len() > 1 { eval.scalar_arg(call, 1, steps)? } else { Numbers::Constant(1.0) };
    let mut series = eval.numbers_arg(call, 0, steps)?;
    for one in &mut series {
        one.drop_name = true;
        for (i, value) in one.column.values.iter_mut().enumerate() {
            let inverse = 1.0 / nearest.at(i);
            *value = (*value * inverse + 0.5).floor() / inverse;
        }
    }
    Ok(Operand::Vector(series))
}

pub(crate) fn absent(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Outcome {
    let mut seen = Bitmap::clear(steps.count);
    for one in eval.vector_arg(call, 0, steps)? {
        seen.add(&one.column.present);
    }
    absence(call, steps, &seen)
}

pub(crate) fn absent_over_time(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Outcome {
    let mut seen = Bitmap::clear(steps.count);
    eval.each_range(call, steps, |_, frames| {
        for (i, _) in frames.iter().enumerate().filter(|(_, frame)| frame.low < frame.high) {
            seen.set(i);
        }
    })?;
    absence(call, steps, &seen)
}

/// 1 wherever nothing was seen, with the labels that what is missing would have had.
fn absence(call: &Call, steps: Steps, seen: &Bitmap) -> Outcome {
    let mut present = Bitmap::full(steps.count);
    present.remove(seen);
    if present.is_empty() {
        return Ok(Operand::Vector(Vec::new()));
    }
    let labels = match call.args.first().map(|arg| &arg.unwrapped().kind) {
        Some(ExprKind::Selector(selector) | ExprKind::Range { selector, .. }) => certain_labels(&selector.matchers),
        _ => Labels::empty(),
    };
    let column = Column::of(vec![1.0; steps.count], present);
    Ok(Operand::Vector(vec![Series { labels, drop_name: false, column }]))
}

/// The labels that a selector leaves no choice about: one equality and nothing else.
fn certain_labels(matchers: &[Matcher]) -> Labels {
    let mut builder = LabelsBuilder::default();
    for matcher in matchers.iter().filter(|m| m.name() != NAME_LABEL && m.op() == MatchOp::Equal) {
        let same = matchers.iter().filter(|m| m.name() == matcher.name()).count();
        if same == 1 {
            builder.set(matcher.name(), matcher.value());
        }
    }
    builder.build().unwrap_or_default()
}

pub(crate) fn start_timestamp(_: &mut Evaluator<'_>, _: &Expr, _: &Call, _: Steps) -> Outcome {
    Err(EvalError::execution(
        "start_timestamp() is not there yet: samples are stored without the time at which their counter began",
    ))
}
