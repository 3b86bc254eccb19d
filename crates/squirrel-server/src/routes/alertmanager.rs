//! Alerts under Alertmanager's paths, as far as amtool and Grafana ask: `/api/v2/…`.
//! <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>

use axum::extract::{Path, Request, State as AxumState};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use squirrel_api::ApiError;
use squirrel_api::alerts::{AlertAction, ExpireRequest, ShownAlert, ShownSilence, SilenceRequest};
use squirrel_api::params::parse_time;
use squirrel_api::rules::moment;
use squirrel_model::{Matcher, Timestamp};

use super::alerts::{act, asked, body, may_change, unauthorised};
use super::resources::plain;
use crate::failure::Failure;
use crate::form::Params;
use crate::server::State;

/// How much longer a firing alert is said to last: it ends when its rule says so.
const LASTS: f64 = 300.0;

fn time(seconds: f64) -> String {
    moment(Some(Timestamp::from_seconds(seconds)))
}

/// `GET /api/v2/status`.
pub(super) async fn status(AxumState(state): AxumState<State>) -> Result<Response, Failure> {
    let build = &state.parts.build;
    let up = (state.parts.monotonic)().0.as_secs_f64();
    plain(&json!({
        "cluster": { "status": "disabled", "peers": [] },
        "config": { "original": "" },
        "uptime": time((state.parts.clock)().seconds() - up),
        "versionInfo": {
            "version": build.version, "revision": build.revision,
            "branch": "", "buildDate": "", "buildUser": "", "goVersion": "",
        },
    }))
}

/// `GET /api/v2/receivers`.
pub(super) async fn receivers(AxumState(state): AxumState<State>) -> Result<Response, Failure> {
    let page = asked(&state).await?;
    plain(&page.channels.iter().map(|channel| json!({ "name": channel.name })).collect::<Vec<_>>())
}

/// Which alerts are wanted.
struct Wanted {
    active: bool,
    silenced: bool,
    inhibited: bool,
    receiver: Option<Matcher>,
    filter: Vec<Matcher>,
}

impl Wanted {
    fn read(params: &Params) -> Result<Self, ApiError> {
        let flag = |name: &str| match params.get(name) {
            None | Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => Err(ApiError::invalid_parameter(name, format!("{other:?} is neither true nor false"))),
        };
        let receiver = params.get("receiver").map(|text| {
            Matcher::new("receiver", squirrel_model::MatchOp::Regex, text)
                .map_err(|e| ApiError::invalid_parameter("receiver", e))
        });
        Ok(Self {
            active: flag("active")?,
            silenced: flag("silenced")?,
            inhibited: flag("inhibited")?,
            receiver: receiver.transpose()?,
            filter: filter(params)?,
        })
    }

    fn wants(&self, alert: &ShownAlert) -> bool {
        let silenced = !alert.silenced_by.is_empty();
        let inhibited = !alert.inhibited_by.is_empty();
        let label = |name: &str| alert.labels.get(name).map(String::as_str).unwrap_or_default();
        alert.state == "firing"
            && (self.silenced || !silenced)
            && (self.inhibited || !inhibited)
            && (self.active || silenced || inhibited)
            && self.receiver.as_ref().is_none_or(|receiver| alert.receivers.iter().any(|name| receiver.matches(name)))
            && self.filter.iter().all(|matcher| matcher.matches(label(matcher.name())))
    }
}

/// The conditions of `filter`, one a text.
fn filter(params: &Params) -> Result<Vec<Matcher>, ApiError> {
    let mut matchers = Vec::new();
    for text in params.all("filter") {
        // A condition that an empty set fulfils is no selector alone: another stands beside it.
        let selector = format!("{{{}, lent=\"x\"}}", text.trim().trim_start_matches('{').trim_end_matches('}'));
        let read = squirrel_promql::parse_selector(&selector);
        let read = read.map_err(|e| ApiError::invalid_parameter("filter", format!("{text:?}: {e}")))?;
        matchers.extend(read.into_iter().filter(|matcher| matcher.name() != "lent"));
    }
    Ok(matchers)
}

/// `GET /api/v2/alerts`.
pub(super) async fn alerts(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    let wanted = Wanted::read(&params)?;
    let page = asked(&state).await?;
    let alerts = page.alerts.iter().filter(|alert| wanted.wants(alert));
    plain(&alerts.map(|alert| shown(alert, page.time)).collect::<Vec<_>>())
}

fn shown(alert: &ShownAlert, now: f64) -> Value {
    let held = !alert.held.is_empty();
    json!({
        "annotations": alert.annotations,
        "endsAt": time(alert.ends_at.unwrap_or(now + LASTS)),
        "fingerprint": alert.fingerprint,
        "generatorURL": alert.generator_url,
        "labels": alert.labels,
        "receivers": alert.receivers.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
        "startsAt": time(alert.starts_at),
        "status": {
            "inhibitedBy": alert.inhibited_by,
            "mutedBy": alert.muted_by,
            "silencedBy": alert.silenced_by,
            "state": if held { "suppressed" } else { "active" },
        },
        "updatedAt": time(now),
    })
}

/// `GET /api/v2/alerts/groups`.
pub(super) async fn groups(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    let wanted = Wanted::read(&params)?;
    let page = asked(&state).await?;
    let mut groups = Vec::new();
    for group in &page.groups {
        let members = page.alerts.iter().filter(|alert| group.members.contains(&alert.fingerprint));
        let alerts: Vec<Value> =
            members.filter(|alert| wanted.wants(alert)).map(|alert| shown(alert, page.time)).collect();
        if !alerts.is_empty() {
            let receivers =
                group.channels.iter().filter(|name| wanted.receiver.as_ref().is_none_or(|r| r.matches(name)));
            groups.extend(
                receivers.map(|name| json!({ "alerts": alerts, "labels": group.labels, "receiver": { "name": name } })),
            );
        }
    }
    plain(&groups)
}

/// `GET /api/v2/silences`.
pub(super) async fn silences(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    let filter = filter(&params)?;
    let page = asked(&state).await?;
    let fits = |silence: &&ShownSilence| {
        let matchers = conditions(silence);
        filter
            .iter()
            .all(|wanted| matchers.iter().any(|one| one.name() == wanted.name() && wanted.matches(one.value())))
    };
    plain(&page.silences.iter().filter(fits).map(shown_silence).collect::<Vec<_>>())
}

/// `GET /api/v2/silence/{id}`.
pub(super) async fn silence(AxumState(state): AxumState<State>, Path(id): Path<String>) -> Response {
    match asked(&state).await {
        Ok(page) => match page.silences.iter().find(|silence| silence.id == id) {
            Some(found) => plain(&shown_silence(found)).unwrap_or_else(Failure::into_response),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Err(error) => Failure::from(error).into_response(),
    }
}

fn conditions(silence: &ShownSilence) -> Vec<Matcher> {
    // Written by the notifier, and read as a selector: at least one of them is fulfilled by no empty set.
    squirrel_promql::parse_selector(&format!("{{{}}}", silence.matchers.join(", "))).unwrap_or_default()
}

fn shown_silence(silence: &ShownSilence) -> Value {
    use squirrel_model::MatchOp::{Equal, NotRegex, Regex};
    let matcher = |one: Matcher| {
        let (regex, equal) = (matches!(one.op(), Regex | NotRegex), matches!(one.op(), Equal | Regex));
        json!({ "name": one.name(), "value": one.value(), "isRegex": regex, "isEqual": equal })
    };
    json!({
        "id": silence.id,
        "status": { "state": silence.state },
        "updatedAt": time(silence.updated_at),
        "comment": silence.comment,
        "createdBy": silence.author,
        "startsAt": time(silence.starts_at),
        "endsAt": time(silence.ends_at),
        "matchers": conditions(silence).into_iter().map(matcher).collect::<Vec<_>>(),
    })
}

/// The body of `POST /api/v2/silences`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PostedSilence {
    #[serde(default)]
    id: Option<String>,
    matchers: Vec<PostedMatcher>,
    starts_at: String,
    ends_at: String,
    created_by: String,
    #[serde(default)]
    comment: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostedMatcher {
    name: String,
    value: String,
    is_regex: bool,
    #[serde(default = "yes")]
    is_equal: bool,
}

fn yes() -> bool {
    true
}

/// `POST /api/v2/silences`.
pub(super) async fn post_silence(AxumState(state): AxumState<State>, request: Request) -> Response {
    let made = async {
        let posted: PostedSilence = body(&state, request).await?;
        let request = wish(posted)?;
        let done = act(&state, AlertAction::Silence(request)).await?;
        plain(&json!({ "silenceID": done.id }))
    };
    made.await.unwrap_or_else(|failure: Failure| unauthorised(failure.into_response()))
}

fn wish(posted: PostedSilence) -> Result<SilenceRequest, ApiError> {
    let at = |name: &str, text: &str| {
        parse_time(text).map(Timestamp::seconds).map_err(|e| ApiError::bad_data(format!("{name}: {e}")))
    };
    let condition = |one: &PostedMatcher| {
        let sign = match (one.is_regex, one.is_equal) {
            (false, true) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (true, false) => "!~",
        };
        let value = one.value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("{}{sign}\"{value}\"", one.name)
    };
    Ok(SilenceRequest {
        matchers: posted.matchers.iter().map(condition).collect(),
        starts_at: Some(at("startsAt", &posted.starts_at)?),
        ends_at: at("endsAt", &posted.ends_at)?,
        author: posted.created_by,
        comment: posted.comment,
        replaces: posted.id.filter(|id| !id.is_empty()),
    })
}

/// `DELETE /api/v2/silence/{id}`.
pub(super) async fn delete_silence(
    AxumState(state): AxumState<State>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let done = async {
        may_change(&state, &headers)?;
        act(&state, AlertAction::Expire(ExpireRequest { id })).await?;
        Ok(StatusCode::OK.into_response())
    };
    done.await.unwrap_or_else(|failure: Failure| unauthorised(failure.into_response()))
}
