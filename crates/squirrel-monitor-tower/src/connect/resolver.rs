//! Resolution of names.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use squirrel_monitor::{ConnectPhase, Recorder, Stopwatch};
use tower_service::Service;

use super::scope::{Dns, Shared};

/// Times the resolver that it goes around: for `HttpConnector::new_with_resolver`, or to be called from
/// another client's own form of resolver.
#[derive(Clone, Debug)]
pub struct Resolver<S> {
    inner: S,
    recorder: Recorder,
}

impl<S> Resolver<S> {
    /// Times `inner`.
    pub fn new(inner: S, recorder: &Recorder) -> Self {
        Self { inner, recorder: recorder.clone() }
    }
}

impl<S: Service<N>, N> Service<N> for Resolver<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResolverFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, name: N) -> Self::Future {
        let outer = Shared::outer();
        if let Some(outer) = &outer {
            outer.told().dns = Dns::Unfinished;
        }
        let timer = Timer { recorder: self.recorder.clone(), began: Stopwatch::start(), outer, ended: false };
        ResolverFuture { inner: self.inner.call(name), timer }
    }
}

pin_project! {
    /// A resolution under way.
    #[derive(Debug)]
    pub struct ResolverFuture<F> {
        #[pin]
        inner: F,
        timer: Timer,
    }
}

impl<F: Future<Output = Result<A, E>>, A, E> Future for ResolverFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(context));
        this.timer.end(outcome.is_ok());
        Poll::Ready(outcome)
    }
}

/// The time of one resolution; dropped before its end, it has failed.
#[derive(Debug)]
struct Timer {
    recorder: Recorder,
    began: Stopwatch,
    outer: Option<Shared>,
    ended: bool,
}

impl Timer {
    fn end(&mut self, successful: bool) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let took = self.began.elapsed();
        self.recorder.record_connect_phase(ConnectPhase::Dns, successful, took);
        if let Some(outer) = self.outer.as_ref().filter(|_| successful) {
            outer.told().dns = Dns::Took(took);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.end(false);
    }
}
