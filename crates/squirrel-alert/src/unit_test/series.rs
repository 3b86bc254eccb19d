//! Series in short form: `up{job="a"}` and `0 1+2x5 _x3 stale`.

use squirrel_model::{Labels, MatchOp, NAME_LABEL, stale_marker};
use squirrel_promql::ast::ExprKind;
use squirrel_promql::{ParseOptions, parse, parse_selector};

/// Most samples of one series.
const MAX_SAMPLES: usize = 1_000_000;

/// Labels from a name and equalities in braces; `{}` is the empty set.
pub(super) fn labels(text: &str) -> Result<Labels, String> {
    let text = text.trim();
    // A selector must select something: a name is lent to one that has none, and taken back.
    let (matchers, lent) = match parse_selector(text) {
        Ok(matchers) => (matchers, false),
        Err(first) => match parse_selector(&format!("lent{text}")) {
            Ok(matchers) if text.starts_with('{') => (matchers, true),
            _ => return Err(format!("{text:?} is no series: {}", first.message)),
        },
    };
    if let Some(other) = matchers.iter().find(|m| m.op() != MatchOp::Equal) {
        return Err(format!("{text:?} is no series: {other} is a condition, write {}=\"…\"", other.name()));
    }
    let pairs = matchers.iter().filter(|m| !lent || m.name() != NAME_LABEL);
    Labels::new(pairs.map(|m| (m.name(), m.value()))).map_err(|e| format!("{text:?}: {e}"))
}

/// The samples of a series, one for each step; none where there is a gap.
pub(super) fn values(text: &str) -> Result<Vec<Option<f64>>, String> {
    let mut out = Vec::new();
    for token in text.split_whitespace() {
        let refused = || {
            format!(
                "{token:?} is no sample: write a number, 1x5 (six of them), 1+2x5 (rising by 2), _ (none), _x5, stale"
            )
        };
        add(token, &mut out).ok_or_else(refused)?;
        if out.len() > MAX_SAMPLES {
            return Err(format!("more than {MAX_SAMPLES} samples in one series"));
        }
    }
    Ok(out)
}

fn add(token: &str, out: &mut Vec<Option<f64>>) -> Option<()> {
    let (body, times) = match token.rsplit_once('x') {
        // 0x5 is six zeros and no hexadecimal number.
        Some((body, times)) => (body, Some(times.parse::<usize>().ok()?.min(MAX_SAMPLES))),
        None => (token, None),
    };
    if body == "_" {
        out.extend(std::iter::repeat_n(None, times.unwrap_or(1)));
        return Some(());
    }
    let (mut value, step) = if body == "stale" { (stale_marker(), 0.0) } else { value_and_step(body)? };
    for i in 0..=times.unwrap_or(0) {
        // Adding nothing would make another number of the marker that is none.
        if i > 0 && step != 0.0 {
            value += step;
        }
        out.push(Some(value));
    }
    Some(())
}

/// The number and, behind a sign that is not the number's own, the step.
fn value_and_step(body: &str) -> Option<(f64, f64)> {
    for (i, _) in body.char_indices().skip(1).filter(|(_, c)| matches!(c, '+' | '-')) {
        let (value, step) = body.split_at(i);
        if let (Some(value), Some(step)) = (number(value), number(step)) {
            return Some((value, step));
        }
    }
    number(body).map(|value| (value, 0.0))
}

fn number(text: &str) -> Option<f64> {
    match parse(text, &ParseOptions::default()).ok()?.kind {
        ExprKind::Number { value, duration: false } => Some(value),
        ExprKind::Unary { minus, operand } => match operand.kind {
            ExprKind::Number { value, duration: false } => Some(if minus { -value } else { value }),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_forms_are_written_out() {
        let shown = |text: &str| values(text).unwrap().iter().map(|v| v.unwrap_or(-99.0)).collect::<Vec<_>>();
        assert_eq!(shown("1 -2.5 1e3"), [1.0, -2.5, 1000.0]);
        assert_eq!(shown("1x2 _ _x2 0x1"), [1.0, 1.0, 1.0, -99.0, -99.0, -99.0, 0.0, 0.0]);
        assert_eq!(shown("0+10x3 5-2x2 -1+1x1"), [0.0, 10.0, 20.0, 30.0, 5.0, 3.0, 1.0, -1.0, 0.0]);
        assert!(squirrel_model::is_stale(values("stalex1").unwrap()[1].unwrap()));
    }

    #[test]
    fn what_is_no_series_is_refused() {
        assert_eq!(labels("{}").unwrap(), Labels::empty());
        assert_eq!(labels("a{b=\"c\"}").unwrap().to_string(), "a{b=\"c\"}");
        for text in ["a{b=~\"c\"}", "a b", "a{", "sum(a)"] {
            assert!(labels(text).is_err(), "{text}");
        }
        for text in ["x", "1y", "1x", "1xx2", "{{schema:1}}", "1+x3"] {
            assert!(values(text).is_err(), "{text}");
        }
        assert!(values("1x99999999999 1x2").unwrap_err().contains("more than"));
    }

    proptest! {
        #[test]
        fn any_series_is_survived(text in "[-0-9x+_. staleinf]{0,20}", name in "[a-z{}=\"~, ]{0,20}") {
            let _ = values(&text);
            let _ = labels(&name);
        }
    }
}
