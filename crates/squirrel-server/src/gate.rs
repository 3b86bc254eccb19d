//! How many queries run at one time, for how long, and what ends them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use squirrel_api::{ApiError, ErrorType};
use squirrel_model::Elapsed;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::{Counted, ServerMetrics};
use crate::parts::Limits;

type Monotonic = Arc<dyn Fn() -> Elapsed + Send + Sync>;

/// Seats for running and for waiting queries.
pub(crate) struct Gate {
    running: Arc<Semaphore>,
    waiting: Semaphore,
    limits: Limits,
    now: Monotonic,
    metrics: Arc<ServerMetrics>,
}

/// A place among the running queries.
struct Seat {
    _permit: OwnedSemaphorePermit,
    _counted: Counted,
}

/// Whether the work shall go on; asked often by what runs.
pub(crate) struct Stop {
    gone: Arc<AtomicBool>,
    deadline: Elapsed,
    now: Monotonic,
}

impl Stop {
    /// Until `time` from now, for work that nobody waits for by name.
    pub(crate) fn after(now: &Monotonic, time: Duration) -> Self {
        Self { gone: Arc::default(), deadline: Elapsed(now().0.saturating_add(time)), now: Arc::clone(now) }
    }

    /// Whether the time is over or nobody waits any more.
    pub(crate) fn asked(&self) -> bool {
        self.gone.load(Ordering::Relaxed) || self.is_late()
    }

    /// Time until the deadline.
    pub(crate) fn left(&self) -> Duration {
        self.deadline.0.saturating_sub((self.now)().0)
    }

    fn is_late(&self) -> bool {
        (self.now)() >= self.deadline
    }

    /// Why the work was stopped, in Prometheus' words.
    pub(crate) fn error(&self) -> ApiError {
        if self.is_late() {
            ApiError::new(ErrorType::Timeout, "query timed out in expression evaluation")
        } else {
            ApiError::new(ErrorType::Canceled, "query was canceled in expression evaluation")
        }
    }
}

/// Tells the work to stop when the one who waits for it is gone: hyper drops a request's future
/// when its client closes the connection.
struct StopWhenDropped(Arc<AtomicBool>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Gate {
    pub(crate) fn new(limits: &Limits, now: Monotonic, metrics: Arc<ServerMetrics>) -> Self {
        Self {
            running: Arc::new(Semaphore::new(limits.queries)),
            waiting: Semaphore::new(limits.waiting),
            limits: limits.clone(),
            now,
            metrics,
        }
    }

    /// Queries that run now.
    pub(crate) fn running(&self) -> usize {
        self.limits.queries.saturating_sub(self.running.available_permits())
    }

    /// Queries that wait now.
    pub(crate) fn waiting(&self) -> usize {
        self.limits.waiting.saturating_sub(self.waiting.available_permits())
    }

    /// Runs `work` on a thread of its own as soon as there is a seat. The seat is free again when the
    /// work has really ended, not when somebody stopped waiting for it.
    ///
    /// # Errors
    /// No seat, no time left, or what the work gives.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        time: Duration,
        work: impl FnOnce(&Stop) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let stop = Stop::after(&self.now, time);
        let _guard = StopWhenDropped(Arc::clone(&stop.gone));
        let seat = self.seat(time).await?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&stop);
            drop(seat);
            result
        });
        // The work looks at `stop` itself; the second longer is for its last words.
        match tokio::time::timeout(time.saturating_add(Duration::from_secs(1)), done).await {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => {
                tracing::error!(%panic, "a query ended in a panic; the others go on");
                Err(ApiError::new(ErrorType::Internal, "the query met a fault of this program; its log says more"))
            }
            Err(_) => Err(ApiError::new(ErrorType::Timeout, "query timed out in expression evaluation")),
        }
    }

    async fn seat(&self, time: Duration) -> Result<Seat, ApiError> {
        let permit = self.permit(time).await?;
        Ok(Seat { _permit: permit, _counted: self.metrics.queries_running.count() })
    }

    async fn permit(&self, time: Duration) -> Result<OwnedSemaphorePermit, ApiError> {
        if let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(permit);
        }
        let Ok(_chair) = self.waiting.try_acquire() else {
            let message =
                format!("{} queries run and {} wait already: ask again later", self.running(), self.waiting());
            return Err(ApiError::new(ErrorType::Unavailable, message));
        };
        let _counted = self.metrics.queries_waiting.count();
        let longest = time.min(self.limits.waiting_time);
        match tokio::time::timeout(longest, Arc::clone(&self.running).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            // The semaphore is never closed, so only the wait can have ended.
            Ok(Err(_)) | Err(_) => Err(ApiError::new(ErrorType::Timeout, "query timed out in query queue")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(queries: usize, waiting: usize) -> Arc<Gate> {
        let limits = Limits { queries, waiting, waiting_time: Duration::from_millis(50), ..Limits::for_cpus(1) };
        Arc::new(Gate::new(&limits, runtime_clock(), Arc::default()))
    }

    /// The runtime's clock, which a test can stand still.
    fn runtime_clock() -> Monotonic {
        let start = tokio::time::Instant::now();
        Arc::new(move || Elapsed(start.elapsed()))
    }

    /// Work that ends only when it is told to.
    fn endless(stop: &Stop) -> Result<(), ApiError> {
        while !stop.asked() {
            std::thread::yield_now();
        }
        Err(stop.error())
    }

    #[tokio::test]
    async fn work_without_end_is_stopped_and_its_seat_is_free_again() {
        let gate = gate(1, 0);
        let error = gate.run(Duration::from_millis(30), endless).await.unwrap_err();
        assert_eq!(
            (error.kind, error.message.as_str()),
            (ErrorType::Timeout, "query timed out in expression evaluation")
        );
        // On a busy machine the answer may come before the work sees that its time is over.
        while gate.running() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.run(Duration::from_mins(1), |_| Ok(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn when_all_seats_are_taken_some_wait_and_the_rest_are_refused() {
        let gate = gate(1, 1);
        let first = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.run(Duration::from_mins(1), endless).await }
        });
        while gate.running() == 0 {
            tokio::task::yield_now().await;
        }
        let second = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.run(Duration::from_mins(1), |_| Ok(())).await }
        });
        while gate.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        let refused = gate.run(Duration::from_mins(1), |_| Ok(())).await.unwrap_err();
        assert_eq!(refused.kind, ErrorType::Unavailable);
        let queued = second.await.unwrap().unwrap_err();
        assert_eq!((queued.kind, queued.message.as_str()), (ErrorType::Timeout, "query timed out in query queue"));
        // Nobody waits for the first any more: it is told so and its seat comes back.
        first.abort();
        while gate.running() > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_panic_ends_one_query_only() {
        let gate = gate(1, 0);
        let error =
            gate.run(Duration::from_mins(1), |_| -> Result<(), ApiError> { panic!("a fault") }).await.unwrap_err();
        assert_eq!(error.kind, ErrorType::Internal);
        assert_eq!(gate.run(Duration::from_mins(1), |_| Ok(1)).await, Ok(1));
    }
}
