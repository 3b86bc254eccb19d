//! What all live streams share: at each tick every wanted query is evaluated once, however many
//! streams want it, and so is the verdict.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use squirrel_api::json::{write_string, write_time};
use squirrel_api::{ApiError, ErrorType};
use squirrel_model::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

use crate::engine::{self, Parsed, Steps};
use crate::gate::Stop;
use crate::metrics::Counted;
use crate::parts::{Limits, Tick};
use crate::server::State;
use crate::verdict::{self, Own};

/// The queries that streams want, and the channel on which their results go out.
pub(crate) struct Hub {
    wanted: Mutex<BTreeMap<Arc<str>, Wanted>>,
    sender: broadcast::Sender<Arc<Results>>,
    seats: Arc<Semaphore>,
}

struct Wanted {
    streams: usize,
    parsed: Result<Arc<Parsed>, ApiError>,
    /// What it cost last time: the dear ones come last, so that they can only starve each other.
    cost: Duration,
}

/// All results of one tick, each already written as JSON.
pub(crate) struct Results {
    at: Timestamp,
    by_query: HashMap<Arc<str>, Arc<str>>,
    verdict: String,
}

/// One stream's part in the hub; gives everything back when it is dropped.
pub(crate) struct Subscription {
    state: State,
    queries: Vec<Arc<str>>,
    results: broadcast::Receiver<Arc<Results>>,
    lagged: u64,
    resumed_after: Option<Timestamp>,
    _seat: OwnedSemaphorePermit,
    _counted: Counted,
}

/// What goes out at a tick.
pub(crate) struct TickEvent {
    pub(crate) at: Timestamp,
    pub(crate) data: String,
}

impl Hub {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            wanted: Mutex::default(),
            sender: broadcast::channel(limits.stream_backlog.max(1)).0,
            seats: Arc::new(Semaphore::new(limits.streams)),
        }
    }

    /// Nothing is done under this lock that can panic, so a poisoned map is still whole.
    fn wanted(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Wanted>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Joins the hub with these queries, to get every tick from now on.
///
/// # Errors
/// All streams are taken.
pub(crate) fn subscribe(
    state: &State,
    queries: &[String],
    resumed_after: Option<Timestamp>,
) -> Result<Subscription, ApiError> {
    let Ok(seat) = Arc::clone(&state.hub.seats).try_acquire_owned() else {
        let message = format!(
            "all {} live streams are taken: close another screen, or ask again later",
            state.parts.limits.streams
        );
        return Err(ApiError::new(ErrorType::Unavailable, message));
    };
    let mut wanted = state.hub.wanted();
    let queries = queries.iter().map(|text| want(&mut wanted, text)).collect();
    drop(wanted);
    let counted = state.metrics.stream_clients.count();
    let results = state.hub.sender.subscribe();
    Ok(Subscription {
        state: State::clone(state),
        queries,
        results,
        lagged: 0,
        resumed_after,
        _seat: seat,
        _counted: counted,
    })
}

fn want(wanted: &mut BTreeMap<Arc<str>, Wanted>, text: &str) -> Arc<str> {
    let text: Arc<str> = Arc::from(text);
    let key = wanted.get_key_value(&text).map_or_else(|| Arc::clone(&text), |(key, _)| Arc::clone(key));
    let fresh = || Wanted { streams: 0, parsed: engine::parse(&text).map(Arc::new), cost: Duration::ZERO };
    wanted.entry(Arc::clone(&key)).or_insert_with(fresh).streams += 1;
    key
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut wanted = self.state.hub.wanted();
        for query in &self.queries {
            if let Some(entry) = wanted.get_mut(query) {
                entry.streams -= 1;
                if entry.streams == 0 {
                    wanted.remove(query);
                }
            }
        }
    }
}

impl Subscription {
    /// The next tick; none when the server stops. Ticks that this stream was too slow to take are
    /// left out, and their number stands in the next event.
    pub(crate) async fn next(&mut self) -> Option<TickEvent> {
        let stop = self.state.stop.clone();
        loop {
            let received = tokio::select! {
                () = stop.cancelled() => return None,
                received = self.results.recv() => received,
            };
            match received {
                Ok(results) => {
                    // A tick that was begun before this stream came does not know its queries.
                    if let Some(event) = self.event(&results) {
                        self.state.metrics.stream_sent();
                        self.lagged = 0;
                        self.resumed_after = None;
                        return Some(event);
                    }
                }
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    self.state.metrics.stream_dropped(missed);
                    self.lagged += missed;
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    fn event(&self, results: &Results) -> Option<TickEvent> {
        let mut data = String::from("{\"time\":");
        write_time(&mut data, results.at);
        if self.lagged > 0 {
            // Writing into a String cannot fail.
            let _ = write!(data, ",\"lagged\":{}", self.lagged);
        }
        if let Some(after) = self.resumed_after {
            data.push_str(",\"resumed_after\":");
            write_time(&mut data, after);
        }
        data.push_str(",\"results\":[");
        for (i, query) in self.queries.iter().enumerate() {
            if i > 0 {
                data.push(',');
            }
            data.push_str(results.by_query.get(query)?);
        }
        data.push_str("],\"verdict\":");
        data.push_str(&results.verdict);
        data.push('}');
        Some(TickEvent { at: results.at, data })
    }
}

/// Evaluates at each tick what streams want, until the server stops. When an evaluation outlasts a
/// tick, the ticks in between are left out: the watch holds only the newest.
pub(crate) async fn run(state: State) {
    let mut ticks = state.parts.ticks.clone();
    loop {
        tokio::select! {
            () = state.stop.cancelled() => return,
            changed = ticks.changed() => if changed.is_err() { return },
        }
        let Some(tick) = ticks.borrow_and_update().clone() else { continue };
        if state.hub.sender.receiver_count() == 0 {
            continue;
        }
        let job = State::clone(&state);
        match tokio::task::spawn_blocking(move || evaluate(&job, &tick)).await {
            // Nobody listens any more: nothing is lost.
            Ok(results) => drop(state.hub.sender.send(Arc::new(results))),
            Err(panic) => tracing::error!(%panic, "a tick's queries ended in a panic; the next tick goes on"),
        }
    }
}

fn evaluate(state: &State, tick: &Tick) -> Results {
    let now = &state.parts.monotonic;
    let stop = Stop::after(now, state.parts.limits.stream_time);
    let snapshot = state.parts.snapshots.snapshot();
    let watch = state.parts.alerting.watch();
    let own = Own::new(snapshot.as_ref(), &state.parts.own);
    let verdict = verdict::judge(&own, Some(tick.at), &(state.parts.collectors)(), &watch, &stop);
    let verdict = serde_json::to_string(&verdict).unwrap_or_else(|_| "null".to_owned());
    let mut jobs: Vec<_> = state
        .hub
        .wanted()
        .iter()
        .map(|(text, wanted)| (wanted.cost, Arc::clone(text), wanted.parsed.clone()))
        .collect();
    jobs.sort_by_key(|(cost, _, _)| *cost);
    let mut by_query = HashMap::with_capacity(jobs.len());
    for (_, text, parsed) in jobs {
        let began = now();
        let result =
            parsed.and_then(|query| engine::ask(&query, state.engine.as_ref(), Steps::At(tick.at), None, &stop));
        let cost = now().0.saturating_sub(began.0);
        let mut out = String::new();
        match result {
            Ok(answer) => answer.write(&mut out),
            Err(error) => {
                out.push_str("{\"error\":");
                write_string(&mut out, &error.message);
                out.push('}');
            }
        }
        if let Some(wanted) = state.hub.wanted().get_mut(&text) {
            wanted.cost = cost;
        }
        by_query.insert(text, Arc::from(out));
    }
    Results { at: tick.at, by_query, verdict }
}
