//! What is answered as plain text: the last readings, and whether the server does its work.

use axum::extract::State as AxumState;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use squirrel_model::exposition;

use crate::server::State;

/// <https://prometheus.io/docs/instrumenting/exposition_formats/#basic-info>
pub(super) const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

const NOT_READY: &str = "No samples yet: the first reading is under way. Ask again in a second.\n";

/// The last readings in the exposition format.
pub(super) async fn metrics(AxumState(state): AxumState<State>) -> Response {
    let tick = state.parts.ticks.borrow().clone();
    let Some(tick) = tick else { return (StatusCode::SERVICE_UNAVAILABLE, NOT_READY).into_response() };
    let mut text = String::new();
    exposition::write_batch(&mut text, &tick.batch);
    ([(header::CONTENT_TYPE, EXPOSITION)], text).into_response()
}

/// The server answers.
pub(super) async fn healthz() -> &'static str {
    "The server answers.\n"
}

/// The first samples can be queried: a tick is published only after the store has it.
pub(super) async fn readyz(AxumState(state): AxumState<State>) -> (StatusCode, &'static str) {
    if state.parts.ticks.borrow().is_some() {
        (StatusCode::OK, "Ready: samples can be queried.\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, NOT_READY)
    }
}
