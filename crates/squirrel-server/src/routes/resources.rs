//! Squirrel's own resources, and what Prometheus' API says of metrics and of the program.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State as AxumState;
use axum::response::Response;
use serde::Serialize;
use squirrel_api::envelope::{Notes, write_metadata, write_success};
use squirrel_api::json::write_string;
use squirrel_api::{ApiError, CatalogueEntry, ErrorType};
use squirrel_model::Metric;

use crate::failure::{Failure, json};
use crate::form::Params;
use crate::server::State;
use crate::verdict::{self, Own};

/// The version of Prometheus whose API this is. Grafana reads it to know what it may ask.
const PROMETHEUS_VERSION: &str = "3.5.0";

/// `GET /api/v1/metadata`: what each metric means. Members of families (names that the kernel or a
/// driver makes up) are known once they were read.
pub(super) async fn metadata(AxumState(state): AxumState<State>, params: Params) -> Result<Response, Failure> {
    let number = |name: &str| match params.get(name) {
        None => Ok(usize::MAX),
        Some(text) => match text.parse::<i64>() {
            Ok(n) => Ok(usize::try_from(n).unwrap_or(usize::MAX)),
            Err(_) => Err(ApiError::bad_data(format!("{name} must be a number"))),
        },
    };
    let (limit, per_metric) = (number("limit")?, number("limit_per_metric")?);
    let tick = state.parts.ticks.borrow().clone();
    let mut metrics: BTreeMap<&str, &Metric> = BTreeMap::new();
    for row in tick.iter().flat_map(|tick| &tick.batch.rows) {
        metrics.insert(&row.metric.name, &row.metric);
    }
    for metric in state.parts.catalogue.iter().filter(|metric| !metric.is_family()) {
        metrics.insert(&metric.name, metric);
    }
    if let Some(only) = params.get("metric") {
        metrics.retain(|name, _| *name == only);
    }
    let most = if per_metric == 0 { 0 } else { limit };
    let mut out = String::new();
    write_success(&mut out, &Notes::default(), |out| write_metadata(out, metrics.into_iter().take(most)));
    Ok(json(out))
}

/// `GET /api/v1/status/buildinfo`. There is no member `features`: Grafana would take us for another
/// product by it.
pub(super) async fn buildinfo(AxumState(state): AxumState<State>) -> Response {
    let build = &state.parts.build;
    let revision = if build.revision.is_empty() {
        format!("squirrel {}", build.version)
    } else {
        format!("squirrel {} ({})", build.version, build.revision)
    };
    let members = [
        ("version", PROMETHEUS_VERSION),
        ("revision", &revision),
        ("branch", ""),
        ("buildUser", ""),
        ("buildDate", ""),
        ("goVersion", ""),
    ];
    let mut out = String::new();
    write_success(&mut out, &Notes::default(), |out| {
        for (i, (name, value)) in members.iter().enumerate() {
            out.push(if i == 0 { '{' } else { ',' });
            write_string(out, name);
            out.push(':');
            write_string(out, value);
        }
        out.push('}');
    });
    json(out)
}

/// `/api/v1/query_exemplars`: there are none. Grafana asks once, with any query and any times, to learn
/// whether the path exists.
pub(super) async fn exemplars() -> Response {
    nothing("[]")
}

fn nothing(data: &str) -> Response {
    let mut out = String::new();
    write_success(&mut out, &Notes::default(), |out| out.push_str(data));
    json(out)
}

/// `GET /api/charts`: which charts there are, for all screens.
pub(super) async fn charts() -> Result<Response, Failure> {
    plain(&crate::charts::charts().collect::<Vec<_>>())
}

/// `GET /api/catalogue`: all declared metrics.
pub(super) async fn catalogue(AxumState(state): AxumState<State>) -> Result<Response, Failure> {
    plain(&state.parts.catalogue.iter().map(CatalogueEntry::from).collect::<Vec<_>>())
}

/// `GET /api/collectors`: the collectors and how they do.
pub(super) async fn collectors(AxumState(state): AxumState<State>) -> Result<Response, Failure> {
    plain(&(state.parts.collectors)())
}

/// `GET /api/verdict`: is the network fine, and if not, what is wrong.
pub(super) async fn verdict(AxumState(state): AxumState<State>) -> Result<Response, Failure> {
    let at = state.parts.ticks.borrow().as_ref().map(|tick| tick.at);
    let snapshots = Arc::clone(&state.parts.snapshots);
    let collectors = Arc::clone(&state.parts.collectors);
    let alerting = Arc::clone(&state.parts.alerting);
    let own = state.parts.own.clone();
    let work = move |stop: &crate::gate::Stop| {
        let snapshot = snapshots.snapshot();
        Ok(verdict::judge(&Own::new(snapshot.as_ref(), &own), at, &collectors(), &alerting.watch(), stop))
    };
    plain(&state.gate.run(state.parts.limits.query_time, work).await?)
}

pub(super) fn plain<T: Serialize + ?Sized>(value: &T) -> Result<Response, Failure> {
    let text = serde_json::to_string(value).map_err(|e| ApiError::new(ErrorType::Internal, e.to_string()))?;
    Ok(json(text))
}
