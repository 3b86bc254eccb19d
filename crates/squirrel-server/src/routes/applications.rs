//! `/api/applications`: applications tell of themselves (`POST`), and everybody may see what is known of
//! them (`GET`).
//!
//! A report comes from a program on this host, or from whoever has the token, and never from a
//! browser: beside the walls around every request, one that says where it was sent from is refused, also
//! from our own page, and the body must be `application/json`, which no form can send.

use axum::body::Body;
use axum::extract::{Path, Request, State as AxumState};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use squirrel_api::application::ApplicationReport;
use squirrel_api::{ApiError, ErrorType};
use squirrel_model::Untrusted;
use tokio::sync::OwnedSemaphorePermit;

use super::misread;
use super::resources::plain;
use crate::applications::{Outcome, REPORT_TIME, Refusal};
use crate::failure::Failure;
use crate::security::PeerAddress;
use crate::server::State;

/// `GET /api/applications`: all of them.
pub(super) async fn list(AxumState(state): AxumState<State>) -> Result<Response, Failure> {
    plain(&state.parts.applications.list((state.parts.clock)(), (state.parts.monotonic)()))
}

/// `GET /api/applications/{name}`: one of them.
pub(super) async fn one(AxumState(state): AxumState<State>, Path(name): Path<String>) -> Result<Response, Failure> {
    if let Some(found) = state.parts.applications.one(&name, (state.parts.monotonic)()) {
        return plain(&found);
    }
    let message = format!("no application is called {:?}; /api/applications lists all", shortened(&name));
    Err(ApiError::new(ErrorType::NotFound, message).into())
}

/// `POST /api/applications`: an application tells of itself.
pub(super) async fn report(AxumState(state): AxumState<State>, request: Request) -> Response {
    let mut application = String::new();
    match take(&state, request, &mut application).await {
        Ok(receipt) => receipt,
        Err(refusal) => {
            state.parts.applications.refused(&refusal, &application, (state.parts.clock)());
            refused(refusal)
        }
    }
}

fn refused(Refusal { outcome, sentence }: Refusal) -> Response {
    let status = StatusCode::from_u16(outcome.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = match outcome {
        Outcome::Full | Outcome::Busy | Outcome::Rate => ErrorType::Unavailable,
        _ => ErrorType::BadData,
    };
    let mut response = Failure::new(status, ApiError::new(kind, sentence)).into_response();
    if matches!(outcome, Outcome::Rate | Outcome::Busy) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if outcome == Outcome::Token {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

async fn take(state: &State, request: Request, application: &mut String) -> Result<Response, Refusal> {
    let applications = &state.parts.applications;
    let peer = request.extensions().get::<PeerAddress>().copied();
    let (head, body) = request.into_parts();
    let authorization = head.headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    may_speak(&head.headers, peer, applications.token_fits(authorization))?;
    applications.admit((state.parts.monotonic)())?;
    check_type(&head.headers)?;
    let body = read(state, &head.headers, body).await?;
    let job = State::clone(state);
    // One at a time: a large report is read in some hundredths of a second and takes many times its size.
    let Ok(_turn) = applications.turn().acquire().await else {
        return Err(Refusal::new(Outcome::Busy, "the daemon is about to stop"));
    };
    let done = tokio::task::spawn_blocking(move || {
        let report: ApplicationReport = serde_json::from_slice(&body.bytes).map_err(|error| {
            let sentence = misread::sentence("the report", &body.bytes, &error);
            (String::new(), Refusal::new(Outcome::Malformed, sentence))
        })?;
        let named = shortened(&report.application);
        let parts = &job.parts;
        parts.applications.take(report, (parts.clock)(), (parts.monotonic)()).map_err(|refusal| (named, refusal))
    });
    let receipt = match done.await {
        Ok(Ok(receipt)) => receipt,
        Ok(Err((named, refusal))) => {
            *application = named;
            return Err(refusal);
        }
        Err(panic) => {
            tracing::error!(%panic, "a report of an application ended in a panic; the others go on");
            return Err(Refusal::new(Outcome::Busy, "the report met a fault of the daemon; its log says more"));
        }
    };
    plain(&receipt).map_err(|_| Refusal::new(Outcome::Busy, "the receipt cannot be written"))
}

/// Whether the sender may report at all; `token_fits` is none where no token is asked for.
fn may_speak(headers: &HeaderMap, peer: Option<PeerAddress>, token_fits: Option<bool>) -> Result<(), Refusal> {
    if headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") {
        return Err(Refusal::new(Outcome::Foreign, "browsers do not report: this request comes from a page"));
    }
    match token_fits {
        Some(true) => Ok(()),
        Some(false) => Err(Refusal::new(
            Outcome::Token,
            "this daemon wants a token with each report: send the content of its token_file as Authorization: Bearer",
        )),
        None if peer.is_some_and(|PeerAddress(peer)| peer.ip().to_canonical().is_loopback()) => Ok(()),
        None => Err(Refusal::new(
            Outcome::Foreign,
            "reports are taken from this host only: set token_file under [applications] in the daemon's configuration to \
             take them from others",
        )),
    }
}

fn check_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = text(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::new(Outcome::Type, "a report is JSON: send it as Content-Type: application/json"));
    }
    if !matches!(text(header::CONTENT_ENCODING), "" | "identity") {
        return Err(Refusal::new(Outcome::Type, "a report is not compressed: send it without Content-Encoding"));
    }
    Ok(())
}

/// A body, and its share of the room that all bodies have together.
struct Held {
    bytes: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
}

/// Reads the body up to the limit. All bodies together have bounded room, however many connections there
/// are.
async fn read(state: &State, headers: &HeaderMap, body: Body) -> Result<Held, Refusal> {
    let applications = &state.parts.applications;
    let most = applications.limits().report_bytes;
    let too_large = || Refusal::new(Outcome::TooLarge, format!("a report has at most {most} bytes"));
    let told = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|told| told > most) {
        return Err(too_large());
    }
    let reading = async {
        let mut held = Held { bytes: Vec::new(), room: None };
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| {
                Refusal::new(Outcome::Malformed, format!("the report broke off: {}", Untrusted(&error.to_string())))
            })?;
            if held.bytes.len() + chunk.len() > most {
                return Err(too_large());
            }
            let Some(more) = applications.room(chunk.len()) else {
                return Err(Refusal::new(Outcome::Busy, "too many reports arrive at this moment: try again"));
            };
            match &mut held.room {
                Some(room) => room.merge(more),
                room => *room = Some(more),
            }
            held.bytes.extend_from_slice(&chunk);
        }
        Ok(held)
    };
    tokio::time::timeout(REPORT_TIME, reading)
        .await
        .unwrap_or_else(|_| Err(Refusal::new(Outcome::Late, "the report did not arrive in time")))
}

/// The beginning of a name, for a list of refusals.
fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_token_only_this_host_may_report() {
        let none = HeaderMap::new();
        let outcome = |peer: &str, fits| {
            let peer = PeerAddress(peer.parse().unwrap());
            may_speak(&none, Some(peer), fits).map_err(|refusal| refusal.outcome)
        };
        for (peer, here) in [
            ("127.0.0.1:9", true),
            ("127.8.8.8:9", true),
            ("[::1]:9", true),
            ("[::ffff:127.0.0.1]:9", true),
            ("192.0.2.7:9", false),
            ("[2001:db8::1]:9", false),
            ("[::ffff:192.0.2.7]:9", false),
            ("0.0.0.0:9", false),
        ] {
            assert_eq!(outcome(peer, None).is_ok(), here, "{peer}");
            assert_eq!(outcome(peer, Some(true)), Ok(()), "{peer} with the token");
            assert_eq!(outcome(peer, Some(false)), Err(Outcome::Token), "{peer} without the token");
        }
        assert!(may_speak(&none, None, None).is_err());
        let page = HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static("http://localhost:7775"))]);
        let here = PeerAddress("127.0.0.1:9".parse().unwrap());
        assert!(may_speak(&page, Some(here), Some(true)).is_err(), "a page, whatever it knows");
    }
}
