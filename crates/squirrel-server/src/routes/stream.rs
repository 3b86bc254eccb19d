//! `GET /api/stream?query=E1&query=E2…`: one event a tick with the values of all queries.

use std::time::Duration;

use axum::extract::State as AxumState;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use squirrel_api::ApiError;
use squirrel_model::Timestamp;

use crate::failure::Failure;
use crate::form::Params;
use crate::hub;
use crate::server::State;

/// How long a browser waits before it comes back after the stream broke off.
const RETRY: Duration = Duration::from_secs(2);

/// Opens a live stream. `Last-Event-ID`, which browsers send when they come back, is the time of the
/// last event they saw; the first event then says `resumed_after`, so that the page can ask for what
/// it missed.
pub(super) async fn stream(
    AxumState(state): AxumState<State>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Failure> {
    let limits = &state.parts.limits;
    let queries: Vec<String> = params.all("query").map(str::to_owned).collect();
    if queries.len() > limits.stream_queries {
        let message =
            format!("a stream has at most {} queries and this one has {}", limits.stream_queries, queries.len());
        return Err(ApiError::bad_data(message).into());
    }
    if let Some(long) = queries.iter().find(|query| query.len() > limits.query_bytes) {
        let why = format!("a query has at most {} bytes and this one has {}", limits.query_bytes, long.len());
        return Err(ApiError::invalid_parameter("query", why).into());
    }
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let subscription = hub::subscribe(&state, &queries, last.map(Timestamp))?;
    let opening = Event::default().comment("one event named tick follows each reading").retry(RETRY);
    let events = stream::unfold((Some(opening), subscription), |(opening, mut subscription)| async {
        let event = if let Some(opening) = opening {
            opening
        } else {
            let tick = subscription.next().await?;
            Event::default().event("tick").id(tick.at.millis().to_string()).data(tick.data)
        };
        Some((Ok::<_, std::convert::Infallible>(event), (None, subscription)))
    });
    let mut response =
        Sse::new(events).keep_alive(KeepAlive::new().interval(limits.keep_alive).text("still here")).into_response();
    // Proxies such as nginx would else collect events and pass them on late.
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}
