//! What expressions evaluate to: columns over the steps of a query.

use std::collections::HashMap;

use squirrel_model::Labels;

use super::bitmap::Bitmap;
use crate::EvalError;

/// The moments at which an expression is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Steps {
    /// The first, in milliseconds.
    pub(crate) start: i64,
    /// Distance in milliseconds.
    pub(crate) step: i64,
    /// How many.
    pub(crate) count: usize,
}

impl Steps {
    /// The `i`-th moment.
    pub(crate) fn time(&self, i: usize) -> i64 {
        self.start.saturating_add(self.step.saturating_mul(i as i64))
    }

    /// The last moment; the first when there is none.
    pub(crate) fn end(&self) -> i64 {
        self.time(self.count.saturating_sub(1))
    }

    /// Only the first moment.
    pub(crate) fn first(&self) -> Self {
        Self { count: self.count.min(1), ..*self }
    }
}

/// A number for each step, some of them missing.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) values: Vec<f64>,
    pub(crate) present: Bitmap,
    /// Steps whose sample is a native histogram: what stands in `values` there means nothing. Steps that are not
    /// present may be among them. `None` nearly always.
    pub(crate) histograms: Option<Box<Bitmap>>,
}

impl Column {
    /// A column of `len` steps without a value.
    pub(crate) fn empty(len: usize) -> Self {
        Self { values: vec![0.0; len], present: Bitmap::clear(len), histograms: None }
    }

    /// A column with these values at these steps.
    pub(crate) fn of(values: Vec<f64>, present: Bitmap) -> Self {
        Self { values, present, histograms: None }
    }

    /// Bytes that a series with a column of `len` steps takes, without its labels.
    pub(crate) fn bytes(len: usize) -> usize {
        len.saturating_mul(8) + len.div_ceil(8) + size_of::<Series>()
    }

    pub(crate) fn set(&mut self, i: usize, value: f64) {
        if let Some(slot) = self.values.get_mut(i) {
            *slot = value;
            self.present.set(i);
        }
    }

    pub(crate) fn get(&self, i: usize) -> Option<f64> {
        self.values.get(i).copied().filter(|_| self.present.has(i))
    }

    /// The value of a step that is known to be present.
    pub(crate) fn at(&self, i: usize) -> f64 {
        self.values.get(i).copied().unwrap_or(f64::NAN)
    }

    /// Steps with their values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.present.ones().map(|i| (i, self.at(i)))
    }

    /// Replaces each value that is present.
    pub(crate) fn map(&mut self, f: impl Fn(f64) -> f64) {
        // Absent steps hold some number too; computing it is cheaper than asking.
        for value in &mut self.values {
            *value = f(*value);
        }
    }

    /// The first step's value for all of `len` steps.
    fn repeated(&self, len: usize) -> Self {
        match self.get(0) {
            Some(value) => {
                let histograms = self.is_histogram(0).then(|| Box::new(Bitmap::full(len)));
                Self { values: vec![value; len], present: Bitmap::full(len), histograms }
            }
            None => Self::empty(len),
        }
    }
}

/// A series of an instant vector over the steps.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    /// Whether `__name__` is to be removed when all is done. It stays until then so that
    /// `label_replace` and groupings can still use it (Prometheus' delayed name removal).
    pub(crate) drop_name: bool,
    pub(crate) column: Column,
}

/// A number for each step.
#[derive(Clone, Debug)]
pub(crate) enum Numbers {
    /// The same at each step.
    Constant(f64),
    /// One for each step.
    Each(Vec<f64>),
}

impl Numbers {
    pub(crate) fn at(&self, i: usize) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Each(values) => values.get(i).copied().unwrap_or(f64::NAN),
        }
    }

    /// The different values, for checks: one if constant.
    pub(crate) fn values(&self) -> &[f64] {
        match self {
            Self::Constant(value) => std::slice::from_ref(value),
            Self::Each(values) => values,
        }
    }
}

/// What an expression evaluates to.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Scalar(Numbers),
    Vector(Vec<Series>),
    String(String),
}

impl Operand {
    /// Bytes that it takes, without labels: those are shared with the store.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Scalar(numbers) => numbers.values().len() * 8,
            Self::Vector(series) => series.iter().map(|one| Column::bytes(one.column.values.len())).sum(),
            Self::String(text) => text.len(),
        }
    }

    /// What was evaluated at one step, for `count` steps.
    pub(crate) fn repeated(self, count: usize) -> Self {
        match self {
            Self::Scalar(numbers) => Self::Scalar(Numbers::Constant(numbers.at(0))),
            Self::Vector(series) => {
                Self::Vector(series.into_iter().map(|s| Series { column: s.column.repeated(count), ..s }).collect())
            }
            Self::String(text) => Self::String(text),
        }
    }
}

/// Puts series of equal labels together. They may alternate in time, not stand at the same step.
/// One that is to lose its name is not the same as one that keeps it: `rate(x) or x` is both.
pub(crate) fn merge_equal(series: Vec<Series>) -> Result<Vec<Series>, EvalError> {
    let mut places: HashMap<(Labels, bool), usize> = HashMap::with_capacity(series.len());
    let mut out: Vec<Series> = Vec::with_capacity(series.len());
    for next in series {
        let place = *places.entry((next.labels.clone(), next.drop_name)).or_insert(out.len());
        let Some(known) = out.get_mut(place) else {
            out.push(next);
            continue;
        };
        if known.column.present.overlaps(&next.column.present) {
            return Err(EvalError::execution(format!(
                "vector cannot contain metrics with the same labelset: {} would be there twice; \
                 keep a label that tells the series apart, or aggregate them",
                next.labels
            )));
        }
        for (i, value) in next.column.iter() {
            known.column.set(i, value);
            if next.column.is_histogram(i) {
                known.column.mark_histogram(i);
            }
        }
    }
    Ok(out)
}

/// Removes the names that were to be removed, at the very end.
pub(crate) fn without_dropped_names(mut series: Vec<Series>) -> Result<Vec<Series>, EvalError> {
    for one in series.iter_mut().filter(|s| s.drop_name) {
        one.labels = one.labels.without_name();
        one.drop_name = false;
    }
    merge_equal(series)
}
