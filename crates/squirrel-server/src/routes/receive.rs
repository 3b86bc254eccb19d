//! `POST /api/v1/write`: remote write from other monitors.
//!
//! Who sends is known before a body is read, and few bodies are held at one time. Browsers do not send.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as AxumState};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;

use crate::parts::{Receive, ReceiveReply};
use crate::server::State;

/// Bodies that are read and kept at one time; more wait their turn. Each may take some hundred megabytes while it
/// is read, if it is made to.
const AT_ONCE: usize = 2;

/// The turns of bodies.
#[derive(Debug)]
pub(crate) struct Turns(tokio::sync::Semaphore);

impl Default for Turns {
    fn default() -> Self {
        Self(tokio::sync::Semaphore::new(AT_ONCE))
    }
}

fn reply(status: u16, text: &str) -> ReceiveReply {
    ReceiveReply { status, headers: Vec::new(), text: text.to_owned() }
}

pub(super) async fn write(AxumState(state): AxumState<State>, request: Request) -> Response {
    let answer = match &state.parts.receive {
        None => ReceiveReply::nobody(),
        Some(receive) => take(&state, receive, request).await.unwrap_or_else(|refusal| refusal),
    };
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let text = if answer.text.is_empty() { String::new() } else { answer.text + "\n" };
    let mut response = (status, text).into_response();
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn take(state: &State, receive: &Arc<dyn Receive>, request: Request) -> Result<ReceiveReply, ReceiveReply> {
    let (head, body) = request.into_parts();
    if head.headers.contains_key(header::ORIGIN) || head.headers.contains_key("sec-fetch-site") {
        return Err(reply(403, "browsers do not send: this request comes from a page"));
    }
    let authorization = head.headers.get(header::AUTHORIZATION).map(|value| value.as_bytes().to_vec());
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (kind, encoding) = (text(header::CONTENT_TYPE), text(header::CONTENT_ENCODING));
    receive.admit(authorization.as_deref(), &kind, &encoding)?;
    let most = receive.most_body();
    if text(header::CONTENT_LENGTH).parse::<usize>().is_ok_and(|told| told > most) {
        return Err(reply(413, &format!("a body has at most {most} bytes")));
    }
    let Ok(_turn) = state.receiving.0.acquire().await else { return Err(reply(503, "about to stop")) };
    let body = tokio::time::timeout(state.parts.limits.body_time, read(body, most))
        .await
        .unwrap_or_else(|_| Err(reply(408, "the body did not arrive in time")))?;
    let receive = Arc::clone(receive);
    let taking = tokio::task::spawn_blocking(move || receive.take(authorization.as_deref(), &kind, &encoding, &body));
    taking.await.map_err(|panic| {
        tracing::error!(%panic, "a body of remote write ended in a panic; the others go on");
        reply(500, "the body met a fault of the daemon; its log says more")
    })
}

async fn read(body: Body, most: usize) -> Result<Vec<u8>, ReceiveReply> {
    let (mut octets, mut chunks) = (Vec::new(), body.into_data_stream());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| reply(400, "the body broke off"))?;
        if octets.len() + chunk.len() > most {
            return Err(reply(413, &format!("a body has at most {most} bytes")));
        }
        octets.extend_from_slice(&chunk);
    }
    Ok(octets)
}
