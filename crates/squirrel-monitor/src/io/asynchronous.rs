//! Reading and writing in tokio's way.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Instrumented, Observe};

impl<T: AsyncRead, O: Observe> AsyncRead for Instrumented<T, O> {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        let (before, room) = (buffer.filled().len(), buffer.remaining() > 0);
        let polled = this.inner.poll_read(context, buffer);
        if let Poll::Ready(outcome) = &polled {
            this.tap.check(outcome);
            let octets = buffer.filled().get(before..).unwrap_or_default();
            this.tap.received(octets);
            if octets.is_empty() && room && outcome.is_ok() {
                this.tap.received_end();
            }
        }
        polled
    }
}

impl<T: AsyncWrite, O: Observe> AsyncWrite for Instrumented<T, O> {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.project();
        let polled = this.inner.poll_write(context, octets);
        if let Poll::Ready(outcome) = &polled {
            this.tap.check(outcome);
            if let Ok(count) = outcome {
                this.tap.sent(octets.get(..*count).unwrap_or(octets));
            }
        }
        polled
    }

    #[inline]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        let polled = this.inner.poll_write_vectored(context, parts);
        if let Poll::Ready(outcome) = &polled {
            this.tap.check(outcome);
            if let Ok(count) = outcome {
                this.tap.sent_vectored(parts, *count);
            }
        }
        polled
    }

    #[inline]
    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        let polled = this.inner.poll_flush(context);
        if let Poll::Ready(outcome) = &polled {
            this.tap.check(outcome);
        }
        polled
    }

    #[inline]
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        let polled = this.inner.poll_shutdown(context);
        if let Poll::Ready(outcome) = &polled {
            this.tap.check(outcome);
            if outcome.is_ok() {
                this.tap.sent_end();
            }
        }
        polled
    }
}
