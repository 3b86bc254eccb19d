//! Unit tests of rules, in the files of `promtool test rules`: series in short form, the alerts that
//! should fire at some moments, the answers that queries should give.
//!
//! <https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/>
//!
//! On purpose other than promtool: two answers that are no number are the same; and queries are those
//! of Prometheus 3 (ranges open on the left).

mod read;
mod run;
mod series;

use std::collections::BTreeMap;

use squirrel_model::Labels;
use squirrel_promql::Expr;
use squirrel_yaml::Place;

use crate::{RuleErrors, RuleFile};

/// A file of unit tests.
#[derive(Clone, Debug)]
pub struct UnitTests {
    /// Its name, as given by the caller.
    pub name: String,
    /// Rule files that it is about, as written: they may be patterns, and are relative to this file.
    pub rule_files: Vec<String>,
    interval_ms: i64,
    order: Vec<String>,
    cases: Vec<Case>,
}

/// One entry of `tests`.
#[derive(Clone, Debug)]
struct Case {
    name: String,
    interval_ms: i64,
    series: Vec<(Labels, Vec<Option<f64>>)>,
    alerts: Vec<AlertCase>,
    queries: Vec<QueryCase>,
    external_labels: Labels,
    external_url: String,
}

/// One entry of `alert_rule_test`.
#[derive(Clone, Debug)]
struct AlertCase {
    at_ms: i64,
    name: String,
    wanted: Vec<(Labels, BTreeMap<String, String>)>,
    place: Place,
}

/// One entry of `promql_expr_test`.
#[derive(Clone, Debug)]
struct QueryCase {
    at_ms: i64,
    text: String,
    expr: Expr,
    wanted: Vec<(Labels, f64)>,
    place: Place,
}

/// A difference between what was wanted and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestFailure {
    /// Name of the entry of `tests`, or empty.
    pub test: String,
    /// The expectation in the file; none when a rule could not be evaluated at all.
    pub place: Option<Place>,
    /// What differs.
    pub message: String,
}

impl UnitTests {
    /// Reads a file; `name` is for messages.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn parse(name: &str, text: &str) -> Result<Self, RuleErrors> {
        read::file(name, text).map_err(|mut problems| {
            problems.sort();
            RuleErrors { file: name.to_owned(), problems }
        })
    }

    /// Evaluates the rules over the series of each test. `rules` are the files that
    /// [`UnitTests::rule_files`] names.
    pub fn run(&self, rules: &[RuleFile]) -> Vec<TestFailure> {
        self.cases.iter().flat_map(|case| run::case(self, case, rules)).collect()
    }
}
