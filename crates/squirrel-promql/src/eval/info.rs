//! `info(v, {label="…"})`: labels of info metrics (`target_info`) joined to series of the same instance and job.

use std::collections::{BTreeSet, HashMap};

use squirrel_model::{Labels, MatchOp, Matcher, NAME_LABEL, is_histogram};

use super::column::{Column, Operand, Series, Steps, merge_equal};
use super::{Evaluator, argument};
use crate::EvalError;
use crate::ast::{Call, Expr, ExprKind, Selector, Shift};

/// The labels by which a series and its info series know each other; fixed, as in Prometheus.
const IDENTIFYING: [&str; 2] = ["instance", "job"];

/// With more values than these the store is asked for all info series, and the join sorts them out.
const MOST_ALTERNATIVES: usize = 64;

pub(crate) fn info(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Result<Operand, EvalError> {
    let wanted = Wanted::of(call)?;
    let shift = reference(argument(call, 0)?).unwrap_or_default();
    let base = eval.vector_arg(call, 0, steps)?;
    let enriched: Vec<bool> = base.iter().map(|one| !wanted.is_info(&one.labels)).collect();
    let matchers = wanted.matchers(base.iter().zip(&enriched).filter(|(_, yes)| **yes).map(|(one, _)| &one.labels))?;
    let infos = match matchers {
        // Their values are the times of their samples: the newest wins.
        Some(matchers) => match eval.latest(&Selector { name: None, matchers, shift }, steps, time_of_number)? {
            Operand::Vector(series) => series,
            _ => Vec::new(),
        },
        None => Vec::new(),
    };
    if let Some(one) = infos.iter().find(|one| one.column.has_histogram()) {
        let message = format!("info: an info series holds numbers, and {} holds native histograms", one.labels);
        return Err(EvalError::execution(message));
    }
    let mut by_identity: HashMap<Identity<'_>, Vec<usize>> = HashMap::new();
    for (i, one) in infos.iter().enumerate() {
        by_identity.entry(identity(&one.labels)).or_default().push(i);
    }
    let mut out = Vec::with_capacity(base.len());
    for (one, enriched) in base.iter().zip(enriched) {
        if enriched {
            let partners = by_identity.get(&identity(&one.labels)).map(Vec::as_slice).unwrap_or_default();
            eval.work(steps.count.saturating_mul(partners.len() + 1))?;
            join(one, partners, &infos, &wanted, steps.count, &mut out)?;
        } else {
            out.push(one.clone());
        }
    }
    Ok(Operand::Vector(merge_equal(out)?))
}

/// The time of a sample; a histogram stays one, to be found by its mark.
fn time_of_number(at: i64, value: f64) -> f64 {
    if is_histogram(value) { value } else { at as f64 }
}

type Identity<'a> = [Option<&'a str>; 2];

fn identity(labels: &Labels) -> Identity<'_> {
    IDENTIFYING.map(|name| labels.get(name))
}

/// What the second argument asks for.
struct Wanted<'a> {
    /// Which info metrics.
    names: Vec<Matcher>,
    /// Which of their labels; all when empty.
    data: Vec<&'a Matcher>,
}

impl<'a> Wanted<'a> {
    fn of(call: &'a Call) -> Result<Self, EvalError> {
        let given: &[Matcher] = match call.args.get(1).map(|arg| &arg.unwrapped().kind) {
            Some(ExprKind::Selector(selector)) => &selector.matchers,
            _ => &[],
        };
        let (names, data): (Vec<&Matcher>, Vec<&Matcher>) = given.iter().partition(|m| m.name() == NAME_LABEL);
        let mut names: Vec<Matcher> = names.into_iter().cloned().collect();
        if names.is_empty() {
            names.push(Matcher::equal(NAME_LABEL, "target_info"));
        } else if !names.iter().any(|m| matches!(m.op(), MatchOp::Equal | MatchOp::Regex)) {
            // Only exclusions: of all that are called info.
            names.push(matcher(NAME_LABEL, ".+_info")?);
        }
        Ok(Self { names, data })
    }

    /// Whether these are the labels of an info series itself.
    fn is_info(&self, labels: &Labels) -> bool {
        let name = labels.get(NAME_LABEL).unwrap_or_default();
        self.names.iter().all(|m| m.matches(name))
    }

    /// Selects the info series of the given series; `None` when these have nothing to be known by.
    fn matchers<'l>(&self, base: impl Iterator<Item = &'l Labels>) -> Result<Option<Vec<Matcher>>, EvalError> {
        let mut values: [BTreeSet<&str>; 2] = Default::default();
        for labels in base {
            for (values, value) in values.iter_mut().zip(identity(labels)) {
                values.extend(value);
            }
        }
        if values.iter().all(BTreeSet::is_empty) {
            return Ok(None);
        }
        let mut out = self.names.clone();
        out.extend(self.data.iter().copied().cloned());
        for (name, values) in IDENTIFYING.into_iter().zip(values) {
            if !values.is_empty() && values.len() <= MOST_ALTERNATIVES {
                let alternatives: Vec<String> = values.into_iter().map(regex::escape).collect();
                // A series may lack the label: then its info series lacks it too.
                out.push(matcher(name, &format!("{}|", alternatives.join("|")))?);
            }
        }
        Ok(Some(out))
    }

    fn takes(&self, label: &str) -> bool {
        label != NAME_LABEL && (self.data.is_empty() || self.data.iter().any(|m| m.name() == label))
    }

    /// Whether a series without any info series stays.
    fn accepts_none(&self) -> bool {
        self.data.iter().all(|m| m.matches_absent())
    }
}

fn matcher(name: &str, pattern: &str) -> Result<Matcher, EvalError> {
    Matcher::new(name, MatchOp::Regex, pattern).map_err(|e| EvalError::execution(format!("info: {e}")))
}

/// The time at which the first selector of an expression looks: its own `@` and `offset`, and those of the
/// subqueries around it up to the first `@`.
fn reference(expr: &Expr) -> Option<Shift> {
    match &expr.kind {
        ExprKind::Selector(selector) | ExprKind::Range { selector, .. } => Some(selector.shift),
        ExprKind::Subquery(subquery) => {
            let inner = reference(&subquery.expr)?;
            if inner.at.is_some() {
                return Some(inner);
            }
            let offset = inner.offset_ms.unwrap_or(0).saturating_add(subquery.shift.offset_ms.unwrap_or(0));
            Some(Shift { offset_ms: Some(offset), at: subquery.shift.at })
        }
        _ => expr.children().into_iter().find_map(reference),
    }
}

/// Adds the labels of its partners to one series: one series for each set of partners that it has over time.
fn join(
    base: &Series,
    partners: &[usize],
    infos: &[Series],
    wanted: &Wanted<'_>,
    count: usize,
    out: &mut Vec<Series>,
) -> Result<(), EvalError> {
    let mut places: HashMap<Vec<usize>, Option<usize>> = HashMap::new();
    for (step, value) in base.column.iter() {
        let chosen = newest(partners, infos, step)?;
        let place = if let Some(place) = places.get(&chosen) {
            *place
        } else {
            let place = (!chosen.is_empty() || wanted.accepts_none()).then_some(out.len());
            if place.is_some() {
                let labels = with_labels_of(&base.labels, &chosen, infos, wanted)?;
                out.push(Series { labels, drop_name: base.drop_name, column: Column::empty(count) });
            }
            places.insert(chosen, place);
            place
        };
        if let Some(series) = place.and_then(|place| out.get_mut(place)) {
            series.column.set(step, value);
            if base.column.is_histogram(step) {
                series.column.mark_histogram(step);
            }
        }
    }
    Ok(())
}

/// Of each info metric the series with the newest sample at this step.
fn newest(partners: &[usize], infos: &[Series], step: usize) -> Result<Vec<usize>, EvalError> {
    let mut chosen: Vec<(usize, f64)> = Vec::with_capacity(1);
    for (i, one) in partners.iter().filter_map(|i| Some((*i, infos.get(*i)?))) {
        let Some(at) = one.column.get(step) else { continue };
        let name = |i: usize| infos.get(i).and_then(|info| info.labels.get(NAME_LABEL));
        match chosen.iter_mut().find(|(other, _)| name(*other) == name(i)) {
            None => chosen.push((i, at)),
            Some(slot) if slot.1 < at => *slot = (i, at),
            Some(slot) if slot.1 > at => {}
            Some((other, _)) => {
                let other = infos.get(*other).map(|info| info.labels.to_string()).unwrap_or_default();
                return Err(EvalError::execution(format!(
                    "info: two series of one info metric have a sample of the same time: {other} and {}",
                    one.labels
                )));
            }
        }
    }
    Ok(chosen.into_iter().map(|(i, _)| i).collect())
}

/// The labels of the series, and those of its info series that it does not have itself.
fn with_labels_of(base: &Labels, chosen: &[usize], infos: &[Series], wanted: &Wanted<'_>) -> Result<Labels, EvalError> {
    let mut added: HashMap<&str, &str> = HashMap::new();
    let mut builder = base.to_builder();
    for info in chosen.iter().filter_map(|i| infos.get(*i)) {
        for (name, value) in info.labels.iter().filter(|(name, _)| wanted.takes(name)) {
            if base.get(name).is_some() {
                continue;
            }
            if added.insert(name, value).is_some_and(|other| other != value) {
                return Err(EvalError::execution(format!(
                    "info: conflicting label: {name} has two values in the info series of {base}"
                )));
            }
            builder.set(name, value);
        }
    }
    builder.build().map_err(|e| EvalError::execution(format!("info: {e}")))
}
