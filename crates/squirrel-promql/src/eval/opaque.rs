//! Native histograms as far as one can go without their content: where they are, and what of the numbers around them.
//!
//! What works on numbers leaves them out, what counts or chooses series takes them as they are, and what would mix
//! them with numbers yields nothing there; all this as Prometheus does. A histogram may also be a result on the way
//! (`sum(rate(h[5m]))`), since `count` or `absent` around it need no more; an answer that shows one is refused.

use squirrel_model::{Samples, is_histogram};

use super::Evaluator;
use super::bitmap::Bitmap;
use super::column::{Column, Series, Steps};
use super::window::{Frame, Track};
use crate::ast::{AggregateOp, Binary, BinaryOp, Call};
use crate::{EvalError, Span};

impl Column {
    /// Says that the sample of a step is a histogram.
    pub(crate) fn mark_histogram(&mut self, i: usize) {
        let len = self.values.len();
        self.histograms.get_or_insert_with(|| Box::new(Bitmap::clear(len))).set(i);
    }

    /// Whether the sample of a step is a histogram.
    pub(crate) fn is_histogram(&self, i: usize) -> bool {
        self.histograms.as_ref().is_some_and(|steps| steps.has(i))
    }

    /// Whether any sample is a histogram.
    pub(crate) fn has_histogram(&self) -> bool {
        self.histograms.as_ref().is_some_and(|steps| steps.overlaps(&self.present))
    }

    /// Whether any sample is a number.
    pub(crate) fn has_number(&self) -> bool {
        match &self.histograms {
            None => !self.present.is_empty(),
            Some(steps) => {
                let mut numbers = self.present.clone();
                numbers.remove(steps);
                !numbers.is_empty()
            }
        }
    }

    /// Leaves numbers only; whether there was anything else.
    fn drop_histograms(&mut self) -> bool {
        let any = self.has_histogram();
        if let Some(steps) = self.histograms.take() {
            self.present.remove(&steps);
        }
        any
    }
}

/// Leaves numbers only, and the series that have some; whether there was anything else.
pub(super) fn without_histograms(series: &mut Vec<Series>) -> bool {
    let mut any = false;
    for one in series.iter_mut() {
        any |= one.column.drop_histograms();
    }
    if any {
        series.retain(|one| !one.column.present.is_empty());
    }
    any
}

/// Refuses an answer that would show histograms.
pub(crate) fn refuse_histograms(series: &[Series]) -> Result<(), EvalError> {
    if series.iter().any(|one| one.column.has_histogram()) {
        return Err(EvalError::histogram_content("the answer"));
    }
    Ok(())
}

/// Whether an aggregation knows numbers only.
pub(super) fn of_numbers(op: AggregateOp) -> bool {
    use AggregateOp::{Bottomk, Max, Min, Quantile, Stddev, Stdvar, Topk};
    matches!(op, Min | Max | Stddev | Stdvar | Quantile | Topk | Bottomk)
}

/// Corrects a sum or mean that was made of all samples: a histogram where all were histograms, nothing where both
/// kinds met. Whether they did.
pub(super) fn combine(members: &[&Series], column: &mut Column) -> bool {
    let len = column.values.len();
    let (mut histograms, mut numbers) = (Bitmap::clear(len), Bitmap::clear(len));
    for one in members {
        let mut here = one.column.present.clone();
        if let Some(steps) = &one.column.histograms {
            histograms.add(&one.column.present.common(steps));
            here.remove(steps);
        }
        numbers.add(&here);
    }
    let mixed = histograms.common(&numbers);
    column.present.remove(&mixed);
    histograms.remove(&mixed);
    column.histograms = Some(Box::new(histograms));
    !mixed.is_empty()
}

/// What comes of two samples, one or both of which are histograms: a histogram (true), or nothing as they do not fit.
///
/// # Errors
/// When their content would have to be compared.
pub(super) fn of_two(op: BinaryOp, left: bool, right: bool) -> Result<bool, EvalError> {
    match (left, right, op) {
        (true, true, BinaryOp::Equal | BinaryOp::NotEqual) => {
            Err(EvalError::histogram_content(format!("{:?} between histograms", op.sign())))
        }
        (true, true, BinaryOp::Add | BinaryOp::Subtract)
        | (true, false, BinaryOp::Multiply | BinaryOp::Divide)
        | (false, true, BinaryOp::Multiply) => Ok(true),
        _ => Ok(false),
    }
}

/// The histograms of a column, joined with a scalar: kept by what scales them, else gone. Whether some are.
pub(super) fn with_scalar(binary: &Binary, scalar_left: bool, column: &mut Column) -> bool {
    let scaled = of_two(binary.op, !scalar_left, scalar_left).unwrap_or(false);
    !scaled && column.drop_histograms()
}

/// What a function of windows makes of histograms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    /// It looks at whatever is there.
    Any,
    /// Both kinds in a window yield nothing; so many histograms yield one.
    OneKind(usize),
    /// The same for the last two samples alone.
    LastTwo,
    /// It compares their content.
    Content,
    /// It looks at the numbers.
    Numbers,
}

impl Policy {
    fn of(function: &str) -> Self {
        match function {
            "count_over_time"
            | "present_over_time"
            | "first_over_time"
            | "last_over_time"
            | "ts_of_first_over_time"
            | "ts_of_last_over_time" => Self::Any,
            "rate" | "increase" | "delta" => Self::OneKind(2),
            "sum_over_time" | "avg_over_time" => Self::OneKind(1),
            "irate" | "idelta" => Self::LastTwo,
            "changes" | "resets" => Self::Content,
            _ => Self::Numbers,
        }
    }
}

/// What was met in the windows of a call.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Met {
    mixed: bool,
    ignored: bool,
    content: bool,
}

/// Computes all windows of a series among whose samples are histograms.
pub(super) fn windows(
    function: &str,
    track: &Track<'_>,
    out: &mut Column,
    f: &impl Fn(&Track<'_>, &mut Column),
    met: &mut Met,
) {
    let policy = Policy::of(function);
    if policy == Policy::Any {
        f(track, out);
        for i in 0..out.values.len() {
            if is_histogram(out.at(i)) {
                out.mark_histogram(i);
            }
        }
        return;
    }
    let mut numbers = Samples::default();
    // How many numbers stand before each sample.
    let mut before = Vec::with_capacity(track.values.len() + 1);
    for (time, value) in track.times.iter().zip(track.values) {
        before.push(numbers.len());
        if !is_histogram(*value) {
            numbers.push(*time, *value);
        }
    }
    before.push(numbers.len());
    let place = |i: usize| before.get(i).copied().unwrap_or(numbers.len());
    let frames: Vec<Frame> =
        track.frames.iter().map(|frame| Frame { low: place(frame.low), high: place(frame.high), ..*frame }).collect();
    f(&Track { times: &numbers.times, values: &numbers.values, frames: &frames, ..*track }, out);
    for (i, (all, frame)) in track.frames.iter().zip(&frames).enumerate() {
        let (any, mut floats) = (all.high - all.low, frame.high - frame.low);
        let mut opaque = any - floats;
        if opaque == 0 {
            continue;
        }
        if policy == Policy::LastTwo && any >= 2 {
            opaque = 2 - (place(all.high) - place(all.high - 2));
            floats = 2 - opaque;
        }
        let least = if let Policy::OneKind(least) = policy { least } else { 2 };
        match policy {
            Policy::Content => met.content = true,
            Policy::Numbers | Policy::Any => met.ignored |= floats > 0,
            Policy::OneKind(_) | Policy::LastTwo if opaque > 0 && floats > 0 => {
                out.present.unset(i);
                met.mixed = true;
            }
            Policy::OneKind(_) | Policy::LastTwo if opaque >= least => {
                out.set(i, f64::NAN);
                out.mark_histogram(i);
            }
            Policy::OneKind(_) | Policy::LastTwo => {}
        }
    }
}

impl Evaluator<'_> {
    /// A vector argument without histograms, which functions of numbers pass over in silence.
    pub(super) fn numbers_arg(&mut self, call: &Call, i: usize, steps: Steps) -> Result<Vec<Series>, EvalError> {
        let mut series = self.vector_arg(call, i, steps)?;
        without_histograms(&mut series);
        Ok(series)
    }

    /// Says what was met in windows.
    pub(super) fn tell(&mut self, met: Met, call: &Call) -> Result<(), EvalError> {
        let name = call.function.name;
        let span = call.args.first().map(|arg| arg.span).unwrap_or_default();
        if met.content {
            return Err(EvalError::histogram_content(format!("{name}()")));
        }
        if met.mixed {
            self.note_mixed(name, span);
        }
        if met.ignored {
            self.note_ignored(name, span);
        }
        Ok(())
    }

    pub(super) fn note_mixed(&mut self, what: &str, span: Span) {
        let text = format!("{what} met numbers and native histograms together: nothing is answered there");
        self.notes.warn(span, &text);
    }

    pub(super) fn note_ignored(&mut self, what: &str, span: Span) {
        self.notes.info(span, &format!("{what} works on numbers: native histograms were ignored"));
    }

    pub(super) fn note_incompatible(&mut self, binary: &Binary) {
        let text =
            format!("{:?} does not work on these kinds of samples: a native histogram was left out", binary.op.sign());
        self.notes.info(binary.left.span, &text);
    }
}
