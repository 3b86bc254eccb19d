//! What ranges hold: the samples of a range selector, and those that a subquery makes.

use squirrel_model::{Labels, Samples, TimeRange, histogram_marker, is_histogram, is_stale};

use super::Evaluator;
use super::column::{Column, Operand, Steps};
use super::tiers::Choice;
use super::window::{Frame, Windows};
use crate::EvalError;
use crate::ast::{Call, ExprKind, Selector, Shift, Subquery};

/// A series as samples in time, for windows to slide over.
pub(crate) struct RawSeries {
    pub(crate) labels: Labels,
    pub(crate) drop_name: bool,
    pub(crate) samples: Samples,
    /// Whether some of the samples may be native histograms.
    pub(crate) histograms: bool,
}

impl RawSeries {
    /// Bytes that it takes, without its labels.
    fn bytes(&self) -> usize {
        self.samples.len().saturating_mul(16) + size_of::<Self>()
    }
}

impl Evaluator<'_> {
    /// Hands each series of the call's range argument to `each`, with the windows placed on it.
    pub(super) fn each_range(
        &mut self,
        call: &Call,
        steps: Steps,
        mut each: impl FnMut(&RawSeries, &[Frame]),
    ) -> Result<(), EvalError> {
        let mut frames = Vec::with_capacity(steps.count);
        let range = call.args.iter().map(|arg| &arg.unwrapped().kind);
        for kind in range {
            match kind {
                ExprKind::Range { selector, range_ms } => {
                    let mut windows = Windows { ends: self.clock(&selector.shift, steps), range_ms: *range_ms, steps };
                    let choice = self.older(windows.range().start.millis());
                    if let Some(choice) = choice {
                        // Most functions need two samples.
                        windows.range_ms = windows.range_ms.max(choice.step_ms.saturating_mul(2));
                    }
                    return self.each_raw(selector, windows.range(), choice, steps.count, |raw| {
                        windows.place(&raw.samples.times, &mut frames);
                        each(raw, &frames);
                        Column::bytes(steps.count)
                    });
                }
                ExprKind::Subquery(subquery) => {
                    let windows =
                        Windows { ends: self.clock(&subquery.shift, steps), range_ms: subquery.range_ms, steps };
                    for raw in self.subquery(subquery, steps)? {
                        self.spend(raw.samples.len().max(steps.count))?;
                        windows.place(&raw.samples.times, &mut frames);
                        each(&raw, &frames);
                        self.hold(Column::bytes(steps.count))?;
                    }
                    return Ok(());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads each series that a selector finds in `range`, without the stale markers. What comes of
    /// each is at most `columns` long, and takes as many bytes as `each` says.
    fn each_raw(
        &mut self,
        selector: &Selector,
        range: TimeRange,
        choice: Option<Choice>,
        columns: usize,
        mut each: impl FnMut(&RawSeries) -> usize,
    ) -> Result<(), EvalError> {
        let mut raw =
            RawSeries { labels: Labels::empty(), drop_name: false, samples: Samples::default(), histograms: false };
        for found in self.find(&selector.matchers, range)? {
            self.read_from(choice, &found, range, &mut raw.samples)?;
            self.spend(raw.samples.len().max(columns))?;
            raw.histograms = drop_stale(&mut raw.samples);
            if raw.samples.is_empty() {
                continue;
            }
            raw.labels = found.labels;
            let kept = each(&raw);
            self.hold(kept)?;
        }
        Ok(())
    }

    /// A range selector as the answer of an instant query.
    pub(crate) fn raw_range(
        &mut self,
        selector: &Selector,
        range_ms: i64,
        steps: Steps,
    ) -> Result<Vec<RawSeries>, EvalError> {
        let windows = Windows { ends: self.clock(&selector.shift, steps), range_ms, steps };
        let mut out = Vec::new();
        self.each_raw(selector, windows.range(), None, 1, |raw| {
            out.push(RawSeries { labels: raw.labels.clone(), samples: raw.samples.clone(), ..*raw });
            raw.bytes()
        })?;
        Ok(out)
    }

    /// Evaluates a subquery over all that its windows need.
    pub(crate) fn subquery(&mut self, subquery: &Subquery, steps: Steps) -> Result<Vec<RawSeries>, EvalError> {
        let inner = self.subquery_steps(&subquery.shift, subquery.range_ms, subquery.step_ms, steps)?;
        if inner.count == 0 {
            return Ok(Vec::new());
        }
        let Operand::Vector(series) = self.eval(&subquery.expr, inner)? else { return Ok(Vec::new()) };
        let mut out = Vec::with_capacity(series.len());
        for one in series {
            let mut samples = Samples::default();
            for (i, value) in one.column.iter() {
                samples.push(inner.time(i), if one.column.is_histogram(i) { histogram_marker() } else { value });
            }
            if !samples.is_empty() {
                let histograms = one.column.histograms.is_some();
                let raw = RawSeries { labels: one.labels, drop_name: one.drop_name, samples, histograms };
                self.hold(raw.bytes())?;
                out.push(raw);
            }
        }
        Ok(out)
    }

    /// The steps of a subquery: multiples of its step (whatever the outer steps are) that lie in any
    /// of its windows, which are open on the left.
    fn subquery_steps(
        &self,
        shift: &Shift,
        range_ms: i64,
        step_ms: Option<i64>,
        steps: Steps,
    ) -> Result<Steps, EvalError> {
        let step = step_ms.unwrap_or(self.options.default_step_ms).max(1);
        let ends = self.clock(shift, steps);
        let before = ends.time(0).saturating_sub(range_ms);
        let last = ends.time(steps.count.saturating_sub(1));
        let start = before.div_euclid(step).saturating_mul(step).saturating_add(step);
        if last < start {
            return Ok(Steps { start, step, count: 0 });
        }
        let count = last.saturating_sub(start) / step + 1;
        match usize::try_from(count) {
            Ok(count) if count as u64 <= self.options.max_samples => Ok(Steps { start, step, count }),
            _ => Err(EvalError::TooManySamples { limit: self.options.max_samples }),
        }
    }
}

/// Takes the stale markers out; whether there are native histograms among the rest.
fn drop_stale(samples: &mut Samples) -> bool {
    // Both markers are NaN, which most series never have.
    if !samples.values.iter().any(|v| v.is_nan()) {
        return false;
    }
    let histograms = samples.values.iter().any(|v| is_histogram(*v));
    if !samples.values.iter().any(|v| is_stale(*v)) {
        return histograms;
    }
    let kept = samples.times.iter().zip(&samples.values).filter(|(_, v)| !is_stale(**v));
    let (times, values) = kept.map(|(t, v)| (*t, *v)).unzip();
    *samples = Samples { times, values };
    histograms
}
