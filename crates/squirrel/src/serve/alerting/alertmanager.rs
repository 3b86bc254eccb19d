//! Questions in the words of Alertmanager's API, answered from the notifier.

use serde::Serialize;
use serde_json::{Value, json};
use squirrel_api::{ApiError, ErrorType};
use squirrel_model::{MatchOp, Matcher, Timestamp};
use squirrel_notify::{ApiShow, Matchers, Notifier, PostableSilence};
use squirrel_server::{AlertmanagerAlerts, AlertmanagerRequest};

use super::desk::Desk;
use super::hold;

/// Answers a question.
///
/// # Errors
/// What was asked for cannot be, and why.
pub(super) fn answer(desk: &Desk, request: AlertmanagerRequest, at: Timestamp) -> Result<Value, ApiError> {
    match request {
        AlertmanagerRequest::Receivers => Ok(desk.known().into_iter().map(|one| json!({ "name": one.name })).collect()),
        AlertmanagerRequest::Alerts(wanted) => Ok(Value::Array(alerts(&hold(&desk.notifier), &wanted, at)?)),
        AlertmanagerRequest::Groups(wanted) => groups(&hold(&desk.notifier), &wanted, at),
        AlertmanagerRequest::Silences { filter } => silences(&hold(&desk.notifier), &filter, at),
        AlertmanagerRequest::Silence { id } => {
            let all = value(&hold(&desk.notifier).alertmanager_silences(at))?;
            let found = all.as_array().into_iter().flatten().find(|one| one["id"] == *id);
            found.cloned().ok_or_else(|| ApiError::new(ErrorType::NotFound, format!("no silence is called {id:?}")))
        }
        AlertmanagerRequest::PostSilence(posted) => {
            let posted: PostableSilence = serde_json::from_value(posted).map_err(bad)?;
            let new = posted.new_silence().map_err(bad)?;
            let id = desk.change(|notifier| notifier.add_silence(at, new)).map_err(bad)?;
            Ok(json!({ "silenceID": id }))
        }
    }
}

fn bad(error: impl std::fmt::Display) -> ApiError {
    ApiError::bad_data(error.to_string())
}

fn value<T: Serialize>(one: &T) -> Result<Value, ApiError> {
    serde_json::to_value(one).map_err(|error| ApiError::new(ErrorType::Internal, error.to_string()))
}

/// The conditions of `filter`.
fn matchers(filter: &[String]) -> Result<Matchers, ApiError> {
    Matchers::parse(filter).map_err(|error| ApiError::invalid_parameter("filter", error))
}

fn alerts(notifier: &Notifier, wanted: &AlertmanagerAlerts, at: Timestamp) -> Result<Vec<Value>, ApiError> {
    let show = ApiShow { active: wanted.active, silenced: wanted.silenced, inhibited: wanted.inhibited };
    let found = notifier.alertmanager_alerts(at, &matchers(&wanted.filter)?, show);
    let mut alerts = found.iter().map(value).collect::<Result<Vec<_>, _>>()?;
    if let Some(receiver) = receiver(wanted)? {
        let names = |alert: &Value| alert["receivers"].as_array().cloned().unwrap_or_default();
        alerts.retain(|alert| {
            names(alert).iter().any(|one| one["name"].as_str().is_some_and(|name| receiver.matches(name)))
        });
    }
    Ok(alerts)
}

fn receiver(wanted: &AlertmanagerAlerts) -> Result<Option<Matcher>, ApiError> {
    let read = |text: &String| {
        Matcher::new("receiver", MatchOp::Regex, text).map_err(|error| ApiError::invalid_parameter("receiver", error))
    };
    wanted.receiver.as_ref().map(read).transpose()
}

/// Alerts that are told together, once for each channel.
fn groups(notifier: &Notifier, wanted: &AlertmanagerAlerts, at: Timestamp) -> Result<Value, ApiError> {
    let (all, receiver) = (alerts(notifier, wanted, at)?, receiver(wanted)?);
    let mut out = Vec::new();
    for group in notifier.views(at).groups {
        let numbers: Vec<String> = group.members.iter().map(|member| format!("{member:016x}")).collect();
        let is_member = |alert: &&Value| numbers.iter().any(|number| alert["fingerprint"] == **number);
        let members: Vec<&Value> = all.iter().filter(is_member).collect();
        let channels = group.channels.iter().map(|(name, _)| name);
        for name in channels.filter(|name| receiver.as_ref().is_none_or(|receiver| receiver.matches(name))) {
            if !members.is_empty() {
                out.push(json!({ "alerts": members, "labels": group.labels, "receiver": { "name": name } }));
            }
        }
    }
    Ok(Value::Array(out))
}

/// Silences of which each condition of `filter` fits one.
fn silences(notifier: &Notifier, filter: &[String], at: Timestamp) -> Result<Value, ApiError> {
    let filter = matchers(filter)?;
    let mut all = value(&notifier.alertmanager_silences(at))?;
    if let Some(silences) = all.as_array_mut() {
        silences.retain(|silence| {
            let conditions = silence["matchers"].as_array().cloned().unwrap_or_default();
            filter.iter().all(|wanted| {
                let fits = |one: &Value| {
                    one["name"] == *wanted.name() && one["value"].as_str().is_some_and(|value| wanted.matches(value))
                };
                conditions.iter().any(fits)
            })
        });
    }
    Ok(all)
}
