//! Whole attempts to connect.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use squirrel_monitor::{ConnectPhase, Recorder, Stopwatch};
use tower_layer::Layer;
use tower_service::Service;

use super::scope::Shared;

/// Records the attempts of the connector that it goes around, and what they return passes unchanged: for
/// reqwest's `connector_layer`, or around any other connector.
#[derive(Clone, Debug)]
pub struct ConnectLayer(Recorder);

impl ConnectLayer {
    /// Records into `recorder`.
    pub fn new(recorder: &Recorder) -> Self {
        Self(recorder.clone())
    }
}

impl<S> Layer<S> for ConnectLayer {
    type Service = Connect<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Connect { inner, recorder: self.0.clone() }
    }
}

/// A connector whose attempts are recorded; made by [`ConnectLayer`].
#[derive(Clone, Debug)]
pub struct Connect<S> {
    inner: S,
    recorder: Recorder,
}

impl<S: Service<R>, R> Service<R> for Connect<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = ConnectFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let (told, began) = (Shared::default(), Stopwatch::start());
        let inner = told.around(|| self.inner.call(target));
        ConnectFuture { inner, attempt: Attempt { recorder: self.recorder.clone(), began, told, ended: false } }
    }
}

pin_project! {
    /// An attempt to connect.
    #[derive(Debug)]
    pub struct ConnectFuture<F> {
        #[pin]
        inner: F,
        attempt: Attempt,
    }
}

impl<F: Future<Output = Result<A, E>>, A, E> Future for ConnectFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.attempt.told.around(|| this.inner.poll(context)));
        this.attempt.end(outcome.is_ok());
        Poll::Ready(outcome)
    }
}

/// One attempt; dropped before its end, it has failed.
#[derive(Debug)]
struct Attempt {
    recorder: Recorder,
    began: Stopwatch,
    told: Shared,
    ended: bool,
}

impl Attempt {
    fn end(&mut self, successful: bool) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let took = self.began.elapsed();
        self.recorder.record_connection_attempt(successful, took);
        let before_tls = self.told.told().before_tls;
        if let Some(before) = before_tls {
            self.recorder.record_connect_phase(ConnectPhase::Tls, successful, took.saturating_sub(before));
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.end(false);
    }
}
