//! Samples to and from other systems, beside the loop.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use anyhow::Context as _;
use squirrel_exchange::Metadata;
use squirrel_model::{Batch, Catalogue, Labels, Metric, Select, Timestamp};
use squirrel_outbound::Client;
use squirrel_remote::receive::{Receiver, Reply, Sender, Stored};
use squirrel_remote::write::{Source, Writer};
use squirrel_remote::{Describe, ENGINE_METRICS, RemoteEngine, metadata_of, otlp, receive, write};
use squirrel_server::{Receive, ReceiveReply, Tick};
use squirrel_store::Store;
use squirrel_store::dir::{Dir, RealDir};
use squirrel_sys::clock;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::config::{Config, Printed, RemoteParts};

/// The metrics of everything here.
pub(crate) const METRICS: [&[&Metric]; 4] = [write::METRICS, receive::METRICS, otlp::METRICS, ENGINE_METRICS];

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
pub(crate) struct Remote {
    ground: Arc<Ground>,
    client: Arc<Client>,
    running: Arc<RwLock<Running>>,
    /// Where PromQL is asked, and the task that looks whether it answers.
    engine: Option<(Arc<RemoteEngine>, JoinSet<()>)>,
}

/// What may change when the configuration is read again.
#[derive(Default)]
struct Running {
    writers: Vec<Task<write::Handle>>,
    exporters: Vec<Task<otlp::Handle>>,
    receiver: Option<Arc<Receiver>>,
    /// Name and print of each who may send.
    senders: Vec<(String, u64)>,
}

/// Starts a task for each target. Call it within the runtime.
pub(crate) fn start(parts: RemoteParts, ground: Ground) -> Remote {
    let (ground, client) = (Arc::new(ground), Arc::new(Client::new()));
    let remote = Remote { ground, client, running: Arc::default(), engine: None };
    remote.begin(parts);
    remote
}

impl Remote {
    /// Looks whether the engine answers that PromQL is asked of.
    pub(crate) fn watch(&mut self, engine: Arc<RemoteEngine>) {
        let mut tasks = JoinSet::new();
        let watched = Arc::clone(&engine);
        tasks.spawn(async move { watched.watch().await });
        self.engine = Some((engine, tasks));
    }

    /// Goes on as a configuration says that was read again. What is as it was is left alone; what changed ends, and
    /// its successor begins at its cursor.
    pub(crate) async fn change(&self, parts: RemoteParts) {
        let (writers, exporters) = {
            let mut running = write_lock(&self.running);
            (
                retire(&mut running.writers, &parts.writes, |one| &one.name),
                retire(&mut running.exporters, &parts.otlp, |one| &one.name),
            )
        };
        // Two of one name would write one cursor.
        for task in writers {
            task.end("[[remote_write]]").await;
        }
        for task in exporters {
            task.end("[[otlp]]").await;
        }
        self.begin(parts);
    }

    /// Starts what does not run yet.
    fn begin(&self, parts: RemoteParts) {
        let ground = &self.ground;
        let reader = ground.store.reader();
        let snapshots: Arc<dyn Fn() -> Arc<dyn Select> + Send + Sync> = Arc::new(move || reader.snapshot());
        let catalogue = Arc::clone(&ground.catalogue);
        let describe: Describe = Arc::new(move |name| catalogue.find(name).map_or_else(Metadata::default, metadata_of));
        let mut running = write_lock(&self.running);
        for Printed { what: target, print } in parts.writes {
            if running.writers.iter().any(|task| task.name == target.name) {
                continue;
            }
            let (name, ticks) = (target.name.clone(), ground.ticks.clone());
            let source = Source {
                snapshots: Arc::clone(&snapshots),
                complete: Arc::new(move || ticks.borrow().as_ref().map(|tick| tick.at)),
                clock: Arc::new(clock::wall),
                describe: Arc::clone(&describe),
                dir: Arc::clone(&ground.dir),
                retention_ms: ground.retention_ms,
                step_ms: ground.step_ms,
            };
            let writer = Writer::new(target, source, Arc::clone(&self.client));
            let handle = writer.handle();
            running.writers.push(Task { name, print, handle, work: tokio::spawn(writer.run()) });
        }
        for Printed { what: target, print } in parts.otlp {
            if running.exporters.iter().any(|task| task.name == target.name) {
                continue;
            }
            let (name, client) = (target.name.clone(), Arc::clone(&self.client));
            let (snapshots, describe) = (Arc::clone(&snapshots), Arc::clone(&describe));
            let exporter = otlp::Exporter::new(target, snapshots, Arc::new(clock::wall), describe, client);
            let handle = exporter.handle();
            running.exporters.push(Task { name, print, handle, work: tokio::spawn(exporter.run()) });
        }
        running.receive(parts.senders, ground);
    }

    /// Adds the figures of everything here.
    pub(crate) fn rows(&self, now: Timestamp, out: &mut Batch) {
        let running = read_lock(&self.running);
        running.writers.iter().for_each(|writer| writer.handle.rows(now, out));
        running.exporters.iter().for_each(|exporter| exporter.handle.rows(out));
        if let Some(receiver) = &running.receiver {
            receiver.rows(out);
        }
        if let Some((engine, _)) = &self.engine {
            engine.rows(out);
        }
    }

    /// To be told of samples with times of their own, after the store has them.
    pub(crate) fn arrived(&self, samples: &[(Labels, Timestamp, f64)]) {
        read_lock(&self.running).arrived(samples);
    }

    /// The way in for the server.
    pub(crate) fn receive(&self) -> Arc<dyn Receive> {
        Arc::new(Inlet { running: Arc::clone(&self.running), ground: Arc::clone(&self.ground) })
    }
}

impl Running {
    /// Lets these send, and nobody else.
    fn receive(&mut self, senders: Vec<Printed<Sender>>, ground: &Ground) {
        let known = std::mem::take(&mut self.senders);
        self.senders = senders.iter().map(|one| (one.what.name.clone(), one.print)).collect();
        let stays = |name: &str, print: u64| known.iter().any(|known| known.0 == name && known.1 == print);
        let senders: Vec<_> = senders.into_iter().map(|one| (stays(&one.what.name, one.print), one.what)).collect();
        self.receiver = match &self.receiver {
            _ if senders.is_empty() => None,
            Some(before) => {
                Some(before.followed_by(senders.into_iter().map(|(stays, sender)| (sender, stays)).collect()))
            }
            None => {
                let senders = senders.into_iter().map(|(_, sender)| sender).collect();
                Some(Receiver::new(senders, ground.retention_ms, ground.store.target().clone()))
            }
        }
        .map(Arc::new);
    }

    /// What came is sent on.
    fn arrived(&self, samples: &[(Labels, Timestamp, f64)]) {
        self.writers.iter().for_each(|writer| writer.handle.arrived(samples));
    }
}

/// What sends to one target. Dropping it stops it at any point.
struct Task<H> {
    name: String,
    print: u64,
    handle: H,
    work: JoinHandle<()>,
}

impl<H> Task<H> {
    /// Stops it, and waits until it has stopped.
    async fn end(mut self, table: &str) {
        self.work.abort();
        // Cut off, as was asked for.
        let _ = (&mut self.work).await;
        tracing::info!("{table} {}: what ran has ended, as the configuration changed", self.name);
    }
}

impl<H> Drop for Task<H> {
    fn drop(&mut self) {
        self.work.abort();
    }
}

/// Takes those out that are no longer as they were.
fn retire<H, T>(running: &mut Vec<Task<H>>, wanted: &[Printed<T>], name: impl Fn(&T) -> &String) -> Vec<Task<H>> {
    let stays = |task: &mut Task<H>| wanted.iter().any(|one| *name(&one.what) == task.name && one.print == task.print);
    running.extract_if(.., |task| !stays(task)).collect()
}

// What is behind the locks is whole after a panic.
fn read_lock(running: &RwLock<Running>) -> RwLockReadGuard<'_, Running> {
    running.read().unwrap_or_else(PoisonError::into_inner)
}

fn write_lock(running: &RwLock<Running>) -> RwLockWriteGuard<'_, Running> {
    running.write().unwrap_or_else(PoisonError::into_inner)
}

/// Between the server, the receiver and the store.
struct Inlet {
    running: Arc<RwLock<Running>>,
    ground: Arc<Ground>,
}

impl Inlet {
    fn receiver(&self) -> Result<Arc<Receiver>, ReceiveReply> {
        read_lock(&self.running).receiver.clone().ok_or_else(ReceiveReply::nobody)
    }
}

fn answer(reply: Reply) -> ReceiveReply {
    ReceiveReply { status: reply.status, headers: reply.headers, text: reply.text }
}

impl Receive for Inlet {
    fn admit(&self, authorization: Option<&[u8]>, kind: &str, encoding: &str) -> Result<(), ReceiveReply> {
        self.receiver()?.admit(authorization).map_err(answer)?;
        Receiver::version(kind, encoding).map(drop).map_err(answer)
    }

    fn most_body(&self) -> usize {
        receive::MOST_BODY
    }

    fn take(&self, authorization: Option<&[u8]>, kind: &str, encoding: &str, body: &[u8]) -> ReceiveReply {
        let receiver = match self.receiver() {
            Ok(receiver) => receiver,
            Err(reply) => return reply,
        };
        let admitted = receiver.admit(authorization);
        let (sender, version) = match (admitted, Receiver::version(kind, encoding)) {
            (Ok(sender), Ok(version)) => (sender, version),
            (Err(reply), _) | (_, Err(reply)) => return answer(reply),
        };
        let now = clock::wall();
        let keep = |samples: &[(Labels, Timestamp, f64)]| match self.ground.store.append_samples(now, samples) {
            // What is in memory alone would be acknowledged and not be there after a crash.
            Ok(report) if report.logged => {
                read_lock(&self.running).arrived(samples);
                Stored::Kept { refused: report.refused }
            }
            _ => Stored::NotNow,
        };
        answer(receiver.take(sender, version, body, now, self.ground.monotonic.elapsed(), &keep))
    }
}
