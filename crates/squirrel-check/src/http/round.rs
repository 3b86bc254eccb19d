//! One request and the head of its answer, each phase timed.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::body::{Body as _, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, Connection};
use hyper::header::CONTENT_LENGTH;
use hyper::http::response::Parts;
use hyper_util::rt::TokioIo;
use squirrel_outbound::{Phase, SendError};
use tokio::time::Instant;

use super::HttpCheck;
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

type Driver = Pin<Box<Connection<TokioIo<Box<dyn Stream>>, Full<Bytes>>>>;

/// A body together with the connection that brings it: no task outlives the check.
pub(super) struct Driven {
    incoming: Incoming,
    driver: Option<Driver>,
}

impl Driven {
    pub(super) fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(driver) = &mut self.driver {
            // Its errors are told by the body too.
            if driver.as_mut().poll(context).is_ready() {
                self.driver = None;
            }
        }
        Pin::new(&mut self.incoming).poll_frame(context)
    }
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
    let stream: Box<dyn Stream> = if place.is_tls {
        let begin = Instant::now();
        let name = outgoing.tls_name(place);
        let stream = tls::handshake(stream, &name, &check.tls, &checker.roots, &["http/1.1"]).await?;
        notes.add_phase(&metrics::HTTP_DURATION, "tls", begin.elapsed());
        tls::note(&stream, &check.tls, true, notes);
        Box::new(stream)
    } else {
        Box::new(stream)
    };
    let begin = Instant::now();
    let broken =
        |error: &hyper::Error| Failed::new(format!("{place}: {}", SendError::of_exchange(Phase::Answer, error)));
    let request = outgoing.to(place)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let mut driver: Option<Driver> = Some(Box::pin(connection));
    let mut sending = std::pin::pin!(sender.send_request(request));
    let response = std::future::poll_fn(|context| {
        if driver.as_mut().is_some_and(|driver| driver.as_mut().poll(context).is_ready()) {
            driver = None;
        }
        sending.as_mut().poll(context)
    });
    let response = response.await.map_err(|error| broken(&error))?;
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
    Ok(Answer { head, body: Driven { incoming, driver }, is_tls: place.is_tls, content_length })
}
