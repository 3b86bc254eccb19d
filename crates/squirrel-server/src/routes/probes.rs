//! `/api/probes…`: targets that are probed on a schedule, what the record says of them, and a probe by hand.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State as AxumState};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use squirrel_api::live::USUAL_LIMIT;
use squirrel_api::probes::{ProbeRan, ProbeRun, ProbeState};
use squirrel_api::{ApiError, ErrorType};

use super::resources::plain;
use super::{alerts, live};
use crate::failure::{Failure, json};
use crate::form::Params;
use crate::probes::{Asked, Question};
use crate::server::State;

/// However long a probe may take by its configuration, nobody waits longer than this for one that was asked for by
/// hand. A check may take two minutes, and then says itself what was not done by then.
const RUN_TIME: Duration = Duration::from_secs(130);

/// `GET /api/probes`.
pub(super) async fn page(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    let text = |name: &str| params.get(name).map(str::to_owned);
    let question = Question {
        table: live::question(&params, USUAL_LIMIT)?,
        group: text("group"),
        job: text("job"),
        state: params.get("state").map(named).transpose()?,
        history: text("history"),
    };
    answer(&state, move |asked| asked.page(&question)).await
}

/// `GET /api/probes/one`.
pub(super) async fn one(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    let required = |name: &str| {
        let text = params.get(name).map(str::to_owned);
        text.ok_or_else(|| ApiError::invalid_parameter(name, "name the target by job and instance"))
    };
    let (job, instance) = (required("job")?, required("instance")?);
    let history = params.get("history").map(str::to_owned);
    answer(&state, move |asked| asked.one(&job, &instance, history.as_deref())).await
}

/// `POST /api/probes/run`, with the daemon's token.
pub(super) async fn run(AxumState(state): AxumState<State>, request: Request) -> Response {
    let done = async {
        let asked: ProbeRun = alerts::body(&state, request).await?;
        ran(&state, asked).await.map_err(Failure::from)
    };
    match done.await {
        Ok(ran) => plain(&ran).unwrap_or_else(Failure::into_response),
        Err(failure) => alerts::unauthorised(failure.into_response()),
    }
}

async fn ran(state: &State, asked: ProbeRun) -> Result<ProbeRan, ApiError> {
    let Some(probes) = &state.parts.probes else {
        let why = "nothing is probed on a schedule here: [[probe]] tables of the configuration name targets";
        return Err(ApiError::new(ErrorType::NotFound, why));
    };
    tokio::time::timeout(RUN_TIME, probes.run(asked)).await.unwrap_or_else(|_| {
        let why = format!("the probe did not end within {} s", RUN_TIME.as_secs());
        Err(ApiError::new(ErrorType::Timeout, why))
    })
}

fn named(word: &str) -> Result<ProbeState, ApiError> {
    ProbeState::named(word).ok_or_else(|| {
        let words = ProbeState::ALL.map(ProbeState::word).join(", ");
        ApiError::invalid_parameter("state", format!("{word:?} is no state. There are: {words}"))
    })
}

/// Answers on a thread and with a seat as queries have.
async fn answer<T: Serialize + Send + 'static>(
    state: &State,
    ask: impl FnOnce(&Asked<'_>) -> Result<T, ApiError> + Send + 'static,
) -> Result<Response, Failure> {
    let shared = Arc::clone(state);
    let work = move |stop: &crate::gate::Stop| {
        let parts = &shared.parts;
        let asked = Asked {
            probes: parts.probes.as_deref(),
            engine: shared.engine.as_ref(),
            thresholds: &parts.alerting.watch().thresholds,
            now: (parts.clock)(),
            stop,
        };
        let document = ask(&asked)?;
        serde_json::to_string(&document).map_err(|e| ApiError::new(ErrorType::Internal, e.to_string()))
    };
    Ok(json(state.gate.run(state.parts.limits.query_time, work).await?))
}
