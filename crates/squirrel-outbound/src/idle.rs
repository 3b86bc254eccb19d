//! Connections that wait for the destination's next request.

use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::{Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

/// How long a connection waits. Servers and the boxes on the way let go of quiet ones after a minute or so.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How many wait for one destination.
const MOST: usize = 8;

/// TCP, or TLS on it.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The conversation's work, done while it is polled.
type Driver = Pin<Box<Connection<TokioIo<Box<dyn Stream>>, Full<Bytes>>>>;

/// One connection. It does its work only while `driver` is polled: no task outlives a request.
pub(crate) struct Open {
    pub(crate) sender: SendRequest<Full<Bytes>>,
    pub(crate) driver: Driver,
}

impl Open {
    /// Whether it can take a request: looks once whether the other side closed it meanwhile.
    async fn is_usable(&mut self) -> bool {
        let ended =
            std::future::poll_fn(|context| std::task::Poll::Ready(self.driver.as_mut().poll(context).is_ready()));
        !ended.await && self.sender.is_ready()
    }
}

/// The connections of one destination.
pub(crate) struct Idle {
    most: usize,
    waiting: Mutex<Vec<(Instant, Open)>>,
}

impl Default for Idle {
    fn default() -> Self {
        Self { most: MOST, waiting: Mutex::default() }
    }
}

impl Idle {
    /// One that keeps none.
    pub(crate) fn none() -> Self {
        Self { most: 0, waiting: Mutex::default() }
    }

    /// A connection that can take a request now.
    pub(crate) async fn take(&self) -> Option<Open> {
        loop {
            let (until, mut open) = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if Instant::now() < until && open.is_usable().await {
                return Some(open);
            }
        }
    }

    /// Keeps a connection whose last answer was read to its end.
    pub(crate) fn put(&self, open: Open) {
        let now = Instant::now();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|(until, _)| now < *until);
        if waiting.len() < self.most {
            waiting.push((now + LONGEST_WAIT, open));
        }
    }
}

impl fmt::Debug for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idle").field("most", &self.most).finish_non_exhaustive()
    }
}
