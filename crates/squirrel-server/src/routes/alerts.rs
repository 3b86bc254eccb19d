//! `/api/alerts` and what can be done about them. Whoever changes something shows the daemon's token, from wherever
//! the request comes: that it comes from this host is no proof of anything.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as AxumState};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::de::DeserializeOwned;
use squirrel_api::alerts::{ActionDone, AlertAction, AlertsPage};
use squirrel_api::{ApiError, ErrorType};
use squirrel_model::Untrusted;

use super::resources::plain;
use crate::failure::Failure;
use crate::server::State;

/// Largest body of a request that changes something, in bytes.
const MAX_BODY: usize = 64 << 10;

/// `GET /api/alerts`.
pub(super) async fn page(AxumState(state): AxumState<State>) -> Result<Response, Failure> {
    plain(&asked(&state).await?)
}

/// The page, asked on a thread that may wait.
pub(super) async fn asked(state: &State) -> Result<AlertsPage, ApiError> {
    let alerting = Arc::clone(&state.parts.alerting);
    state.gate.run(state.parts.limits.query_time, move |_| Ok(alerting.page())).await
}

/// `POST /api/silences`.
pub(super) async fn silence(AxumState(state): AxumState<State>, request: Request) -> Response {
    change(&state, request, AlertAction::Silence).await
}

/// `POST /api/silences/expire`.
pub(super) async fn expire(AxumState(state): AxumState<State>, request: Request) -> Response {
    change(&state, request, AlertAction::Expire).await
}

/// `POST /api/alerts/acknowledge`.
pub(super) async fn acknowledge(AxumState(state): AxumState<State>, request: Request) -> Response {
    change(&state, request, AlertAction::Acknowledge).await
}

/// `POST /api/alerts/unacknowledge`.
pub(super) async fn unacknowledge(AxumState(state): AxumState<State>, request: Request) -> Response {
    change(&state, request, AlertAction::Unacknowledge).await
}

/// `POST /api/notify/test`.
pub(super) async fn test(AxumState(state): AxumState<State>, request: Request) -> Response {
    change(&state, request, AlertAction::Test).await
}

async fn change<T: DeserializeOwned>(state: &State, request: Request, action: fn(T) -> AlertAction) -> Response {
    let done = async {
        let body = body(state, request).await?;
        act(state, action(body)).await.map_err(Failure::from)
    };
    match done.await {
        Ok(done) => plain(&done).unwrap_or_else(Failure::into_response),
        Err(failure) => unauthorised(failure.into_response()),
    }
}

/// A client that lacks the token is told how it is sent (RFC 9110, 11.6.1).
pub(super) fn unauthorised(mut response: Response) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// Does something, on a thread that may wait.
pub(super) async fn act(state: &State, action: AlertAction) -> Result<ActionDone, ApiError> {
    let alerting = Arc::clone(&state.parts.alerting);
    let done = tokio::task::spawn_blocking(move || alerting.act(action)).await;
    done.unwrap_or_else(|panic| {
        tracing::error!(%panic, "a change of alerts ended in a panic");
        Err(ApiError::new(ErrorType::Internal, "the request met a fault of this program; its log says more"))
    })
}

/// Whether the sender may change something.
pub(super) fn may_change(state: &State, headers: &HeaderMap) -> Result<(), Failure> {
    let sent = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let Some(token) = &state.parts.token else {
        return Err(Failure::new(StatusCode::FORBIDDEN, ApiError::bad_data("nothing can be changed here")));
    };
    if sent.is_some_and(|sent| token.fits(sent)) {
        return Ok(());
    }
    let message = "whoever changes something shows the daemon's token: the content of the file `token` in its data \
                   directory, as Authorization: Bearer";
    Err(Failure::new(StatusCode::UNAUTHORIZED, ApiError::bad_data(message)))
}

/// A body of JSON from somebody who may send it.
pub(super) async fn body<T: DeserializeOwned>(state: &State, request: Request) -> Result<T, Failure> {
    let (head, body) = request.into_parts();
    may_change(state, &head.headers)?;
    let kind = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // No form of another page can send this, even where a browser forgets to say where it comes from.
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let error = ApiError::bad_data("send the body as Content-Type: application/json");
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error));
    }
    let bytes = read(state, body).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let said = error.to_string();
        ApiError::bad_data(format!("the body is not as it should be: {}", Untrusted(&said))).into()
    })
}

async fn read(state: &State, body: Body) -> Result<Vec<u8>, Failure> {
    let reading = axum::body::to_bytes(body, MAX_BODY);
    match tokio::time::timeout(state.parts.limits.body_time, reading).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(_)) => {
            let error = ApiError::bad_data(format!("the body broke off, or has more than {MAX_BODY} bytes"));
            Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, error))
        }
        Err(_) => {
            let error = ApiError::bad_data("the body of the request did not arrive in time");
            Err(Failure::new(StatusCode::REQUEST_TIMEOUT, error))
        }
    }
}
