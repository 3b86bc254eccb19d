//! Further questions that must have the same answer as a given instant query: with all selectors
//! pinned by `@` and asked at other moments, and as the middle of a range query. They find what
//! depends on the time of evaluation where it should not.

use squirrel_model::Timestamp;
use squirrel_promql::ast::{At, Expr, ExprKind, Shift};

/// Functions that look at the time of evaluation themselves.
const OF_TIME: [&str; 15] = [
    "start",
    "end",
    "step",
    "range",
    "time",
    "timestamp",
    "predict_linear",
    "year",
    "month",
    "minute",
    "hour",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
];

fn any(expr: &Expr, test: &dyn Fn(&Expr) -> bool) -> bool {
    test(expr) || expr.children().into_iter().any(|child| any(child, test))
}

/// The expression with every selector pinned, as text; none if it looks at the time itself.
pub(crate) fn pinned(expr: &Expr, at_ms: i64) -> Option<String> {
    let of_time = |e: &Expr| matches!(&e.kind, ExprKind::Call(c) if OF_TIME.contains(&c.function.name));
    if any(expr, &of_time) || !fits_a_range(expr) {
        return None;
    }
    let mut expr = expr.clone();
    pin(&mut expr, At::Time(Timestamp(at_ms)));
    Some(expr.to_string())
}

fn pin(expr: &mut Expr, at: At) {
    match &mut expr.kind {
        ExprKind::Number { .. } | ExprKind::String(_) => {}
        ExprKind::Selector(selector) | ExprKind::Range { selector, .. } => set(&mut selector.shift, at),
        ExprKind::Subquery(subquery) => {
            // Below a pinned subquery the moments are the subquery's own.
            set(&mut subquery.shift, at);
        }
        ExprKind::Paren(inner) | ExprKind::Unary { operand: inner, .. } => pin(inner, at),
        ExprKind::Binary(binary) => {
            pin(&mut binary.left, at);
            pin(&mut binary.right, at);
        }
        ExprKind::Aggregate(aggregate) => {
            aggregate.param.iter_mut().for_each(|param| pin(param, at));
            pin(&mut aggregate.expr, at);
        }
        ExprKind::Call(call) => {
            // The second argument of `info` is a condition on labels, not a look at the store.
            let vectors = if call.function.name == "info" { 1 } else { usize::MAX };
            call.args.iter_mut().take(vectors).for_each(|arg| pin(arg, at));
        }
    }
}

fn set(shift: &mut Shift, at: At) {
    shift.at.get_or_insert(at);
}

/// Whether the middle of a range query is the same question: not where the query names its ends.
pub(crate) fn fits_a_range(expr: &Expr) -> bool {
    let names_ends = |e: &Expr| match &e.kind {
        ExprKind::Selector(s) | ExprKind::Range { selector: s, .. } => {
            matches!(s.shift.at, Some(At::Start | At::End))
        }
        ExprKind::Subquery(s) => matches!(s.shift.at, Some(At::Start | At::End)),
        ExprKind::Call(c) => matches!(c.function.name, "start" | "end" | "step" | "range"),
        _ => false,
    };
    !any(expr, &names_ends)
}
