//! Questions and answers: what callers of the evaluator see.

use squirrel_model::{Labels, Samples, Select, Timestamp, is_histogram};

use crate::EvalError;
use crate::ast::{Expr, ExprKind, Type};
use crate::eval::column::{Column, Numbers, Operand, Series, Steps, without_dropped_names};
use crate::eval::opaque::refuse_histograms;
use crate::eval::{Evaluator, RawSeries};

/// How a query is evaluated, and its limits.
#[derive(Clone, Debug)]
pub struct EvalOptions {
    /// How old a sample may be and still count as the latest, in milliseconds.
    pub lookback_ms: i64,
    /// Step of subqueries that name none, in milliseconds.
    pub default_step_ms: i64,
    /// Most samples that a query may touch: read from the store or computed for a selector.
    pub max_samples: u64,
    /// Most bytes that the intermediate results of a query may take at one moment. Labels are not counted: they are
    /// the store's own.
    pub max_memory_bytes: u64,
    /// Most bytes that a regular expression of `label_replace` may compile to.
    pub max_regex_bytes: usize,
    /// Most steps of a range query.
    pub max_points_per_series: usize,
}

impl Default for EvalOptions {
    fn default() -> Self {
        Self {
            lookback_ms: 300_000,
            default_step_ms: 60_000,
            max_samples: 20_000_000,
            max_memory_bytes: 512 << 20,
            max_regex_bytes: squirrel_model::REGEX_BYTES,
            max_points_per_series: 11_000,
        }
    }
}

/// What a query answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The numbers.
    pub value: Value,
    /// Why they may be wrong.
    pub warnings: Vec<String>,
    /// Why the question may be.
    pub infos: Vec<String>,
    /// Samples that were touched on the way; 0 where another engine answered, which does not tell.
    pub samples: u64,
}

/// The numbers of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// One number.
    Scalar(Timestamp, f64),
    /// A text.
    String(String),
    /// Series with one sample each, in the order in which the expression yields them: `sort` and
    /// `topk` choose it, a selector's is that of the labels.
    Vector(Vec<InstantSample>),
    /// Series with their samples, in order of labels.
    Matrix(Vec<(Labels, Samples)>),
}

/// A series at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct InstantSample {
    /// Its labels.
    pub labels: Labels,
    /// The moment of evaluation.
    pub time: Timestamp,
    /// Its value.
    pub value: f64,
}

/// Evaluates at one moment.
///
/// `stop` is asked every few thousand samples; once it says yes the query ends with
/// [`EvalError::Stopped`].
///
/// # Errors
/// Data that do not fit the expression, a limit that is passed, a store that cannot be read.
pub fn evaluate_instant(
    expr: &Expr,
    store: &dyn Select,
    at: Timestamp,
    options: &EvalOptions,
    stop: &dyn Fn() -> bool,
) -> Result<Answer, EvalError> {
    let steps = Steps { start: at.millis(), step: 1, count: 1 };
    let mut eval = Evaluator::new(store, options, stop, steps);
    let value = if expr.result_type() == Type::Matrix {
        Value::Matrix(instant_matrix(&mut eval, expr, steps)?)
    } else {
        match eval.eval(expr, steps)? {
            Operand::Scalar(numbers) => Value::Scalar(at, numbers.at(0)),
            Operand::String(text) => Value::String(text),
            Operand::Vector(series) => {
                refuse_histograms(&series)?;
                let samples = without_dropped_names(series)?.into_iter().filter_map(|one| {
                    let value = one.column.get(0)?;
                    Some(InstantSample { labels: one.labels, time: at, value })
                });
                Value::Vector(samples.collect())
            }
        }
    };
    Ok(eval.answer(value))
}

/// Evaluates at `start`, and then every `step_ms` up to `end`.
///
/// `stop` is asked every few thousand samples; once it says yes the query ends with
/// [`EvalError::Stopped`].
///
/// # Errors
/// A range that is no range or has too many steps, an expression that is no number, data that do
/// not fit the expression, a limit that is passed, a store that cannot be read.
pub fn evaluate_range(
    expr: &Expr,
    store: &dyn Select,
    start: Timestamp,
    end: Timestamp,
    step_ms: i64,
    options: &EvalOptions,
    stop: &dyn Fn() -> bool,
) -> Result<Answer, EvalError> {
    let steps = range_steps(start, end, step_ms, options)?;
    let given = expr.result_type();
    if !matches!(given, Type::Scalar | Type::Vector) {
        let message = format!(
            "a range query needs a scalar or an instant vector, this expression is a {}; ask for it at one moment",
            given.word()
        );
        return Err(EvalError::BadData(message));
    }
    let mut eval = Evaluator::new(store, options, stop, steps);
    eval.set_end(end);
    let series = match eval.eval(expr, steps)? {
        Operand::Vector(series) => {
            refuse_histograms(&series)?;
            without_dropped_names(series)?
        }
        Operand::Scalar(numbers) => vec![scalar_series(&numbers, steps)],
        Operand::String(_) => Vec::new(),
    };
    let mut rows: Vec<(Labels, Samples)> = Vec::with_capacity(series.len());
    for one in series {
        let (times, values) = one.column.iter().map(|(i, value)| (steps.time(i), value)).unzip();
        let samples = Samples { times, values };
        if !samples.is_empty() {
            rows.push((one.labels, samples));
        }
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(eval.answer(Value::Matrix(rows)))
}

fn range_steps(start: Timestamp, end: Timestamp, step_ms: i64, options: &EvalOptions) -> Result<Steps, EvalError> {
    if end < start {
        return Err(EvalError::BadData("the end of the range lies before its start".to_owned()));
    }
    if step_ms <= 0 {
        return Err(EvalError::BadData("the step must be greater than zero".to_owned()));
    }
    let distance = i128::from(end.millis()) - i128::from(start.millis());
    let count = distance / i128::from(step_ms) + 1;
    let most = options.max_points_per_series;
    match usize::try_from(count) {
        Ok(count) if count <= most => Ok(Steps { start: start.millis(), step: step_ms, count }),
        _ => Err(EvalError::BadData(format!(
            "exceeded maximum resolution of {most} points per timeseries: the range has {count} steps; \
             take a longer step or a shorter range"
        ))),
    }
}

fn scalar_series(numbers: &Numbers, steps: Steps) -> Series {
    let mut column = Column::empty(steps.count);
    for i in 0..steps.count {
        column.set(i, numbers.at(i));
    }
    Series { labels: Labels::empty(), drop_name: false, column }
}

/// A range selector or subquery by itself: its samples as they are.
fn instant_matrix(eval: &mut Evaluator<'_>, expr: &Expr, steps: Steps) -> Result<Vec<(Labels, Samples)>, EvalError> {
    let raw = match &expr.unwrapped().kind {
        ExprKind::Range { selector, range_ms } => eval.raw_range(selector, *range_ms, steps)?,
        ExprKind::Subquery(subquery) => eval.subquery(subquery, steps)?,
        _ => Vec::new(),
    };
    if raw.iter().any(|one| one.histograms && one.samples.values.iter().any(|v| is_histogram(*v))) {
        return Err(EvalError::histogram_content("the answer"));
    }
    let named = |one: &RawSeries| if one.drop_name { one.labels.without_name() } else { one.labels.clone() };
    let mut rows: Vec<_> = raw.into_iter().map(|one| (named(&one), one.samples)).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    if rows.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0)) {
        return Err(EvalError::execution("vector cannot contain metrics with the same labelset"));
    }
    Ok(rows)
}
