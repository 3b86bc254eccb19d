//! What the values of an alerting expression are held against.

use squirrel_promql::Expr;
use squirrel_promql::ast::{BinaryOp, ExprKind};

/// An expression that compares its values with one number, such as `rate(x[5m]) > 10`.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// What is compared: its course is what a chart shows.
    pub value: &'a Expr,
    /// How, with the value on the left.
    pub op: BinaryOp,
    /// The number.
    pub limit: f64,
}

impl<'a> Compared<'a> {
    /// The comparison that decides whether `expr` has a result; none where it compares with no number, or not at all.
    /// Of `a > 1 and b` it is that on the left, whose values are the result.
    pub fn of(expr: &'a Expr) -> Option<Self> {
        let ExprKind::Binary(binary) = &expr.unwrapped().kind else { return None };
        let mirrored = match binary.op {
            BinaryOp::And | BinaryOp::Unless => return Self::of(&binary.left),
            op @ (BinaryOp::Equal | BinaryOp::NotEqual) => op,
            BinaryOp::Less => BinaryOp::Greater,
            BinaryOp::LessEqual => BinaryOp::GreaterEqual,
            BinaryOp::Greater => BinaryOp::Less,
            BinaryOp::GreaterEqual => BinaryOp::LessEqual,
            _ => return None,
        };
        if binary.returns_bool {
            return None;
        }
        match (number(&binary.left), number(&binary.right)) {
            (None, Some(limit)) => Some(Self { value: binary.left.unwrapped(), op: binary.op, limit }),
            (Some(limit), None) => Some(Self { value: binary.right.unwrapped(), op: mirrored, limit }),
            _ => None,
        }
    }
}

/// The number that an expression is.
fn number(expr: &Expr) -> Option<f64> {
    match &expr.unwrapped().kind {
        ExprKind::Number { value, .. } => Some(*value),
        ExprKind::Unary { minus, operand } => number(operand).map(|value| if *minus { -value } else { value }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use squirrel_promql::{ParseOptions, parse};

    #[test]
    fn the_comparison_that_decides_is_found() {
        let cases = [
            ("rate(x[5m]) > 10", Some("rate(x[5m]) > 10")),
            ("(a / b) >= (0.5)", Some("a / b >= 0.5")),
            ("-3 < a", Some("a > -3")),
            ("a == 0 and b > 5", Some("a == 0")),
            ("a < 1 unless b", Some("a < 1")),
            ("a > 5m", Some("a > 300")),
            ("a > b", None),
            ("a > bool 1", None),
            ("a > 1 or b > 2", None),
            ("absent(up)", None),
            ("1 > 2", None),
        ];
        for (text, wanted) in cases {
            let expr = parse(text, &ParseOptions::default());
            // Two numbers are compared with `bool` only; what is no PromQL has no comparison.
            let found = expr.ok().and_then(|expr| {
                Compared::of(&expr).map(|found| format!("{} {} {}", found.value, found.op.sign(), found.limit))
            });
            assert_eq!(found.as_deref(), wanted, "{text}");
        }
    }
}
