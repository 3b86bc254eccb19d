//! The loop: one enum of all that can wake the program, one match.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use squirrel_channels::{Channel, Channels};
use squirrel_collect::Schedule;
use squirrel_model::Elapsed;
use squirrel_outbound::Destination;
use squirrel_promql::Engine;
use squirrel_remote::{EngineLimits, RemoteEngine};
use squirrel_server::{ApplicationToken, Applications, BuildInfo, Limits, Server, ServerParts};
use squirrel_store::Store;
use squirrel_store::dir::Dir;
use squirrel_sys::memory::Trimmer;
use squirrel_sys::{Kernel, clock};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::alerting::{Alerting, Desk, KnownChannel, protected};
use super::doors::Doors;
use super::reload::Reloader;
use super::remote;
use crate::accounting::{Accounting, Opened, Pictures};
use crate::config::{AccountingLevel, Config};
use crate::own_metrics;
use crate::pipeline::{Parts, Pipeline, until_next};

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
    let Doors { kernel, listeners, store, application_token, token, told, messages, channels, remote: parts, sources } =
        doors;
    let accounting = sources.map(|sources| account(sources, &config, monotonic)).transpose()?;
    let picture: Pictures = match &accounting {
        Some(accounting) => accounting.pictures(),
        None => Arc::new(|| None),
    };
    let (kernel, store): (Arc<dyn Kernel>, _) = (Arc::new(kernel), Arc::new(store));
    let (ticks, watched) = watch::channel(None);
    let status = Arc::new(Mutex::new(Vec::new()));

    let step_ms = i64::try_from(config.interval.value.as_millis()).unwrap_or(1000);
    let addresses: Vec<_> = listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
    let statuses = Arc::clone(&status);
    let reader = store.reader();
    let applications = applications(&config, application_token, &store, monotonic.elapsed());
    let catalogue = Arc::new(own_metrics::catalogue());
    let ground = remote::Ground::new(&config, Arc::clone(&store), watched.clone(), Arc::clone(&catalogue), monotonic)?;
    let remote = Arc::new(remote::start(parts, ground));
    let desk = open_desk(&config, told, messages, channels, &*kernel)?;
    let engine = config.engine.destination()?.map(remote_engine);
    let others = (engine.clone(), Arc::clone(&remote));
    let alerting = Alerting::start(&store, others, monotonic, &config.alerts, desk)?;
    let server = Server::new(ServerParts {
        snapshots: Arc::new(move || reader.snapshot()),
        engine,
        ticks: watched,
        catalogue,
        collectors: Arc::new(move || statuses.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        own: store.target().clone(),
        applications: Arc::clone(&applications),
        alerting: alerting.shared(),
        token: Some(Arc::new(token)),
        picture,
        count_packets: packet_counter(accounting.as_ref(), monotonic),
        ports: super::ports::reader(&kernel),
        probes: None,
        clock: Arc::new(clock::wall),
        monotonic: Arc::new(move || monotonic.elapsed()),
        build: build(),
        allowed_hosts: config.allowed_hosts()?,
        receive: remote.receive(),
        limits: Limits::default(),
    });
    let server_metrics = server.metrics();

    let opening = Arc::clone(&kernel);
    let disabled: Vec<String> = config.disabled.value.iter().cloned().collect();
    let schedule = spawn_blocking(move || Schedule::open(&*opening, &disabled, monotonic.elapsed())).await?;
    let parts = Parts {
        kernel: Arc::clone(&kernel),
        schedule,
        store: Arc::clone(&store),
        monotonic,
        server_metrics,
        applications: Arc::clone(&applications),
        alerting: alerting.shared(),
        ticks,
        status,
        accounting,
        remote,
        directory: config.directory.value.clone(),
    };

    let stop = CancellationToken::new();
    let mut serving = tokio::spawn(server.serve(listeners, stop.clone()));
    for address in &addresses {
        tracing::info!("watching this host: {}", page(*address));
    }

    let work = Work { store: &store, alerting: &alerting, kernel: &*kernel, trimmer };
    let outcome = drive(config, Pipeline::new(parts), work, signals, &reloader, &mut serving).await;
    stop.cancel();
    // The server cuts what is left after its own limit; the second here is for the unforeseen.
    if !serving.is_finished() && tokio::time::timeout(DRAIN, &mut serving).await.is_err() {
        serving.abort();
    }
    spawn_blocking(move || close(&store, alerting, &applications, step_ms))
        .await?
        .context("the store was not closed cleanly")?;
    tracing::info!("stopped");
    outcome
}

/// Finds out whose the bytes are, on a thread of its own.
fn account(sources: Opened, config: &Config, monotonic: clock::Monotonic) -> anyhow::Result<Accounting> {
    let packets = config.accounting.value == AccountingLevel::Packets;
    let accountant = sources.accountant(config.accounting_options());
    Accounting::start(accountant, packets, monotonic).context("cannot start the accounting")
}

/// Counts packets while somebody looks.
fn packet_counter(
    accounting: Option<&Accounting>,
    monotonic: clock::Monotonic,
) -> Arc<dyn Fn(Duration) -> Option<Duration> + Send + Sync> {
    let leases = accounting.map(Accounting::leases);
    Arc::new(move |time| leases.as_ref().map(|leases| leases.renew(time, monotonic.elapsed())))
}

/// Which build this is.
fn build() -> BuildInfo {
    BuildInfo { version: env!("CARGO_PKG_VERSION").to_owned(), revision: env!("SQUIRREL_REVISION").to_owned() }
}

/// Ends what writes to the store, and then the store.
fn close(
    store: &Store,
    alerting: Alerting,
    applications: &Applications,
    step_ms: i64,
) -> Result<(), squirrel_store::StoreError> {
    alerting.stop();
    let now = clock::wall();
    let ends = applications.close(now, step_ms);
    // A disk that does not take them is told by the close that follows.
    let _ = store.append_samples(now, &ends);
    store.close(now)
}

/// Takes reports of applications, and knows those that reported before the start.
fn applications(config: &Config, token: Option<ApplicationToken>, store: &Store, at: Elapsed) -> Arc<Applications> {
    let applications = Applications::new(config.applications.limits(), own_metrics::own()).with_token(token);
    if let Err(error) = applications.adopt(store.reader().snapshot().as_ref(), clock::wall(), at) {
        tracing::warn!("applications that reported before the start are not known: {error}");
    }
    Arc::new(applications)
}

/// Another engine for PromQL; what is asked of it comes from threads that may block.
fn remote_engine(to: Destination) -> Arc<dyn Engine> {
    tracing::info!("PromQL is asked of {to}");
    Arc::new(RemoteEngine::new(to, EngineLimits::default(), tokio::runtime::Handle::current()))
}

/// Starts the channels, and takes up what was told before.
fn open_desk(
    config: &Config,
    told: Arc<dyn Dir>,
    messages: Arc<dyn Dir>,
    channels: Vec<Channel>,
    kernel: &dyn Kernel,
) -> anyhow::Result<Desk> {
    let known = channels.iter().map(KnownChannel::from).collect();
    let seed = clock::wall().millis().unsigned_abs() ^ u64::from(std::process::id());
    let parts =
        squirrel_channels::Parts { channels, dir: messages, clock: clock::wall, seed, protected: protected(kernel) };
    let (channels, recovery) = Channels::start(parts).context("cannot open the queue of messages about alerts")?;
    if recovery.waiting > 0 {
        tracing::info!("{} messages about alerts wait since before the start", recovery.waiting);
    }
    if let Some(reason) = &recovery.unwritten {
        tracing::error!("messages about alerts are in memory alone until the disk takes them: {reason}");
    }
    if recovery.damaged > 0 {
        tracing::warn!("{} lines of the queue of messages about alerts were damaged", recovery.damaged);
    }
    Ok(Desk::open(&config.notify.settings, channels, known, told, tokio::runtime::Handle::current())?)
}

/// The dashboard's address as a browser on this host can open it: the unspecified address means all
/// addresses to a server, and nothing to a browser.
fn page(address: SocketAddr) -> String {
    let port = address.port();
    match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => format!("http://127.0.0.1:{port}"),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => format!("http://[::1]:{port}"),
        _ => format!("http://{address}"),
    }
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
    kernel: &'a dyn Kernel,
    trimmer: Trimmer,
}

async fn drive(
    mut config: Config,
    mut pipeline: Pipeline,
    Work { store, alerting, kernel, trimmer }: Work<'_>,
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
                    let (store, trimmer) = (Arc::clone(store), Arc::clone(&trimmer));
                    maintaining = Some(spawn_blocking(move || {
                        // The store itself says in the log what failed.
                        store.maintain(clock::wall());
                        trimmer.lock().unwrap_or_else(PoisonError::into_inner).run();
                    }));
                }
            }
            Event::Reload => {
                config = reloader.reload(config);
                alerting.reload(&config, protected(kernel));
                let disabled: Vec<String> = config.disabled.value.iter().cloned().collect();
                pipeline = spawn_blocking(move || {
                    pipeline.set_disabled(&disabled);
                    pipeline
                })
                .await
                .context("a reload ended the program")?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_address_can_be_opened() {
        let printed = |address: &str| page(address.parse().unwrap());
        assert_eq!(printed("127.0.0.1:7775"), "http://127.0.0.1:7775");
        assert_eq!(printed("[2001:db8::1]:80"), "http://[2001:db8::1]:80");
        assert_eq!(printed("0.0.0.0:7775"), "http://127.0.0.1:7775");
        assert_eq!(printed("[::]:7775"), "http://[::1]:7775");
    }
}
