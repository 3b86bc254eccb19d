//! Operators between two vectors: which series meet, and what comes of each pair.

use std::collections::HashMap;

use squirrel_model::{Labels, NAME_LABEL};

use super::Evaluator;
use super::binary::{compute, holds};
use super::bitmap::Bitmap;
use super::column::{Column, Series, merge_equal};
use super::matching::{Group, groups, match_labels};
use super::opaque;
use crate::EvalError;
use crate::ast::{Binary, Many, Matching};

impl Evaluator<'_> {
    /// Two vectors: series that share the labels they are matched by, pair by pair.
    pub(super) fn joined(
        &mut self,
        binary: &Binary,
        left: &[Series],
        right: &[Series],
        count: usize,
    ) -> Result<Vec<Series>, EvalError> {
        let matching = &binary.matching;
        // Nothing can match where one side is empty, so duplicates there are no error; with fill
        // everything can.
        let mut both = present_anywhere(left, count);
        if matching.fill.is_some() {
            both.add(&present_anywhere(right, count));
        } else {
            both.keep(&present_anywhere(right, count));
        }
        let mut out = Vec::new();
        for group in groups(left, right, matching) {
            let join = Join { binary, left, right, count };
            let swapped = matching.many == Many::Right;
            let (many, one) = if swapped { (&group.right, &group.left) } else { (&group.left, &group.right) };
            join.check_one_side(one, &both)?;
            if (many.is_empty() || one.is_empty()) && !matching.fill.is_some() {
                continue;
            }
            let before = out.len();
            if join.pairs(&group, &mut out)? {
                self.note_incompatible(binary);
            }
            self.spend((out.len() - before).saturating_mul(count))?;
        }
        out.retain(|series: &Series| !series.column.present.is_empty());
        merge_equal(out)
    }
}

fn present_anywhere(series: &[Series], count: usize) -> Bitmap {
    let mut out = Bitmap::clear(count);
    for one in series {
        out.add(&one.column.present);
    }
    out
}

/// The work on one group of series that match.
struct Join<'a> {
    binary: &'a Binary,
    left: &'a [Series],
    right: &'a [Series],
    count: usize,
}

impl Join<'_> {
    fn matching(&self) -> &Matching {
        &self.binary.matching
    }

    /// Series of the side that may have several, and of the side that may not.
    fn sides(&self) -> (&[Series], &[Series]) {
        if self.matching().many == Many::Right { (self.right, self.left) } else { (self.left, self.right) }
    }

    /// Refuses two series of one group at one step on the side that may have only one.
    fn check_one_side(&self, indexes: &[usize], both: &Bitmap) -> Result<(), EvalError> {
        let (_, one_side) = self.sides();
        let mut seen = Bitmap::clear(self.count);
        let mut first: Option<&Series> = None;
        for series in indexes.iter().filter_map(|i| one_side.get(*i)) {
            let here = series.column.present.common(both);
            if seen.overlaps(&here) {
                let side = if self.matching().many == Many::Right { "left" } else { "right" };
                let group = match_labels(&series.labels, self.matching());
                let other = first.map_or(String::new(), |s| s.labels.to_string());
                return Err(EvalError::execution(format!(
                    "found duplicate series for the match group {group} on the {side} hand-side of the \
                     operation: {other} and {}; many-to-many matching is not allowed: the matching labels must \
                     be unique on one side, name more of them in on() or aggregate that side first",
                    series.labels
                )));
            }
            seen.add(&here);
            first = first.or(Some(series));
        }
        Ok(())
    }

    /// Computes each pair of the group that meets at some step, then what `fill` stands in for. Whether samples met
    /// that do not fit.
    fn pairs(&self, group: &Group, out: &mut Vec<Series>) -> Result<bool, EvalError> {
        let swapped = self.matching().many == Many::Right;
        let (many, one) = if swapped { (&group.right, &group.left) } else { (&group.left, &group.right) };
        let (many_side, one_side) = self.sides();
        let many: Vec<&Series> = many.iter().filter_map(|i| many_side.get(*i)).collect();
        let one: Vec<&Series> = one.iter().filter_map(|i| one_side.get(*i)).collect();
        let mut matched =
            Matched { anywhere: Bitmap::clear(self.count), by_labels: HashMap::new(), incompatible: false };
        for many in &many {
            for one in &one {
                let meet = many.column.present.common(&one.column.present);
                self.pair(many, one, &meet, &mut matched, out)?;
            }
        }
        // Prometheus takes `fill_left` for the side that may have several, also with group_right,
        // where that is the right one; an answer should not depend on whom one asks.
        let fill = self.matching().fill;
        if let Some(value) = fill.right {
            let there = self.present(&one);
            for many in &many {
                let (other, meet) = self.stand_in(many, value, &there);
                self.pair(many, &other, &meet, &mut matched, out)?;
            }
        }
        if let Some(value) = fill.left {
            let there = self.present(&many);
            for one in &one {
                let (other, meet) = self.stand_in(one, value, &there);
                self.pair(&other, one, &meet, &mut matched, out)?;
            }
        }
        Ok(matched.incompatible)
    }

    fn present(&self, series: &[&Series]) -> Bitmap {
        let mut out = Bitmap::clear(self.count);
        for one in series {
            out.add(&one.column.present);
        }
        out
    }

    /// A partner for a series, with the labels they are matched by, and the steps where it lacks one.
    fn stand_in(&self, series: &Series, value: f64, there: &Bitmap) -> (Series, Bitmap) {
        let mut missing = series.column.present.clone();
        missing.remove(there);
        let column = Column::of(vec![value; self.count], missing.clone());
        (Series { labels: match_labels(&series.labels, self.matching()), drop_name: false, column }, missing)
    }

    /// Computes one pair where it meets.
    fn pair(
        &self,
        many: &Series,
        one: &Series,
        meet: &Bitmap,
        matched: &mut Matched,
        out: &mut Vec<Series>,
    ) -> Result<(), EvalError> {
        if meet.is_empty() {
            return Ok(());
        }
        let labels = self.result_labels(&many.labels, &one.labels)?;
        self.check_unique(&labels, meet, matched)?;
        let (a, b) = if self.matching().many == Many::Right { (one, many) } else { (many, one) };
        let column = self.column(&a.column, &b.column, meet, matched)?;
        let drop_name = self.binary.returns_bool || (self.binary.op.is_comparison() && many.drop_name);
        out.push(Series { labels, drop_name, column });
        Ok(())
    }

    fn column(&self, a: &Column, b: &Column, meet: &Bitmap, matched: &mut Matched) -> Result<Column, EvalError> {
        let op = self.binary.op;
        let filter = op.is_comparison() && !self.binary.returns_bool;
        let plain = a.histograms.is_none() && b.histograms.is_none();
        let mut column = Column::empty(self.count);
        for i in meet.ones() {
            if !plain && (a.is_histogram(i) || b.is_histogram(i)) {
                if opaque::of_two(op, a.is_histogram(i), b.is_histogram(i))? {
                    column.set(i, f64::NAN);
                    column.mark_histogram(i);
                } else {
                    matched.incompatible = true;
                }
                continue;
            }
            let (a, b) = (a.at(i), b.at(i));
            if !filter {
                column.set(i, compute(op, a, b));
            } else if holds(op, a, b) {
                column.set(i, a);
            }
        }
        Ok(column)
    }

    /// Refuses a second match of one series (one to one), or of one result (many to one).
    fn check_unique(&self, labels: &Labels, meet: &Bitmap, matched: &mut Matched) -> Result<(), EvalError> {
        if self.matching().many == Many::None {
            if matched.anywhere.overlaps(meet) {
                return Err(EvalError::execution(
                    "multiple matches for labels: several series on the left match one on the right; say so with \
                     group_left, or match by more labels",
                ));
            }
            matched.anywhere.add(meet);
            return Ok(());
        }
        let seen = matched.by_labels.entry(labels.clone()).or_insert_with(|| Bitmap::clear(self.count));
        if seen.overlaps(meet) {
            return Err(EvalError::execution(format!(
                "multiple matches for labels: grouping labels must ensure unique matches, {labels} would be there twice"
            )));
        }
        seen.add(meet);
        Ok(())
    }

    /// Labels of a result: those of the "many" side; one to one only those that were matched by.
    /// Arithmetic makes something else of the metric, so its name goes.
    fn result_labels(&self, many: &Labels, one: &Labels) -> Result<Labels, EvalError> {
        let matching = self.matching();
        let keep_name = self.binary.op.is_comparison();
        let named = matching.labels.as_deref().unwrap_or_default();
        let one_to_one = matching.many == Many::None;
        let labels = many.filter(|name| {
            let listed = named.iter().any(|n| n == name);
            (name != NAME_LABEL || keep_name) && (!one_to_one || listed == matching.on)
        });
        if matching.include.is_empty() {
            return Ok(labels);
        }
        let mut builder = labels.to_builder();
        for name in &matching.include {
            builder.set(name.as_str(), one.get(name).unwrap_or_default());
        }
        builder.build().map_err(|e| EvalError::execution(e.to_string()))
    }
}

/// Where results of a group stand already.
struct Matched {
    anywhere: Bitmap,
    by_labels: HashMap<Labels, Bitmap>,
    /// Whether samples met that the operator does not join: a number and a histogram.
    incompatible: bool,
}
