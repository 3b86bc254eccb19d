//! TCP connections of hyper-util's connectors.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use pin_project_lite::pin_project;
use squirrel_monitor::io::Instrumented;
use squirrel_monitor::{ConnectPhase, Recorder, Stopwatch};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_service::Service;

use super::scope::{Dns, Shared};

/// Times the connector that it goes around, which is `HttpConnector` or another one whose connections are
/// [`TokioIo`], and counts the bytes of its connections. They are the bytes on the wire: what TLS makes of
/// them is outside.
#[derive(Clone, Debug)]
pub struct Transport<S> {
    inner: S,
    recorder: Recorder,
}

impl<S> Transport<S> {
    /// Times and counts `inner`.
    pub fn new(inner: S, recorder: &Recorder) -> Self {
        Self { inner, recorder: recorder.clone() }
    }
}

impl<S: Service<Uri, Response = TokioIo<T>>, T> Service<Uri> for Transport<S> {
    type Response = TokioIo<TransportStream<T>>;
    type Error = S::Error;
    type Future = TransportFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let timer = Timer {
            recorder: self.recorder.clone(),
            began: Stopwatch::start(),
            told: Shared::default(),
            outer: Shared::outer(),
            secure: uri.scheme_str() == Some("https"),
            ended: false,
        };
        let inner = timer.told.around(|| self.inner.call(uri));
        TransportFuture { inner, timer }
    }
}

pin_project! {
    /// A TCP connection to come.
    #[derive(Debug)]
    pub struct TransportFuture<F> {
        #[pin]
        inner: F,
        timer: Timer,
    }
}

impl<F: Future<Output = Result<TokioIo<T>, E>>, T, E> Future for TransportFuture<F> {
    type Output = Result<TokioIo<TransportStream<T>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.timer.told.around(|| this.inner.poll(context)));
        this.timer.end(outcome.is_ok());
        let counted = |stream: TokioIo<T>| this.timer.recorder.instrument(stream.into_inner());
        Poll::Ready(outcome.map(|stream| TokioIo::new(TransportStream { inner: counted(stream) })))
    }
}

/// The time of one TCP connection; dropped before its end, it has failed.
#[derive(Debug)]
struct Timer {
    recorder: Recorder,
    began: Stopwatch,
    told: Shared,
    outer: Option<Shared>,
    secure: bool,
    ended: bool,
}

impl Timer {
    fn end(&mut self, successful: bool) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let took = self.began.elapsed();
        let dns = self.told.told().dns;
        match dns {
            Dns::None => self.recorder.record_connect_phase(ConnectPhase::Tcp, successful, took),
            Dns::Took(dns) => {
                self.recorder.record_connect_phase(ConnectPhase::Tcp, successful, took.saturating_sub(dns));
            }
            // It is DNS that failed.
            Dns::Unfinished => {}
        }
        match &self.outer {
            Some(outer) if successful && self.secure => outer.told().before_tls = Some(took),
            Some(_) => {}
            None => self.recorder.record_connection_attempt(successful, took),
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.end(false);
    }
}

pin_project! {
    /// A client's connection whose bytes are counted.
    #[derive(Debug)]
    pub struct TransportStream<T> {
        #[pin]
        inner: Instrumented<T>,
    }
}

impl<T> TransportStream<T> {
    /// What is wrapped.
    pub fn get_ref(&self) -> &T {
        self.inner.get_ref()
    }
}

impl<T: Connection> Connection for TransportStream<T> {
    fn connected(&self) -> Connected {
        self.inner.get_ref().connected()
    }
}

impl<T: AsyncRead> AsyncRead for TransportStream<T> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_read(context, buffer)
    }
}

impl<T: AsyncWrite> AsyncWrite for TransportStream<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write(context, octets)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_shutdown(context)
    }
}
