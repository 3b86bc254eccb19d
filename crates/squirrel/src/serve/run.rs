//! The loop: one enum of all that can wake the program, one match.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use squirrel_server::Applications;
use squirrel_store::Store;
use squirrel_sys::memory::Trimmer;
use squirrel_sys::{Kernel, clock};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::alerting::{Alerting, protected};
use super::assembled::Assembled;
use super::checks::Checks;
use super::doors::Doors;
use super::parts::page;
use super::probes::Watched;
use super::reload::Reloader;
use super::remote::Remote;
use crate::config::Config;
use crate::pipeline::{Pipeline, until_next};

/// How often samples are packed, blocks written and old ones deleted.
const MAINTAIN_EVERY: Duration = Duration::from_secs(10);

/// How long the server may take to end.
const DRAIN: Duration = Duration::from_secs(6);

/// All that can wake the program.
enum Event {
    Tick,
    Maintain,
    Reload,
    Stop(&'static str),
    ServerEnded(anyhow::Result<()>),
}

/// Runs until a signal says stop or the server ends.
pub(super) async fn run(
    config: Config,
    doors: Doors,
    monotonic: clock::Monotonic,
    trimmer: Trimmer,
    reloader: Reloader,
) -> anyhow::Result<()> {
    // Before all else: until then SIGHUP, which asks for a reload, would end the program.
    let signals = Signals::listen()?;
    let mut daemon = Assembled::new(&config, doors, monotonic)?;
    let step_ms = i64::try_from(config.interval.value.as_millis()).unwrap_or(1000);
    let addresses: Vec<_> = daemon.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
    let server = daemon.server(&config, monotonic)?;
    let pipeline = daemon.pipeline(&config, server.metrics(), monotonic).await?;
    let listeners = std::mem::take(&mut daemon.listeners);
    let Assembled { kernel, store, applications, remote, alerting, checks, watched, .. } = daemon;

    let stop = CancellationToken::new();
    let mut serving = tokio::spawn(server.serve(listeners, stop.clone()));
    for address in &addresses {
        tracing::info!("watching this host: {}", page(*address));
    }

    let work = Work {
        store: &store,
        alerting: &alerting,
        checks: &checks,
        remote: &remote,
        watched: &watched,
        kernel: &*kernel,
        trimmer,
    };
    let outcome = drive(config, pipeline, work, signals, &reloader, &mut serving).await;
    stop.cancel();
    // The server cuts what is left after its own limit; the second here is for the unforeseen.
    if !serving.is_finished() && tokio::time::timeout(DRAIN, &mut serving).await.is_err() {
        serving.abort();
    }
    spawn_blocking(move || close(&store, alerting, &applications, &watched, step_ms))
        .await?
        .context("the store was not closed cleanly")?;
    tracing::info!("stopped");
    outcome
}

/// Ends what writes to the store, and then the store.
fn close(
    store: &Store,
    alerting: Alerting,
    applications: &Applications,
    watched: &Watched,
    step_ms: i64,
) -> Result<(), squirrel_store::StoreError> {
    alerting.stop();
    let now = clock::wall();
    let mut ends = applications.close(now, step_ms);
    ends.extend(watched.stop(now));
    // A disk that does not take them is told by the close that follows.
    let _ = store.append_samples(now, &ends);
    store.close(now)
}

/// The signals that mean something here.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }
}

type Serving = tokio::task::JoinHandle<std::io::Result<()>>;

/// What is looked after beside the readings.
struct Work<'a> {
    store: &'a Arc<Store>,
    alerting: &'a Alerting,
    checks: &'a Checks,
    remote: &'a Remote,
    watched: &'a Arc<Watched>,
    kernel: &'a dyn Kernel,
    trimmer: Trimmer,
}

async fn drive(
    mut config: Config,
    mut pipeline: Pipeline,
    Work { store, alerting, checks, remote, watched, kernel, trimmer }: Work<'_>,
    mut signals: Signals,
    reloader: &Reloader,
    serving: &mut Serving,
) -> anyhow::Result<()> {
    let trimmer = Arc::new(Mutex::new(trimmer));
    let mut maintain = tokio::time::interval(MAINTAIN_EVERY);
    let step_ms = i64::try_from(config.interval.value.as_millis()).unwrap_or(1000);
    let mut wait = Duration::ZERO;
    let mut maintaining: Option<tokio::task::JoinHandle<()>> = None;
    loop {
        let event = tokio::select! {
            biased;
            _ = signals.terminate.recv() => Event::Stop("SIGTERM"),
            _ = signals.interrupt.recv() => Event::Stop("SIGINT"),
            _ = signals.hangup.recv() => Event::Reload,
            ended = &mut *serving => Event::ServerEnded(ended.map_err(Into::into).and_then(|served| served.map_err(Into::into))),
            () = tokio::time::sleep(wait) => Event::Tick,
            _ = maintain.tick() => Event::Maintain,
        };
        match event {
            Event::Tick => {
                if pipeline.is_due(clock::wall(), step_ms) {
                    pipeline = spawn_blocking(move || {
                        pipeline.tick(clock::wall(), step_ms);
                        pipeline
                    })
                    .await
                    .context("a reading ended the program")?;
                }
            }
            // Beside the ticks, never two at once: cutting a block must not cost a second's sample.
            Event::Maintain => {
                if maintaining.as_ref().is_none_or(tokio::task::JoinHandle::is_finished) {
                    let (store, trimmer, watched) = (Arc::clone(store), Arc::clone(&trimmer), Arc::clone(watched));
                    maintaining = Some(spawn_blocking(move || {
                        // The store itself says in the log what failed.
                        store.maintain(clock::wall());
                        watched.maintain();
                        trimmer.lock().unwrap_or_else(PoisonError::into_inner).run();
                    }));
                }
            }
            Event::Reload => {
                let parts;
                (config, parts) = match reloader.reload(config) {
                    Ok(taken) => taken,
                    Err(kept) => {
                        config = *kept;
                        wait = until_next(clock::wall(), step_ms);
                        continue;
                    }
                };
                if let Some(parts) = parts {
                    remote.change(parts).await;
                }
                alerting.reload(&config, protected(kernel));
                checks.reload(&config.checks);
                watched.reload(&config.probes);
                let disabled: Vec<String> = config.disabled.value.iter().cloned().collect();
                pipeline = spawn_blocking(move || {
                    pipeline.set_disabled(&disabled);
                    pipeline
                })
                .await
                .context("a reload ended the program")?;
                tracing::info!("configuration reloaded");
            }
            Event::Stop(signal) => {
                tracing::info!("{signal}: stopping");
                return Ok(());
            }
            Event::ServerEnded(result) => return result.context("the HTTP server ended"),
        }
        wait = until_next(clock::wall(), step_ms);
    }
}
