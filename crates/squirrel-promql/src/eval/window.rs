//! Functions over ranges: each series is read once, windows slide over its samples.

use std::cell::Cell;

use squirrel_model::{Labels, Samples, TimeRange, Timestamp, histogram_marker, is_histogram, is_stale};

use super::column::{Column, Numbers, Operand, Series, Steps};
use super::opaque::{self, Met};
use super::over_time::WindowFn;
use super::tiers::Choice;
use super::{Clock, Evaluator};
use crate::EvalError;
use crate::ast::{Call, ExprKind, Selector, Shift, Subquery, Type};

/// Computes all windows of a series.
pub(crate) type SweepFn = fn(&Track<'_>, &mut Column);

/// One window over a series: samples `low..high`, in `(start, end]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) low: usize,
    pub(crate) high: usize,
    /// Milliseconds, not in the window.
    pub(crate) start: i64,
    /// Milliseconds, in the window.
    pub(crate) end: i64,
}

/// A series' samples, the windows over them, and the other arguments.
pub(crate) struct Track<'a> {
    pub(crate) times: &'a [i64],
    pub(crate) values: &'a [f64],
    pub(crate) frames: &'a [Frame],
    pub(crate) steps: Steps,
    pub(crate) params: &'a [Numbers],
    pub(super) brake: &'a Brake<'a>,
}

/// Windows that overlap much are much work on few samples: asks now and then whether to stop, within
/// a series.
pub(super) struct Brake<'a> {
    stop: &'a dyn Fn() -> bool,
    seen: Cell<usize>,
    stopped: Cell<bool>,
}

impl Brake<'_> {
    /// Values between two questions.
    const EVERY: usize = 1 << 20;

    /// Whether to go on after so many more values.
    fn go_on(&self, values: usize) -> bool {
        self.seen.set(self.seen.get() + values);
        if self.seen.get() > Self::EVERY {
            self.seen.set(0);
            self.stopped.set(self.stopped.get() || (self.stop)());
        }
        !self.stopped.get()
    }
}

/// What a function sees of one window; there is at least one sample.
pub(crate) struct Window<'a> {
    pub(crate) times: &'a [i64],
    pub(crate) values: &'a [f64],
    /// The evaluation's own time in milliseconds (the window may be moved by `offset`).
    pub(crate) now: i64,
    pub(crate) params: [f64; 2],
}

impl Track<'_> {
    /// Calls `f` for each window that has a sample.
    pub(crate) fn each_window(&self, out: &mut Column, f: WindowFn) {
        for (i, frame) in self.frames.iter().enumerate() {
            let part = frame.low..frame.high;
            let (Some(times), Some(values)) = (self.times.get(part.clone()), self.values.get(part)) else { continue };
            if times.is_empty() {
                continue;
            }
            if !self.brake.go_on(times.len()) {
                return;
            }
            let mut params = [0.0; 2];
            for (slot, numbers) in params.iter_mut().zip(self.params) {
                *slot = numbers.at(i);
            }
            if let Some(value) = f(&Window { times, values, now: self.steps.time(i), params }) {
                out.set(i, value);
            }
        }
    }
}

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

/// Bounds of the windows of a range: one for each step.
#[derive(Clone, Copy)]
pub(super) struct Windows {
    pub(super) ends: Clock,
    pub(super) range_ms: i64,
    pub(super) steps: Steps,
}

impl Windows {
    /// The windows as index ranges of sorted `times`, into `frames`.
    pub(super) fn place(&self, times: &[i64], frames: &mut Vec<Frame>) {
        frames.clear();
        let (mut low, mut high) = (0, 0);
        for i in 0..self.steps.count {
            let end = self.ends.time(i);
            let start = end.saturating_sub(self.range_ms);
            while times.get(high).is_some_and(|t| *t <= end) {
                high += 1;
            }
            while low < high && times.get(low).is_some_and(|t| *t <= start) {
                low += 1;
            }
            frames.push(Frame { low, high, start, end });
        }
    }

    /// All that lies in any of the windows. They are open on the left, ranges of the store are not.
    pub(super) fn range(&self) -> TimeRange {
        let first = self.ends.time(0).saturating_sub(self.range_ms).saturating_add(1);
        let last = self.ends.time(self.steps.count.saturating_sub(1));
        TimeRange::new(Timestamp(first), Timestamp(last))
    }
}

impl Evaluator<'_> {
    /// Evaluates a function whose argument is a range: `f` fills one column per series.
    pub(super) fn over_windows(
        &mut self,
        call: &Call,
        steps: Steps,
        f: impl Fn(&Track<'_>, &mut Column),
    ) -> Result<Operand, EvalError> {
        let mut params = Vec::new();
        for (i, wanted) in call.function.args.iter().enumerate() {
            if *wanted == Type::Scalar && i < call.args.len() {
                params.push(self.scalar_arg(call, i, steps)?);
            }
        }
        super::over_time::check_params(self, call, &params)?;
        let name = call.function.name;
        let keeps_name = matches!(name, "last_over_time" | "first_over_time");
        let counter = matches!(name, "rate" | "increase");
        if let Some(answer) = self.over_a_copy(call, steps)? {
            return Ok(answer);
        }
        let mut out = Vec::new();
        let mut unlike_counter: Option<String> = None;
        let brake = Brake { stop: self.stop, seen: Cell::new(0), stopped: Cell::new(false) };
        let mut met = Met::default();
        self.each_range(call, steps, |raw, frames| {
            let samples = &raw.samples;
            let track =
                Track { times: &samples.times, values: &samples.values, frames, steps, params: &params, brake: &brake };
            let mut column = Column::empty(steps.count);
            if raw.histograms {
                opaque::windows(name, &track, &mut column, &f, &mut met);
            } else {
                f(&track, &mut column);
            }
            if column.present.is_empty() {
                return;
            }
            if counter
                && column.has_number()
                && unlike_counter.is_none()
                && !looks_like_counter(raw.labels.metric_name())
            {
                unlike_counter = Some(raw.labels.metric_name().to_owned());
            }
            let drop_name = raw.drop_name || !keeps_name;
            out.push(Series { labels: raw.labels.clone(), drop_name, column });
        })?;
        if brake.stopped.get() {
            return Err(EvalError::Stopped);
        }
        self.tell(met, call)?;
        if let Some(name) = unlike_counter {
            let text = format!(
                "metric {name:?} may be no counter: its name has no _total, _sum, _count or _bucket at the end"
            );
            let span = call.args.first().map(|arg| arg.span).unwrap_or_default();
            self.notes.info(span, &text);
        }
        Ok(Operand::Vector(out))
    }

    /// The answer from figures of a coarse copy, where one is chosen and has them.
    fn over_a_copy(&mut self, call: &Call, steps: Steps) -> Result<Option<Operand>, EvalError> {
        let ranges = call.args.iter().filter_map(|arg| match &arg.unwrapped().kind {
            ExprKind::Range { selector, range_ms } => Some((arg.span, selector, *range_ms)),
            _ => None,
        });
        for (place, selector, range_ms) in ranges {
            let windows = Windows { ends: self.clock(&selector.shift, steps), range_ms, steps };
            if let Some(choice) = self.tier_for(call.function.name, &windows) {
                self.say(choice, place);
                return self.over_figures(call, selector, &windows, choice);
            }
        }
        Ok(None)
    }

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

/// Whether a name ends as counters' names do. A series without a name is not judged.
fn looks_like_counter(name: &str) -> bool {
    name.is_empty() || ["_total", "_sum", "_count", "_bucket"].iter().any(|end| name.ends_with(end))
}
