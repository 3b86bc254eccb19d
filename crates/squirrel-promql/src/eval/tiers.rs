//! Answers from coarse copies: where full resolution does not reach back so far, and where nobody could tell.

use squirrel_model::{Figure, Samples, Tier, TimeRange, duration_text};

use super::column::{Column, Operand, Series, Steps};
use super::sums::Sum;
use super::window::Windows;
use super::{Clock, Evaluator};
use crate::ast::{Call, Selector};
use crate::{EvalError, Span};

/// A window of at least so many steps of a copy is answered from it, where both begin and end together.
const FINE_ENOUGH: i64 = 10;

/// Which copy answers, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) tier: usize,
    pub(super) step_ms: i64,
    /// Whether full resolution is gone, so that the answer is coarser than asked for.
    pub(super) older: bool,
}

/// How a function of a window is computed from figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recipe {
    /// The sum of increases, by the window's seconds if so.
    Increase {
        per_second: bool,
    },
    Sum,
    Count,
    Average,
    Min,
    Max,
    Present,
}

impl Recipe {
    fn of(function: &str) -> Option<Self> {
        Some(match function {
            "rate" => Self::Increase { per_second: true },
            "increase" => Self::Increase { per_second: false },
            "sum_over_time" => Self::Sum,
            "count_over_time" => Self::Count,
            "avg_over_time" => Self::Average,
            "min_over_time" => Self::Min,
            "max_over_time" => Self::Max,
            "present_over_time" => Self::Present,
            _ => return None,
        })
    }

    fn figures(self) -> &'static [Figure] {
        match self {
            Self::Increase { .. } => &[Figure::Increase],
            Self::Sum => &[Figure::Sum],
            Self::Count | Self::Present => &[Figure::Count],
            Self::Average => &[Figure::Sum, Figure::Count],
            Self::Min => &[Figure::Min],
            Self::Max => &[Figure::Max],
        }
    }

    /// The figures of one window, none of them empty, to the function's value.
    fn value(self, first: &[f64], second: &[f64], seconds: f64) -> f64 {
        let total = |values: &[f64]| {
            let mut sum = Sum::default();
            for value in values {
                sum.add(*value);
            }
            sum.value()
        };
        match self {
            Self::Increase { per_second: true } => total(first) / seconds,
            Self::Increase { per_second: false } | Self::Sum | Self::Count => total(first),
            Self::Average => total(first) / total(second),
            Self::Min => first.iter().copied().fold(f64::NAN, f64::min),
            Self::Max => first.iter().copied().fold(f64::NAN, f64::max),
            Self::Present => 1.0,
        }
    }
}

impl Evaluator<'_> {
    /// The finest copy that reaches back to `first_ms`, if full resolution does not; the one that reaches back
    /// furthest, if none does.
    pub(super) fn older(&self, first_ms: i64) -> Option<Choice> {
        let full = self.store.full_from()?.millis();
        if first_ms >= full {
            return None;
        }
        let tiers = self.store.tiers();
        let useful = || tiers.iter().enumerate().filter(|(_, tier)| tier.from.millis() <= full);
        let (tier, chosen) = useful()
            .find(|(_, tier)| tier.from.millis() <= first_ms)
            .or_else(|| useful().min_by_key(|(_, tier)| tier.from))?;
        Some(Choice { tier, step_ms: chosen.step_ms, older: true })
    }

    /// The coarsest copy that answers windows as well as full resolution does: they are long, and begin and end where
    /// its steps do.
    fn as_good(&self, ends: Clock, range_ms: i64, steps: Steps) -> Option<Choice> {
        let fits = |step_ms: i64| {
            let aligned = |ms: i64| ms.rem_euclid(step_ms) == 0;
            let long = range_ms >= step_ms.saturating_mul(FINE_ENOUGH);
            long && aligned(range_ms) && aligned(ends.time(0)) && (steps.count == 1 || aligned(ends.step))
        };
        let first = ends.time(0).saturating_sub(range_ms);
        let tiers = self.store.tiers();
        // A young store has no copy that reaches back so far, and nothing else that does.
        let reaches = |tier: &Tier| tier.whole || tier.from.millis() <= first.saturating_add(1);
        let mut coarsest_first = tiers.iter().enumerate().rev();
        let (tier, chosen) = coarsest_first.find(|(_, tier)| fits(tier.step_ms) && reaches(tier))?;
        Some(Choice { tier, step_ms: chosen.step_ms, older: false })
    }

    /// The copy that a function of windows is answered from, if one is.
    pub(super) fn tier_for(&self, function: &str, windows: &Windows) -> Option<Choice> {
        let first = windows.ends.time(0).saturating_sub(windows.range_ms).saturating_add(1);
        let as_good = Recipe::of(function).and_then(|_| self.as_good(windows.ends, windows.range_ms, windows.steps));
        match (self.older(first), as_good) {
            // Both have it all, and a coarser one has it in fewer figures.
            (Some(older), Some(as_good)) if as_good.step_ms > older.step_ms => Some(Choice { older: true, ..as_good }),
            (Some(older), _) => Some(older),
            (None, as_good) => as_good,
        }
    }

    /// Says once for each place that an answer is from a copy.
    pub(super) fn say(&mut self, choice: Choice, place: Span) {
        let step = duration_text(choice.step_ms);
        if choice.older {
            let text =
                format!("full resolution does not reach back so far: this is computed from what is kept each {step}");
            self.notes.warn(place, &text);
        } else {
            self.notes.info(place, &format!("computed from the figures that are kept each {step}"));
        }
    }

    /// Evaluates a function of windows from figures. `None` when it needs each sample.
    pub(super) fn over_figures(
        &mut self,
        call: &Call,
        selector: &Selector,
        windows: &Windows,
        choice: Choice,
    ) -> Result<Option<Operand>, EvalError> {
        let Some(recipe) = Recipe::of(call.function.name) else { return Ok(None) };
        // A window that is shorter than a step is as long as one: the step is all that is known.
        let windows = Windows { range_ms: windows.range_ms.max(choice.step_ms), ..*windows };
        let range = windows.range();
        let seconds = windows.range_ms as f64 / 1000.0;
        let (mut first, mut second) = (Samples::default(), Samples::default());
        let mut frames = Vec::new();
        let mut out = Vec::new();
        let steps = windows.steps;
        for found in self.find(&selector.matchers, range)? {
            for (figure, samples) in recipe.figures().iter().zip([&mut first, &mut second]) {
                self.store.read_tier(choice.tier, *figure, &found, range, samples)?;
            }
            self.spend(first.len().max(steps.count))?;
            windows.place(&first.times, &mut frames);
            let mut column = Column::empty(steps.count);
            for (i, frame) in frames.iter().enumerate() {
                let part = frame.low..frame.high;
                let Some(values) = first.values.get(part.clone()).filter(|values| !values.is_empty()) else { continue };
                let others = second.values.get(part).unwrap_or_default();
                column.set(i, recipe.value(values, others, seconds));
            }
            if !column.present.is_empty() {
                out.push(Series { labels: found.labels, drop_name: true, column });
            }
        }
        Ok(Some(Operand::Vector(out)))
    }

    /// Reads a series as its last values in the steps of a copy, or as it is.
    pub(super) fn read_from(
        &self,
        choice: Option<Choice>,
        found: &squirrel_model::Found,
        range: TimeRange,
        out: &mut Samples,
    ) -> Result<(), EvalError> {
        match choice {
            Some(choice) => self.store.read_tier(choice.tier, Figure::Last, found, range, out)?,
            None => self.store.read(found, range, out)?,
        }
        Ok(())
    }
}
