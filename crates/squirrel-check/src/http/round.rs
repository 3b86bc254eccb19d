//! One request and the head of its answer, each phase timed.

use hyper::body::{Body as _, SizeHint};
use hyper::header::CONTENT_LENGTH;
use hyper::http::response::Parts;
use squirrel_outbound::{Phase, SendError};
use tokio::time::Instant;

use super::HttpCheck;
use super::conversation::{Driven, converse};
use super::redirect::Place;
use super::request::Outgoing;
use crate::checker::Checker;
use crate::finding::{Failed, Notes};
use crate::metrics;
use crate::tls::{self, Stream};

/// An answer whose body is still to be read.
pub(super) struct Answer {
    pub(super) head: Parts,
    pub(super) body: Driven,
    pub(super) is_tls: bool,
    /// The body's length by the server's word.
    pub(super) content_length: Option<u64>,
}

/// Asks a place, and notes how long each phase took.
pub(super) async fn ask(
    check: &HttpCheck,
    checker: &Checker,
    place: &Place,
    outgoing: &Outgoing,
    notes: &mut Notes,
) -> Result<Answer, Failed> {
    let (address, took) = checker.way().address(&place.host, place.port, check.reach, notes).await?;
    notes.add_phase(&metrics::HTTP_DURATION, "resolve", took);
    let begin = Instant::now();
    let stream = check.reach.connect(address).await?;
    notes.add_phase(&metrics::HTTP_DURATION, "connect", begin.elapsed());
    let mut is_http2 = false;
    let stream: Box<dyn Stream> = if place.is_tls {
        let begin = Instant::now();
        let name = outgoing.tls_name(place);
        let offered: &[&str] = if check.http2 { &["h2", "http/1.1"] } else { &["http/1.1"] };
        let stream = tls::handshake(stream, &name, &check.tls, &checker.roots, offered).await?;
        notes.add_phase(&metrics::HTTP_DURATION, "tls", begin.elapsed());
        tls::note(&stream, &check.tls, true, notes);
        is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Box::new(stream)
    } else {
        Box::new(stream)
    };
    let begin = Instant::now();
    let broken =
        |error: &hyper::Error| Failed::new(format!("{place}: {}", SendError::of_exchange(Phase::Answer, error)));
    let request = outgoing.to(place, is_http2)?;
    let (response, held) = converse(stream, request, is_http2).await.map_err(|error| broken(&error))?;
    notes.add_phase(&metrics::HTTP_DURATION, "processing", begin.elapsed());
    let content_length = match SizeHint::exact(&response.body().size_hint()) {
        // The length of what GET would have brought.
        Some(0) if *outgoing.method() == hyper::Method::HEAD => {
            response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
        }
        length => length,
    };
    let (head, incoming) = response.into_parts();
    notes.say(&format!("{place} answered {}", head.status.as_u16()));
    Ok(Answer { head, body: Driven::new(incoming, held), is_tls: place.is_tls, content_length })
}
