//! The daemon put together: every part made of the configuration and of what was opened, and what joins them.

use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};

use squirrel_collect::Schedule;
use squirrel_promql::Engine;
use squirrel_server::{ApplicationToken, Applications, Server, ServerMetrics, ServerParts, Tick};
use squirrel_store::Store;
use squirrel_sys::{Kernel, clock};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::alerting::Alerting;
use super::checks::Checks;
use super::doors::Doors;
use super::parts::{account, applications, build, open_desk, packet_counter, remote_engine};
use super::probes::Watched;
use super::remote::{self, Remote};
use crate::accounting::{Accounting, Pictures};
use crate::config::Config;
use crate::own_metrics;
use crate::pipeline::{Parts, Pipeline};

/// All parts; those that have threads or tasks of their own have begun.
pub(super) struct Assembled {
    pub(super) listeners: Vec<TcpListener>,
    pub(super) kernel: Arc<dyn Kernel>,
    pub(super) store: Arc<Store>,
    pub(super) applications: Arc<Applications>,
    pub(super) remote: Arc<Remote>,
    pub(super) alerting: Alerting,
    pub(super) checks: Arc<Checks>,
    pub(super) watched: Arc<Watched>,
    /// Whose bytes they are; the pipeline takes it.
    accounting: Option<Accounting>,
    engine: Option<Arc<dyn Engine>>,
    catalogue: Arc<squirrel_model::Catalogue>,
    token: Arc<ApplicationToken>,
    ticks: watch::Sender<Option<Arc<Tick>>>,
    status: Arc<Mutex<Vec<squirrel_api::CollectorStatus>>>,
}

impl Assembled {
    /// Starts every part. Must be called within a runtime.
    ///
    /// # Errors
    /// A part that cannot be started, in words for the person who started the daemon.
    pub(super) fn new(config: &Config, doors: Doors, monotonic: clock::Monotonic) -> anyhow::Result<Self> {
        let accounting = doors.sources.map(|sources| account(sources, config, monotonic)).transpose()?;
        let (kernel, store): (Arc<dyn Kernel>, _) = (Arc::new(doors.kernel), Arc::new(doors.store));
        let (ticks, newest) = watch::channel(None);
        let applications = applications(config, doors.application_token, &store, monotonic.elapsed());
        let catalogue = Arc::new(own_metrics::catalogue());
        let ground = remote::Ground::new(config, Arc::clone(&store), newest, Arc::clone(&catalogue), monotonic)?;
        let mut remote = remote::start(doors.remote, ground);
        let engine = remote_engine(config, &mut remote)?;
        let remote = Arc::new(remote);
        let desk = open_desk(config, doors.told, doors.messages, doors.channels, &*kernel)?;
        let others = (engine.clone(), Arc::clone(&remote));
        let alerting = Alerting::start(&store, others, monotonic, &config.alerts, desk)?;
        Ok(Self {
            listeners: doors.listeners,
            checks: Arc::new(Checks::new(&config.checks)),
            watched: Watched::start(doors.probes, &config.probes, monotonic)?,
            status: Arc::default(),
            token: Arc::new(doors.token),
            kernel,
            store,
            applications,
            remote,
            alerting,
            accounting,
            engine,
            catalogue,
            ticks,
        })
    }

    /// The server over all of it.
    ///
    /// # Errors
    /// Names of hosts in the configuration that are none.
    pub(super) fn server(&self, config: &Config, monotonic: clock::Monotonic) -> anyhow::Result<Server> {
        let (reader, statuses) = (self.store.reader(), Arc::clone(&self.status));
        let picture: Pictures = match &self.accounting {
            Some(accounting) => accounting.pictures(),
            None => Arc::new(|| None),
        };
        Ok(Server::new(ServerParts {
            snapshots: Arc::new(move || reader.snapshot()),
            engine: self.engine.clone(),
            ticks: self.ticks.subscribe(),
            catalogue: Arc::clone(&self.catalogue),
            collectors: Arc::new(move || statuses.lock().unwrap_or_else(PoisonError::into_inner).clone()),
            own: self.store.target().clone(),
            applications: Arc::clone(&self.applications),
            alerting: self.alerting.shared(),
            token: Some(Arc::clone(&self.token)),
            picture,
            count_packets: packet_counter(self.accounting.as_ref(), monotonic),
            probes: Some(Arc::clone(&self.watched) as Arc<dyn squirrel_server::Probes>),
            ports: super::ports::reader(&self.kernel),
            checks: Some(Arc::clone(&self.checks) as Arc<dyn squirrel_server::Checks>),
            clock: Arc::new(clock::wall),
            monotonic: Arc::new(move || monotonic.elapsed()),
            build: build(),
            allowed_hosts: config.allowed_hosts()?,
            receive: Some(self.remote.receive()),
            limits: config.query.limits(),
        }))
    }

    /// What is done at each tick. The accounting is in it from now on.
    ///
    /// # Errors
    /// A panic of a collector while it is opened.
    pub(super) async fn pipeline(
        &mut self,
        config: &Config,
        server_metrics: Arc<ServerMetrics>,
        monotonic: clock::Monotonic,
    ) -> anyhow::Result<Pipeline> {
        let opening = Arc::clone(&self.kernel);
        let disabled: Vec<String> = config.disabled.value.iter().cloned().collect();
        let schedule = spawn_blocking(move || Schedule::open(&*opening, &disabled, monotonic.elapsed())).await?;
        Ok(Pipeline::new(Parts {
            kernel: Arc::clone(&self.kernel),
            schedule,
            store: Arc::clone(&self.store),
            monotonic,
            server_metrics,
            applications: Arc::clone(&self.applications),
            alerting: self.alerting.shared(),
            checks: Arc::clone(&self.checks),
            ticks: self.ticks.clone(),
            status: Arc::clone(&self.status),
            accounting: self.accounting.take(),
            remote: Arc::clone(&self.remote),
            watched: Arc::clone(&self.watched),
            directory: config.directory.value.clone(),
        }))
    }
}
