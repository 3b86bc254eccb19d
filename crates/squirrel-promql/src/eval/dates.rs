//! Parts of dates, in UTC.

use jiff::civil::DateTime;
use squirrel_model::Labels;

use super::Evaluator;
use super::column::{Column, Operand, Series, Steps};
use crate::EvalError;
use crate::ast::Call;

/// A part of a date as a number.
pub(crate) type DateFn = fn(DateTime) -> f64;

/// The part of the date that each sample (or, without argument, each step) is, in seconds. A number
/// that is no date of the years -9999 to 9999 gives NaN.
pub(super) fn date(eval: &mut Evaluator<'_>, call: &Call, steps: Steps, part: DateFn) -> Result<Operand, EvalError> {
    let of = |seconds: f64| {
        let moment = if seconds.is_nan() { None } else { jiff::Timestamp::from_second(seconds as i64).ok() };
        moment.map_or(f64::NAN, |moment| part(jiff::tz::Offset::UTC.to_datetime(moment)))
    };
    if call.args.is_empty() {
        let mut column = Column::empty(steps.count);
        for i in 0..steps.count {
            column.set(i, of(steps.time(i).div_euclid(1000) as f64));
        }
        return Ok(Operand::Vector(vec![Series { labels: Labels::empty(), drop_name: false, column }]));
    }
    let mut series = eval.numbers_arg(call, 0, steps)?;
    for one in &mut series {
        one.column.map(of);
        one.drop_name = true;
    }
    Ok(Operand::Vector(series))
}

pub(crate) fn day_of_month(date: DateTime) -> f64 {
    f64::from(date.day())
}

/// 0 is Sunday.
pub(crate) fn day_of_week(date: DateTime) -> f64 {
    f64::from(date.weekday().to_sunday_zero_offset())
}

pub(crate) fn day_of_year(date: DateTime) -> f64 {
    f64::from(date.day_of_year())
}

pub(crate) fn days_in_month(date: DateTime) -> f64 {
    f64::from(date.days_in_month())
}

pub(crate) fn hour(date: DateTime) -> f64 {
    f64::from(date.hour())
}

pub(crate) fn minute(date: DateTime) -> f64 {
    f64::from(date.minute())
}

pub(crate) fn month(date: DateTime) -> f64 {
    f64::from(date.month())
}

pub(crate) fn year(date: DateTime) -> f64 {
    f64::from(date.year())
}
