//! `labels`, `label/<name>/values` and `series`: which series there are.
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#querying-metadata>

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State as AxumState};
use axum::response::Response;
use squirrel_api::envelope::{Notes, TRUNCATED, write_names, write_series, write_success};
use squirrel_api::{ApiError, ErrorType};
use squirrel_model::{Labels, Matcher, Select, SelectError, TimeRange};

use crate::failure::{Failure, json};
use crate::form::Params;
use crate::gate::Stop;
use crate::server::State;

use super::parameters::{limit, matchers, range, unescape};

pub(super) async fn names(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    look_up(&state, &params, |select, matchers, range| select.label_names(matchers, range)).await
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
    look_up(&state, &params, move |select, matchers, range| select.label_values(&name, matchers, range)).await
}

pub(super) async fn series(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    if params.all("match[]").next().is_none() {
        return Err(ApiError::bad_data("no match[] parameter provided").into());
    }
    let limit = limit(&params)?;
    let found = gather(&state, &params, |select, matchers, range| {
        Ok(select.find(matchers, range)?.into_iter().map(|found| found.labels).collect())
    })
    .await?;
    let (found, notes): (Vec<Labels>, Notes) = truncated(found, limit);
    let mut out = String::new();
    write_success(&mut out, &notes, |out| write_series(out, &found));
    Ok(json(out))
}

async fn look_up(
    state: &State,
    params: &Params,
    ask: impl Fn(&dyn Select, &[Matcher], TimeRange) -> Result<Vec<String>, SelectError> + Send + 'static,
) -> Result<Response, Failure> {
    let limit = limit(params)?;
    let found = gather(state, params, ask).await?;
    let (found, notes) = truncated(found, limit);
    let mut out = String::new();
    write_success(&mut out, &notes, |out| write_names(out, &found));
    Ok(json(out))
}

/// What all selectors of a request find together, sorted, each once; without one, what there is.
async fn gather<T: Ord + Send + 'static>(
    state: &State,
    params: &Params,
    ask: impl Fn(&dyn Select, &[Matcher], TimeRange) -> Result<Vec<T>, SelectError> + Send + 'static,
) -> Result<BTreeSet<T>, ApiError> {
    let range = range(params)?;
    let mut sets = matchers(params, state.parts.limits.query_bytes)?;
    if sets.is_empty() {
        sets.push(Vec::new());
    }
    let snapshots = Arc::clone(&state.parts.snapshots);
    let work = move |stop: &Stop| {
        let snapshot = snapshots.snapshot();
        let mut all = BTreeSet::new();
        for set in &sets {
            if stop.asked() {
                return Err(stop.error());
            }
            let found = ask(snapshot.as_ref(), set, range);
            all.extend(found.map_err(|e| ApiError::new(ErrorType::Internal, e.to_string()))?);
        }
        Ok(all)
    };
    state.gate.run(state.parts.limits.query_time, work).await
}

fn truncated<T>(found: BTreeSet<T>, limit: Option<usize>) -> (Vec<T>, Notes) {
    let mut notes = Notes::default();
    let most = limit.unwrap_or(usize::MAX);
    if found.len() > most {
        notes.warnings.push(TRUNCATED.to_owned());
    }
    (found.into_iter().take(most).collect(), notes)
}
