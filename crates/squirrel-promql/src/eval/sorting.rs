//! The order of an instant query's answer.

use std::cmp::Ordering;

use super::Evaluator;
use super::column::{Operand, Series, Steps};
use super::labelling::text;
use super::opaque::without_histograms;
use crate::EvalError;
use crate::ast::{Call, Expr};

type Outcome = Result<Operand, EvalError>;

fn sorted(
    eval: &mut Evaluator<'_>,
    expr: &Expr,
    call: &Call,
    steps: Steps,
    order: impl Fn(&Series, &Series) -> Ordering,
) -> Outcome {
    let mut series = eval.vector_arg(call, 0, steps)?;
    if steps.count > 1 {
        eval.notes.warn(expr.span, "sorting has no effect on a range query: its results are ordered by labels");
    } else {
        series.sort_by(order);
    }
    Ok(Operand::Vector(series))
}

/// By value, NaN at the end either way.
fn by_value(a: &Series, b: &Series, descending: bool) -> Ordering {
    let (a, b) = (a.column.at(0), b.column.at(0));
    match a.partial_cmp(&b) {
        Some(order) if descending => order.reverse(),
        Some(order) => order,
        None => a.is_nan().cmp(&b.is_nan()),
    }
}

/// By value: native histograms, which have none, are left out.
fn sorted_numbers(eval: &mut Evaluator<'_>, expr: &Expr, call: &Call, steps: Steps, descending: bool) -> Outcome {
    let mut answer = sorted(eval, expr, call, steps, |a, b| by_value(a, b, descending))?;
    if let Operand::Vector(series) = &mut answer {
        without_histograms(series);
    }
    Ok(answer)
}

pub(crate) fn ascending(eval: &mut Evaluator<'_>, expr: &Expr, call: &Call, steps: Steps) -> Outcome {
    sorted_numbers(eval, expr, call, steps, false)
}

pub(crate) fn descending(eval: &mut Evaluator<'_>, expr: &Expr, call: &Call, steps: Steps) -> Outcome {
    sorted_numbers(eval, expr, call, steps, true)
}

fn by_labels(eval: &mut Evaluator<'_>, expr: &Expr, call: &Call, steps: Steps, descending: bool) -> Outcome {
    let names: Vec<&str> = (1..call.args.len()).map(|i| text(call, i)).collect::<Result<_, _>>()?;
    sorted(eval, expr, call, steps, |a, b| {
        let value = |series: &Series, name: &str| series.labels.get(name).unwrap_or_default().to_owned();
        let of_names = names.iter().map(|name| natural(&value(a, name), &value(b, name)));
        let order = of_names.fold(Ordering::Equal, Ordering::then).then_with(|| a.labels.cmp(&b.labels));
        if descending { order.reverse() } else { order }
    })
}

pub(crate) fn by_label(eval: &mut Evaluator<'_>, expr: &Expr, call: &Call, steps: Steps) -> Outcome {
    by_labels(eval, expr, call, steps, false)
}

pub(crate) fn by_label_descending(eval: &mut Evaluator<'_>, expr: &Expr, call: &Call, steps: Steps) -> Outcome {
    by_labels(eval, expr, call, steps, true)
}

/// Numbers within texts count by their value: eth2 before eth10.
fn natural(mut a: &str, mut b: &str) -> Ordering {
    loop {
        let (digits_a, digits_b) = (leading_digits(a), leading_digits(b));
        if digits_a > 0 && digits_b > 0 {
            let (number_a, rest_a) = a.split_at(digits_a);
            let (number_b, rest_b) = b.split_at(digits_b);
            let (short_a, short_b) = (number_a.trim_start_matches('0'), number_b.trim_start_matches('0'));
            let order = short_a.len().cmp(&short_b.len()).then_with(|| short_a.cmp(short_b));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (rest_a, rest_b);
            continue;
        }
        let (mut chars_a, mut chars_b) = (a.chars(), b.chars());
        match (chars_a.next(), chars_b.next()) {
            (Some(x), Some(y)) if x == y => (a, b) = (chars_a.as_str(), chars_b.as_str()),
            (x, y) => return x.cmp(&y),
        }
    }
}

fn leading_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_ordered_by_value() {
        let mut names = ["eth10", "eth2", "eth", "lo", "eth02a", "eth2a"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["eth", "eth2", "eth02a", "eth2a", "eth10", "lo"]);
    }
}
