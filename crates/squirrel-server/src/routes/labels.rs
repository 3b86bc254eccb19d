//! `labels`, `label/<name>/values` and `series`: which series there are.
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#querying-metadata>

use std::sync::Arc;

use axum::extract::{Path, State as AxumState};
use axum::response::Response;
use squirrel_api::ApiError;
use squirrel_api::envelope::{Notes, write_names, write_series, write_success};
use squirrel_promql::engine::{Listed, Lookup, Terms};
use squirrel_promql::{Engine, EngineError};

use crate::engine::refused;
use crate::failure::{Failure, json};
use crate::form::Params;
use crate::server::State;

use super::parameters::{limit, matchers, range, unescape};

pub(super) async fn names(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    look_up(&state, &params, |engine, lookup, terms| engine.label_names(lookup, terms)).await
}

pub(super) async fn values(
    AxumState(state): AxumState<State>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Response, Failure> {
    let name = unescape(&name);
    if name.is_empty() {
        return Err(ApiError::bad_data(format!("invalid label name: {name:?}")).into());
    }
    look_up(&state, &params, move |engine, lookup, terms| engine.label_values(&name, lookup, terms)).await
}

pub(super) async fn series(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    if params.all("match[]").next().is_none() {
        return Err(ApiError::bad_data("no match[] parameter provided").into());
    }
    let found = gather(&state, &params, |engine, lookup, terms| engine.series(lookup, terms)).await?;
    let mut out = String::new();
    write_success(&mut out, &warned(found.warnings), |out| write_series(out, &found.items));
    Ok(json(out))
}

async fn look_up(
    state: &State,
    params: &Params,
    ask: impl Fn(&dyn Engine, Lookup<'_>, &Terms<'_>) -> Result<Listed<String>, EngineError> + Send + 'static,
) -> Result<Response, Failure> {
    let found = gather(state, params, ask).await?;
    let mut out = String::new();
    write_success(&mut out, &warned(found.warnings), |out| write_names(out, &found.items));
    Ok(json(out))
}

/// What all selectors of a request find together; without one, what there is.
async fn gather<T: Send + 'static>(
    state: &State,
    params: &Params,
    ask: impl Fn(&dyn Engine, Lookup<'_>, &Terms<'_>) -> Result<Listed<T>, EngineError> + Send + 'static,
) -> Result<Listed<T>, ApiError> {
    let limit = limit(params)?;
    let range = range(params)?;
    let sets = matchers(params, state.parts.limits.query_bytes)?;
    let engine = Arc::clone(&state.engine);
    let work = move |stop: &crate::gate::Stop| {
        let asked = || stop.asked();
        let terms = Terms { time: stop.left(), lookback_ms: None, stop: &asked };
        ask(engine.as_ref(), Lookup { sets: &sets, range, limit }, &terms).map_err(|error| refused(error, stop))
    };
    state.gate.run(state.parts.limits.query_time, work).await
}

fn warned(warnings: Vec<String>) -> Notes {
    Notes { warnings, ..Notes::default() }
}
