//! The rules that Squirrel brings along: what each finds, from which value on, what it means, and what
//! to look at first. They use only what Squirrel collects, and are an ordinary rule file in the end.

mod table;

pub use table::{BUILT_IN, NOT_YET};

use crate::{RuleErrors, RuleFile};

/// Name of the rule file, in messages and in the API.
pub const BUILT_IN_FILE: &str = "built-in";

/// How a value is shown to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A whole number.
    Count,
    /// A share of one, shown in percent.
    Percent,
}

/// A rule that Squirrel brings along.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    /// Name of the alert; stable.
    pub name: &'static str,
    /// `warning` (somebody should look today) or `critical` (now).
    pub severity: &'static str,
    /// PromQL; above the threshold it is a fault.
    pub expr: &'static str,
    /// The alert is about values above this.
    pub threshold: f64,
    /// How its values are shown.
    pub shown: Shown,
    /// How long it must hold: text as in a rule file.
    pub hold: &'static str,
    /// One line with `{value}`, and templates for labels.
    pub summary: &'static str,
    /// What it means for users of the network.
    pub meaning: &'static str,
    /// What to look at first, most telling first.
    pub first: [&'static str; 3],
}

/// The built-in rules as a rule file. `threshold` says which are other than in [`BUILT_IN`], by name.
pub fn built_in_text(threshold: &dyn Fn(&str) -> Option<f64>) -> String {
    let mut text = String::from("groups:\n- name: squirrel\n  rules:\n");
    for rule in BUILT_IN {
        let limit = threshold(rule.name).unwrap_or(rule.threshold);
        let shown = match rule.shown {
            Shown::Count => "{{ printf \"%.0f\" $value }}",
            Shown::Percent => "{{ $value | humanizePercentage }}",
        };
        let limit_shown = match rule.shown {
            Shown::Count => format!("{limit}"),
            Shown::Percent => format!("{}%", limit * 100.0),
        };
        let fields = [
            ("summary", rule.summary.replace("{value}", shown)),
            ("description", rule.meaning.to_owned()),
            ("threshold", limit_shown),
            ("check_1", rule.first[0].to_owned()),
            ("check_2", rule.first[1].to_owned()),
            ("check_3", rule.first[2].to_owned()),
        ];
        text += &format!("  - alert: {}\n    expr: {}\n", rule.name, quoted(&format!("({}) > {limit}", rule.expr)));
        text += &format!("    for: {}\n    labels: {{severity: {}}}\n    annotations:\n", rule.hold, rule.severity);
        for (name, value) in fields {
            text += &format!("      {name}: {}\n", quoted(&value));
        }
    }
    text
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The built-in rules, ready to be evaluated.
///
/// # Errors
/// A table that makes no rule file; the tests would see it, so tell whoever built the program.
pub fn built_in_rules(threshold: &dyn Fn(&str) -> Option<f64>) -> Result<RuleFile, RuleErrors> {
    RuleFile::parse(BUILT_IN_FILE, &built_in_text(threshold))
}
