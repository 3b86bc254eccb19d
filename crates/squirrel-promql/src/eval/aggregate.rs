//! Many series to fewer: columns of a group are merged one after the other into one column.

use std::collections::HashMap;

use squirrel_model::{Labels, NAME_LABEL};

use super::Evaluator;
use super::bitmap::Bitmap;
use super::column::{Column, Numbers, Operand, Series, Steps};
use super::opaque;
use super::sums::{self, Mean, Sum};
use crate::EvalError;
use crate::ast::{Aggregate, AggregateOp, ExprKind, Grouping};

/// The labels that a series' group is known by.
pub(super) fn group_labels(labels: &Labels, grouping: &Grouping) -> Labels {
    match grouping {
        Grouping::By(names) if names.is_empty() => Labels::empty(),
        Grouping::By(names) => labels.filter(|name| names.iter().any(|n| n == name)),
        Grouping::Without(names) => labels.filter(|name| name != NAME_LABEL && !names.iter().any(|n| n == name)),
    }
}

/// Series of one group, as indexes into the operand.
pub(super) struct Group {
    pub(super) labels: Labels,
    pub(super) members: Vec<usize>,
}

/// Groups in the order in which the series first show them.
pub(super) fn groups(series: &[Series], grouping: &Grouping) -> Vec<Group> {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut out: Vec<Group> = Vec::new();
    for (i, one) in series.iter().enumerate() {
        let labels = group_labels(&one.labels, grouping);
        let place = *places.entry(labels.clone()).or_insert(out.len());
        match out.get_mut(place) {
            Some(group) => group.members.push(i),
            None => out.push(Group { labels, members: vec![i] }),
        }
    }
    out
}

impl Evaluator<'_> {
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate, steps: Steps) -> Result<Operand, EvalError> {
        let op = aggregate.op;
        let mut param = Numbers::Constant(0.0);
        if let Some(expr) = &aggregate.param {
            if op == AggregateOp::CountValues {
                return self.count_values(aggregate, steps);
            }
            param = self.scalar(expr, steps)?;
            if op == AggregateOp::Quantile {
                self.warn_of_quantiles(param.values(), expr.span);
            }
        }
        let mut series = self.vector(&aggregate.expr, steps)?;
        self.work(series.len().saturating_mul(steps.count))?;
        if opaque::of_numbers(op) && opaque::without_histograms(&mut series) {
            self.note_ignored(op.word(), aggregate.expr.span);
        }
        if matches!(op, AggregateOp::Topk | AggregateOp::Bottomk | AggregateOp::Limitk) {
            return super::topk::select(aggregate, &param, series, steps).map(Operand::Vector);
        }
        if op == AggregateOp::LimitRatio {
            let place = aggregate.param.as_ref().map(|expr| expr.span).unwrap_or_default();
            return self.share(&param, place, series, steps).map(Operand::Vector);
        }
        let mut out = Vec::new();
        for group in groups(&series, &aggregate.grouping) {
            let members: Vec<&Series> = group.members.iter().filter_map(|i| series.get(*i)).collect();
            let mut column = merged(op, &param, &members, steps.count);
            if matches!(op, AggregateOp::Sum | AggregateOp::Avg)
                && members.iter().any(|one| one.column.has_histogram())
                && opaque::combine(&members, &mut column)
            {
                self.note_mixed(op.word(), aggregate.expr.span);
            }
            let drop_name = members.iter().any(|one| one.drop_name);
            out.push(Series { labels: group.labels, drop_name, column });
        }
        Ok(Operand::Vector(out))
    }

    /// One series for each value that occurs: how many series have it.
    fn count_values(&mut self, aggregate: &Aggregate, steps: Steps) -> Result<Operand, EvalError> {
        let label = match aggregate.param.as_ref().map(|expr| &expr.unwrapped().kind) {
            Some(ExprKind::String(text)) => text.clone(),
            _ => return Err(EvalError::execution("count_values needs a label's name")),
        };
        if !squirrel_model::is_label_name(&label) {
            return Err(EvalError::execution(format!("count_values: {label:?} is no valid label name")));
        }
        let mut grouping = aggregate.grouping.clone();
        if let Grouping::By(names) = &mut grouping {
            names.push(label.clone());
        }
        let series = self.vector(&aggregate.expr, steps)?;
        self.work(series.len().saturating_mul(steps.count))?;
        if series.iter().any(|one| one.column.has_histogram()) {
            return Err(EvalError::histogram_content("count_values"));
        }
        let mut places: HashMap<Labels, usize> = HashMap::new();
        let mut out: Vec<Column> = Vec::new();
        for one in series {
            let mut known: Option<(u64, usize)> = None;
            for (i, value) in one.column.iter() {
                let place = match known {
                    Some((bits, place)) if bits == value.to_bits() => place,
                    _ => {
                        let mut builder = one.labels.to_builder();
                        builder.set(label.as_str(), value_text(value));
                        let labels = builder.build().map_err(|e| EvalError::execution(e.to_string()))?;
                        let labels = group_labels(&labels, &grouping);
                        *places.entry(labels).or_insert(out.len())
                    }
                };
                known = Some((value.to_bits(), place));
                if place == out.len() {
                    // Each value that occurs is a column of its own: these can be many.
                    self.spend(steps.count)?;
                    self.hold(Column::bytes(steps.count))?;
                    out.push(Column::empty(steps.count));
                }
                if let Some(column) = out.get_mut(place) {
                    column.set(i, column.get(i).unwrap_or(0.0) + 1.0);
                }
            }
        }
        let mut named: Vec<(usize, Labels)> = places.into_iter().map(|(labels, place)| (place, labels)).collect();
        named.sort_unstable_by_key(|(place, _)| *place);
        let series =
            named.into_iter().zip(out).map(|((_, labels), column)| Series { labels, drop_name: false, column });
        Ok(Operand::Vector(series.collect()))
    }
}

/// A value as a label: all digits, never an exponent.
fn value_text(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    value.to_string()
}

fn merged(op: AggregateOp, param: &Numbers, members: &[&Series], count: usize) -> Column {
    match op {
        AggregateOp::Sum => folded(members, count, Sum::default(), |sum, v, _| sum.add(v), Sum::value),
        AggregateOp::Avg => folded(members, count, Mean::default(), |mean, v, _| mean.add(v), Mean::value),
        AggregateOp::Count => folded(members, count, 0.0, |n, _, _| *n += 1.0, |n| n),
        AggregateOp::Min => folded(members, count, 0.0, |m, v, new| pick(m, v, new || v < *m), |m| m),
        AggregateOp::Max => folded(members, count, 0.0, |m, v, new| pick(m, v, new || v > *m), |m| m),
        AggregateOp::Stdvar => folded(members, count, Spread::default(), Spread::add, Spread::variance),
        AggregateOp::Stddev => {
            folded(members, count, Spread::default(), Spread::add, |spread| spread.variance().sqrt())
        }
        AggregateOp::Quantile => quantiles(members, param, count),
        // topk and its kin do not come here; group is 1 wherever anything is.
        _ => folded(members, count, 1.0, |_, _, _| {}, |n| n),
    }
}

/// Takes the value if told to, or if there was nothing but NaN so far.
fn pick(kept: &mut f64, value: f64, better: bool) {
    if better || kept.is_nan() {
        *kept = value;
    }
}

/// Merges columns into one state per step: `add(state, value, is_first)`.
fn folded<S: Copy>(
    members: &[&Series],
    count: usize,
    begin: S,
    add: impl Fn(&mut S, f64, bool),
    finish: impl Fn(S) -> f64,
) -> Column {
    let mut states = vec![begin; count];
    let mut present = Bitmap::clear(count);
    for one in members {
        let new = |present: &Bitmap, i| !present.has(i);
        if one.column.present.is_full() {
            // The usual case: no bit to look at for each value.
            for (i, (state, value)) in states.iter_mut().zip(&one.column.values).enumerate() {
                add(state, *value, new(&present, i));
            }
        } else {
            for (i, value) in one.column.iter() {
                if let Some(state) = states.get_mut(i) {
                    add(state, value, new(&present, i));
                }
            }
        }
        present.add(&one.column.present);
    }
    Column::of(states.into_iter().map(finish).collect(), present)
}

/// Running variance by Welford's method.
#[derive(Clone, Copy, Default)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn add(&mut self, value: f64, _: bool) {
        self.count += 1.0;
        let distance = value - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (value - self.mean);
    }

    fn variance(self) -> f64 {
        self.squares / self.count
    }
}

fn quantiles(members: &[&Series], param: &Numbers, count: usize) -> Column {
    let mut column = Column::empty(count);
    let mut values = Vec::with_capacity(members.len());
    for i in 0..count {
        values.clear();
        values.extend(members.iter().filter_map(|one| one.column.get(i)));
        if !values.is_empty() {
            column.set(i, sums::quantile(param.at(i), &mut values));
        }
    }
    column
}
