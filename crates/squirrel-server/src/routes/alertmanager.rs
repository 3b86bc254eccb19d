//! Alerts under Alertmanager's paths, as far as amtool and Grafana ask: `/api/v2/…`. Its errors are JSON texts.
//! <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>

use std::sync::Arc;

use axum::extract::{Path, Request, State as AxumState};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use squirrel_api::ApiError;
use squirrel_api::alerts::{AlertAction, ExpireRequest};
use squirrel_api::rules::moment;
use squirrel_model::Timestamp;

use super::alerts::{act, body, may_change, unauthorised};
use super::resources::plain;
use crate::alerting::{AlertmanagerAlerts, AlertmanagerRequest};
use crate::failure::Failure;
use crate::form::Params;
use crate::server::State;

/// `GET /api/v2/status`.
pub(super) async fn status(AxumState(state): AxumState<State>) -> Result<Response, Failure> {
    let build = &state.parts.build;
    let up = (state.parts.monotonic)().0.as_secs_f64();
    let born = Timestamp::from_seconds((state.parts.clock)().seconds() - up);
    plain(&json!({
        "cluster": { "status": "disabled", "peers": [] },
        "config": { "original": "" },
        "uptime": moment(Some(born)),
        "versionInfo": {
            "version": build.version, "revision": build.revision,
            "branch": "", "buildDate": "", "buildUser": "", "goVersion": "",
        },
    }))
}

/// Which alerts are wanted.
fn wanted(params: &Params) -> Result<AlertmanagerAlerts, ApiError> {
    let flag = |name: &str| match params.get(name) {
        None | Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(other) => Err(ApiError::invalid_parameter(name, format!("{other:?} is neither true nor false"))),
    };
    Ok(AlertmanagerAlerts {
        active: flag("active")?,
        silenced: flag("silenced")?,
        inhibited: flag("inhibited")?,
        receiver: params.get("receiver").map(str::to_owned),
        filter: filter(params),
    })
}

fn filter(params: &Params) -> Vec<String> {
    params.all("filter").filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

/// Asks on a thread that may wait.
async fn ask(state: &State, request: AlertmanagerRequest) -> Response {
    let alerting = Arc::clone(&state.parts.alerting);
    let work = move |_: &crate::gate::Stop| alerting.alertmanager(request);
    let answer = state.gate.run(state.parts.limits.query_time, work).await;
    answer.map_or_else(|error| refused(&error), |value| plain(&value).unwrap_or_else(Failure::into_response))
}

fn refused(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = crate::failure::json(Value::String(error.message.clone()).to_string());
    *response.status_mut() = status;
    response
}

/// `GET /api/v2/receivers`.
pub(super) async fn receivers(AxumState(state): AxumState<State>) -> Response {
    ask(&state, AlertmanagerRequest::Receivers).await
}

/// `GET /api/v2/alerts`.
pub(super) async fn alerts(AxumState(state): AxumState<State>, params: Params) -> Response {
    match wanted(&params) {
        Ok(wanted) => ask(&state, AlertmanagerRequest::Alerts(wanted)).await,
        Err(error) => refused(&error),
    }
}

/// `GET /api/v2/alerts/groups`.
pub(super) async fn groups(AxumState(state): AxumState<State>, params: Params) -> Response {
    match wanted(&params) {
        Ok(wanted) => ask(&state, AlertmanagerRequest::Groups(wanted)).await,
        Err(error) => refused(&error),
    }
}

/// `GET /api/v2/silences`.
pub(super) async fn silences(AxumState(state): AxumState<State>, params: Params) -> Response {
    ask(&state, AlertmanagerRequest::Silences { filter: filter(&params) }).await
}

/// `GET /api/v2/silence/{id}`.
pub(super) async fn silence(AxumState(state): AxumState<State>, Path(id): Path<String>) -> Response {
    ask(&state, AlertmanagerRequest::Silence { id }).await
}

/// `POST /api/v2/silences`.
pub(super) async fn post_silence(AxumState(state): AxumState<State>, request: Request) -> Response {
    match body::<Value>(&state, request).await {
        Ok(posted) => ask(&state, AlertmanagerRequest::PostSilence(posted)).await,
        Err(failure) => unauthorised(failure.into_response()),
    }
}

/// `DELETE /api/v2/silence/{id}`.
pub(super) async fn delete_silence(
    AxumState(state): AxumState<State>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(failure) = may_change(&state, &headers) {
        return unauthorised(failure.into_response());
    }
    match act(&state, AlertAction::Expire(ExpireRequest { id })).await {
        Ok(_) => StatusCode::OK.into_response(),
        Err(error) => refused(&error),
    }
}
