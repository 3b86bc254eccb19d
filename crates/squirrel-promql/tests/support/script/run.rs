//! Runs a file of cases.

use squirrel_model::{Labels, Select, TimeRange, Timestamp, histogram_marker, is_stale};
use squirrel_promql::ast::{Expr, Type};
use squirrel_promql::{
    Answer, EvalError, EvalOptions, InstantSample, ParseOptions, Value, evaluate_instant, evaluate_range, parse,
    selectors,
};
use squirrel_testkit::MemorySelect;

use super::commands::{Case, Command, Expect, When, commands};
use super::compare::compare;
use super::derived::{fits_a_range, pinned};
use super::points::Point;

/// How a case went.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// As wanted.
    Passed,
    /// Otherwise, and how.
    Failed(String),
    /// The case is about something that is not ours, and what.
    NotApplicable(String),
}

/// A case, its line, and how it went.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) line: usize,
    pub(crate) query: String,
    pub(crate) verdict: Verdict,
}

/// Syntax of experiments that Squirrel does not have: a query with one of these words is judged
/// apart when it does not parse.
const NOT_OURS: [&str; 9] =
    ["anchored", "smoothed", "limit_ratio", "step()", "range()", "max_of(", "min_of(", "</", ">/"];

/// What the refusal of an answer that needs the content of histograms says.
const OPAQUE: &str = "the content of native histograms";

/// The store while a file runs, and which of its series hold what is not ours.
#[derive(Default)]
struct State {
    store: MemorySelect,
    foreign: MemorySelect,
}

/// Runs all cases of a file. `experimental` lets experimental functions be used.
///
/// # Errors
/// A file that cannot be read as cases.
pub(crate) fn run(text: &str, experimental: bool) -> Result<Vec<Outcome>, String> {
    let options = ParseOptions { experimental, ..ParseOptions::default() };
    let mut state = State::default();
    let mut out = Vec::new();
    for command in commands(text)? {
        match command {
            Command::Clear => state = State::default(),
            Command::Load { step_ms, series, with_native } => load(&mut state, step_ms, &series, with_native)?,
            Command::Eval(case) => {
                let verdict = judge(&state, &case, &options);
                out.push(Outcome { line: case.line, query: case.query, verdict });
            }
        }
    }
    Ok(out)
}

fn load(
    state: &mut State,
    step_ms: i64,
    series: &[super::points::SeriesLine],
    with_native: bool,
) -> Result<(), String> {
    for line in series {
        if line.foreign {
            state.foreign.put(&line.labels, 0, 0.0);
        }
        let base = line.labels.metric_name().strip_suffix("_bucket").filter(|_| with_native);
        let native = base.map(|base| {
            let mut builder = line.labels.filter(|name| name != "le").to_builder();
            builder.set("__name__", base).build().map_err(|e| e.to_string())
        });
        let native = native.transpose()?;
        for (i, point) in line.points.iter().enumerate() {
            let value = match point {
                Point::Value(value) => *value,
                Point::Histogram => histogram_marker(),
                Point::None => continue,
            };
            state.store.put(&line.labels, step_ms * i as i64, value);
            if let Some(native) = native.as_ref().filter(|_| !is_stale(value)) {
                state.store.put(native, step_ms * i as i64, histogram_marker());
            }
        }
    }
    Ok(())
}

fn judge(state: &State, case: &Case, options: &ParseOptions) -> Verdict {
    if let Some(reason) = &case.foreign {
        return Verdict::NotApplicable(reason.clone());
    }
    let expr = match parse(&case.query, options) {
        Ok(expr) => expr,
        Err(e) => {
            let other = NOT_OURS.iter().find(|word| case.query.to_lowercase().contains(*word));
            return match other {
                _ if computed_duration(&case.query) => Verdict::NotApplicable("computed durations".to_owned()),
                Some(word) => Verdict::NotApplicable(format!("{word:?} is not part of our language")),
                None if e.to_string().contains("is experimental") => Verdict::NotApplicable(e.to_string()),
                None if case.expect.fails => Verdict::Passed,
                None => Verdict::Failed(e.to_string()),
            };
        }
    };
    let foreign = selectors(&expr)
        .into_iter()
        .any(|matchers| state.foreign.find(matchers, TimeRange::ALL).is_ok_and(|found| !found.is_empty()));
    if holds_types(&state.store) {
        return Verdict::NotApplicable("type and unit labels are a mode that we do not have".to_owned());
    }
    if foreign {
        return Verdict::NotApplicable("a series holds start timestamps".to_owned());
    }
    match check(state, case, &expr) {
        Ok(()) => Verdict::Passed,
        Err(difference) if difference.contains(OPAQUE) => {
            Verdict::NotApplicable("the content of native histograms is asked for".to_owned())
        }
        Err(difference) if difference.contains("is not there yet") => Verdict::NotApplicable(difference),
        Err(difference) => Verdict::Failed(difference),
    }
}

/// Whether series have the labels of that mode, in which other labels are dropped with the name.
fn holds_types(store: &MemorySelect) -> bool {
    let names = store.label_names(&[], TimeRange::ALL).unwrap_or_default();
    names.iter().any(|name| matches!(name.as_str(), "__type__" | "__unit__"))
}

/// Whether a range or offset is computed: `[5m + 1m]`, `offset (2 * 2)`.
fn computed_duration(query: &str) -> bool {
    let inside = query.split('[').skip(1).filter_map(|rest| rest.split(']').next());
    let mut brackets = inside.chain([""]);
    let after_offset =
        query.split("offset").skip(1).any(|rest| rest.trim_start().trim_start_matches('-').starts_with('('));
    after_offset || brackets.any(|text| text.trim_start_matches('-').contains(['+', '-', '*', '/', '%', '^', '(']))
}

fn check(state: &State, case: &Case, expr: &Expr) -> Result<(), String> {
    let options = EvalOptions::default();
    let stop = || false;
    let result = match case.when {
        When::Instant(at) => evaluate_instant(expr, &state.store, Timestamp(at), &options, &stop),
        When::Range { start, end, step } => {
            evaluate_range(expr, &state.store, Timestamp(start), Timestamp(end), step, &options, &stop)
        }
    };
    match (result, case.expect.fails) {
        (Ok(answer), false) => compare(&answer, case)?,
        (Ok(answer), true) => return Err(format!("expected a failure, got {:?}", answer.value)),
        (Err(_), true) => return Ok(()),
        (Err(e), false) => return Err(format!("failed: {e}")),
    }
    match case.when {
        When::Instant(at) => derived(state, case, expr, at),
        When::Range { .. } => Ok(()),
    }
}

/// Asks the same in other ways. Notes are compared only in the plain form.
fn derived(state: &State, case: &Case, expr: &Expr, at: i64) -> Result<(), String> {
    let options = EvalOptions::default();
    let stop = || false;
    let expect = Expect { warns: None, informs: None, ..case.expect.clone() };
    let quiet = Case { expect, ..case.clone() };
    let again = expr.to_string();
    let reparse = |text: &str| {
        let options = ParseOptions { experimental: true, ..ParseOptions::default() };
        parse(text, &options).map_err(|e| format!("{text:?} is not parsed back: {e}"))
    };
    let again = reparse(&again)?;
    if let Some(text) = pinned(&again, at) {
        let pinned = reparse(&text)?;
        for time in [-10 * at, 0, at / 5, at, 10 * at] {
            let answer = evaluate_instant(&pinned, &state.store, Timestamp(time), &options, &stop);
            if answer.as_ref().is_err_and(|e| matches!(e, EvalError::HistogramContent { .. })) {
                continue;
            }
            let answer = answer.map_err(|e| format!("{text} at {time} ms failed: {e}"))?;
            compare(&answer, &quiet).map_err(|e| format!("{text} at {time} ms: {e}"))?;
        }
    }
    let by_range = matches!(expr.result_type(), Type::Scalar | Type::Vector);
    if by_range && !case.expect.ordered && fits_a_range(expr) {
        let (start, end) = (Timestamp(at - 60_000), Timestamp(at + 60_000));
        let answer = evaluate_range(&again, &state.store, start, end, 60_000, &options, &stop);
        if answer.as_ref().is_err_and(|e| matches!(e, EvalError::HistogramContent { .. })) {
            // At another moment than the one that was asked for.
            return Ok(());
        }
        let answer = answer.map_err(|e| format!("as a range query it failed: {e}"))?;
        let middle = middle(answer, at, expr.result_type());
        compare(&middle, &quiet).map_err(|e| format!("in the middle of a range query: {e}"))?;
    }
    Ok(())
}

/// What a range query says about one of its moments.
fn middle(answer: Answer, at: i64, given: Type) -> Answer {
    let Value::Matrix(rows) = answer.value else { return answer };
    let value = |samples: &squirrel_model::Samples| {
        let i = samples.times.binary_search(&at).ok()?;
        samples.values.get(i).copied()
    };
    let samples = rows.iter().filter_map(|(labels, samples)| {
        Some(InstantSample { labels: Labels::clone(labels), time: Timestamp(at), value: value(samples)? })
    });
    let samples: Vec<InstantSample> = samples.collect();
    let value = match (given, samples.first()) {
        (Type::Scalar, Some(sample)) => Value::Scalar(Timestamp(at), sample.value),
        _ => Value::Vector(samples),
    };
    Answer { value, ..answer }
}
