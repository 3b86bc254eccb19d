//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`: values of one kind only, as Go demands.

use std::cmp::Ordering;

use super::value::Value;

/// How two values stand to each other; none where a number is none.
fn order(a: &Value, b: &Value) -> Result<Option<Ordering>, String> {
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => Ok(Some(a.cmp(b))),
        (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b)),
        (Value::Text(a), Value::Text(b)) => Ok(Some(a.cmp(b))),
        _ => Err(incompatible(a, b)),
    }
}

fn incompatible(a: &Value, b: &Value) -> String {
    let hint = match (a, b) {
        (Value::Integer(_), Value::Float(_)) | (Value::Float(_), Value::Integer(_)) => {
            ": write the whole number with a point, such as 5.0"
        }
        _ => "",
    };
    format!("incompatible types for comparison, {} and {}{hint}", a.word(), b.word())
}

fn same(a: &Value, b: &Value) -> Result<bool, String> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        _ => Ok(order(a, b)? == Some(Ordering::Equal)),
    }
}

/// Whether the comparison of that name holds.
pub(super) fn compare(name: &str, args: &[Value]) -> Result<bool, String> {
    let [first, others @ ..] = args else { return Err("two values are needed".to_owned()) };
    if name == "eq" {
        // The first with each of the others, to the first that is the same.
        for other in others {
            if same(first, other)? {
                return Ok(true);
            }
        }
        return if others.is_empty() { Err("missing argument for comparison".to_owned()) } else { Ok(false) };
    }
    let [second] = others else { return Err(format!("{name} takes two values, not {}", args.len())) };
    if name == "ne" {
        return Ok(!same(first, second)?);
    }
    let found = order(first, second)?;
    Ok(match name {
        "lt" => found == Some(Ordering::Less),
        "le" => matches!(found, Some(Ordering::Less | Ordering::Equal)),
        "gt" => found == Some(Ordering::Greater),
        _ => matches!(found, Some(Ordering::Greater | Ordering::Equal)),
    })
}
