//! Requests: how many, how long, how many at once, and how they end.

mod body;
mod outcome;
#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Extensions, HeaderMap, Method, Request, Response, Uri};
use http_body::Body;
use pin_project_lite::pin_project;
use squirrel_monitor::Recorder;
use tower_layer::Layer;
use tower_service::Service;

pub use body::RequestBody;
use outcome::{Pending, Side};

/// What a label is chosen by.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target, as the other side wrote it: not a label, since there is no end to them.
    pub uri: &'a Uri,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// What layers outside this one have put there; a router its route.
    pub extensions: &'a Extensions,
}

/// Counts the requests of the service that it is put around: each with a label that `label` chooses.
///
/// Recorded under the label, as the message type: the request, its answer, how long it took, and whether it
/// failed. Sizes are those of the bodies: the request's as it was announced, the answer's as it passed.
/// How it failed is counted as a protocol error:
///
/// | error | when |
/// |---|---|
/// | `http_4xx`, `http_5xx` | by the status |
/// | `grpc_` and the code's name | by `grpc-status`, in the trailers or, when there is no body, the headers |
/// | `grpc_no_status` | an answer of gRPC ended without one |
/// | `service_error` | the service gave no answer |
/// | `body_error` | the answer's body broke off |
/// | `cancelled` | the answer was dropped before its end |
///
/// A request ends, and its time with it, at the **end of the answer's body** or when that is dropped; so the
/// time of one that streams is the time of the stream. It works with axum, tonic, and every other service
/// of `http` requests.
///
/// ```
/// use squirrel_monitor::{NetworkConfig, NetworkMonitor};
/// use squirrel_monitor_tower::{RequestHead, RequestLayer};
///
/// fn label(head: RequestHead<'_>) -> &str {
///     match (head.method.as_str(), head.uri.path()) {
///         ("GET", "/health") => "health",
///         ("GET", _) => "read",
///         _ => "write",
///     }
/// }
/// let monitor = NetworkMonitor::new(NetworkConfig::default());
/// let layer = RequestLayer::server(monitor.recorder(), label);
/// # let _ = layer;
/// ```
pub struct RequestLayer<F> {
    recorder: Recorder,
    label: Arc<F>,
    side: Side,
}

impl<F> RequestLayer<F>
where
    F: for<'a> Fn(RequestHead<'a>) -> &'a str,
{
    /// For a service that answers requests: they are received, and the answers sent.
    pub fn server(recorder: &Recorder, label: F) -> Self {
        Self { recorder: recorder.clone(), label: Arc::new(label), side: Side::Server }
    }

    /// For a service that makes requests: they are sent, and the answers received.
    pub fn client(recorder: &Recorder, label: F) -> Self {
        Self { recorder: recorder.clone(), label: Arc::new(label), side: Side::Client }
    }
}

// By hand, since the derived ones would ask the same of `F`.
impl<F> Clone for RequestLayer<F> {
    fn clone(&self) -> Self {
        Self { recorder: self.recorder.clone(), label: Arc::clone(&self.label), side: self.side }
    }
}

impl<F> std::fmt::Debug for RequestLayer<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestLayer").field("side", &self.side).finish_non_exhaustive()
    }
}

impl<S, F> Layer<S> for RequestLayer<F> {
    type Service = RequestService<S, F>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestService { inner, layer: self.clone() }
    }
}

/// A service whose requests are counted; see [`RequestLayer`].
#[derive(Debug)]
pub struct RequestService<S, F> {
    inner: S,
    layer: RequestLayer<F>,
}

impl<S: Clone, F> Clone for RequestService<S, F> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, F, Q, A> Service<Request<Q>> for RequestService<S, F>
where
    S: Service<Request<Q>, Response = Response<A>>,
    F: for<'a> Fn(RequestHead<'a>) -> &'a str,
    Q: Body,
    A: Body,
{
    type Response = Response<RequestBody<A>>;
    type Error = S::Error;
    type Future = RequestFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let head = RequestHead {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        };
        let label = (self.layer.label)(head);
        // A body of unknown length counts as far as it is announced: not at all, usually.
        let announced = request.body().size_hint().lower();
        let pending = Pending::begin(&self.layer.recorder, label, self.layer.side, announced);
        let bodiless = [Method::HEAD, Method::CONNECT].contains(request.method());
        RequestFuture { inner: self.inner.call(request), pending: Some(pending), bodiless }
    }
}

pin_project! {
    /// An answer to come.
    #[derive(Debug)]
    pub struct RequestFuture<F> {
        #[pin]
        inner: F,
        pending: Option<Pending>,
        bodiless: bool,
    }
}

impl<F, A, E> Future for RequestFuture<F>
where
    F: Future<Output = Result<Response<A>, E>>,
    A: Body,
{
    type Output = Result<Response<RequestBody<A>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(context));
        let pending = this.pending.take();
        Poll::Ready(match outcome {
            Ok(response) => {
                let (parts, body) = response.into_parts();
                let body = RequestBody::new(body, pending, &parts, *this.bodiless);
                Ok(Response::from_parts(parts, body))
            }
            Err(error) => {
                if let Some(pending) = pending {
                    pending.fail("service_error");
                }
                Err(error)
            }
        })
    }
}
