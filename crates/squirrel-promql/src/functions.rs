//! The table of functions: what each takes, what it yields, and what computes it.

use crate::ast::Type;
use crate::eval::body::Body;
use crate::eval::{counters, dates, histograms, info, labelling, math, over_time, shaping, sorting, trend};

/// A function of the language.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// As it is written.
    pub name: &'static str,
    /// What it takes, in order.
    pub args: &'static [Type],
    /// How often the last argument may stand.
    pub last: Last,
    /// What it yields.
    pub returns: Type,
    /// Whether Prometheus calls it experimental.
    pub experimental: bool,
    pub(crate) body: Body,
}

/// How often a function's last argument may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// Exactly once, as all others.
    Once,
    /// Once or not at all.
    Optional,
    /// Any number of times, or not at all.
    Repeated,
}

impl Function {
    /// Least and most arguments.
    pub fn argument_count(&self) -> (usize, Option<usize>) {
        let all = self.args.len();
        match self.last {
            Last::Once => (all, Some(all)),
            Last::Optional => (all.saturating_sub(1), Some(all)),
            Last::Repeated => (all.saturating_sub(1), None),
        }
    }
}

/// All functions, sorted by name.
pub fn all() -> &'static [Function] {
    &FUNCTIONS
}

/// The function of that name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    let index = FUNCTIONS.binary_search_by(|f| f.name.cmp(name)).ok()?;
    FUNCTIONS.get(index)
}

const SCALAR: Type = Type::Scalar;
const VECTOR: Type = Type::Vector;
const MATRIX: Type = Type::Matrix;
const STRING: Type = Type::String;

const fn stable(name: &'static str, args: &'static [Type], returns: Type, body: Body) -> Function {
    Function { name, args, last: Last::Once, returns, experimental: false, body }
}

/// One number of each sample to another.
const fn map(name: &'static str, f: fn(f64) -> f64) -> Function {
    stable(name, &[VECTOR], VECTOR, Body::Map(f))
}

/// The samples of a span of time to one number.
const fn window(name: &'static str, f: over_time::WindowFn) -> Function {
    stable(name, &[MATRIX], VECTOR, Body::Window(f))
}

/// A part of a date; of the evaluation's own time when nothing is given.
const fn date(name: &'static str, f: dates::DateFn) -> Function {
    Function { last: Last::Optional, ..stable(name, &[VECTOR], VECTOR, Body::Date(f)) }
}

/// A function of native histograms, which the store does not hold.
const fn native(name: &'static str) -> Function {
    stable(name, &[VECTOR], VECTOR, Body::Call(histograms::native_only))
}

const fn experimental(function: Function) -> Function {
    Function { experimental: true, ..function }
}

const fn last(last: Last, function: Function) -> Function {
    Function { last, ..function }
}

#[rustfmt::skip]
static FUNCTIONS: [Function; 90] = [
    map("abs", f64::abs),
    stable("absent", &[VECTOR], VECTOR, Body::Call(shaping::absent)),
    stable("absent_over_time", &[MATRIX], VECTOR, Body::Call(shaping::absent_over_time)),
    map("acos", f64::acos),
    map("acosh", f64::acosh),
    map("asin", f64::asin),
    map("asinh", f64::asinh),
    map("atan", f64::atan),
    map("atanh", f64::atanh),
    window("avg_over_time", over_time::average),
    map("ceil", f64::ceil),
    window("changes", counters::changes),
    stable("clamp", &[VECTOR, SCALAR, SCALAR], VECTOR, Body::Call(shaping::clamp)),
    stable("clamp_max", &[VECTOR, SCALAR], VECTOR, Body::Call(shaping::clamp_max)),
    stable("clamp_min", &[VECTOR, SCALAR], VECTOR, Body::Call(shaping::clamp_min)),
    map("cos", f64::cos),
    map("cosh", f64::cosh),
    window("count_over_time", over_time::count),
    date("day_of_month", dates::day_of_month),
    date("day_of_week", dates::day_of_week),
    date("day_of_year", dates::day_of_year),
    date("days_in_month", dates::days_in_month),
    map("deg", math::degrees),
    stable("delta", &[MATRIX], VECTOR, Body::Sweep(counters::delta)),
    window("deriv", trend::slope),
    experimental(stable("double_exponential_smoothing", &[MATRIX, SCALAR, SCALAR], VECTOR, Body::Window(trend::smoothed))),
    experimental(stable("end", &[], SCALAR, Body::Call(shaping::query_end))),
    map("exp", f64::exp),
    window("first_over_time", over_time::first),
    map("floor", f64::floor),
    native("histogram_avg"),
    native("histogram_count"),
    stable("histogram_fraction", &[SCALAR, SCALAR, VECTOR], VECTOR, Body::Call(histograms::fraction)),
    stable("histogram_quantile", &[SCALAR, VECTOR], VECTOR, Body::Call(histograms::quantile)),
    experimental(last(Last::Repeated, stable("histogram_quantiles", &[VECTOR, STRING, SCALAR, SCALAR], VECTOR, Body::Call(histograms::quantiles)))),
    native("histogram_stddev"),
    native("histogram_stdvar"),
    native("histogram_sum"),
    date("hour", dates::hour),
    stable("idelta", &[MATRIX], VECTOR, Body::Window(counters::instant_delta)),
    stable("increase", &[MATRIX], VECTOR, Body::Sweep(counters::increase)),
    experimental(last(Last::Optional, stable("info", &[VECTOR, VECTOR], VECTOR, Body::Call(info::info)))),
    window("irate", counters::instant_rate),
    last(Last::Repeated, stable("label_join", &[VECTOR, STRING, STRING, STRING], VECTOR, Body::Call(labelling::join))),
    stable("label_replace", &[VECTOR, STRING, STRING, STRING, STRING], VECTOR, Body::Call(labelling::replace)),
    window("last_over_time", over_time::last),
    map("ln", f64::ln),
    map("log10", f64::log10),
    map("log2", f64::log2),
    experimental(window("mad_over_time", over_time::median_deviation)),
    experimental(stable("max_of", &[SCALAR, SCALAR], SCALAR, Body::Call(shaping::max_of))),
    stable("max_over_time", &[MATRIX], VECTOR, Body::Sweep(over_time::maximum)),
    experimental(stable("min_of", &[SCALAR, SCALAR], SCALAR, Body::Call(shaping::min_of))),
    stable("min_over_time", &[MATRIX], VECTOR, Body::Sweep(over_time::minimum)),
    date("minute", dates::minute),
    date("month", dates::month),
    stable("pi", &[], SCALAR, Body::Call(shaping::pi)),
    stable("predict_linear", &[MATRIX, SCALAR], VECTOR, Body::Window(trend::predicted)),
    window("present_over_time", over_time::present),
    stable("quantile_over_time", &[SCALAR, MATRIX], VECTOR, Body::Window(over_time::quantile)),
    map("rad", math::radians),
    experimental(stable("range", &[], SCALAR, Body::Call(shaping::query_range))),
    stable("rate", &[MATRIX], VECTOR, Body::Sweep(counters::rate)),
    window("resets", counters::resets),
    last(Last::Optional, stable("round", &[VECTOR, SCALAR], VECTOR, Body::Call(shaping::round))),
    stable("scalar", &[VECTOR], SCALAR, Body::Call(shaping::scalar)),
    map("sgn", math::sign),
    map("sin", f64::sin),
    map("sinh", f64::sinh),
    stable("sort", &[VECTOR], VECTOR, Body::Call(sorting::ascending)),
    experimental(last(Last::Repeated, stable("sort_by_label", &[VECTOR, STRING], VECTOR, Body::Call(sorting::by_label)))),
    experimental(last(Last::Repeated, stable("sort_by_label_desc", &[VECTOR, STRING], VECTOR, Body::Call(sorting::by_label_descending)))),
    stable("sort_desc", &[VECTOR], VECTOR, Body::Call(sorting::descending)),
    map("sqrt", f64::sqrt),
    experimental(stable("start", &[], SCALAR, Body::Call(shaping::query_start))),
    experimental(stable("start_timestamp", &[VECTOR], VECTOR, Body::Call(shaping::start_timestamp))),
    window("stddev_over_time", over_time::deviation),
    window("stdvar_over_time", over_time::variance),
    experimental(stable("step", &[], SCALAR, Body::Call(shaping::query_step))),
    window("sum_over_time", over_time::sum),
    map("tan", f64::tan),
    map("tanh", f64::tanh),
    stable("time", &[], SCALAR, Body::Call(shaping::time)),
    stable("timestamp", &[VECTOR], VECTOR, Body::Call(shaping::timestamp)),
    experimental(window("ts_of_first_over_time", over_time::time_of_first)),
    experimental(window("ts_of_last_over_time", over_time::time_of_last)),
    experimental(window("ts_of_max_over_time", over_time::time_of_maximum)),
    experimental(window("ts_of_min_over_time", over_time::time_of_minimum)),
    stable("vector", &[SCALAR], VECTOR, Body::Call(shaping::vector)),
    date("year", dates::year),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_each_name_is_found() {
        assert!(all().is_sorted_by(|a, b| a.name < b.name), "the search needs a sorted table");
        for function in all() {
            assert_eq!(find(function.name).map(|f| f.name), Some(function.name));
        }
        assert!(find("nothing").is_none() && find("ABS").is_none());
    }
}
