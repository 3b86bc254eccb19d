//! `format_query` and `parse_query`: an expression as text in its usual form, and as a tree.
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#formatting-query-expressions>

use axum::extract::State as AxumState;
use axum::response::Response;
use serde_json::{Value, json};
use squirrel_api::ApiError;
use squirrel_api::envelope::{Notes, write_success};
use squirrel_api::json::write_string;
use squirrel_model::{MatchOp, Matcher};
use squirrel_promql::Expr;
use squirrel_promql::ast::{At, Binary, ExprKind, Grouping, Many, Selector, Shift, Type};
use squirrel_promql::functions::{Function, Last};

use crate::engine;
use crate::failure::{Failure, json as answer};
use crate::form::Params;
use crate::server::State;

/// `/api/v1/format_query`.
pub(super) async fn format(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    let parsed = parsed(&state, &params)?;
    let mut out = String::new();
    write_success(&mut out, &Notes::default(), |out| write_string(out, &parsed.expr().to_string()));
    Ok(answer(out))
}

/// `/api/v1/parse_query`.
pub(super) async fn parse(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    let parsed = parsed(&state, &params)?;
    let mut out = String::new();
    write_success(&mut out, &Notes::default(), |out| out.push_str(&tree(parsed.expr()).to_string()));
    Ok(answer(out))
}

fn parsed(state: &State, params: &Params) -> Result<engine::Parsed, ApiError> {
    let text = params.get("query").unwrap_or_default();
    let most = state.parts.limits.query_bytes;
    if text.len() > most {
        let why = format!("a query has at most {most} bytes and this one has {}", text.len());
        return Err(ApiError::invalid_parameter("query", why));
    }
    engine::parse(text).map_err(|e| ApiError::invalid_parameter("query", e.message))
}

/// The tree in Prometheus' shape.
fn tree(expr: &Expr) -> Value {
    match &expr.kind {
        ExprKind::Number { value, .. } => json!({ "type": "numberLiteral", "val": number(*value) }),
        ExprKind::String(text) => json!({ "type": "stringLiteral", "val": text }),
        ExprKind::Paren(inner) => json!({ "type": "parenExpr", "expr": tree(inner) }),
        ExprKind::Unary { minus, operand } => {
            json!({ "type": "unaryExpr", "op": if *minus { "-" } else { "+" }, "expr": tree(operand) })
        }
        ExprKind::Selector(selector) => selection("vectorSelector", selector),
        ExprKind::Range { selector, range_ms } => {
            with(selection("matrixSelector", selector), json!({ "range": range_ms, "rangeExpr": null }))
        }
        ExprKind::Subquery(subquery) => with(
            json!({
                "type": "subquery",
                "expr": tree(&subquery.expr),
                "range": subquery.range_ms,
                "rangeExpr": null,
                "step": subquery.step_ms.unwrap_or(0),
                "stepExpr": null,
            }),
            shifted(&subquery.shift),
        ),
        ExprKind::Binary(binary) => json!({
            "type": "binaryExpr",
            "op": binary.op.sign(),
            "lhs": tree(&binary.left),
            "rhs": tree(&binary.right),
            "matching": matching(binary),
            "bool": binary.returns_bool,
        }),
        ExprKind::Aggregate(aggregate) => {
            let (labels, without) = match &aggregate.grouping {
                Grouping::By(labels) => (labels, false),
                Grouping::Without(labels) => (labels, true),
            };
            json!({
                "type": "aggregation",
                "op": aggregate.op.word(),
                "expr": tree(&aggregate.expr),
                "param": aggregate.param.as_ref().map(tree),
                "grouping": labels,
                "without": without,
            })
        }
        ExprKind::Call(call) => json!({
            "type": "call",
            "func": function(call.function),
            "args": call.args.iter().map(tree).collect::<Vec<_>>(),
        }),
    }
}

/// `more`'s members added to those of `to`.
fn with(mut to: Value, more: Value) -> Value {
    if let (Some(to), Value::Object(more)) = (to.as_object_mut(), more) {
        to.extend(more);
    }
    to
}

fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    }
}

fn selection(kind: &str, selector: &Selector) -> Value {
    let selection = json!({
        "type": kind,
        "name": selector.name.as_deref().unwrap_or_default(),
        "matchers": selector.matchers.iter().map(condition).collect::<Vec<_>>(),
        "anchored": false,
        "smoothed": false,
    });
    with(selection, shifted(&selector.shift))
}

fn shifted(shift: &Shift) -> Value {
    let (timestamp, end) = match shift.at {
        None => (None, None),
        Some(At::Time(time)) => (Some(time.millis()), None),
        Some(At::Start) => (None, Some("start")),
        Some(At::End) => (None, Some("end")),
    };
    let offset = shift.offset_ms.unwrap_or(0);
    json!({ "offset": offset, "offsetExpr": null, "timestamp": timestamp, "startOrEnd": end })
}

fn condition(matcher: &Matcher) -> Value {
    let sign = match matcher.op() {
        MatchOp::Equal => "=",
        MatchOp::NotEqual => "!=",
        MatchOp::Regex => "=~",
        MatchOp::NotRegex => "!~",
    };
    json!({ "name": matcher.name(), "value": matcher.value(), "type": sign })
}

/// Which series belong together; null unless both sides are vectors.
fn matching(binary: &Binary) -> Value {
    if [&binary.left, &binary.right].iter().any(|side| side.result_type() != Type::Vector) {
        return Value::Null;
    }
    let matching = &binary.matching;
    let card = match matching.many {
        _ if binary.op.is_set() => "many-to-many",
        Many::None => "one-to-one",
        Many::Left => "many-to-one",
        Many::Right => "one-to-many",
    };
    json!({
        "card": card,
        "labels": matching.labels.as_deref().unwrap_or_default(),
        "on": matching.on,
        "include": matching.include,
        "fillValues": { "lhs": matching.fill.left, "rhs": matching.fill.right },
    })
}

fn function(function: &Function) -> Value {
    let variadic = match function.last {
        Last::Once => 0,
        Last::Optional => 1,
        Last::Repeated => -1,
    };
    json!({
        "name": function.name,
        "argTypes": function.args.iter().map(|one| word(*one)).collect::<Vec<_>>(),
        "variadic": variadic,
        "returnType": word(function.returns),
    })
}

fn word(kind: Type) -> &'static str {
    match kind {
        Type::Scalar => "scalar",
        Type::Vector => "vector",
        Type::Matrix => "matrix",
        Type::String => "string",
    }
}
