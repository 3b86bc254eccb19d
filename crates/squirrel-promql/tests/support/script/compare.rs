//! Whether an answer is the wanted one.

use squirrel_model::{Labels, Samples, is_stale};
use squirrel_promql::{Answer, Value};

use super::commands::{Case, Expect, When};
use super::points::Point;

/// Equal but for roundings: to a millionth.
pub(crate) fn nearly_equal(a: f64, b: f64) -> bool {
    if is_stale(a) || is_stale(b) {
        return is_stale(a) && is_stale(b);
    }
    if (a.is_nan() && b.is_nan()) || a == b {
        return true;
    }
    let (sum, distance) = ((a.abs() + b.abs()).min(f64::MAX), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return distance < 1e-6 * f64::MIN_POSITIVE;
    }
    distance / sum < 1e-6
}

/// Compares, and says what differs.
pub(crate) fn compare(answer: &Answer, case: &Case) -> Result<(), String> {
    notes(&answer.warnings, case.expect.warns, "warning")?;
    notes(&answer.infos, case.expect.informs, "info")?;
    value(&answer.value, case)
}

fn notes(given: &[String], wanted: Option<bool>, kind: &str) -> Result<(), String> {
    match wanted {
        Some(true) if given.is_empty() => Err(format!("expected a {kind}, got none")),
        Some(false) if !given.is_empty() => Err(format!("expected no {kind}, got {given:?}")),
        _ => Ok(()),
    }
}

fn value(value: &Value, case: &Case) -> Result<(), String> {
    let expect = &case.expect;
    match value {
        Value::Scalar(_, got) => match expect.scalar {
            Some(want) if nearly_equal(*got, want) => Ok(()),
            want => Err(format!("expected {want:?}, got the scalar {got}")),
        },
        Value::String(got) => match &expect.text {
            Some(want) if want == got => Ok(()),
            want => Err(format!("expected {want:?}, got the text {got:?}")),
        },
        Value::Vector(got) => {
            let got: Vec<_> = got.iter().map(|s| (s.labels.clone(), s.value)).collect();
            vector(&got, expect)
        }
        Value::Matrix(got) => match (case.when, expect.matrix) {
            (When::Range { start, step, .. }, _) | (When::Instant(_), Some((start, step))) => {
                matrix(got, expect, start, step)
            }
            (When::Instant(_), None) if expect.series.is_empty() => {
                if got.is_empty() {
                    Ok(())
                } else {
                    Err(format!("expected nothing, got {got:?}"))
                }
            }
            (When::Instant(_), None) => Err(format!("expected a vector, got {got:?}")),
        },
    }
}

fn vector(got: &[(Labels, f64)], expect: &Expect) -> Result<(), String> {
    let shown = || format!("got {got:?}, expected {:?}", expect.series);
    if expect.scalar.is_some() || got.len() != expect.series.len() {
        return Err(format!("{} series: {}", got.len(), shown()));
    }
    for (place, want) in expect.series.iter().enumerate() {
        let found = got.iter().position(|(labels, _)| *labels == want.labels);
        let Some(found) = found else { return Err(format!("{} is missing: {}", want.labels, shown())) };
        if expect.ordered && found != place {
            return Err(format!("{} stands at place {found}: {}", want.labels, shown()));
        }
        let [Point::Value(value)] = want.points[..] else { return Err(format!("one value is wanted: {want:?}")) };
        if !nearly_equal(got[found].1, value) {
            return Err(format!("{}: got {}, expected {value}", want.labels, got[found].1));
        }
    }
    Ok(())
}

fn matrix(got: &[(Labels, Samples)], expect: &Expect, start: i64, step: i64) -> Result<(), String> {
    let shown = || format!("got {got:?}, expected {:?}", expect.series);
    if !got.is_sorted_by(|a, b| a.0 < b.0) {
        return Err(format!("not in the order of labels: {}", shown()));
    }
    let scalar = expect.scalar.map(|value| super::points::SeriesLine {
        labels: Labels::empty(),
        points: vec![Point::Value(value)],
        foreign: false,
    });
    let wanted: Vec<_> = expect.series.iter().chain(&scalar).collect();
    if got.len() != wanted.len() {
        return Err(format!("{} series: {}", got.len(), shown()));
    }
    for want in wanted {
        let Some((_, samples)) = got.iter().find(|(labels, _)| *labels == want.labels) else {
            return Err(format!("{} is missing: {}", want.labels, shown()));
        };
        let points = want.points.iter().enumerate().filter_map(|(i, point)| match point {
            Point::Value(value) => Some((start + step * i as i64, *value)),
            Point::None | Point::Histogram => None,
        });
        let points: Vec<_> = points.collect();
        let same_times = samples.times.iter().eq(points.iter().map(|(time, _)| time));
        let same_values = samples.values.iter().zip(&points).all(|(a, (_, b))| nearly_equal(*a, *b));
        if !same_times || !same_values {
            return Err(format!("{}: got {samples:?}, expected {points:?}", want.labels));
        }
    }
    Ok(())
}
