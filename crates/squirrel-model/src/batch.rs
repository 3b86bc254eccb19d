//! What one reading of the kernel brought.

use crate::{Labels, Metric, MetricRef};

/// One number: a metric, its own labels (without `__name__`, `job` and `instance`) and a value.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was measured.
    pub metric: MetricRef,
    /// Which one of it.
    pub labels: Labels,
    /// The value, in the metric's unit.
    pub value: f64,
}

/// A part of a reading that failed, in words for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What could not be read: a file, a table, an interface.
    pub subject: String,
    /// Why, and where possible what would help.
    pub reason: String,
}

/// Everything that one reading brought. A reading never fails as a whole: what could not be read is
/// a [`Fault`] beside the rows that could.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The numbers, in an order that a collector keeps from tick to tick (the store is faster then).
    pub rows: Vec<Row>,
    /// The parts that failed.
    pub faults: Vec<Fault>,
}

impl Batch {
    /// Adds a row.
    pub fn put(&mut self, metric: impl Into<MetricRef>, labels: &Labels, value: f64) {
        self.rows.push(Row { metric: metric.into(), labels: labels.clone(), value });
    }

    /// Adds a row of a declared metric that has no labels.
    pub fn put_plain(&mut self, metric: &'static Metric, value: f64) {
        self.rows.push(Row { metric: metric.into(), labels: Labels::empty(), value });
    }

    /// Adds a fault.
    pub fn fault(&mut self, subject: impl Into<String>, reason: impl Into<String>) {
        self.faults.push(Fault { subject: subject.into(), reason: reason.into() });
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.faults.clear();
    }

    /// Moves everything of `other` to the end of this batch.
    pub fn append(&mut self, other: &mut Self) {
        self.rows.append(&mut other.rows);
        self.faults.append(&mut other.faults);
    }
}
