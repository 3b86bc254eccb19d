//! `GET /api/v1/rules` and `GET /api/v1/alerts`.
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#rules>

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::extract::State as AxumState;
use axum::response::Response;
use serde::Serialize;
use squirrel_api::envelope::{Notes, write_success};
use squirrel_api::rules::{Rule, RuleAlerts, RuleGroup, RuleGroups};
use squirrel_api::{ApiError, ErrorType};
use squirrel_model::Matcher;

use super::parameters::matchers;
use crate::failure::{Failure, json};
use crate::form::Params;
use crate::server::State;

/// Which rules are wanted.
struct Wanted<'a> {
    alerting: bool,
    recording: bool,
    names: BTreeSet<&'a str>,
    groups: BTreeSet<&'a str>,
    files: BTreeSet<&'a str>,
    matchers: Vec<Vec<Matcher>>,
    /// Alerts are left out of the rules.
    without_alerts: bool,
}

impl<'a> Wanted<'a> {
    fn read(params: &'a Params, query_bytes: usize) -> Result<Self, ApiError> {
        let kind = params.get("type").unwrap_or_default().to_ascii_lowercase();
        if !matches!(kind.as_str(), "" | "alert" | "record") {
            return Err(ApiError::invalid_parameter("type", format!("not supported value {kind:?}")));
        }
        Ok(Self {
            alerting: kind != "record",
            recording: kind != "alert",
            names: params.all("rule_name[]").collect(),
            groups: params.all("rule_group[]").collect(),
            files: params.all("file[]").collect(),
            matchers: matchers(params, query_bytes)?,
            without_alerts: flag(params, "exclude_alerts")?,
        })
    }

    fn rule(&self, rule: &Rule) -> bool {
        let kind = match rule {
            Rule::Alerting(_) => self.alerting,
            Rule::Recording(_) => self.recording,
        };
        let label = |name: &str| rule.labels().get(name).map(String::as_str).unwrap_or_default();
        let fits = |set: &Vec<Matcher>| set.iter().all(|matcher| matcher.matches(label(matcher.name())));
        kind && named(&self.names, rule.name()) && (self.matchers.is_empty() || self.matchers.iter().any(fits))
    }

    /// The group with the rules that are wanted; none when nothing of it is.
    fn group(&self, mut group: RuleGroup) -> Option<RuleGroup> {
        if !named(&self.groups, &group.name) || !named(&self.files, &group.file) {
            return None;
        }
        let had_rules = !group.rules.is_empty();
        group.rules.retain(|rule| self.rule(rule));
        if self.without_alerts {
            for rule in &mut group.rules {
                if let Rule::Alerting(rule) = rule {
                    rule.alerts.clear();
                }
            }
        }
        (!group.rules.is_empty() || !had_rules).then_some(group)
    }
}

fn named(names: &BTreeSet<&str>, name: &str) -> bool {
    names.is_empty() || names.contains(name)
}

fn flag(params: &Params, name: &str) -> Result<bool, ApiError> {
    match params.get(name).unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "false" | "0" | "f" => Ok(false),
        "true" | "1" | "t" => Ok(true),
        other => Err(ApiError::invalid_parameter(name, format!("{other:?} is neither true nor false"))),
    }
}

/// A token for a place in the list: it stays good when groups before it come or go.
fn token(group: &RuleGroup) -> String {
    let mut hasher = DefaultHasher::new();
    (&group.file, &group.name).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The page that begins at `from`, of at most `limit` groups.
fn page(mut groups: Vec<RuleGroup>, params: &Params) -> Result<RuleGroups, ApiError> {
    let from = params.get("group_next_token");
    let Some(limit) = params.get("group_limit") else {
        if from.is_some() {
            let message = "group_limit needs to be set when paginating over groups using group_next_token";
            return Err(ApiError::invalid_parameter("group_limit", message));
        }
        return Ok(RuleGroups { groups, group_next_token: String::new() });
    };
    let limit = match limit.parse::<usize>() {
        Ok(limit) if limit > 0 => limit,
        _ => return Err(ApiError::invalid_parameter("group_limit", "group_limit value is invalid: 1 or more")),
    };
    if let Some(from) = from {
        let Some(at) = groups.iter().position(|group| token(group) == from) else {
            let message = "invalid group_next_token: the group is gone, begin again without it";
            return Err(ApiError::invalid_parameter("group_next_token", message));
        };
        groups.drain(..at);
    }
    let group_next_token = groups.get(limit).map(token).unwrap_or_default();
    groups.truncate(limit);
    Ok(RuleGroups { groups, group_next_token })
}

/// `GET /api/v1/rules`.
pub(super) async fn rules(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    let wanted = Wanted::read(&params, state.parts.limits.query_bytes)?;
    let groups = state.parts.alerting.groups().into_iter().filter_map(|group| wanted.group(group)).collect();
    success(&page(groups, &params)?)
}

/// `GET /api/v1/alerts`.
pub(super) async fn alerts(AxumState(state): AxumState<State>) -> Result<Response, Failure> {
    let rules = state.parts.alerting.groups().into_iter().flat_map(|group| group.rules);
    let alerts = rules.flat_map(|rule| match rule {
        Rule::Alerting(rule) => rule.alerts,
        Rule::Recording(_) => Vec::new(),
    });
    success(&RuleAlerts { alerts: alerts.collect() })
}

fn success<T: Serialize>(data: &T) -> Result<Response, Failure> {
    let text = serde_json::to_string(data).map_err(|e| ApiError::new(ErrorType::Internal, e.to_string()))?;
    let mut out = String::with_capacity(text.len() + 40);
    write_success(&mut out, &Notes::default(), |out| out.push_str(&text));
    Ok(json(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use squirrel_api::rules::{RecordingRule, Texts, moment};

    fn group(file: &str, name: &str, rules: &[&str]) -> RuleGroup {
        let rule = |name: &&str| {
            Rule::Recording(RecordingRule {
                name: (*name).to_owned(),
                query: "up".to_owned(),
                labels: Texts::from([("team".to_owned(), "net".to_owned())]),
                health: "ok".to_owned(),
                last_error: String::new(),
                evaluation_time: 0.0,
                last_evaluation: moment(None),
            })
        };
        RuleGroup {
            name: name.to_owned(),
            file: file.to_owned(),
            rules: rules.iter().map(rule).collect(),
            interval: 15.0,
            limit: 0,
            evaluation_time: 0.0,
            last_evaluation: moment(None),
        }
    }

    fn names(params: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let params = Params::of(params);
        let wanted = Wanted::read(&params, 100).map_err(|error| error.message)?;
        let all = [group("a.yml", "one", &["r", "s"]), group("a.yml", "two", &["s"]), group("b.yml", "one", &[])];
        let all = all.into_iter().filter_map(|group| wanted.group(group)).collect();
        let page = page(all, &params).map_err(|error| error.message)?;
        let one = |group: &RuleGroup| format!("{};{}:{}", group.file, group.name, group.rules.len());
        Ok(page.groups.iter().map(one).chain(Some(page.group_next_token).filter(|token| !token.is_empty())).collect())
    }

    /// Parameters, and the groups that they choose with how many of their rules.
    type Chosen = (&'static [(&'static str, &'static str)], &'static [&'static str]);

    #[test]
    fn rules_are_chosen_by_name_group_file_kind_and_label() {
        let cases: [Chosen; 8] = [
            (&[], &["a.yml;one:2", "a.yml;two:1", "b.yml;one:0"]),
            (&[("rule_name[]", "r")], &["a.yml;one:1", "b.yml;one:0"]),
            (&[("rule_name[]", "r"), ("rule_name[]", "s")], &["a.yml;one:2", "a.yml;two:1", "b.yml;one:0"]),
            (&[("rule_group[]", "two")], &["a.yml;two:1"]),
            (&[("file[]", "b.yml")], &["b.yml;one:0"]),
            (&[("type", "ALERT"), ("file[]", "a.yml")], &[]),
            (&[("match[]", "{team=\"net\"}"), ("file[]", "a.yml")], &["a.yml;one:2", "a.yml;two:1"]),
            (&[("match[]", "{team=\"web\"}"), ("file[]", "a.yml")], &[]),
        ];
        for (params, wanted) in cases {
            assert_eq!(names(params).as_deref(), Ok(&*wanted.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()));
        }
    }

    #[test]
    fn pages_follow_each_other_without_gap() {
        let first = names(&[("group_limit", "2")]).unwrap();
        assert_eq!(first.len(), 3, "{first:?}");
        assert_eq!(
            names(&[("group_limit", "2"), ("group_next_token", &first[2])]).unwrap(),
            ["b.yml;one:0"],
            "the rest, and no token"
        );
        for bad in [[("group_limit", "0"), ("x", "")], [("group_limit", "5"), ("group_next_token", "nowhere")]] {
            assert!(names(&bad).is_err(), "{bad:?}");
        }
        assert!(names(&[("group_next_token", "x")]).unwrap_err().contains("group_limit"));
        assert!(names(&[("type", "both")]).unwrap_err().contains("not supported value \"both\""));
        assert!(names(&[("exclude_alerts", "perhaps")]).is_err());
    }
}
