//! A checked tree to columns of numbers.

mod aggregate;
mod binary;
pub(crate) mod bitmap;
pub(crate) mod body;
pub(crate) mod column;
#[expect(clippy::unnecessary_wraps, reason = "the functions of a form share one signature")]
pub(crate) mod counters;
pub(crate) mod dates;
pub(crate) mod histograms;
pub(crate) mod info;
mod join;
pub(crate) mod labelling;
mod matching;
pub(crate) mod math;
mod notes;
pub(crate) mod opaque;
#[expect(clippy::unnecessary_wraps, reason = "the functions of a form share one signature")]
pub(crate) mod over_time;
mod ranges;
mod sample_share;
mod sets;
#[expect(clippy::unnecessary_wraps, reason = "the functions of a form share one signature")]
pub(crate) mod shaping;
pub(crate) mod sorting;
mod sums;
mod tiers;
mod topk;
pub(crate) mod trend;
pub(crate) mod window;

use squirrel_model::{Found, Matcher, Samples, Select, TimeRange, Timestamp, is_histogram, is_stale};

use self::column::{Column, Numbers, Operand, Series, Steps};
use self::notes::Notes;
pub(crate) use self::ranges::RawSeries;
use crate::answer::{Answer, EvalOptions, Value};
use crate::ast::{At, Call, Expr, ExprKind, Selector, Shift};
use crate::{EvalError, Span};

/// Samples between two questions whether to stop.
const STOP_EVERY: u64 = 4096;

/// One evaluation: the store, the limits, what was noted on the way.
pub(crate) struct Evaluator<'a> {
    store: &'a dyn Select,
    options: &'a EvalOptions,
    stop: &'a dyn Fn() -> bool,
    /// The query's own steps, whatever a subquery's are: what `start()` and `end()` mean.
    query: Steps,
    query_end: i64,
    notes: Notes,
    touched: u64,
    worked: u64,
    /// Bytes of the results that are waited with, from the outermost expression to the one under evaluation.
    held: u64,
}

/// When the selectors of an expression look, for each step.
#[derive(Clone, Copy, Debug)]
struct Clock {
    first: i64,
    step: i64,
}

impl Clock {
    fn time(self, i: usize) -> i64 {
        self.first.saturating_add(self.step.saturating_mul(i as i64))
    }
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(
        store: &'a dyn Select,
        options: &'a EvalOptions,
        stop: &'a dyn Fn() -> bool,
        query: Steps,
    ) -> Self {
        let query_end = query.end();
        Self { store, options, stop, query, query_end, notes: Notes::default(), touched: 0, worked: 0, held: 0 }
    }

    /// What `end()` means, when the range's end is not on a step.
    pub(crate) fn set_end(&mut self, end: Timestamp) {
        self.query_end = end.millis();
    }

    pub(crate) fn answer(self, value: Value) -> Answer {
        Answer { value, warnings: self.notes.warnings, infos: self.notes.infos, samples: self.touched }
    }

    /// Evaluates an expression at all steps. What is the same at each step is evaluated once.
    pub(crate) fn eval(&mut self, expr: &Expr, steps: Steps) -> Result<Operand, EvalError> {
        let before = self.held;
        let value = if steps.count > 1 && is_invariant(expr) {
            let once = self.eval_node(expr, steps.first())?;
            if let Operand::Vector(series) = &once {
                self.spend(series.len().saturating_mul(steps.count))?;
                self.hold(series.len().saturating_mul(Column::bytes(steps.count)))?;
            }
            once.repeated(steps.count)
        } else {
            self.eval_node(expr, steps)?
        };
        // What its parts took is gone; what is left is the result.
        self.held = before;
        self.hold(value.bytes())?;
        Ok(value)
    }

    /// Accounts for memory that a result takes. [`Self::eval`] gives it back.
    fn hold(&mut self, bytes: usize) -> Result<(), EvalError> {
        self.held = self.held.saturating_add(bytes as u64);
        let limit = self.options.max_memory_bytes;
        if self.held > limit { Err(EvalError::TooMuchMemory { limit }) } else { Ok(()) }
    }

    fn eval_node(&mut self, expr: &Expr, steps: Steps) -> Result<Operand, EvalError> {
        match &expr.kind {
            ExprKind::Number { value, .. } => Ok(Operand::Scalar(Numbers::Constant(*value))),
            ExprKind::String(text) => Ok(Operand::String(text.clone())),
            ExprKind::Selector(selector) => {
                if let Some(choice) = self.older(self.clock(&selector.shift, steps).time(0)) {
                    self.say(choice, expr.span);
                }
                self.latest(selector, steps, |_, value| value)
            }
            ExprKind::Paren(inner) => self.eval_node(inner, steps),
            ExprKind::Unary { minus, operand } => {
                let value = self.eval(operand, steps)?;
                Ok(if *minus { negated(value) } else { value })
            }
            ExprKind::Binary(binary) => self.binary(binary, steps),
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate, steps),
            ExprKind::Call(call) => self.call(expr, call, steps),
            // The checks let ranges stand only where a function takes one, and that does not
            // evaluate them by themselves.
            ExprKind::Range { .. } | ExprKind::Subquery(_) => {
                Err(EvalError::execution("a range vector has no value of its own"))
            }
        }
    }

    fn vector(&mut self, expr: &Expr, steps: Steps) -> Result<Vec<Series>, EvalError> {
        match self.eval(expr, steps)? {
            Operand::Vector(series) => Ok(series),
            _ => Err(EvalError::execution("expected an instant vector")),
        }
    }

    fn scalar(&mut self, expr: &Expr, steps: Steps) -> Result<Numbers, EvalError> {
        match self.eval(expr, steps)? {
            Operand::Scalar(numbers) => Ok(numbers),
            _ => Err(EvalError::execution("expected a scalar")),
        }
    }

    fn vector_arg(&mut self, call: &Call, i: usize, steps: Steps) -> Result<Vec<Series>, EvalError> {
        self.vector(argument(call, i)?, steps)
    }

    fn scalar_arg(&mut self, call: &Call, i: usize, steps: Steps) -> Result<Numbers, EvalError> {
        self.scalar(argument(call, i)?, steps)
    }

    /// Accounts for samples touched, and asks now and then whether to stop.
    fn spend(&mut self, samples: usize) -> Result<(), EvalError> {
        self.touched = self.touched.saturating_add(samples as u64);
        if self.touched > self.options.max_samples {
            return Err(EvalError::TooManySamples { limit: self.options.max_samples });
        }
        self.work(samples)
    }

    /// Accounts for work on numbers that are in memory already.
    fn work(&mut self, numbers: usize) -> Result<(), EvalError> {
        self.worked = self.worked.saturating_add(numbers as u64);
        if self.worked >= STOP_EVERY {
            self.worked = 0;
            if (self.stop)() {
                return Err(EvalError::Stopped);
            }
        }
        Ok(())
    }

    /// When selectors with this shift look, over the given steps.
    fn clock(&self, shift: &Shift, steps: Steps) -> Clock {
        let offset = shift.offset_ms.unwrap_or(0);
        let (base, step) = match shift.at {
            None => (steps.start, steps.step),
            Some(At::Time(time)) => (time.millis(), 0),
            Some(At::Start) => (self.query.start, 0),
            Some(At::End) => (self.query_end, 0),
        };
        Clock { first: base.saturating_sub(offset), step }
    }

    /// The series that match, in order of labels so that sums do not depend on the store.
    fn find(&mut self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Found>, EvalError> {
        let mut found = self.store.find(matchers, range)?;
        if !found.is_sorted_by(|a, b| a.labels <= b.labels) {
            found.sort_by(|a, b| a.labels.cmp(&b.labels));
        }
        self.work(found.len())?;
        Ok(found)
    }

    /// The latest sample of each series at each step: not older than the lookback, and none after a
    /// stale marker. `pick` chooses between the sample's time and its value.
    fn latest(&mut self, selector: &Selector, steps: Steps, pick: fn(i64, f64) -> f64) -> Result<Operand, EvalError> {
        let clock = self.clock(&selector.shift, steps);
        let choice = self.older(clock.time(0));
        // The last value of a step stands under its end.
        let lookback = self.options.lookback_ms.saturating_add(choice.map_or(0, |choice| choice.step_ms));
        let first = clock.time(0).saturating_sub(lookback).saturating_add(1);
        let last = clock.time(steps.count.saturating_sub(1));
        let range = TimeRange::new(Timestamp(first), Timestamp(last));
        let mut samples = Samples::default();
        let mut out = Vec::new();
        for found in self.find(&selector.matchers, range)? {
            self.read_from(choice, &found, range, &mut samples)?;
            self.spend(samples.len().max(steps.count))?;
            let mut column = Column::empty(steps.count);
            let mut passed = 0;
            for i in 0..steps.count {
                let now = clock.time(i);
                while samples.times.get(passed).is_some_and(|t| *t <= now) {
                    passed += 1;
                }
                let Some(latest) = passed.checked_sub(1) else { continue };
                let (Some(time), Some(value)) = (samples.times.get(latest), samples.values.get(latest)) else {
                    continue;
                };
                if *time > now.saturating_sub(lookback) && !is_stale(*value) {
                    let picked = pick(*time, *value);
                    column.set(i, picked);
                    if is_histogram(picked) {
                        column.mark_histogram(i);
                    }
                }
            }
            if !column.present.is_empty() {
                self.hold(Column::bytes(steps.count))?;
                out.push(Series { labels: found.labels, drop_name: false, column });
            }
        }
        Ok(Operand::Vector(out))
    }

    /// Says which of the given shares is none.
    fn warn_of_quantiles(&mut self, values: &[f64], span: Span) {
        for q in values.iter().filter(|q| !(0.0..=1.0).contains(*q)) {
            let text = format!("quantile value should lie between 0 and 1, got {}", crate::number::number_text(*q));
            self.notes.warn(span, &text);
        }
    }
}

fn argument(call: &Call, i: usize) -> Result<&Expr, EvalError> {
    call.args.get(i).ok_or_else(|| EvalError::execution(format!("{} lacks an argument", call.function.name)))
}

fn negated(value: Operand) -> Operand {
    match value {
        Operand::Scalar(Numbers::Constant(value)) => Operand::Scalar(Numbers::Constant(-value)),
        Operand::Scalar(Numbers::Each(values)) => {
            Operand::Scalar(Numbers::Each(values.into_iter().map(|v| -v).collect()))
        }
        Operand::Vector(mut series) => {
            for one in &mut series {
                one.column.map(|v| -v);
                one.drop_name = true;
            }
            Operand::Vector(series)
        }
        text @ Operand::String(_) => text,
    }
}

/// Whether an expression has the same value at each step: all its selectors are pinned with `@` and
/// nothing in it looks at the time of evaluation.
fn is_invariant(expr: &Expr) -> bool {
    const OF_TIME: [&str; 12] = [
        "time",
        "timestamp",
        "predict_linear",
        "year",
        "month",
        "minute",
        "hour",
        "day_of_month",
        "day_of_week",
        "day_of_year",
        "days_in_month",
        "start_timestamp",
    ];
    match &expr.kind {
        ExprKind::Number { .. } | ExprKind::String(_) => true,
        ExprKind::Selector(selector) | ExprKind::Range { selector, .. } => selector.shift.at.is_some(),
        ExprKind::Subquery(subquery) => subquery.shift.at.is_some(),
        ExprKind::Call(call) if OF_TIME.contains(&call.function.name) => {
            // The time of a pinned sample is always the same.
            let pinned = |arg: &Expr| matches!(&arg.kind, ExprKind::Selector(s) if s.shift.at.is_some());
            call.function.name == "timestamp" && call.args.iter().all(|arg| pinned(arg.unwrapped()))
        }
        // The info series are looked up at the time of the first argument; the second is no vector of its own.
        ExprKind::Call(call) if call.function.name == "info" => call.args.first().is_some_and(is_invariant),
        _ => expr.children().into_iter().all(is_invariant),
    }
}
