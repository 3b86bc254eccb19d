//! Rules and alerts as Prometheus' API shapes them: the data of `/api/v1/rules` and `/api/v1/alerts`.
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#rules>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use squirrel_model::Timestamp;

/// Labels or annotations by name.
pub type Texts = BTreeMap<String, String>;

/// The data of `/api/v1/rules`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleGroups {
    /// Groups by file and name.
    pub groups: Vec<RuleGroup>,
    /// Where the next page begins, when groups were left off.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group_next_token: String,
}

/// A group of rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleGroup {
    /// Name, unique in its file.
    pub name: String,
    /// The rule file.
    pub file: String,
    /// The rules, in the order of the text.
    pub rules: Vec<Rule>,
    /// Seconds between evaluations.
    pub interval: f64,
    /// Most series or alerts of one rule; 0 for any number.
    pub limit: u64,
    /// Seconds that the last evaluation took.
    pub evaluation_time: f64,
    /// When it was evaluated last.
    pub last_evaluation: String,
}

/// A rule and how it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Rule {
    /// One that raises alerts.
    Alerting(AlertingRule),
    /// One that makes series.
    Recording(RecordingRule),
}

/// A rule that raises alerts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertingRule {
    /// The highest state of its alerts: `inactive`, `pending`, `firing`, or `unknown` before the first evaluation.
    pub state: String,
    /// Name of the alert.
    pub name: String,
    /// The expression.
    pub query: String,
    /// Seconds that the expression must hold.
    pub duration: f64,
    /// Seconds that it goes on firing afterwards.
    pub keep_firing_for: f64,
    /// Labels to set, as written.
    pub labels: Texts,
    /// Texts for people, as written.
    pub annotations: Texts,
    /// Alerts that are pending or firing; absent when they were not asked for.
    #[serde(default)]
    pub alerts: Vec<RuleAlert>,
    /// `ok`, `err` or `unknown`.
    pub health: String,
    /// Why the last evaluation failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_error: String,
    /// Seconds that the last evaluation took.
    pub evaluation_time: f64,
    /// When it was evaluated last.
    pub last_evaluation: String,
}

/// A rule that makes series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordingRule {
    /// Name of the metric.
    pub name: String,
    /// The expression.
    pub query: String,
    /// Labels to set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: Texts,
    /// `ok`, `err` or `unknown`.
    pub health: String,
    /// Why the last evaluation failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_error: String,
    /// Seconds that the last evaluation took.
    pub evaluation_time: f64,
    /// When it was evaluated last.
    pub last_evaluation: String,
}

/// The data of `/api/v1/alerts`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleAlerts {
    /// Alerts that are pending or firing.
    pub alerts: Vec<RuleAlert>,
}

/// An alert that is pending or firing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleAlert {
    /// The labels that make it this alert.
    pub labels: Texts,
    /// Texts for people, filled in.
    pub annotations: Texts,
    /// `pending` or `firing`.
    pub state: String,
    /// Since when the condition holds.
    pub active_at: String,
    /// Since when it fires only because its rule keeps it firing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_firing_since: Option<String>,
    /// The last value, as Go writes numbers with an exponent.
    pub value: String,
}

impl Rule {
    /// Name of the alert or of the metric.
    pub fn name(&self) -> &str {
        match self {
            Self::Alerting(rule) => &rule.name,
            Self::Recording(rule) => &rule.name,
        }
    }

    /// Labels to set.
    pub fn labels(&self) -> &Texts {
        match self {
            Self::Alerting(rule) => &rule.labels,
            Self::Recording(rule) => &rule.labels,
        }
    }
}

/// A moment as Go's JSON writes it; none for one that never was.
pub fn moment(at: Option<Timestamp>) -> String {
    at.and_then(|at| jiff::Timestamp::from_millisecond(at.millis()).ok())
        .map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |at| at.to_string())
}

/// A number with an exponent of at least two digits: `1e+00`, `8.5e-01`, `+Inf`.
pub fn exponential(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_moments_are_written_as_go_does() {
        let cases = [
            (1.0, "1e+00"),
            (0.85, "8.5e-01"),
            (-1234.5, "-1.2345e+03"),
            (0.0, "0e+00"),
            (1e-100, "1e-100"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ];
        for (value, text) in cases {
            assert_eq!(exponential(value), text);
        }
        assert_eq!(moment(None), "0001-01-01T00:00:00Z");
        assert_eq!(moment(Some(Timestamp(1_500))), "1970-01-01T00:00:01.5Z");
    }
}
