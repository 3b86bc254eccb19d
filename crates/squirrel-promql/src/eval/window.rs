//! Functions over ranges: each series is read once, windows slide over its samples.

use std::cell::Cell;

use squirrel_model::{TimeRange, Timestamp};

use super::column::{Column, Numbers, Operand, Series, Steps};
use super::opaque::{self, Met};
use super::over_time::WindowFn;
use super::{Clock, Evaluator};
use crate::EvalError;
use crate::ast::{Call, ExprKind, Type};

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
}

/// Whether a name ends as counters' names do. A series without a name is not judged.
fn looks_like_counter(name: &str) -> bool {
    name.is_empty() || ["_total", "_sum", "_count", "_bucket"].iter().any(|end| name.ends_with(end))
}
