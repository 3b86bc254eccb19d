//! Which path is answered by what.

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use squirrel_api::{ApiError, ErrorType};
use tower_http::compression::CompressionLayer;

use crate::failure::Failure;
use crate::security;
use crate::server::State;

mod alertmanager;
mod alerts;
mod applications;
mod expressions;
mod federate;
mod files;
mod known;
mod labels;
mod live;
mod misread;
mod openapi;
mod parameters;
mod plain;
mod probe;
mod probes;
mod query;
pub(crate) mod receive;
mod resources;
mod rules;
mod status;
mod stream;

/// Everything that the server answers. The guard stands around all of it, unknown paths too.
pub(crate) fn router(state: &State) -> Router {
    Router::new()
        .route("/api/v1/query", get(query::instant).post(query::instant))
        .route("/api/v1/query_range", get(query::range).post(query::range))
        .route("/api/v1/labels", get(labels::names).post(labels::names))
        .route("/api/v1/label/{name}/values", get(labels::values))
        .route("/api/v1/series", get(labels::series).post(labels::series))
        .route("/api/v1/metadata", get(resources::metadata))
        .route("/api/v1/query_exemplars", get(resources::exemplars).post(resources::exemplars))
        .route("/api/v1/format_query", get(expressions::format).post(expressions::format))
        .route("/api/v1/parse_query", get(expressions::parse).post(expressions::parse))
        .route("/api/v1/rules", get(rules::rules))
        .route("/api/v1/alerts", get(rules::alerts))
        .route("/api/v1/status/buildinfo", get(resources::buildinfo))
        .route("/api/v1/status/config", get(status::config))
        .route("/api/v1/status/flags", get(status::flags))
        .route("/api/v1/status/runtimeinfo", get(status::runtimeinfo))
        .route("/api/v1/status/tsdb", get(status::tsdb))
        .route("/api/v1/status/walreplay", get(status::walreplay))
        .route("/api/v1/targets", get(status::targets))
        .route("/api/v1/targets/metadata", get(status::target_metadata))
        .route("/api/v1/scrape_pools", get(status::scrape_pools))
        .route("/api/v1/alertmanagers", get(status::alertmanagers))
        .route("/api/v1/notifications", get(status::notifications))
        .route("/api/charts", get(resources::charts))
        .route("/api/catalogue", get(resources::catalogue))
        .route("/api/collectors", get(resources::collectors))
        .route("/api/verdict", get(resources::verdict))
        .route("/api/applications", get(applications::list).post(applications::report))
        .route("/api/applications/{name}", get(applications::one))
        .route("/api/alerts", get(alerts::page))
        .route("/api/alerts/acknowledge", post(alerts::acknowledge))
        .route("/api/alerts/unacknowledge", post(alerts::unacknowledge))
        .route("/api/silences", post(alerts::silence))
        .route("/api/silences/expire", post(alerts::expire))
        .route("/api/notify/test", post(alerts::test))
        .route("/api/probes", get(probes::page))
        .route("/api/probes/one", get(probes::one))
        .route("/api/probes/run", post(probes::run))
        .route("/api/v2/status", get(alertmanager::status))
        .route("/api/v2/receivers", get(alertmanager::receivers))
        .route("/api/v2/alerts", get(alertmanager::alerts))
        .route("/api/v2/alerts/groups", get(alertmanager::groups))
        .route("/api/v2/silences", get(alertmanager::silences).post(alertmanager::post_silence))
        .route("/api/v2/silence/{id}", get(alertmanager::silence).delete(alertmanager::delete_silence))
        .route("/api/live/processes", get(live::processes))
        .route("/api/live/connections", get(live::connections))
        .route("/api/live/hosts", get(live::hosts))
        .route("/api/live/interfaces", get(live::interfaces))
        .route("/api/live/books", get(live::books))
        .route("/api/live/ports", get(live::ports))
        .route("/api/live/top", get(live::top))
        .route("/api/live/packets", post(live::packets))
        .route("/api/openapi.json", get(openapi::openapi))
        .route("/metrics", get(plain::metrics))
        .route("/federate", get(federate::federate))
        .route("/probe", get(probe::probe))
        // The default predicate leaves event streams and small answers alone.
        .layer(CompressionLayer::new())
        .route("/api/stream", get(stream::stream))
        .route("/api/v1/write", post(receive::write))
        .route("/healthz", get(plain::healthz))
        .route("/readyz", get(plain::readyz))
        // The same two under Prometheus' names: `promtool check healthy` and its like ask for them.
        .route("/-/healthy", get(plain::healthz))
        .route("/-/ready", get(plain::readyz))
        .route_layer(from_fn(known::guard))
        .fallback(fallback)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(State::clone(state), security::guard))
        .with_state(State::clone(state))
}

/// The dashboard's files, else "no such thing" in the form that the asker expects.
async fn fallback(request: Request) -> Response {
    let path = request.uri().path();
    if path == "/api" || path.starts_with("/api/") {
        return Failure::from(ApiError::new(ErrorType::NotFound, format!("there is no {path} here"))).into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let refused = wrong_method(request.method().clone(), request.uri().clone()).await;
        return ([(header::ALLOW, "GET, HEAD")], refused).into_response();
    }
    files::file(path, request.headers())
        .unwrap_or_else(|| (StatusCode::NOT_FOUND, "There is nothing here. The dashboard is at /.\n").into_response())
}

/// The router adds what the path can be asked with, as `Allow`.
async fn wrong_method(method: Method, uri: Uri) -> Response {
    let message = format!("{} cannot be asked with {method}", uri.path());
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, ApiError::bad_data(message)).into_response()
}
