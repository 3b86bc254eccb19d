//! A reverse proxy for MCP over streamable HTTP: requests go to one server, answers and event streams come
//! back, and the inspector reads beside.
//!
//! Heads pass but for what belongs to the connection (RFC 9110, section 7.6.1) and `Host`, which names the
//! server. Bodies pass unchanged and piece by piece as they come. A stream of events may stay open for as long as
//! both sides want; what has a time limit is the connecting, the head of a request, and the pause within
//! the body of one.

mod body;
mod event;
mod exchange;
mod guard;
mod target;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use squirrel_monitor::NetworkMonitor;
use squirrel_sys::clock::Monotonic;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

pub use event::EventLine;
pub use target::{BadTarget, Target};

/// What is bounded, and where.
#[derive(Clone, Debug)]
pub struct ProxyOptions {
    /// The address to listen on. One that other machines can reach needs `allow_remote`.
    pub listen: SocketAddr,
    /// The server.
    pub to: Target,
    /// Listen on an address that other machines can reach: whoever reaches it uses the server.
    pub allow_remote: bool,
    /// Connections of clients at a time; more wait until one ends. Zero is taken as one.
    pub max_connections: usize,
    /// How long to wait for the head of a request, and between two pieces of its body.
    pub patience: Duration,
    /// How long to try to connect to the server.
    pub connect_within: Duration,
}

impl ProxyOptions {
    /// 256 connections, a minute of patience, ten seconds to connect.
    pub fn new(listen: SocketAddr, to: Target) -> Self {
        Self {
            listen,
            to,
            allow_remote: false,
            max_connections: 256,
            patience: Duration::from_mins(1),
            connect_within: Duration::from_secs(10),
        }
    }
}

/// Why a proxy could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// Other machines could use the server.
    #[error(
        "{0} can be reached from other machines, which could then use the server: listen on 127.0.0.1, or allow it"
    )]
    Remote(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The monitor could not begin.
    #[error(transparent)]
    Monitor(#[from] squirrel_monitor::MonitorError),
}

/// A proxy that listens.
#[derive(Debug)]
pub struct Proxy {
    listener: TcpListener,
    shared: Arc<Shared>,
    max_connections: usize,
    local: SocketAddr,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    options: ProxyOptions,
    monitor: Arc<NetworkMonitor>,
    start: Monotonic,
    events: Option<mpsc::Sender<EventLine>>,
    active: AtomicU32,
    is_loopback: bool,
}

impl Proxy {
    /// Listens, and starts the monitor. Each event goes to `events` too; what does not fit there is lost.
    ///
    /// # Errors
    /// When the address cannot be listened on, or should not.
    pub async fn bind(
        options: ProxyOptions,
        monitor: Arc<NetworkMonitor>,
        events: Option<mpsc::Sender<EventLine>>,
    ) -> Result<Self, ProxyError> {
        let address = options.listen;
        if !address.ip().is_loopback() && !options.allow_remote {
            return Err(ProxyError::Remote(address));
        }
        // An unknown protocol is told here rather than at the first request.
        monitor.start().await?;
        let listen = |error| ProxyError::Listen { address, error };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let local = listener.local_addr().map_err(listen)?;
        let max_connections = options.max_connections.clamp(1, Semaphore::MAX_PERMITS);
        let (start, active, is_loopback) = (Monotonic::start(), AtomicU32::new(0), address.ip().is_loopback());
        let shared = Arc::new(Shared { options, monitor, start, events, active, is_loopback });
        Ok(Self { listener, shared, max_connections, local })
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// Serves until it is dropped, which ends all connections.
    pub async fn run(&self) -> Infallible {
        let room = Arc::new(Semaphore::new(self.max_connections));
        let mut connections = JoinSet::new();
        loop {
            // Never closed, so it always answers in the end.
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else { continue };
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let shared = Arc::clone(&self.shared);
                        connections.spawn(async move {
                            serve(stream, shared).await;
                            drop(permit);
                        });
                    }
                    // Out of descriptors, or a client that is gone already: others may do better.
                    Err(_) => tokio::task::yield_now().await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    // A failure costs some latency and nothing else.
    let _ = stream.set_nodelay(true);
    let active = Active::begin(&shared);
    let patience = shared.options.patience;
    let service = service_fn(move |request| {
        let shared = Arc::clone(&active.0);
        async move { Ok::<_, Infallible>(exchange::pass(request, shared).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .serve_connection(TokioIo::new(stream), service);
    // What goes wrong with a client's connection is between the two of them.
    let _ = connection.await;
}

/// One connection of a client, while it lasts.
struct Active(Arc<Shared>);

impl Active {
    fn begin(shared: &Arc<Shared>) -> Self {
        let active = shared.active.fetch_add(1, Relaxed) + 1;
        shared.monitor.recorder().update_active_connections(active);
        Self(Arc::clone(shared))
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let active = self.0.active.fetch_sub(1, Relaxed) - 1;
        self.0.monitor.recorder().update_active_connections(active);
    }
}

#[cfg(test)]
mod tests;
