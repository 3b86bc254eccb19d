//! What the program hands to the server.

use std::sync::Arc;
use std::time::Duration;

use squirrel_account::Picture;
use squirrel_api::live::EphemeralPorts;
use squirrel_api::{ApiError, CollectorStatus};
use squirrel_model::{Batch, Catalogue, Elapsed, Labels, Select, Timestamp};
use squirrel_promql::Engine;
use tokio::sync::watch;

use crate::{Alerting, AllowedHost, ApplicationToken, Applications, Checks, Probes};

/// Gives frozen views of the samples.
pub trait Snapshots: Send + Sync {
    /// The samples as they are now. Cheap, and takes no lock that a writer needs for long.
    fn snapshot(&self) -> Arc<dyn Select>;
}

impl<F: Fn() -> Arc<dyn Select> + Send + Sync> Snapshots for F {
    fn snapshot(&self) -> Arc<dyn Select> {
        self()
    }
}

/// One reading of everything, published after the store has it.
#[derive(Clone, Debug, Default)]
pub struct Tick {
    /// When it was read.
    pub at: Timestamp,
    /// What was read; `/metrics` shows it.
    pub batch: Batch,
}

/// Takes remote write from other monitors. All of it is asked from threads that may wait.
pub trait Receive: Send + Sync {
    /// Whether a request may come, by its headers `Authorization`, `Content-Type` and `Content-Encoding`; asked
    /// before its body is read.
    ///
    /// # Errors
    /// What is to be answered.
    fn admit(&self, authorization: Option<&[u8]>, kind: &str, encoding: &str) -> Result<(), ReceiveReply>;

    /// The largest body, in bytes.
    fn most_body(&self) -> usize;

    /// Keeps what may be kept of a body, and says what became of it.
    fn take(&self, authorization: Option<&[u8]>, kind: &str, encoding: &str, body: &[u8]) -> ReceiveReply;
}

/// An answer to a sender of remote write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiveReply {
    /// Of HTTP.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// A sentence for the sender's log; empty when all is well.
    pub text: String,
}

impl ReceiveReply {
    /// Where nobody may send.
    pub fn nobody() -> Self {
        let text = "nobody may send to this Squirrel: see [[receive]] in its configuration";
        Self { status: 404, headers: Vec::new(), text: text.to_owned() }
    }
}

/// Which build of Squirrel this is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildInfo {
    /// Squirrel's version, such as `0.1.0`.
    pub version: String,
    /// The commit that it was built from; empty when not known.
    pub revision: String,
}

/// All that a client can use up, and how much of it there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time; more wait in the kernel's queue.
    pub connections: usize,
    /// From the connection (or the last answer) to the end of a request's head.
    pub head_time: Duration,
    /// From the head to the end of a request's body.
    pub body_time: Duration,
    /// How long a client may leave an answer unread.
    pub stall_time: Duration,
    /// Largest body of a request, in bytes.
    pub body_bytes: usize,
    /// Longest query, in bytes.
    pub query_bytes: usize,
    /// Time for a query, if the request asks for no less.
    pub query_time: Duration,
    /// Samples that a query may touch: read from the store, or computed on the way.
    pub query_samples: u64,
    /// Bytes that its intermediate results may take at one moment.
    pub query_memory_bytes: u64,
    /// Points of one series in the answer to a range: the range divided by the step, as Prometheus counts them.
    pub query_points: usize,
    /// Samples in one answer. Written as JSON, a million takes about 30 MB.
    pub answer_samples: usize,
    /// Queries that run at one time. Few, however many processors there are: each may hold some
    /// hundred megabytes and a thread, and the host has other work than to be asked.
    pub queries: usize,
    /// Queries that wait for others to end; more are refused.
    pub waiting: usize,
    /// Longest wait of a query for others to end.
    pub waiting_time: Duration,
    /// Live streams at one time.
    pub streams: usize,
    /// Queries of one live stream.
    pub stream_queries: usize,
    /// Events that wait for a slow client of a stream; then the oldest are dropped.
    pub stream_backlog: usize,
    /// Time for all queries of all streams at one tick.
    pub stream_time: Duration,
    /// Silence on a stream before a comment keeps it alive.
    pub keep_alive: Duration,
    /// From the order to stop until open connections are cut.
    pub drain_time: Duration,
}

impl Limits {
    /// The limits for a machine with `cpus` processors.
    pub fn for_cpus(cpus: usize) -> Self {
        let engine = squirrel_promql::EvalOptions::default();
        Self {
            connections: 256,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            stall_time: Duration::from_mins(1),
            body_bytes: 1 << 20,
            query_bytes: 16 << 10,
            query_time: Duration::from_secs(15),
            query_samples: engine.max_samples,
            query_memory_bytes: engine.max_memory_bytes,
            query_points: engine.max_points_per_series,
            answer_samples: 2_000_000,
            queries: (2 * cpus).clamp(2, 4),
            waiting: 64,
            waiting_time: Duration::from_secs(5),
            streams: 64,
            stream_queries: 64,
            stream_backlog: 8,
            stream_time: Duration::from_secs(2),
            keep_alive: Duration::from_secs(15),
            drain_time: Duration::from_secs(5),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::for_cpus(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
    }
}

/// What the server stands on. The program fills it; a test fills it with twins.
#[derive(Clone)]
pub struct ServerParts {
    /// Frozen views of the samples.
    pub snapshots: Arc<dyn Snapshots>,
    /// Another engine that answers PromQL; none for our own over [`ServerParts::snapshots`]. The verdict is always by
    /// the samples that are kept here, so that it needs nobody else.
    pub engine: Option<Arc<dyn Engine>>,
    /// The newest reading, published after the store has it; none before the first.
    pub ticks: watch::Receiver<Option<Arc<Tick>>>,
    /// All declared metrics.
    pub catalogue: Arc<Catalogue>,
    /// The collectors and how they do.
    pub collectors: Arc<dyn Fn() -> Vec<CollectorStatus> + Send + Sync>,
    /// The labels that this Squirrel's own series have; the verdict is about them alone. Empty for all series.
    pub own: Labels,
    /// Applications that tell of themselves.
    pub applications: Arc<Applications>,
    /// Rules and alerts.
    pub alerting: Arc<dyn Alerting>,
    /// What whoever changes something must send; without one nothing can be changed.
    pub token: Option<Arc<ApplicationToken>>,
    /// Whose bytes they are, as of the accountant's last step; none before the first, or when it is off.
    pub picture: Arc<dyn Fn() -> Option<Arc<Picture>> + Send + Sync>,
    /// Counts packets for so long from now on, and answers how long that is over all who asked; `None` where there is
    /// no accounting.
    pub count_packets: Arc<dyn Fn(Duration) -> Option<Duration> + Send + Sync>,
    /// Where this host's ephemeral ports lead to now. May take a moment.
    pub ports: Arc<dyn Fn() -> Result<EphemeralPorts, ApiError> + Send + Sync>,
    /// Probes on a schedule; `None` when there are none.
    pub probes: Option<Arc<dyn Probes>>,
    /// Checks of targets that a question names; `None` where nothing is looked at.
    pub checks: Option<Arc<dyn Checks>>,
    /// The wall clock.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// A clock that never jumps, for deadlines.
    pub monotonic: Arc<dyn Fn() -> Elapsed + Send + Sync>,
    /// Which build this is.
    pub build: BuildInfo,
    /// Names beside the loopback's and the bound addresses by which browsers may address this server.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Takes remote write; `None` when nobody may send.
    pub receive: Option<Arc<dyn Receive>>,
    /// What a client can use up.
    pub limits: Limits,
}
