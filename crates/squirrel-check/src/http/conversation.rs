//! A request and its answer over HTTP/1.1 or HTTP/2, carried by the check itself: nothing of it outlives the check.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::body::{Body as _, Bytes, Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use crate::tls::Stream;

type Connection = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A connection while its answer is read.
pub(super) struct Held {
    connection: Option<Connection>,
    /// What HTTP/2 does beside: none of HTTP/1.1.
    tasks: Tasks,
}

/// Tasks of one connection.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    fn set(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.set().spawn(task);
    }
}

impl Held {
    fn poll(&mut self, context: &mut Context<'_>) {
        // Its errors are told by the answer too.
        if self.connection.as_mut().is_some_and(|connection| connection.as_mut().poll(context).is_ready()) {
            self.connection = None;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // They hold the set themselves, and would keep each other.
        self.tasks.set().abort_all();
    }
}

/// Sends a request and brings the head of its answer.
pub(super) async fn converse(
    stream: Box<dyn Stream>,
    request: Request<Full<Bytes>>,
    is_http2: bool,
) -> Result<(Response<Incoming>, Held), hyper::Error> {
    let mut held = Held { connection: None, tasks: Tasks::default() };
    let stream = TokioIo::new(stream);
    // Sent before the connection is looked at: a server that answers unasked is not to be taken for one that broke off.
    let mut sending: Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>> + Send>>;
    if is_http2 {
        let (mut sender, connection) = http2::handshake(held.tasks.clone(), stream).await?;
        held.connection = Some(Box::pin(async move { drop(connection.await) }));
        sending = Box::pin(sender.send_request(request));
    } else {
        let (mut sender, connection) = http1::handshake(stream).await?;
        held.connection = Some(Box::pin(async move { drop(connection.await) }));
        sending = Box::pin(sender.send_request(request));
    }
    let response = std::future::poll_fn(|context| {
        held.poll(context);
        sending.as_mut().poll(context)
    });
    Ok((response.await?, held))
}

/// A body together with the connection that brings it.
pub(super) struct Driven {
    incoming: Incoming,
    held: Held,
}

impl Driven {
    pub(super) fn new(incoming: Incoming, held: Held) -> Self {
        Self { incoming, held }
    }

    pub(super) fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.held.poll(context);
        Pin::new(&mut self.incoming).poll_frame(context)
    }
}
