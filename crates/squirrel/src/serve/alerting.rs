//! Rules in the daemon: evaluated on threads of their own, so that no reading of the kernel waits for them. Squirrel's own
//! rules have one, those of files another: files may have ten thousand rules, or be asked of an engine that hangs.

mod actions;
mod alertmanager;
mod charts;
mod desk;
mod metrics;
mod outbox;
mod page;
mod protected;
mod runner;
mod running;
mod schedule;
mod shown;
mod sources;
mod watch;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use squirrel_alert::AlertState;
use squirrel_alert::thresholds::Thresholds;
use squirrel_api::ApiError;
use squirrel_api::alerts::{ActionDone, AlertAction, AlertsPage};
use squirrel_api::rules::RuleGroup;
use squirrel_channels::{Channel, Protected, Status};
use squirrel_model::Batch;
use squirrel_notify::Settings;
use squirrel_promql::Engine;
use squirrel_server::Watch;
use squirrel_store::Store;
use squirrel_sys::clock;

use self::metrics::{GroupFigures, Totals};
use self::runner::Runner;
use self::shown::GroupView;
use crate::config::{Alerts, Config};
use crate::serve::remote::Remote;

pub(crate) use self::desk::{Desk, KnownChannel};
pub(crate) use self::metrics::METRICS;
pub(crate) use self::protected::protected;

/// Orders that may wait; a person gives one now and then.
const ORDERS: usize = 16;

/// What a thread is told.
enum Order {
    /// The configuration was read again.
    Reload(Box<Alerts>),
    /// Others are told, or otherwise.
    Tell(Box<Settings>, Vec<Channel>, Protected),
    Stop,
}

/// Which rules a thread evaluates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Those that Squirrel brings along. The same thread tells people in time.
    Own,
    /// Those of files.
    Files,
}

impl Part {
    const ALL: [Self; 2] = [Self::Own, Self::Files];

    fn thread_name(self) -> &'static str {
        match self {
            Self::Own => "squirrel-alerts",
            Self::Files => "squirrel-rules",
        }
    }
}

/// One of the threads.
struct Evaluator {
    orders: SyncSender<Order>,
    thread: std::thread::JoinHandle<()>,
}

/// The rules, to be asked and stopped.
pub(crate) struct Alerting {
    shared: Arc<Shared>,
    own: Evaluator,
    files: Evaluator,
}

/// The groups of one thread, with their figures.
type Evaluated = Mutex<Vec<(Arc<GroupView>, GroupFigures)>>;

/// What the threads show to others. Each lock is held for an exchange of references only.
pub(crate) struct Shared {
    desk: Arc<Desk>,
    /// Where people find the pages.
    url: Mutex<String>,
    channels: Mutex<Option<Status>>,
    own: Evaluated,
    files: Evaluated,
    problems: Mutex<Vec<String>>,
    thresholds: Mutex<Thresholds>,
    totals: Totals,
    stopping: AtomicBool,
}

impl Alerting {
    /// Starts the threads. The rules of files are asked of `engine`, if there is one; what they yield goes to the
    /// store in either case, and from there to wherever `remote` sends samples.
    ///
    /// # Errors
    /// A system without room for a thread.
    pub(crate) fn start(
        store: &Arc<Store>,
        (engine, remote): (Option<Arc<dyn Engine>>, Arc<Remote>),
        monotonic: clock::Monotonic,
        config: &Alerts,
        desk: Desk,
    ) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            desk: Arc::new(desk),
            url: Mutex::new(config.external_url.value.clone()),
            channels: Mutex::default(),
            own: Mutex::default(),
            files: Mutex::default(),
            problems: Mutex::default(),
            thresholds: Mutex::new(config.thresholds.clone()),
            totals: Totals::default(),
            stopping: AtomicBool::new(false),
        });
        let start = |part: Part| {
            let (orders, given) = sync_channel(ORDERS);
            let others = (engine.clone(), Arc::clone(&remote));
            let runner = Runner::new(part, Arc::clone(store), others, monotonic, Arc::clone(&shared), config.clone());
            let thread = std::thread::Builder::new()
                .name(part.thread_name().to_owned())
                .spawn(move || runner.run(&given))
                .context("cannot start the thread that evaluates rules")?;
            anyhow::Ok(Evaluator { orders, thread })
        };
        let [own, files] = Part::ALL.map(start);
        Ok(Self { own: own?, files: files?, shared })
    }

    /// What others may see.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Takes a configuration that was read again, and reads the rule files again.
    pub(crate) fn reload(&self, config: &Config, protected: Protected) {
        // Files of secrets that only root may read cannot be read again: the daemon has no privileges any more.
        match config.notify.channels() {
            Ok(channels) => self.own.give(Order::Tell(Box::new(config.notify.settings.clone()), channels, protected)),
            Err(error) => tracing::error!("who is told of alerts stays as it was: {error:#}"),
        }
        for evaluator in [&self.own, &self.files] {
            evaluator.give(Order::Reload(Box::new(config.alerts.clone())));
        }
    }

    /// Ends evaluations that are under way, and waits for the threads.
    pub(crate) fn stop(self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        for Evaluator { orders, thread } in [self.own, self.files] {
            // A queue that is full holds orders that the thread takes before it sees that nobody gives any more.
            let _ = orders.try_send(Order::Stop);
            drop(orders);
            if thread.join().is_err() {
                tracing::error!("the evaluation of rules ended in a panic");
            }
        }
        self.shared.desk.stop();
    }
}

impl Evaluator {
    fn give(&self, order: Order) {
        if let Err(TrySendError::Full(_)) = self.orders.try_send(order) {
            tracing::warn!("the rules were not read again: {ORDERS} orders wait already, ask again later");
        }
    }
}

impl Shared {
    fn part(&self, part: Part) -> &Evaluated {
        match part {
            Part::Own => &self.own,
            Part::Files => &self.files,
        }
    }

    /// One group was evaluated.
    fn evaluated(&self, part: Part, index: usize, view: Arc<GroupView>, figures: GroupFigures) {
        if let Some(place) = hold(self.part(part)).get_mut(index) {
            *place = (view, figures);
        }
    }

    /// The groups after their last evaluations: Squirrel's own first, then by file.
    pub(crate) fn views(&self) -> Vec<Arc<GroupView>> {
        let mut views = Vec::new();
        for part in Part::ALL {
            views.extend(hold(self.part(part)).iter().map(|(view, _)| Arc::clone(view)));
        }
        views
    }

    /// Adds the figures of the evaluation to a batch.
    pub(crate) fn rows(&self, out: &mut Batch) {
        for part in Part::ALL {
            for (_, figures) in hold(self.part(part)).iter() {
                figures.rows(out);
            }
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
        watch::look(&self.views(), clock::wall(), &mut watch);
        watch
    }

    fn page(&self) -> AlertsPage {
        page::page(&self.desk, clock::wall(), hold(&self.problems).clone())
    }

    fn alertmanagers(&self) -> Vec<String> {
        let known = self.desk.known().into_iter().filter(|one| one.kind == "alertmanager");
        known.filter_map(|one| one.address).map(|address| format!("{address}/api/v2/alerts")).collect()
    }

    fn act(&self, action: AlertAction) -> Result<ActionDone, ApiError> {
        let url = hold(&self.url).clone();
        actions::act(&self.desk, action, clock::wall(), &url)
    }

    fn alertmanager(&self, request: squirrel_server::AlertmanagerRequest) -> Result<serde_json::Value, ApiError> {
        alertmanager::answer(&self.desk, request, clock::wall())
    }
}

/// A lock whose holder panicked is still good here: values are replaced as a whole.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
