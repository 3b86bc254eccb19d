//! Places for connections, and whose place a newcomer gets when there is none.
//!
//! Whoever has not yet said what he wants, and whoever keeps a connection for later, gives way to a newcomer, the one
//! who waits longest first. So clients that never end their requests cannot keep others out: a request that comes in
//! one piece is served, however many of them there are.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// All places.
#[derive(Clone)]
pub(crate) struct Seats {
    free: Arc<Semaphore>,
    idle: Arc<Mutex<Idle>>,
}

/// Connections that are asked nothing at present, in the order in which they began to be so.
#[derive(Default)]
struct Idle {
    next: u64,
    by_age: BTreeMap<u64, CancellationToken>,
}

/// A place that is taken, until this is dropped.
pub(crate) struct Seat {
    idle: Arc<Mutex<Idle>>,
    state: Mutex<SeatState>,
    /// Cancelled when a newcomer gets the place.
    pub(crate) gives_way: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

struct SeatState {
    /// The place among those that are idle, if it is.
    age: Option<u64>,
    /// Requests whose answer has not ended: one at a time with HTTP/1.1.
    busy: usize,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seats {
    pub(crate) fn new(most: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(most)), idle: Arc::default() }
    }

    /// A place, which may have to be made. None only if there never will be one.
    pub(crate) async fn take(&self) -> Option<Arc<Seat>> {
        let permit = if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            permit
        } else {
            let oldest = locked(&self.idle).by_age.pop_first();
            if let Some((_, oldest)) = oldest {
                oldest.cancel();
            }
            Arc::clone(&self.free).acquire_owned().await.ok()?
        };
        let seat = Seat {
            idle: Arc::clone(&self.idle),
            state: Mutex::new(SeatState { age: None, busy: 0 }),
            gives_way: CancellationToken::new(),
            _permit: permit,
        };
        seat.rest(&mut locked(&seat.state));
        Some(Arc::new(seat))
    }
}

impl Seat {
    fn rest(&self, state: &mut SeatState) {
        let mut idle = locked(&self.idle);
        idle.next += 1;
        let age = idle.next;
        idle.by_age.insert(age, self.gives_way.clone());
        state.age = Some(age);
    }

    /// The whole request is here: the place is kept until the result is dropped.
    fn work(self: &Arc<Self>) -> Work {
        let mut state = locked(&self.state);
        state.busy += 1;
        if let Some(age) = state.age.take() {
            locked(&self.idle).by_age.remove(&age);
        }
        drop(state);
        Work(Arc::clone(self))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(age) = locked(&self.state).age.take() {
            locked(&self.idle).by_age.remove(&age);
        }
    }
}

/// A request that is answered.
struct Work(Arc<Seat>);

impl Drop for Work {
    fn drop(&mut self) {
        let mut state = locked(&self.0.state);
        state.busy = state.busy.saturating_sub(1);
        if state.busy == 0 && state.age.is_none() {
            self.0.rest(&mut state);
        }
    }
}

/// The body of a request. Once it has all arrived the client has done its part.
pub(crate) struct Asked {
    body: Incoming,
    seat: Arc<Seat>,
    work: Option<Work>,
}

impl Asked {
    pub(crate) fn new(body: Incoming, seat: &Arc<Seat>) -> Self {
        let mut asked = Self { body, seat: Arc::clone(seat), work: None };
        asked.look();
        asked
    }

    fn look(&mut self) {
        if self.work.is_none() && self.body.is_end_stream() {
            self.work = Some(self.seat.work());
        }
    }
}

impl HttpBody for Asked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) && self.work.is_none() {
            self.work = Some(self.seat.work());
        }
        self.look();
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer: its client keeps the place until it ends.
pub(crate) struct Answered {
    body: Body,
    _work: Work,
}

impl Answered {
    pub(crate) fn new(body: Body, seat: &Arc<Seat>) -> Self {
        Self { body, _work: seat.work() }
    }
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_longest_gives_way_and_who_is_served_does_not() {
        let seats = Seats::new(2);
        let (first, second) = (seats.take().await.unwrap(), seats.take().await.unwrap());
        let work = first.work();
        // The first is served, so the second has to go although it came later.
        let third = tokio::spawn({
            let seats = seats.clone();
            async move { seats.take().await }
        });
        second.gives_way.cancelled().await;
        assert!(!first.gives_way.is_cancelled());
        drop(second);
        let third = third.await.unwrap().unwrap();
        // Once it is answered, the first has waited for less time than the third.
        drop(work);
        let fourth = tokio::spawn({
            let seats = seats.clone();
            async move { seats.take().await }
        });
        third.gives_way.cancelled().await;
        assert!(!first.gives_way.is_cancelled());
        drop(third);
        assert!(fourth.await.unwrap().is_some());
        drop(first);
        assert_eq!(locked(&seats.idle).by_age.len(), 0);
    }
}
