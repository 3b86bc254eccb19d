//! A body that passes, piece by piece, under the inspector's eyes.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use squirrel_monitor::MessageDirection;
use tokio::time::{Instant, Sleep};

use super::exchange::Exchange;

/// How the inspector is told where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    None,
    /// By its length.
    Length(u64),
    /// By chunks.
    Chunked,
    /// By the end of the stream.
    UntilClose,
}

/// A body in one direction.
pub(super) struct Watched {
    inner: Incoming,
    exchange: Arc<Exchange>,
    framing: Framing,
    direction: MessageDirection,
    complete: bool,
    patience: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl Watched {
    pub(super) fn new(
        inner: Incoming,
        exchange: &Arc<Exchange>,
        framing: Framing,
        direction: MessageDirection,
    ) -> Self {
        Self { inner, exchange: Arc::clone(exchange), framing, direction, complete: false, patience: None }
    }

    /// Fails when no piece comes for so long.
    pub(super) fn within(mut self, patience: Duration) -> Self {
        self.patience = Some((patience, Box::pin(tokio::time::sleep(patience))));
        self
    }

    fn completed(&mut self) {
        if !std::mem::replace(&mut self.complete, true) && self.framing == Framing::Chunked {
            self.exchange.show(b"0\r\n\r\n", self.direction);
        }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(piece) = frame.data_ref() {
                    this.exchange.piece(piece, this.framing, this.direction);
                }
                if let Some((patience, sleep)) = &mut this.patience {
                    sleep.as_mut().reset(Instant::now() + *patience);
                }
                if this.inner.is_end_stream() {
                    this.completed();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => {
                this.completed();
                Poll::Ready(None)
            }
            Poll::Pending => {
                let patience = this.patience.as_mut();
                let is_over = patience.is_some_and(|(_, sleep)| sleep.as_mut().poll(context).is_ready());
                let error = || io::Error::from(io::ErrorKind::TimedOut);
                if is_over { Poll::Ready(Some(Err(error().into()))) } else { Poll::Pending }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// However it ends, the inspector learns of it.
impl Drop for Watched {
    fn drop(&mut self) {
        self.exchange.end(self.direction);
    }
}
