//! The server as a whole: its shared state, its birth and its end.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use squirrel_promql::{Embedded, Engine};
use tokio_util::sync::CancellationToken;

use crate::gate::Gate;
use crate::hosts::HostRules;
use crate::hub::Hub;
use crate::listen;
use crate::metrics::ServerMetrics;
use crate::parts::ServerParts;
use crate::routes;
use crate::routes::receive::Turns;

/// What every request sees.
pub(crate) struct Shared {
    pub(crate) parts: ServerParts,
    /// What answers PromQL.
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) metrics: Arc<ServerMetrics>,
    pub(crate) gate: Gate,
    pub(crate) hosts: HostRules,
    pub(crate) hub: Hub,
    /// Bodies of remote write that are read at one time.
    pub(crate) receiving: Turns,
    /// The second of the last warning about a refused request: whoever is refused often shall not
    /// fill the log.
    pub(crate) warned: AtomicU64,
    /// Cancelled when the server shall stop; ends the live streams.
    pub(crate) stop: CancellationToken,
}

pub(crate) type State = Arc<Shared>;

/// A server that is not yet running.
pub struct Server {
    parts: ServerParts,
    metrics: Arc<ServerMetrics>,
}

impl Server {
    /// A server that stands on these parts.
    pub fn new(parts: ServerParts) -> Self {
        Self { parts, metrics: Arc::default() }
    }

    /// What the server says of itself; call [`ServerMetrics::rows`] each tick.
    pub fn metrics(&self) -> Arc<ServerMetrics> {
        Arc::clone(&self.metrics)
    }

    /// Serves on these bound listeners until `stop` is cancelled; then takes no new connection, ends
    /// the live streams, lets answers that are under way end, and cuts what is left after
    /// [`Limits::drain_time`](crate::Limits::drain_time).
    ///
    /// # Errors
    /// A listener that the runtime does not take.
    pub async fn serve(self, listeners: Vec<TcpListener>, stop: CancellationToken) -> io::Result<()> {
        let bound = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
        let listeners = listeners
            .into_iter()
            .map(|listener| {
                listener.set_nonblocking(true)?;
                tokio::net::TcpListener::from_std(listener)
            })
            .collect::<io::Result<Vec<_>>>()?;
        let state = Arc::new(Shared {
            gate: Gate::new(&self.parts.limits, Arc::clone(&self.parts.monotonic), Arc::clone(&self.metrics)),
            hosts: HostRules::new(bound, self.parts.allowed_hosts.clone()),
            hub: Hub::new(&self.parts.limits),
            receiving: Turns::default(),
            warned: AtomicU64::new(0),
            engine: engine(&self.parts),
            metrics: self.metrics,
            parts: self.parts,
            stop,
        });
        let hub = tokio::spawn(crate::hub::run(Arc::clone(&state)));
        let router = routes::router(&state);
        listen::serve(listeners, router, &state).await;
        hub.abort();
        Ok(())
    }
}

/// The engine that was given, else our own over the samples that are kept here.
fn engine(parts: &ServerParts) -> Arc<dyn Engine> {
    parts.engine.clone().unwrap_or_else(|| {
        let snapshots = Arc::clone(&parts.snapshots);
        Arc::new(Embedded::new(move || snapshots.snapshot(), crate::engine::options(&parts.limits)))
    })
}
