//! The body of an answer, at whose end the request ends.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf as _;
use http::response::Parts;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::outcome::{Pending, grpc_status, http_failure, is_grpc};

pin_project! {
    /// The body of an answer; what it carries passes unchanged.
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        ending: Ending,
    }
}

/// What is known of how the request will end.
#[derive(Debug)]
struct Ending {
    pending: Option<Pending>,
    failure: Option<&'static str>,
    /// Whether gRPC's status is still to come.
    awaits_status: bool,
}

impl<B: Body> RequestBody<B> {
    /// `bodiless` says that the request's method has no body in its answer, whatever the service gives.
    pub(super) fn new(inner: B, pending: Option<Pending>, parts: &Parts, bodiless: bool) -> Self {
        let told = grpc_status(&parts.headers);
        let ending = Ending {
            pending,
            failure: http_failure(parts.status).or(told.and_then(Result::err)),
            awaits_status: is_grpc(&parts.headers) && told.is_none(),
        };
        let mut body = Self { inner, ending };
        let status = parts.status;
        let bodiless = bodiless || status.is_informational() || [204, 304].contains(&status.as_u16());
        // A body that is empty from the start, or not allowed, is never asked for its end.
        if bodiless || body.inner.is_end_stream() {
            body.ending.end();
        }
        body
    }
}

impl Ending {
    fn trailers(&mut self, trailers: &http::HeaderMap) {
        if let Some(status) = grpc_status(trailers) {
            self.awaits_status = false;
            self.failure = self.failure.or(status.err());
        }
    }

    fn end(&mut self) {
        if let Some(pending) = self.pending.take() {
            pending.end(self.failure.or(self.awaits_status.then_some("grpc_no_status")));
        }
    }
}

impl<B: Body> Body for RequestBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let polled = this.inner.as_mut().poll_frame(context);
        let ending = this.ending;
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(data), Some(pending)) = (frame.data_ref(), &mut ending.pending) {
                    pending.answered(data.remaining() as u64);
                }
                if let Some(trailers) = frame.trailers_ref() {
                    ending.trailers(trailers);
                }
                // Who knows the length does not ask for more.
                if this.inner.is_end_stream() {
                    ending.end();
                }
            }
            Poll::Ready(Some(Err(_))) => {
                if let Some(pending) = ending.pending.take() {
                    pending.fail("body_error");
                }
            }
            Poll::Ready(None) => ending.end(),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
