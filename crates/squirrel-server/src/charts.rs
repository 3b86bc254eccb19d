//! Which charts there are, declared once: the dashboard, the terminal and reports draw the same.
//!
//! In an expression `$device` stands for an interface's name (inside quotes: who fills it in escapes
//! backslash and quote) and `$window` for the range of a rate, such as `15s`. Traffic of the whole
//! host is summed over physical interfaces, because a bridge, a bond or a VLAN counts the frames of its
//! ports again; a host without physical ones (a container) sums those that are no port of another.

use std::borrow::Cow;

use squirrel_api::{ChartQuery, ChartSpec, ChartUnit};

mod applications;
mod host;
mod interfaces;

/// All charts, in the order in which pages show them.
pub fn charts() -> impl Iterator<Item = &'static ChartSpec> {
    host::CHARTS.iter().chain(interfaces::CHARTS).chain(applications::CHARTS)
}

/// The pages of the host.
const OVERVIEW: &str = "overview";
const INTERFACES: &str = "interfaces";

const fn above(legend: &'static str, expr: &'static str) -> ChartQuery {
    ChartQuery { legend: Cow::Borrowed(legend), expr: Cow::Borrowed(expr), mirrored: false }
}

const fn below(legend: &'static str, expr: &'static str) -> ChartQuery {
    ChartQuery { legend: Cow::Borrowed(legend), expr: Cow::Borrowed(expr), mirrored: true }
}

const fn chart(
    page: &'static str,
    id: &'static str,
    title: &'static str,
    unit: ChartUnit,
    help: &'static str,
    queries: &'static [ChartQuery],
) -> ChartSpec {
    ChartSpec {
        page: Cow::Borrowed(page),
        id: Cow::Borrowed(id),
        title: Cow::Borrowed(title),
        unit,
        help: Cow::Borrowed(help),
        queries: Cow::Borrowed(queries),
    }
}

#[cfg(test)]
mod tests;
