//! The table that a monitor asks each collection interval, and what it does when that is too much.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::book::{Book, WORST_BYTES};
use super::detail::Steps;
use super::history::History;
use super::{
    ClosedConnection, ConnectionTracking, Precision, SocketStats, SocketTable, TrackedConnection, collect, system,
};
use crate::{AlertKind, MonitorError, Result};

/// After failures in a row, at most this many ticks are left out before the next try.
const MOST_SKIPPED: u32 = 63;

/// A rate needs the collection before to be at most so many collections ago.
const LONGEST_GAP: u32 = 4;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TrackingLimits {
    /// Connections; zero when they are not tracked.
    pub(crate) connections: usize,
    /// Closed connections.
    pub(crate) closed: usize,
    /// Bytes of both together.
    pub(crate) memory: usize,
}

impl TrackingLimits {
    pub(crate) const NONE: Self = Self { connections: 0, closed: 0, memory: 0 };

    /// So many connections can be listed without ever taking more than the memory.
    fn listed(&self) -> usize {
        self.connections.min(self.memory / WORST_BYTES)
    }
}

/// The sockets of a monitor. What the blocking thread needs lives as long as that does.
pub(crate) struct SocketWatch(Arc<Shared>);

struct Shared {
    /// Opened when sockets are first asked for.
    table: OnceLock<Arc<dyn SocketTable>>,
    limits: TrackingLimits,
    interval: Duration,
    /// One collection follows the other, even when a runtime ended in the midst of one and another began.
    turn: Mutex<()>,
    state: Mutex<State>,
}

struct State {
    book: Book,
    history: History,
    steps: Steps,
    told: ConnectionTracking,
    /// Failures in a row.
    failing: u32,
    /// Ticks still to be left out.
    skip: u32,
    /// Whether it was told that there is little room, and that a sample is listed.
    told_nearly: bool,
    told_sampled: bool,
}

impl SocketWatch {
    pub(crate) fn new(limits: TrackingLimits, interval: Duration) -> Self {
        let state = State {
            book: Book::new(),
            history: History::default(),
            steps: Steps::default(),
            told: ConnectionTracking::default(),
            failing: 0,
            skip: 0,
            told_nearly: false,
            told_sampled: false,
        };
        Self(Arc::new(Shared {
            table: OnceLock::new(),
            limits,
            interval,
            turn: Mutex::default(),
            state: Mutex::new(state),
        }))
    }

    /// Asks this table from now on, unless another was asked before.
    pub(crate) fn ask(&self, table: Arc<dyn SocketTable>) {
        let _ = self.0.table.set(table);
    }

    pub(crate) async fn collect(&self) -> Result<SocketStats> {
        self.blocking(|shared| collect(shared.table(), shared.limits.listed())).await
    }

    /// Runs `work` on a thread for blocking work when there is a runtime, and else here.
    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Shared) -> Result<T> + Send + 'static) -> Result<T> {
        let shared = Arc::clone(&self.0);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                let failed = |error: tokio::task::JoinError| MonitorError::Sockets { reason: error.to_string() };
                runtime.spawn_blocking(move || work(&shared)).await.map_err(failed)?
            }
            Err(_) => work(&shared),
        }
    }

    /// One tick: follows the connections if they are tracked, and if it is time to ask. Answers with
    /// what is to be told.
    pub(crate) async fn tick(&self, now: impl Fn() -> Duration) -> Vec<AlertKind> {
        if self.0.limits.connections == 0 || !self.0.state().is_due() {
            return Vec::new();
        }
        let start = now();
        let outcome = self.blocking(move |shared| shared.follow(start)).await;
        let cost = now().saturating_sub(start);
        let mut news = Vec::new();
        let shared = &self.0;
        let mut state = shared.state();
        match outcome {
            Ok(total) => state.followed(total, cost, shared, &mut news),
            Err(error) => news.extend(state.failed(&error)),
        }
        news
    }

    /// The connections as last collected, those known longest first.
    pub(crate) fn connections(&self) -> Vec<TrackedConnection> {
        let state = self.0.state();
        if state.failing > 0 {
            // What is no longer true is not shown.
            return Vec::new();
        }
        let now = state.book.last();
        let mut all: Vec<_> = state.book.rows().iter().map(|row| TrackedConnection::told(row, now)).collect();
        drop(state);
        all.sort_unstable_by_key(|tracked| (std::cmp::Reverse(tracked.known_for), tracked.connection.id));
        all
    }

    pub(crate) fn closed(&self) -> Vec<ClosedConnection> {
        self.0.state().history.list()
    }

    pub(crate) fn tracking(&self) -> ConnectionTracking {
        let state = self.0.state();
        ConnectionTracking {
            detail: state.steps.detail(),
            limit: state.steps.detail().of(self.0.limits.listed()) as u64,
            closed: state.history.total(),
            closed_pruned: state.history.pruned(),
            memory: state.memory() as u64,
            ..state.told
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self) -> &dyn SocketTable {
        self.table.get_or_init(system::table).as_ref()
    }

    /// Brings the book up to date; how many connections there are. The lock is taken for each row alone,
    /// so that whoever asks for the list does not wait for the system.
    fn follow(&self, now: Duration) -> Result<u64> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let table = self.table();
        let mut total = 0;
        {
            let mut state = self.state();
            let detail = state.steps.detail();
            let gap = self.interval * detail.intervals() * LONGEST_GAP;
            state.book.begin(now, detail.of(self.limits.listed()), gap);
        }
        table.read(&mut |row| {
            if row.is_listed() {
                total += 1;
                self.state().book.offer(&row);
            }
        })?;
        let mut state = self.state();
        let State { book, history, .. } = &mut *state;
        book.end(|row| history.push(row, now, self.limits.closed));
        // What is left of the memory is the history's, and the oldest of it goes first.
        history.prune_to_bytes(self.limits.memory.saturating_sub(book.bytes()));
        Ok(total)
    }
}

impl State {
    fn is_due(&mut self) -> bool {
        let due = self.skip == 0;
        self.skip = self.skip.saturating_sub(1);
        due
    }

    fn memory(&self) -> usize {
        self.book.bytes() + self.history.bytes()
    }

    fn followed(&mut self, total: u64, cost: Duration, shared: &Shared, news: &mut Vec<AlertKind>) {
        if std::mem::take(&mut self.failing) > 0 {
            news.push(AlertKind::SocketsReadable);
        }
        let (listed, limit) = (self.book.rows().len() as u64, shared.limits.listed() as u64);
        let precision = Precision::of(listed, total);
        self.told = ConnectionTracking {
            precision,
            listed,
            total,
            collections: self.told.collections + 1,
            last_cost: cost,
            ..self.told
        };
        // Told before it happens, and again only after there was room for a while.
        let nearly = total > 0 && total * 10 >= limit * 9;
        if nearly && !self.told_nearly {
            news.push(AlertKind::ConnectionsNearlyFull { used: total, limit });
        }
        self.told_nearly = nearly || (self.told_nearly && total * 4 >= limit * 3);
        if let (Precision::Sampled { error }, false) = (precision, self.told_sampled) {
            news.push(AlertKind::ConnectionsSampled { listed, total, error });
            self.told_sampled = true;
        } else if precision == Precision::Exact && std::mem::take(&mut self.told_sampled) {
            news.push(AlertKind::ConnectionsExact);
        }
        news.extend(self.steps.observe(cost, shared.interval).map(|detail| AlertKind::TrackingDetail { detail }));
        self.skip = self.steps.detail().intervals() - 1;
    }

    fn failed(&mut self, error: &MonitorError) -> Option<AlertKind> {
        self.failing = self.failing.saturating_add(1);
        self.told =
            ConnectionTracking { precision: Precision::Unavailable, failures: self.told.failures + 1, ..self.told };
        // 1, 3, 7, … ticks are left out.
        self.skip = (1u32.checked_shl(self.failing).unwrap_or(u32::MAX) - 1).min(MOST_SKIPPED);
        (self.failing == 1).then(|| AlertKind::SocketsUnreadable { reason: error.to_string() })
    }
}

#[cfg(test)]
mod tests;
