//! The accountant in this program: what it may read here, and its place beside the ticks of the daemon.

pub(crate) mod counting;
mod of_namespace;
mod packets;

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use squirrel_account::{Accountant, Options, Picture, Sources};
use squirrel_api::live::LevelReport;
use squirrel_api::{CollectorState, CollectorStatus, FaultReport};
use squirrel_bpf::Ledger;
use squirrel_model::{Batch, Elapsed, Timestamp};
use squirrel_sys::{SocketLedger, clock, network_namespaces};

use crate::keeper::{Running, Starting, is_on_the_host};
use counting::{Counting, Leases};
use of_namespace::of_namespace;

/// How long a tick waits for a step that began with it. A longer one is shown with the next tick.
const PATIENCE: Duration = Duration::from_millis(100);

/// What an accountant reads here, opened by whoever has the privilege.
pub(crate) struct Opened {
    sources: Sources,
    /// Why there is no kernel-side ledger of sockets.
    ledger_missing: Option<String>,
    /// Answers what needs a privilege, as long as it is held.
    keeper: Option<Running>,
}

impl Opened {
    /// All network namespaces of the host, or this one inside of another; with the ledger where it can be had. What
    /// needs a privilege is asked of the process that `starting` starts, so this one needs none any more; without one
    /// there is nothing that this process could give up. It answers within `patience` or is late.
    ///
    /// # Errors
    /// When netlink is refused here, or the process cannot be started.
    pub(crate) fn open(starting: Option<Starting>, patience: Duration) -> anyhow::Result<Self> {
        let Some(starting) = starting else {
            let found = network_namespaces().map(|found| found.namespaces).unwrap_or_default();
            let everywhere = is_on_the_host(&found);
            let ledger = Ledger::open(&squirrel_bpf::Options::default()).map_err(|unavailable| unavailable.to_string());
            return Ok(Self::with(everywhere, Sources::open(everywhere)?, ledger, None));
        };
        let keeper = Running::start(starting, patience)?;
        let (sources, ledger, everywhere) = keeper.sources()?;
        Ok(Self::with(everywhere, sources, ledger, Some(keeper)))
    }

    fn with(
        everywhere: bool,
        mut sources: Sources,
        ledger: Result<impl SocketLedger + 'static, String>,
        keeper: Option<Running>,
    ) -> Self {
        let own = sources.namespaces.first().map(|own| own.inode).filter(|_| !everywhere);
        let (ledger, ledger_missing) = match ledger {
            Ok(ledger) => (Some(of_namespace(ledger, own)), None),
            Err(reason) => (None, Some(reason)),
        };
        sources.ledger = ledger;
        Self { sources, ledger_missing, keeper }
    }

    /// An accountant that has read nothing yet, and what it must not outlive.
    pub(crate) fn accountant(self, options: Options) -> (Accountant, Option<Running>) {
        let mut accountant = Accountant::new(options, self.sources);
        if let Some(reason) = self.ledger_missing {
            accountant.set_ledger_missing(reason);
        }
        (accountant, self.keeper)
    }
}

/// What one step brought for the store and the log.
#[derive(Clone, Default)]
struct Step {
    batch: Batch,
    level: LevelReport,
    seconds: f64,
}

/// An accountant on a thread of its own, so that a slow step delays no tick.
pub(crate) struct Accounting {
    accountant: Arc<Mutex<Accountant>>,
    begin: SyncSender<(Elapsed, Timestamp)>,
    done: Receiver<Step>,
    last: Option<Step>,
    /// Whether a step is under way.
    running: bool,
    late: u64,
    /// Ends with this.
    keeper: Option<Running>,
    counting: Counting,
    leases: Arc<Leases>,
    /// When the last step was ordered.
    now: Elapsed,
}

/// The newest picture, for whoever serves it; none before the first step.
pub(crate) type Pictures = Arc<dyn Fn() -> Option<Arc<Picture>> + Send + Sync>;

impl Accounting {
    /// Starts the thread, which lives until this is dropped. Packets are counted for who asks, or with `packets`
    /// always.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start(
        (accountant, keeper): (Accountant, Option<Running>),
        packets: bool,
        monotonic: clock::Monotonic,
    ) -> std::io::Result<Self> {
        let accountant = Arc::new(Mutex::new(accountant));
        // One order and one result at most: the next order is given when the result was taken.
        let (begin, orders) = sync_channel::<(Elapsed, Timestamp)>(1);
        let (send, done) = sync_channel(1);
        let stepped = Arc::clone(&accountant);
        std::thread::Builder::new().name("accounting".to_owned()).spawn(move || {
            for (now, wall) in orders {
                let began = monotonic.elapsed();
                let mut step = Step::default();
                let mut accountant = stepped.lock().unwrap_or_else(PoisonError::into_inner);
                accountant.step(now, wall);
                accountant.batch(&mut step.batch);
                step.level = LevelReport::from(&accountant.level());
                drop(accountant);
                step.seconds = monotonic.elapsed().0.saturating_sub(began.0).as_secs_f64();
                if send.send(step).is_err() {
                    break;
                }
            }
        })?;
        let (counting, leases) = (Counting::new(packets), Arc::default());
        let now = Elapsed::default();
        Ok(Self { accountant, begin, done, last: None, running: false, late: 0, keeper, counting, leases, now })
    }

    /// Gives the newest picture; a step that is under way is waited for.
    pub(crate) fn pictures(&self) -> Pictures {
        let accountant = Arc::clone(&self.accountant);
        Arc::new(move || {
            let picture = accountant.lock().unwrap_or_else(PoisonError::into_inner).picture();
            (picture.at != Timestamp::default()).then_some(picture)
        })
    }

    /// By which views ask for counts of packets.
    pub(crate) fn leases(&self) -> Arc<Leases> {
        Arc::clone(&self.leases)
    }

    /// Orders a step; one that is still under way is left to end.
    pub(crate) fn begin(&mut self, now: Elapsed, wall: Timestamp) {
        self.now = now;
        if let Some(keeper) = &mut self.keeper {
            keeper.tend(now);
        }
        if !self.running {
            // Whoever draws the picture at this moment is not waited for: the next tick will do.
            if let Ok(mut accountant) = self.accountant.try_lock() {
                self.counting.tend(&self.leases, now, self.keeper.as_ref(), &mut accountant);
            }
            self.running = self.begin.try_send((now, wall)).is_ok();
        }
    }

    /// Adds the rows of the step, or those of the one before when it is not ready in time: no byte is lost by that,
    /// since counters only grow.
    pub(crate) fn rows(&mut self, out: &mut Batch) {
        if self.running {
            if let Ok(step) = self.done.recv_timeout(PATIENCE) {
                self.running = false;
                self.say(&step.level);
                self.last = Some(step);
            } else {
                self.late += 1;
            }
        }
        if let Some(keeper) = &mut self.keeper {
            keeper.rows(self.now, out);
        }
        if let Some(last) = &self.last {
            out.rows.extend(last.batch.rows.iter().cloned());
            out.faults.extend(last.batch.faults.iter().cloned());
        }
    }

    /// The duration of the last step in seconds, and how many were late.
    pub(crate) fn figures(&self) -> (f64, u64) {
        (self.last.as_ref().map_or(0.0, |step| step.seconds), self.late)
    }

    /// A level is said when it is new.
    fn say(&self, level: &LevelReport) {
        if self.last.as_ref().is_none_or(|last| last.level.name != level.name) {
            tracing::info!("accounting by {}: {}", level.name, level.meaning);
            if let Some(next) = &level.next {
                tracing::info!("accounting: {next}");
            }
        }
    }

    /// The accounting among the collectors: what it gives here, and which parts of it are missing.
    pub(crate) fn status(&self) -> Option<CollectorStatus> {
        let step = self.last.as_ref()?;
        let mut faults: Vec<FaultReport> = step
            .level
            .missing
            .iter()
            .map(|part| FaultReport { subject: part.part.clone(), reason: part.reason.clone() })
            .collect();
        let of_keeper = self.keeper.iter().flat_map(|keeper| keeper.failures(self.now));
        faults.extend(of_keeper.map(|(subject, reason)| FaultReport { subject: subject.to_owned(), reason }));
        let state = if faults.is_empty() { CollectorState::Running } else { CollectorState::Degraded };
        let about = format!("Whose bytes they are, by {}: {}", step.level.name, step.level.meaning);
        let duration_seconds = step.seconds;
        Some(CollectorStatus { name: NAME.to_owned(), about, state, sentence: String::new(), duration_seconds, faults })
    }
}

/// The accounting's name among the collectors.
const NAME: &str = "accounting";

/// What is said among the collectors when the configuration switched it off.
pub(crate) fn off() -> CollectorStatus {
    CollectorStatus {
        name: NAME.to_owned(),
        about: "Whose bytes they are: processes, connections, remote hosts.".to_owned(),
        state: CollectorState::Disabled,
        sentence: "Switched off by level under [accounting] in the configuration.".to_owned(),
        duration_seconds: 0.0,
        faults: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use squirrel_account::Sources;
    use squirrel_testkit::FakeKernel;

    use super::*;

    fn accounting() -> Accounting {
        let host = Arc::new(FakeKernel::default());
        let sources = Sources {
            host,
            namespaces: Vec::new(),
            find: None,
            ledger: None,
            users: None,
            containers: None,
            may_trace: true,
        };
        let accountant = Accountant::new(Options::default(), sources);
        Accounting::start((accountant, None), false, clock::Monotonic::start()).unwrap()
    }

    #[test]
    fn a_step_is_in_the_tick_in_which_it_began() {
        let mut accounting = accounting();
        assert!(accounting.pictures()().is_none() && accounting.status().is_none(), "nothing was read yet");
        accounting.begin(Elapsed(Duration::from_secs(1)), Timestamp(5_000));
        let mut batch = Batch::default();
        // A machine that is busy may be late; the next look has it.
        while accounting.last.is_none() {
            accounting.rows(&mut batch);
        }
        assert_eq!(accounting.pictures()().unwrap().at, Timestamp(5_000));
        assert_eq!(accounting.status().unwrap().name, "accounting");
    }

    #[test]
    fn a_tick_does_not_wait_for_a_step_that_is_slow() {
        let mut accounting = accounting();
        let held = Arc::clone(&accounting.accountant);
        let guard = held.lock().unwrap();
        accounting.begin(Elapsed(Duration::from_secs(1)), Timestamp(5_000));
        let mut batch = Batch::default();
        accounting.rows(&mut batch);
        accounting.begin(Elapsed(Duration::from_secs(2)), Timestamp(6_000));
        accounting.rows(&mut batch);
        assert_eq!((accounting.figures(), batch.rows.len()), ((0.0, 2), 0));
        drop(guard);
        while accounting.last.is_none() {
            accounting.rows(&mut batch);
        }
        assert_eq!(accounting.pictures()().unwrap().at, Timestamp(5_000), "the second order was not given");
    }
}
