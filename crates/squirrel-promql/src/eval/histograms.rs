//! Classic histograms: series of one name whose label `le` says up to which value each counts.

mod buckets;

use std::collections::HashMap;

use squirrel_model::Labels;

use self::buckets::{Bucket, fraction_of, quantile_of};
use super::column::{Column, Numbers, Operand, Series, Steps};
use super::labelling::text;
use super::{Evaluator, argument};
use crate::ast::{Call, Expr};
use crate::number::number_text;
use crate::{EvalError, Span};

type Outcome = Result<Operand, EvalError>;

/// The label that holds a bucket's upper bound.
const BOUND: &str = "le";

/// One histogram: its buckets' bounds and counts, and what its result is called.
struct Histogram {
    labels: Labels,
    buckets: Vec<(f64, Column)>,
}

/// What only works on native histograms: of numbers there is no answer, and of histograms we keep no content.
pub(crate) fn native_only(eval: &mut Evaluator<'_>, expr: &Expr, call: &Call, steps: Steps) -> Outcome {
    let name = call.function.name;
    let series = eval.vector_arg(call, 0, steps)?;
    if series.iter().any(|one| one.column.has_histogram()) {
        return Err(EvalError::histogram_content(format!("{name}()")));
    }
    if !series.is_empty() {
        let text = format!(
            "{name}() works on native histograms, and these series are none; with classic histograms use the series \
             ending in _sum, _count and _bucket"
        );
        eval.notes.info(expr.span, &text);
    }
    Ok(Operand::Vector(Vec::new()))
}

/// Groups the buckets of argument `i` by histogram.
fn histograms(eval: &mut Evaluator<'_>, call: &Call, i: usize, steps: Steps) -> Result<Vec<Histogram>, EvalError> {
    let span = argument(call, i)?.span;
    let series = eval.vector_arg(call, i, steps)?;
    if series.iter().any(|one| one.column.has_histogram()) {
        return Err(EvalError::histogram_content(format!("{}()", call.function.name)));
    }
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut out: Vec<Histogram> = Vec::new();
    for one in series {
        let Some(bound) = one.labels.get(BOUND).and_then(|text| text.parse::<f64>().ok()) else {
            warn_of_bound(eval, &one, span);
            continue;
        };
        let labels = one.labels.filter(|name| name != BOUND);
        let place = *places.entry(labels.clone()).or_insert(out.len());
        if place == out.len() {
            out.push(Histogram { labels, buckets: Vec::new() });
        }
        if let Some(histogram) = out.get_mut(place) {
            histogram.buckets.push((bound, one.column));
        }
    }
    for histogram in &mut out {
        histogram.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    Ok(out)
}

fn warn_of_bound(eval: &mut Evaluator<'_>, one: &Series, span: Span) {
    let bound = one.labels.get(BOUND).unwrap_or_default();
    let name = one.labels.metric_name();
    let metric = if name.is_empty() { String::new() } else { format!(" of metric {name:?}") };
    eval.notes.warn(span, &format!("bucket label {BOUND:?}{metric} is missing or is no number: {bound:?}"));
}

impl Histogram {
    /// Calls `f` with the buckets that are there at each step, sorted by bound.
    fn each_step(&self, steps: Steps, mut f: impl FnMut(usize, &mut Vec<Bucket>)) {
        let mut buckets = Vec::with_capacity(self.buckets.len());
        for i in 0..steps.count {
            buckets.clear();
            let here = self.buckets.iter().filter_map(|(bound, column)| column.get(i).map(|count| (*bound, count)));
            buckets.extend(here.map(|(bound, count)| Bucket { bound, count }));
            if !buckets.is_empty() {
                f(i, &mut buckets);
            }
        }
    }

    /// The quantile at each step, and whether counts had to be repaired.
    fn quantiles(&self, q: &Numbers, steps: Steps) -> (Column, bool) {
        let mut column = Column::empty(steps.count);
        let mut any_repaired = false;
        self.each_step(steps, |i, buckets| {
            let (value, repaired) = quantile_of(q.at(i), buckets);
            any_repaired |= repaired;
            column.set(i, value);
        });
        (column, any_repaired)
    }

    fn note_repair(&self, eval: &mut Evaluator<'_>, span: Span) {
        let name = self.labels.metric_name();
        let metric = if name.is_empty() { String::new() } else { format!(" of metric {name:?}") };
        let text = format!(
            "buckets{metric} did not rise with their bounds and were repaired for monotonicity; \
             the quantile may be off"
        );
        eval.notes.info(span, &text);
    }
}

/// `histogram_quantile(q, buckets)`.
pub(crate) fn quantile(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Outcome {
    let q = eval.scalar_arg(call, 0, steps)?;
    eval.warn_of_quantiles(q.values(), argument(call, 0)?.span);
    let span = argument(call, 1)?.span;
    let mut out = Vec::new();
    for histogram in histograms(eval, call, 1, steps)? {
        eval.work(steps.count.saturating_mul(histogram.buckets.len()))?;
        let (column, repaired) = histogram.quantiles(&q, steps);
        if repaired {
            histogram.note_repair(eval, span);
        }
        out.push(Series { labels: histogram.labels, drop_name: true, column });
    }
    Ok(Operand::Vector(out))
}

/// `histogram_quantiles(buckets, "label", q, …)`: several at once, told apart by a label.
pub(crate) fn quantiles(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Outcome {
    let label = text(call, 1)?.to_owned();
    let span = argument(call, 0)?.span;
    let found = histograms(eval, call, 0, steps)?;
    let mut out = Vec::new();
    for i in 2..call.args.len() {
        let q = eval.scalar_arg(call, i, steps)?;
        eval.warn_of_quantiles(q.values(), argument(call, i)?.span);
        for histogram in &found {
            eval.spend(steps.count.saturating_mul(histogram.buckets.len()))?;
            let (column, repaired) = histogram.quantiles(&q, steps);
            if repaired {
                histogram.note_repair(eval, span);
            }
            let mut builder = histogram.labels.to_builder();
            builder.set(label.as_str(), share_text(q.at(0)));
            let labels = builder.build().map_err(|e| EvalError::execution(format!("histogram_quantiles: {e}")))?;
            out.push(Series { labels, drop_name: true, column });
        }
    }
    Ok(Operand::Vector(out))
}

/// A share as a label value: with a decimal point, as OpenMetrics writes numbers.
fn share_text(q: f64) -> String {
    let text = number_text(q);
    if text.bytes().all(|b| b.is_ascii_digit()) { format!("{text}.0") } else { text }
}

/// `histogram_fraction(lower, upper, buckets)`.
pub(crate) fn fraction(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Outcome {
    let (lower, upper) = (eval.scalar_arg(call, 0, steps)?, eval.scalar_arg(call, 1, steps)?);
    let mut out = Vec::new();
    for histogram in histograms(eval, call, 2, steps)? {
        eval.work(steps.count.saturating_mul(histogram.buckets.len()))?;
        let mut column = Column::empty(steps.count);
        histogram.each_step(steps, |i, buckets| column.set(i, fraction_of(lower.at(i), upper.at(i), buckets)));
        out.push(Series { labels: histogram.labels, drop_name: true, column });
    }
    Ok(Operand::Vector(out))
}
