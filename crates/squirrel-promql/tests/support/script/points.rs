//! Lines that describe a series: labels, then its samples in short form.

use squirrel_model::{Labels, MatchOp, NAME_LABEL, stale_marker};
use squirrel_promql::{ParseOptions, ast::ExprKind, parse, parse_selector};

/// One place in a series' list of samples.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Point {
    /// No sample.
    None,
    /// A sample.
    Value(f64),
    /// A native histogram.
    Histogram,
}

/// A series and its points.
#[derive(Clone, Debug)]
pub(crate) struct SeriesLine {
    pub(crate) labels: Labels,
    pub(crate) points: Vec<Point>,
    /// Whether the line speaks of start timestamps, which are not ours.
    pub(crate) foreign: bool,
}

/// Milliseconds of a duration such as `5m` or a number of seconds.
pub(crate) fn duration_ms(text: &str) -> Result<i64, String> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    match parse(text, &ParseOptions::default()).map(|expr| expr.kind) {
        Ok(ExprKind::Number { value, .. }) => Ok(sign * (value * 1000.0).round() as i64),
        _ => Err(format!("{text:?} is no duration")),
    }
}

/// Reads `name{label="value"} points…`.
pub(crate) fn series_line(line: &str) -> Result<SeriesLine, String> {
    let (metric, points) = split_metric(line);
    let (metric, start_times) = metric.strip_suffix("@st").map_or((metric, false), |rest| (rest, true));
    let mut out = SeriesLine { labels: labels(metric)?, points: Vec::new(), foreign: start_times };
    if !out.foreign {
        for token in tokens(points) {
            point(token, &mut out.points).ok_or_else(|| format!("cannot read point {token:?} of {line:?}"))?;
        }
    }
    Ok(out)
}

/// The words of a list of samples; blanks within the braces of a histogram part none.
fn tokens(points: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = points.trim_start();
    while !rest.is_empty() {
        let mut depth = 0_usize;
        let end = rest.char_indices().find(|(_, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c.is_whitespace() && depth == 0
        });
        let (token, after) = rest.split_at(end.map_or(rest.len(), |(i, _)| i));
        out.push(token);
        rest = after.trim_start();
    }
    out
}

/// Parts the metric from what follows: at the end of its braces, else at the first blank.
fn split_metric(line: &str) -> (&str, &str) {
    let mut quote: Option<char> = None;
    let mut depth = 0;
    let mut escaped = false;
    for (i, c) in line.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(q) if c == '\\' && q != '`' => escaped = true,
            Some(q) if c == q => quote = None,
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None if c == '{' => depth += 1,
            None if c == '}' => depth -= 1,
            None if c.is_whitespace() && depth == 0 => return line.split_at(i),
            _ => {}
        }
    }
    (line, "")
}

/// Labels from a selector of equalities; `{}` is the empty set.
pub(crate) fn labels(text: &str) -> Result<Labels, String> {
    let text = text.trim();
    // A selector must name something; the dummy name is taken away again.
    let (matchers, dummy) = match parse_selector(text) {
        Ok(matchers) => (matchers, false),
        Err(_) => (parse_selector(&format!("dummy{text}")).map_err(|e| format!("{text:?}: {e}"))?, true),
    };
    if matchers.iter().any(|m| m.op() != MatchOp::Equal) {
        return Err(format!("{text:?} is no series"));
    }
    let pairs = matchers.iter().filter(|m| !dummy || m.name() != NAME_LABEL);
    Labels::new(pairs.map(|m| (m.name(), m.value()))).map_err(|e| format!("{text:?}: {e}"))
}

/// One token: `_`, `_x3`, `stale`, `7`, `7x3` (four times), `1+2x3` (1 3 5 7), `1-2x3`, `{{count:1}}x3`.
fn point(token: &str, out: &mut Vec<Point>) -> Option<()> {
    let (body, times) = match token.rsplit_once('x').filter(|(_, times)| !times.contains('}')) {
        Some((body, times)) => (body, Some(times.parse::<usize>().ok()?)),
        None => (token, None),
    };
    match body {
        _ if body.starts_with("{{") => {
            out.extend(std::iter::repeat_n(Point::Histogram, times.map_or(1, |n| n + 1)));
        }
        "_" => out.extend(std::iter::repeat_n(Point::None, times.unwrap_or(1))),
        "stale" => out.extend(std::iter::repeat_n(Point::Value(stale_marker()), times.map_or(1, |n| n + 1))),
        _ => {
            let (mut value, step) = value_and_step(body)?;
            for _ in 0..times.map_or(1, |n| n + 1) {
                out.push(Point::Value(value));
                value += step;
            }
        }
    }
    Some(())
}

/// `1+2`, `1-2`, `-1e+3`, `Inf`: the number and, behind a sign that is not the number's own, the
/// step.
fn value_and_step(body: &str) -> Option<(f64, f64)> {
    for (i, _) in body.char_indices().skip(1).filter(|(_, c)| matches!(c, '+' | '-')) {
        let (value, step) = body.split_at(i);
        if let (Some(value), Some(step)) = (number(value), number(step)) {
            return Some((value, step));
        }
    }
    number(body).map(|value| (value, 0.0))
}

/// A number in any notation of the language, with an optional sign.
pub(crate) fn number(text: &str) -> Option<f64> {
    match parse(text, &ParseOptions::default()).ok()?.kind {
        ExprKind::Number { value, .. } => Some(value),
        _ => None,
    }
}
