//! Samples to and from other systems, beside the loop.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use squirrel_exchange::Metadata;
use squirrel_model::{Batch, Catalogue, Labels, Metric, Select, Timestamp};
use squirrel_outbound::Client;
use squirrel_remote::receive::{Receiver, Reply, Stored};
use squirrel_remote::write::{Source, Writer};
use squirrel_remote::{Describe, metadata_of, otlp, receive, write};
use squirrel_server::{Receive, ReceiveReply, Tick};
use squirrel_store::Store;
use squirrel_store::dir::{Dir, RealDir};
use squirrel_sys::clock;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::{Config, RemoteParts};

/// The metrics of everything here.
pub(crate) const METRICS: [&[&Metric]; 3] = [write::METRICS, receive::METRICS, otlp::METRICS];

/// What all of it stands on.
pub(crate) struct Ground {
    pub(crate) store: Arc<Store>,
    /// Where cursors are kept: the store's folder.
    pub(crate) dir: Arc<dyn Dir>,
    /// The newest tick, published after the store has it.
    pub(crate) ticks: watch::Receiver<Option<Arc<Tick>>>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) monotonic: clock::Monotonic,
    pub(crate) retention_ms: i64,
    pub(crate) step_ms: i64,
}

impl Ground {
    /// What a configuration gives.
    ///
    /// # Errors
    /// When the data directory cannot be opened.
    pub(crate) fn new(
        config: &Config,
        store: Arc<Store>,
        ticks: watch::Receiver<Option<Arc<Tick>>>,
        catalogue: Arc<Catalogue>,
        monotonic: clock::Monotonic,
    ) -> anyhow::Result<Self> {
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        let dir = RealDir::open(&config.directory.value).context("cannot open the data directory again")?;
        Ok(Self {
            store,
            dir: Arc::new(dir),
            ticks,
            catalogue,
            monotonic,
            retention_ms: millis(config.retention.value),
            step_ms: millis(config.interval.value),
        })
    }
}

/// Everything that runs. Dropping it stops what is sent; the next start goes on there.
#[derive(Default)]
pub(crate) struct Remote {
    writers: Vec<write::Handle>,
    exporters: Vec<otlp::Handle>,
    receiver: Option<Arc<Receiver>>,
    ground: Option<Arc<Ground>>,
    tasks: JoinSet<()>,
}

/// Starts a task for each target. Call it within the runtime.
pub(crate) fn start(parts: RemoteParts, ground: Ground) -> Remote {
    let ground = Arc::new(ground);
    let client = Arc::new(Client::new());
    let reader = ground.store.reader();
    let snapshots: Arc<dyn Fn() -> Arc<dyn Select> + Send + Sync> = Arc::new(move || reader.snapshot());
    let catalogue = Arc::clone(&ground.catalogue);
    let describe: Describe = Arc::new(move |name| catalogue.find(name).map_or_else(Metadata::default, metadata_of));
    let mut remote = Remote::default();
    for target in parts.writes {
        let ticks = ground.ticks.clone();
        let source = Source {
            snapshots: Arc::clone(&snapshots),
            complete: Arc::new(move || ticks.borrow().as_ref().map(|tick| tick.at)),
            clock: Arc::new(clock::wall),
            describe: Arc::clone(&describe),
            dir: Arc::clone(&ground.dir),
            retention_ms: ground.retention_ms,
            step_ms: ground.step_ms,
        };
        let writer = Writer::new(target, source, Arc::clone(&client));
        remote.writers.push(writer.handle());
        remote.tasks.spawn(writer.run());
    }
    for target in parts.otlp {
        let (snapshots, describe, client) = (Arc::clone(&snapshots), Arc::clone(&describe), Arc::clone(&client));
        let exporter = otlp::Exporter::new(target, snapshots, Arc::new(clock::wall), describe, client);
        remote.exporters.push(exporter.handle());
        remote.tasks.spawn(exporter.run());
    }
    let own = ground.store.target().clone();
    remote.receiver =
        (!parts.senders.is_empty()).then(|| Arc::new(Receiver::new(parts.senders, ground.retention_ms, own)));
    remote.ground = Some(ground);
    remote
}

impl Remote {
    /// Adds the figures of everything here.
    pub(crate) fn rows(&self, now: Timestamp, out: &mut Batch) {
        self.writers.iter().for_each(|writer| writer.rows(now, out));
        self.exporters.iter().for_each(|exporter| exporter.rows(out));
        if let Some(receiver) = &self.receiver {
            receiver.rows(out);
        }
    }

    /// To be told of samples with times of their own, after the store has them.
    pub(crate) fn arrived(&self, samples: &[(Labels, Timestamp, f64)]) {
        self.writers.iter().for_each(|writer| writer.arrived(samples));
    }

    /// The way in for the server, where somebody may send.
    pub(crate) fn receive(&self) -> Option<Arc<dyn Receive>> {
        let (receiver, ground) = (Arc::clone(self.receiver.as_ref()?), Arc::clone(self.ground.as_ref()?));
        Some(Arc::new(Inlet { receiver, ground, writers: self.writers.clone() }))
    }
}

/// Between the server, the receiver and the store.
struct Inlet {
    receiver: Arc<Receiver>,
    ground: Arc<Ground>,
    /// What is received is sent on.
    writers: Vec<write::Handle>,
}

fn answer(reply: Reply) -> ReceiveReply {
    ReceiveReply { status: reply.status, headers: reply.headers, text: reply.text }
}

impl Receive for Inlet {
    fn admit(&self, authorization: Option<&[u8]>, kind: &str, encoding: &str) -> Result<(), ReceiveReply> {
        self.receiver.admit(authorization).map_err(answer)?;
        Receiver::version(kind, encoding).map(drop).map_err(answer)
    }

    fn most_body(&self) -> usize {
        receive::MOST_BODY
    }

    fn take(&self, authorization: Option<&[u8]>, kind: &str, encoding: &str, body: &[u8]) -> ReceiveReply {
        let admitted = self.receiver.admit(authorization);
        let (sender, version) = match (admitted, Receiver::version(kind, encoding)) {
            (Ok(sender), Ok(version)) => (sender, version),
            (Err(reply), _) | (_, Err(reply)) => return answer(reply),
        };
        let now = clock::wall();
        let keep = |samples: &[(Labels, Timestamp, f64)]| match self.ground.store.append_samples(now, samples) {
            // What is in memory alone would be acknowledged and not be there after a crash.
            Ok(report) if report.logged => {
                self.writers.iter().for_each(|writer| writer.arrived(samples));
                Stored::Kept { refused: report.refused }
            }
            _ => Stored::NotNow,
        };
        answer(self.receiver.take(sender, version, body, now, self.ground.monotonic.elapsed(), &keep))
    }
}
