//! The rules that Squirrel brings along: what each finds, from which value on, what it means, and what
//! to look at first. They are an ordinary rule file in the end.

mod probed;
mod table;
pub mod thresholds;

use thresholds::{Threshold, Thresholds};

use crate::{RuleErrors, RuleFile};

/// Name of the rule file, in messages and in the API.
pub const BUILT_IN_FILE: &str = "built-in";

/// How a value is shown to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A whole number.
    Count,
    /// Days with one decimal.
    Days,
    /// A share of one, shown in percent.
    Percent,
    /// A score or a multiple, with one decimal.
    Score,
    /// Seconds, shown in the unit that fits.
    Seconds,
}

/// On which side of the threshold the fault lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Values above it.
    Above,
    /// Values below it.
    Below,
}

/// A rule that Squirrel brings along.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    /// Name of the alert; stable.
    pub name: &'static str,
    /// `info` (worth knowing when something else is wrong), `warning` (somebody should look today) or `critical` (now).
    pub severity: &'static str,
    /// PromQL; beyond the threshold it is a fault. `{name}` stands for the value of another threshold.
    pub expr: &'static str,
    /// What the values are held against.
    pub threshold: &'static Threshold,
    /// On which side the fault lies.
    pub fault: Fault,
    /// How long it must hold: text as in a rule file.
    pub hold: &'static str,
    /// One line with `{value}`, and templates for labels.
    pub summary: &'static str,
    /// What it means for users of the network.
    pub meaning: &'static str,
    /// What to look at first, most telling first.
    pub first: [&'static str; 3],
}

/// All built-in rules.
pub fn built_in() -> impl Iterator<Item = &'static BuiltIn> {
    table::COLLECTED.iter().chain(probed::PROBED)
}

impl Shown {
    /// The template that shows `$value`.
    fn template(self) -> &'static str {
        match self {
            Self::Count => "{{ printf \"%.0f\" $value }}",
            Self::Days | Self::Score => "{{ printf \"%.1f\" $value }}",
            Self::Percent => "{{ $value | humanizePercentage }}",
            Self::Seconds => "{{ $value | humanizeDuration }}",
        }
    }

    /// A limit as people read it.
    fn limit(self, limit: f64) -> String {
        match self {
            Self::Count | Self::Score => format!("{limit}"),
            Self::Days => format!("{limit} days"),
            Self::Percent => format!("{}%", (limit * 1e6).round() / 1e4),
            Self::Seconds => format!("{limit} s"),
        }
    }
}

/// The built-in rules as a rule file, with these thresholds.
pub fn built_in_text(thresholds: &Thresholds) -> String {
    let mut text = String::from("groups:\n- name: squirrel\n  rules:\n");
    for rule in built_in() {
        let limit = thresholds.get(rule.threshold);
        let sign = match rule.fault {
            Fault::Above => '>',
            Fault::Below => '<',
        };
        let shown = rule.threshold.shown;
        let fields = [
            ("summary", rule.summary.replace("{value}", shown.template())),
            ("description", rule.meaning.to_owned()),
            ("threshold", shown.limit(limit)),
            ("check_1", rule.first[0].to_owned()),
            ("check_2", rule.first[1].to_owned()),
            ("check_3", rule.first[2].to_owned()),
        ];
        let expr = format!("({}) {sign} {limit}", filled(rule.expr, thresholds));
        text += &format!("  - alert: {}\n    expr: {}\n", rule.name, quoted(&expr));
        text += &format!("    for: {}\n    labels: {{severity: {}}}\n    annotations:\n", rule.hold, rule.severity);
        for (name, value) in fields {
            text += &format!("      {name}: {}\n", quoted(&value));
        }
    }
    text
}

/// An expression with the thresholds that it names.
fn filled(expr: &str, thresholds: &Thresholds) -> String {
    let named = thresholds::THRESHOLDS.iter();
    named.fold(expr.to_owned(), |expr, threshold| {
        expr.replace(&format!("{{{}}}", threshold.name), &thresholds.get(threshold).to_string())
    })
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The built-in rules, ready to be evaluated.
///
/// # Errors
/// A table that makes no rule file; the tests would see it, so tell whoever built the program.
pub fn built_in_rules(thresholds: &Thresholds) -> Result<RuleFile, RuleErrors> {
    RuleFile::parse(BUILT_IN_FILE, &built_in_text(thresholds))
}
