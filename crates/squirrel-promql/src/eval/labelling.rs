//! Functions that change labels. They look at series, never at values.

use squirrel_model::{Labels, NAME_LABEL};

use super::column::{Operand, Series, Steps, merge_equal};
use super::{Evaluator, argument};
use crate::EvalError;
use crate::ast::{Call, Expr, ExprKind};

/// A string argument; the checks let only literals pass.
pub(super) fn text(call: &Call, i: usize) -> Result<&str, EvalError> {
    match &argument(call, i)?.unwrapped().kind {
        ExprKind::String(text) => Ok(text),
        _ => Err(EvalError::execution("expected a string literal")),
    }
}

/// `series` with one label set (or, with an empty value, removed).
fn with_label(one: &mut Series, label: &str, value: &str, function: &str) -> Result<(), EvalError> {
    let mut builder = one.labels.to_builder();
    builder.set(label, value);
    one.labels = builder.build().map_err(|e| EvalError::execution(format!("{function}: {e}")))?;
    if label == NAME_LABEL {
        // A name given on purpose stays.
        one.drop_name = false;
    }
    Ok(())
}

/// Refuses a label name that no series can have, even if there is no series.
fn check_label(label: &str, function: &str) -> Result<(), EvalError> {
    match Labels::new([(label, "x")]) {
        Ok(_) => Ok(()),
        Err(e) => Err(EvalError::execution(format!("{function}: {e}"))),
    }
}

/// `label_replace(v, to, replacement, from, pattern)`.
pub(crate) fn replace(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Result<Operand, EvalError> {
    let (to, replacement) = (text(call, 1)?, text(call, 2)?);
    let (from, pattern) = (text(call, 3)?, text(call, 4)?);
    let regex = squirrel_model::anchored_regex(pattern, eval.options.max_regex_bytes)
        .map_err(|reason| EvalError::execution(format!("label_replace: regular expression {pattern:?}: {reason}")))?;
    check_label(to, "label_replace")?;
    let mut series = eval.vector_arg(call, 0, steps)?;
    for one in &mut series {
        let labels = one.labels.clone();
        if let Some(found) = regex.captures(labels.get(from).unwrap_or_default()) {
            let mut value = String::new();
            found.expand(replacement, &mut value);
            with_label(one, to, &value, "label_replace")?;
        }
    }
    Ok(Operand::Vector(merge_equal(series)?))
}

/// `label_join(v, to, separator, from, …)`.
pub(crate) fn join(eval: &mut Evaluator<'_>, _: &Expr, call: &Call, steps: Steps) -> Result<Operand, EvalError> {
    let (to, separator) = (text(call, 1)?, text(call, 2)?);
    check_label(to, "label_join")?;
    let mut sources = Vec::new();
    for i in 3..call.args.len() {
        let source = text(call, i)?;
        check_label(source, "label_join")?;
        sources.push(source);
    }
    let mut series = eval.vector_arg(call, 0, steps)?;
    for one in &mut series {
        let parts: Vec<&str> = sources.iter().map(|source| one.labels.get(source).unwrap_or_default()).collect();
        let value = parts.join(separator);
        with_label(one, to, &value, "label_join")?;
    }
    Ok(Operand::Vector(merge_equal(series)?))
}
