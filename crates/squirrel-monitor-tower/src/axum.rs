//! axum's listener, and its routes as labels.

use axum::extract::MatchedPath;
use squirrel_monitor::Recorder;
use squirrel_monitor::io::Instrumented;

use crate::RequestHead;

/// A listener for `axum::serve` whose connections are counted: each accepted one is a successful attempt,
/// active until it is dropped, with its bytes and errors. What cannot be accepted, axum retries by itself
/// and tells nobody.
#[derive(Debug)]
pub struct Listener<L> {
    inner: L,
    recorder: Recorder,
}

impl<L> Listener<L> {
    /// Counts what `inner` accepts.
    pub fn new(inner: L, recorder: &Recorder) -> Self {
        Self { inner, recorder: recorder.clone() }
    }
}

impl<L: axum::serve::Listener> axum::serve::Listener for Listener<L> {
    type Io = Instrumented<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = self.inner.accept().await;
        self.recorder.record_accepted();
        (self.recorder.instrument(stream), address)
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.inner.local_addr()
    }
}

/// The route that axum matched, such as `/users/{id}`: a label for [`RequestLayer`](crate::RequestLayer), put
/// on by `Router::layer`. What matched none is `unmatched`.
pub fn matched_path(head: RequestHead<'_>) -> &str {
    head.extensions.get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str)
}
