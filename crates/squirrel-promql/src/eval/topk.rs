//! `topk`, `bottomk` and `limitk`: the k best (or first) series of each group, chosen anew at each
//! step.

use std::cmp::Ordering;

use super::aggregate::groups;
use super::bitmap::Bitmap;
use super::column::{Numbers, Series, Steps};
use crate::EvalError;
use crate::ast::{Aggregate, AggregateOp};

pub(super) fn select(
    aggregate: &Aggregate,
    param: &Numbers,
    series: Vec<Series>,
    steps: Steps,
) -> Result<Vec<Series>, EvalError> {
    let word = aggregate.op.word();
    let sizes = sizes(word, param, &series, steps)?;
    let op = aggregate.op;
    let order = |a: &(f64, usize), b: &(f64, usize)| {
        let by_value = if op == AggregateOp::Limitk { Ordering::Equal } else { by_value(a.0, b.0, op) };
        by_value.then(a.1.cmp(&b.1))
    };
    let mut chosen = vec![Bitmap::clear(steps.count); series.len()];
    let mut ranked: Vec<(f64, usize)> = Vec::new();
    let mut ordered: Vec<usize> = Vec::new();
    for group in groups(&series, &aggregate.grouping) {
        for (i, size) in sizes.iter().copied().enumerate().filter(|(_, size)| *size > 0) {
            ranked.clear();
            let here = group.members.iter().filter_map(|m| Some((series.get(*m)?.column.get(i)?, *m)));
            ranked.extend(here);
            if ranked.len() > size {
                ranked.select_nth_unstable_by(size - 1, order);
                ranked.truncate(size);
            }
            for (_, member) in &ranked {
                if let Some(bits) = chosen.get_mut(*member) {
                    bits.set(i);
                }
            }
        }
        if steps.count == 1 {
            // The answer of an instant query is in the order of the choice.
            ranked.sort_by(order);
            ordered.extend(ranked.drain(..).map(|(_, member)| member));
        }
    }
    if steps.count != 1 {
        ordered.extend(0..series.len());
    }
    Ok(taken(series, chosen, &ordered))
}

/// The series with only the chosen steps left, in the given order.
fn taken(series: Vec<Series>, chosen: Vec<Bitmap>, order: &[usize]) -> Vec<Series> {
    let mut slots: Vec<Option<Series>> = series
        .into_iter()
        .zip(chosen)
        .map(|(mut one, bits)| {
            one.column.present.keep(&bits);
            (!one.column.present.is_empty()).then_some(one)
        })
        .collect();
    order.iter().filter_map(|i| slots.get_mut(*i)?.take()).collect()
}

/// How many to choose at each step; below one is none.
fn sizes(word: &str, param: &Numbers, series: &[Series], steps: Steps) -> Result<Vec<usize>, EvalError> {
    let size = |i: usize| {
        let k = param.at(i);
        if k.is_nan() {
            return Err(EvalError::execution(format!("{word}: the number of series to choose is NaN")));
        }
        if k.abs() >= i64::MAX as f64 {
            return Err(EvalError::execution(format!("{word}: {k} is too large a number of series to choose")));
        }
        Ok((k.max(0.0) as usize).min(series.len()))
    };
    (0..steps.count).map(size).collect()
}

/// The better first; NaN is the worst either way.
fn by_value(a: f64, b: f64, op: AggregateOp) -> Ordering {
    match a.partial_cmp(&b) {
        Some(order) if op == AggregateOp::Bottomk => order,
        Some(order) => order.reverse(),
        None => a.is_nan().cmp(&b.is_nan()),
    }
}
