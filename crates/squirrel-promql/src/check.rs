//! What a tree must fulfil beyond its syntax: types, numbers of arguments, sensible selectors.

use squirrel_model::NAME_LABEL;

use crate::ParseError;
use crate::ast::{Aggregate, Binary, Call, Expr, ExprKind, Many, Selector, Shift, Type};

/// Checks an expression and everything in it.
pub(crate) fn check(expr: &Expr) -> Result<(), ParseError> {
    for child in expr.children().into_iter().filter(|child| !is_label_selector(expr, child)) {
        check(child)?;
    }
    let refuse = |message: String| Err(ParseError::new(expr.span, message));
    match &expr.kind {
        ExprKind::Number { .. } | ExprKind::String(_) | ExprKind::Paren(_) => Ok(()),
        ExprKind::Selector(selector) | ExprKind::Range { selector, .. } => {
            check_selector(selector).or_else(|message| refuse(message.to_owned()))
        }
        ExprKind::Subquery(subquery) => match subquery.expr.result_type() {
            Type::Vector => Ok(()),
            other => refuse(format!("a subquery needs an instant vector, got {}", other.word())),
        },
        ExprKind::Unary { operand, .. } => match operand.result_type() {
            Type::Scalar | Type::Vector => Ok(()),
            other => refuse(format!("a sign needs a scalar or an instant vector, got {}", other.word())),
        },
        ExprKind::Binary(binary) => check_binary(expr, binary),
        ExprKind::Aggregate(aggregate) => check_aggregate(aggregate),
        ExprKind::Call(call) => check_call(expr, call),
    }
}

/// Whether this is the second argument of `info`: matchers for labels, which may all accept an empty value.
fn is_label_selector(expr: &Expr, child: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call(call) if call.function.name == "info" => {
            call.args.get(1).is_some_and(|second| std::ptr::eq(second, child))
        }
        _ => false,
    }
}

/// What `info` takes as its second argument.
fn check_label_selector(expr: &Expr) -> Result<(), ParseError> {
    match &expr.unwrapped().kind {
        ExprKind::Selector(selector) if selector.name.is_none() && selector.shift == Shift::default() => Ok(()),
        _ => Err(ParseError::new(
            expr.span,
            "info takes matchers of labels as its second argument, such as {version=~\".+\"}, with the info metric's \
             name as __name__",
        )),
    }
}

fn check_selector(selector: &Selector) -> Result<(), &'static str> {
    let others = selector.matchers.get(1..).unwrap_or_default();
    if selector.name.is_some() {
        let again = others.iter().any(|m| m.name() == NAME_LABEL);
        return if again { Err("the metric's name is set twice: before the braces and within") } else { Ok(()) };
    }
    if selector.matchers.iter().all(squirrel_model::Matcher::matches_absent) {
        return Err("the selector would match every series: at least one matcher must not accept an empty value");
    }
    Ok(())
}

fn check_type(expr: &Expr, wanted: Type, place: &str) -> Result<(), ParseError> {
    let given = expr.result_type();
    if given == wanted {
        return Ok(());
    }
    let message = format!("expected type {} in {place}, got {}", wanted.word(), given.word());
    Err(ParseError::new(expr.span, message))
}

fn check_aggregate(aggregate: &Aggregate) -> Result<(), ParseError> {
    if let (Some(param), Some(wanted)) = (&aggregate.param, aggregate.op.param()) {
        check_type(param, wanted, "aggregation parameter")?;
        if wanted == Type::String && !matches!(param.unwrapped().kind, ExprKind::String(_)) {
            return Err(ParseError::new(param.span, "expected a string literal"));
        }
    }
    check_type(&aggregate.expr, Type::Vector, "aggregation expression")
}

fn check_binary(expr: &Expr, binary: &Binary) -> Result<(), ParseError> {
    let sign = binary.op.sign();
    for side in [&binary.left, &binary.right] {
        let given = side.result_type();
        if !matches!(given, Type::Scalar | Type::Vector) {
            let message = format!("{sign:?} works on scalars and instant vectors, got {}", given.word());
            return Err(ParseError::new(side.span, message));
        }
    }
    let refuse = |message: String| Err(ParseError::new(expr.span, message));
    if binary.returns_bool && !binary.op.is_comparison() {
        return refuse("bool can only be used with comparisons".to_owned());
    }
    let scalars = [&binary.left, &binary.right].into_iter().filter(|e| e.result_type() == Type::Scalar).count();
    if scalars == 2 && binary.op.is_comparison() && !binary.returns_bool {
        return refuse("comparisons between scalars must use bool, as in 1 < bool 2".to_owned());
    }
    if scalars > 0 && binary.op.is_set() {
        return refuse(format!("set operator {sign:?} needs an instant vector on both sides"));
    }
    let matching = &binary.matching;
    if scalars > 0 && matching.labels.as_ref().is_some_and(|labels| !labels.is_empty()) {
        return refuse("vector matching is only allowed between instant vectors".to_owned());
    }
    if binary.op.is_set() && matching.many != Many::None {
        return refuse(format!("no grouping is allowed for {sign:?}: sets are matched many to many"));
    }
    if matching.fill.is_some() && (scalars > 0 || binary.op.is_set()) {
        return refuse("fill needs an operator on values between two instant vectors".to_owned());
    }
    let both = matching.labels.iter().flatten().find(|label| matching.include.contains(label));
    match both {
        Some(label) if matching.on => refuse(format!("label {label:?} must not stand in both on and group")),
        _ => Ok(()),
    }
}

fn check_call(expr: &Expr, call: &Call) -> Result<(), ParseError> {
    let function = call.function;
    let (least, most) = function.argument_count();
    let given = call.args.len();
    if given < least || most.is_some_and(|most| given > most) {
        let bound = match most {
            Some(most) if most == least => "",
            _ if given < least => "at least ",
            _ => "at most ",
        };
        let wanted = if given < least { least } else { most.unwrap_or(least) };
        let plural = if wanted == 1 { "" } else { "s" };
        let message = format!("expected {bound}{wanted} argument{plural} in call to {:?}, got {given}", function.name);
        return Err(ParseError::new(expr.span, message));
    }
    if let (true, Some(second)) = (function.name == "info", call.args.get(1)) {
        check_label_selector(second)?;
    }
    let place = format!("call to function {:?}", function.name);
    for (i, arg) in call.args.iter().enumerate() {
        let Some(wanted) = function.args.get(i).or(function.args.last()) else { continue };
        check_type(arg, *wanted, &place)?;
        // Nothing but a literal yields a string, so that labels and patterns are known beforehand.
        if *wanted == Type::String && !matches!(arg.unwrapped().kind, ExprKind::String(_)) {
            return Err(ParseError::new(arg.span, format!("expected a string literal in {place}")));
        }
    }
    Ok(())
}
