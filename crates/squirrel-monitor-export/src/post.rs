//! One POST over HTTP/1.1, within a time limit.

use std::pin::pin;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use squirrel_exchange::remote_write::WRITTEN_HEADERS;
use tokio::net::TcpStream;

use crate::endpoint::Endpoint;

/// How long one export may take, from the connection's begin to the answer's end.
pub(crate) const SEND_LIMIT: Duration = Duration::from_secs(10);

/// The longest pause that `Retry-After` can ask for, in seconds; a date in it is passed over for the usual pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// As much of an answer as is read; more is of no use.
const MAX_ANSWER: usize = 64 << 10;

/// What is posted.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) content_type: &'static str,
    /// More headers.
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Bytes,
}

/// What was answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// Whether a receiver of remote write 2.0 says what it wrote.
    pub(crate) counted: bool,
    /// Empty when it was too long or broke off.
    pub(crate) body: Bytes,
}

/// Posts and reads the answer, whatever it is.
///
/// # Errors
/// No connection, no answer, or not in time: in words that end a sentence about the endpoint.
pub(crate) async fn post(endpoint: &Endpoint, token: Option<&HeaderValue>, post: Post) -> Result<Answer, String> {
    tokio::time::timeout(SEND_LIMIT, exchange(endpoint, token, post))
        .await
        .unwrap_or_else(|_| Err(format!("did not answer within {} s", SEND_LIMIT.as_secs())))
}

async fn exchange(endpoint: &Endpoint, token: Option<&HeaderValue>, post: Post) -> Result<Answer, String> {
    let stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port))
        .await
        .map_err(|error| format!("cannot be reached: {error}"))?;
    let broken = |error: hyper::Error| format!("broke off: {error}");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(&endpoint.target)
        .header(HOST, endpoint.authority())
        .header(USER_AGENT, concat!("squirrel-monitor/", env!("CARGO_PKG_VERSION")))
        .header(CONTENT_TYPE, post.content_type);
    for (name, value) in &post.headers {
        request = request.header(*name, *value);
    }
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, token);
    }
    let request = request.body(Full::new(post.body)).map_err(|error| format!("cannot be asked: {error}"))?;
    let mut exchange = pin!(async {
        let response = sender.send_request(request).await.map_err(broken)?;
        let headers = response.headers();
        let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut answer = Answer {
            status: response.status().as_u16(),
            retry_after: seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST_PAUSE)),
            counted: WRITTEN_HEADERS.iter().any(|name| headers.contains_key(*name)),
            body: Bytes::new(),
        };
        // The status has been said; what cannot be read after it changes nothing.
        if let Ok(body) = Limited::new(response.into_body(), MAX_ANSWER).collect().await {
            answer.body = body.to_bytes();
        }
        Ok(answer)
    });
    // The connection does its work while it is polled, beside the exchange, and goes with this function.
    let mut connection = pin!(connection);
    tokio::select! {
        answer = &mut exchange => return answer,
        _ = &mut connection => {}
    }
    exchange.await
}
