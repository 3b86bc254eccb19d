//! Rules in the daemon: evaluated on a thread of their own, so that no reading of the kernel waits for them.

mod actions;
mod alertmanager;
mod charts;
mod desk;
mod metrics;
mod page;
mod protected;
mod runner;
mod schedule;
mod shown;
mod sources;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use squirrel_alert::AlertState;
use squirrel_alert::thresholds::Thresholds;
use squirrel_api::alerts::{ActionDone, AlertAction, AlertsPage};
use squirrel_api::rules::RuleGroup;
use squirrel_api::{ApiError, Level};
use squirrel_channels::{Channel, Protected, Status};
use squirrel_model::Batch;
use squirrel_notify::{Settings, severity_rank};
use squirrel_promql::Engine;
use squirrel_server::Watch;
use squirrel_store::Store;
use squirrel_sys::clock;

use self::metrics::{GroupFigures, Totals};
use self::runner::Runner;
use self::shown::GroupView;
use crate::config::{Alerts, Config};
use crate::serve::remote::Remote;

pub(crate) use self::desk::Desk;
pub(crate) use self::metrics::METRICS;
pub(crate) use self::protected::protected;

/// Orders that may wait; a person gives one now and then.
const ORDERS: usize = 16;

/// What the thread is told.
enum Order {
    /// The configuration was read again; without channels those that are stay.
    Reload(Box<Alerts>, Box<Settings>, Option<Vec<Channel>>, Protected),
    Stop,
}

/// The rules, to be asked and stopped.
pub(crate) struct Alerting {
    shared: Arc<Shared>,
    orders: SyncSender<Order>,
    thread: std::thread::JoinHandle<()>,
}

/// What the thread shows to others. Each lock is held for an exchange of references only.
pub(crate) struct Shared {
    desk: Arc<Desk>,
    /// Where people find the pages.
    url: Mutex<String>,
    channels: Mutex<Option<Status>>,
    groups: Mutex<Vec<(Arc<GroupView>, GroupFigures)>>,
    problems: Mutex<Vec<String>>,
    thresholds: Mutex<Thresholds>,
    totals: Totals,
    stopping: AtomicBool,
}

impl Alerting {
    /// Starts the thread. The rules of files are asked of `engine`, if there is one; what they yield goes to the
    /// store in either case, and from there to wherever `remote` sends samples.
    ///
    /// # Errors
    /// A system without room for a thread.
    pub(crate) fn start(
        store: Arc<Store>,
        (engine, remote): (Option<Arc<dyn Engine>>, Arc<Remote>),
        monotonic: clock::Monotonic,
        config: Alerts,
        desk: Desk,
    ) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            desk: Arc::new(desk),
            url: Mutex::new(config.external_url.value.clone()),
            channels: Mutex::default(),
            groups: Mutex::default(),
            problems: Mutex::default(),
            thresholds: Mutex::new(config.thresholds.clone()),
            totals: Totals::default(),
            stopping: AtomicBool::new(false),
        });
        let (orders, given) = sync_channel(ORDERS);
        let runner = Runner::new(store, (engine, remote), monotonic, Arc::clone(&shared), config);
        let thread = std::thread::Builder::new()
            .name("squirrel-alerts".to_owned())
            .spawn(move || runner.run(&given))
            .context("cannot start the thread that evaluates rules")?;
        Ok(Self { shared, orders, thread })
    }

    /// What others may see.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Takes a configuration that was read again, and reads the rule files again.
    pub(crate) fn reload(&self, config: &Config, protected: Protected) {
        // Files of secrets that only root may read cannot be read again: the daemon has no privileges any more.
        let channels = match config.notify.channels() {
            Ok(channels) => Some(channels),
            Err(error) => {
                tracing::error!("who is told of alerts stays as it was: {error:#}");
                None
            }
        };
        let (alerts, settings) = (Box::new(config.alerts.clone()), Box::new(config.notify.settings.clone()));
        if let Err(TrySendError::Full(_)) = self.orders.try_send(Order::Reload(alerts, settings, channels, protected)) {
            tracing::warn!("the rules were not read again: {ORDERS} orders wait already, ask again later");
        }
    }

    /// Ends an evaluation that is under way, and waits for the thread.
    pub(crate) fn stop(self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        // A queue that is full holds orders that the thread takes before it sees that nobody gives any more.
        let _ = self.orders.try_send(Order::Stop);
        drop(self.orders);
        if self.thread.join().is_err() {
            tracing::error!("the evaluation of rules ended in a panic");
        }
        self.shared.desk.stop();
    }
}

impl Shared {
    /// The groups are others than before.
    fn arranged(
        &self,
        views: Vec<Arc<GroupView>>,
        figures: Vec<GroupFigures>,
        problems: Vec<String>,
        thresholds: Thresholds,
    ) {
        *hold(&self.groups) = views.into_iter().zip(figures).collect();
        *hold(&self.problems) = problems;
        *hold(&self.thresholds) = thresholds;
    }

    /// One group was evaluated.
    fn evaluated(&self, index: usize, view: Arc<GroupView>, figures: GroupFigures) {
        if let Some(place) = hold(&self.groups).get_mut(index) {
            *place = (view, figures);
        }
    }

    /// The groups after their last evaluations.
    pub(crate) fn views(&self) -> Vec<Arc<GroupView>> {
        hold(&self.groups).iter().map(|(view, _)| Arc::clone(view)).collect()
    }

    /// Adds the figures of the evaluation to a batch.
    pub(crate) fn rows(&self, out: &mut Batch) {
        for (_, figures) in hold(&self.groups).iter() {
            figures.rows(out);
        }
        let views = self.views();
        let count = |state| {
            let rules = views.iter().flat_map(|view| &view.rules);
            rules.flat_map(shown::RuleView::active).filter(|alert| alert.state == state).count()
        };
        let refused = hold(&self.problems).len();
        self.totals.rows(count(AlertState::Pending), count(AlertState::Firing), refused, out);
        if let Some(status) = &*hold(&self.channels) {
            metrics::channels(status, out);
        }
    }

    /// Asks the channels how they are, so that nobody else has to wait for the answer.
    fn look_at_channels(&self) {
        let status = self.desk.channels().and_then(|channels| self.desk.runtime.block_on(channels.status()));
        *hold(&self.channels) = status;
    }
}

impl squirrel_server::Alerting for Shared {
    fn groups(&self) -> Vec<RuleGroup> {
        self.views().iter().map(|view| view.twin()).collect()
    }

    fn watch(&self) -> Watch {
        let mut watch = Watch {
            thresholds: hold(&self.thresholds).clone(),
            problems: hold(&self.problems).clone(),
            ..Watch::default()
        };
        for view in self.views() {
            for rule in &view.rules {
                for alert in rule.active().filter(|alert| alert.state == AlertState::Firing) {
                    watch.firing += 1;
                    watch.worst = watch.worst.max(level(severity_rank(&alert.labels)));
                    if watch.names.len() < Watch::NAMES && !watch.names.contains(&rule.text.name) {
                        watch.names.push(rule.text.name.clone());
                    }
                }
            }
        }
        watch
    }

    fn page(&self) -> AlertsPage {
        page::page(&self.desk, clock::wall(), hold(&self.problems).clone())
    }

    fn act(&self, action: AlertAction) -> Result<ActionDone, ApiError> {
        let url = hold(&self.url).clone();
        actions::act(&self.desk, action, clock::wall(), &url)
    }

    fn alertmanager(&self, request: squirrel_server::AlertmanagerRequest) -> Result<serde_json::Value, ApiError> {
        alertmanager::answer(&self.desk, request, clock::wall())
    }
}

/// What an alert of this rank means for the verdict; information means nothing.
fn level(rank: u8) -> Option<Level> {
    match rank {
        0 | 1 => None,
        2 => Some(Level::Warning),
        _ => Some(Level::Bad),
    }
}

/// A lock whose holder panicked is still good here: values are replaced as a whole.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
