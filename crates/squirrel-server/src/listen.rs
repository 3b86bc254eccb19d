//! Connections: how many, how slow, and how they end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use squirrel_model::IoText;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tower::Service as _;

use crate::seats::{Answered, Asked, Seat, Seats};
use crate::security::{LocalAddress, PeerAddress};
use crate::server::State;
use crate::stall::StallGuard;

/// Largest head of a request. A stream's 64 queries stand in its URL.
const HEAD_BYTES: usize = 64 << 10;

/// Wait after an accept that failed for want of descriptors or memory, so as not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections that were accepted and have no place yet. Beyond these the kernel queues them.
const AT_THE_DOOR: usize = 16;

/// Serves all listeners until the state's token is cancelled and the connections have ended.
pub(crate) async fn serve(listeners: Vec<TcpListener>, router: Router, state: &State) {
    let (seats, door) = (Seats::new(state.parts.limits.connections), Arc::new(Semaphore::new(AT_THE_DOOR)));
    let mut accepting = JoinSet::new();
    for listener in listeners {
        accepting.spawn(accept_all(listener, router.clone(), Arc::clone(state), seats.clone(), Arc::clone(&door)));
    }
    while accepting.join_next().await.is_some() {}
}

async fn accept_all(listener: TcpListener, router: Router, state: State, seats: Seats, door: Arc<Semaphore>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = state.stop.cancelled() => break,
            Some(ended) = connections.join_next(), if !connections.is_empty() => {
                if let Err(panic) = ended {
                    tracing::error!(%panic, "a connection ended in a panic; the others go on");
                }
            }
            Some((stream, at_the_door)) = accept(&listener, &door) => {
                let (router, state, seats) = (router.clone(), Arc::clone(&state), seats.clone());
                connections.spawn(async move {
                    let seat = tokio::select! {
                        () = state.stop.cancelled() => None,
                        seat = seats.take() => seat,
                    };
                    drop(at_the_door);
                    if let Some(seat) = seat {
                        converse(stream, seat, router, state).await;
                    }
                });
            }
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(state.parts.limits.drain_time, drained).await.is_err() {
        tracing::warn!(cut = connections.len(), "clients did not end in time and are cut off");
        connections.abort_all();
    }
}

/// The next connection, taken only when few wait for a place.
async fn accept(listener: &TcpListener, door: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let at_the_door = Arc::clone(door).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, at_the_door)),
        Err(error) => {
            tracing::warn!("a connection could not be accepted: {}", IoText(&error));
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn converse(stream: TcpStream, seat: Arc<Seat>, router: Router, state: State) {
    let _counted = state.metrics.connections.count();
    let (Ok(local), Ok(peer)) = (stream.local_addr(), stream.peer_addr()) else { return };
    // Events are small and shall not wait for more; without it they are only later.
    let _ = stream.set_nodelay(true);
    let limits = &state.parts.limits;
    let place = Arc::clone(&seat);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(LocalAddress(local));
        request.extensions_mut().insert(PeerAddress(peer));
        let (seat, mut router) = (Arc::clone(&place), router.clone());
        async move {
            // A router is always ready.
            let response = router.call(request.map(|body| Body::new(Asked::new(body, &seat)))).await?;
            Ok::<_, Infallible>(response.map(|body| Answered::new(body, &seat)))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(StallGuard::new(stream, limits.stall_time)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = seat.gives_way.cancelled() => {
            state.metrics.gave_way();
            return;
        }
        () = state.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
