//! Rule files in Prometheus' YAML: groups of recording and alerting rules.
//!
//! A file is accepted where `promtool check rules` accepts it, as of Prometheus 3 (`query_offset`
//! and labels of groups). On purpose stricter or different:
//! - Names of metrics and labels have the classic shape, as everywhere in Squirrel.
//! - `expr: *alias` is the text that the alias stands for, not the alias's name.
//! - `limit` is a whole number: 1.5 is not cut to 1.
//! - Templates that could only fail are refused: `{{ nil }}`, a pipe with nothing behind it, a variable of
//!   the first branch used behind `else`.
//! - Templates know no `define`, `template`, `block`, and not the functions that make HTML pages.
//!
//! <https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/>

mod read;

use std::collections::BTreeMap;
use std::fmt;

use squirrel_model::Untrusted;
use squirrel_promql::Expr;
use squirrel_yaml::{Place, Problem};

use crate::Template;

/// A rule file that can be evaluated.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// Its name, as given by the caller.
    pub name: String,
    /// Its groups, in the order of the text.
    pub groups: Vec<RuleGroup>,
    /// What is allowed but hardly meant: rules that are there twice, a second document.
    pub warnings: Vec<Problem>,
}

/// Rules that are evaluated one after the other, at the same moment.
#[derive(Clone, Debug)]
pub struct RuleGroup {
    /// Name, unique in its file.
    pub name: String,
    /// Milliseconds between evaluations; none for the default of the program.
    pub interval_ms: Option<i64>,
    /// Most series or alerts of one rule; none for any number.
    pub limit: Option<u64>,
    /// By how many milliseconds queries look into the past; none for the default of the program.
    pub query_offset_ms: Option<i64>,
    /// The rules in the order of the text.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Name of the alert, or of the metric that is recorded.
    pub name: String,
    /// What is evaluated.
    pub expr: Expr,
    /// What makes an alert an alert; none for a recording rule.
    pub alert: Option<AlertParts>,
    /// Labels to set, sorted by name, those of the group among them. In alerts they may hold templates.
    pub labels: BTreeMap<String, Template>,
    /// Where the rule stands.
    pub place: Place,
}

/// What only alerting rules have.
#[derive(Clone, Debug)]
pub struct AlertParts {
    /// Milliseconds that the expression must hold before the alert fires.
    pub for_ms: i64,
    /// Milliseconds that the alert goes on firing when the expression holds no more.
    pub keep_firing_for_ms: i64,
    /// Texts for people.
    pub annotations: BTreeMap<String, Template>,
}

/// A file that is refused, with everything that is wrong in it, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct RuleErrors {
    /// The file's name.
    pub file: String,
    /// At least one.
    pub problems: Vec<Problem>,
}

/// One line for each problem: `file:line:column: what`.
impl fmt::Display for RuleErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            let line_end = if i > 0 { "\n" } else { "" };
            let (file, message) = (Untrusted(&self.file), Untrusted(&problem.message));
            write!(f, "{line_end}{file}:{}: {message}", problem.place)?;
        }
        Ok(())
    }
}

impl RuleFile {
    /// Reads a file; `name` is for messages.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place and what to write instead.
    pub fn parse(name: &str, text: &str) -> Result<Self, RuleErrors> {
        read::file(name, text).map_err(|mut problems| {
            problems.sort();
            RuleErrors { file: name.to_owned(), problems }
        })
    }

    /// Number of rules.
    pub fn rules(&self) -> usize {
        self.groups.iter().map(|group| group.rules.len()).sum()
    }
}
