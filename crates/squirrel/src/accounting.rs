//! The accountant in this program: what it may read here, and its place beside the ticks of the daemon.

mod packets;

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use squirrel_account::{Accountant, Options, Picture, Sources};
use squirrel_api::live::LevelReport;
use squirrel_api::{CollectorState, CollectorStatus, FaultReport};
use squirrel_bpf::Ledger;
use squirrel_model::{Batch, Elapsed, Timestamp, Untrusted};
use squirrel_sys::{Missed, NetworkNamespace, ProcessNote, SocketLedger, SysError, clock, network_namespaces};
use squirrel_wire::ledger::SocketRecord;

use crate::config::AccountingLevel;
use crate::keeper::Running;
use packets::Frames;

/// How long a tick waits for a step that began with it. A longer one is shown with the next tick.
const PATIENCE: Duration = Duration::from_millis(100);

/// Whether this process lives in the network namespace of the host, or of the container that it sees as its host: the
/// one of the lowest process that may be asked, mostly the first of all.
fn is_on_the_host() -> bool {
    let (Ok(own), Ok(found)) = (NetworkNamespace::current(), network_namespaces()) else { return false };
    let lowest = found.namespaces.iter().filter(|namespace| namespace.process.is_some());
    lowest.min_by_key(|namespace| namespace.process).is_some_and(|namespace| namespace.inode == own.inode)
}

/// What an accountant reads here, opened by whoever has the privilege.
pub(crate) struct Opened {
    sources: Sources,
    /// Why there is no kernel-side ledger of sockets.
    ledger_missing: Option<String>,
    /// Answers what needs a privilege, as long as it is held.
    keeper: Option<Running>,
    /// Who counts packets, or why nobody does although it was asked for.
    packets: Option<Result<Frames, String>>,
}

impl Opened {
    /// All network namespaces of the host, or this one inside of another; with the ledger where it can be had, and with
    /// counts of packets of this one where `level` asks for them and they can be had.
    ///
    /// # Errors
    /// When netlink is refused here.
    pub(crate) fn open(level: AccountingLevel) -> Result<Self, SysError> {
        let everywhere = is_on_the_host();
        let sources = Sources::open(everywhere)?;
        let ledger = Ledger::open(&squirrel_bpf::Options::default()).map_err(|unavailable| unavailable.to_string());
        Ok(Self::with(level, everywhere, sources, ledger, None))
    }

    /// The same, with what needs a privilege asked of a second process: this one can give all of it up.
    ///
    /// # Errors
    /// When netlink is refused here, or the second process cannot be started.
    fn by_keeper(level: AccountingLevel) -> anyhow::Result<Self> {
        let Some(keeper) = Running::start()? else { return Ok(Self::open(level)?) };
        let everywhere = is_on_the_host();
        let (sources, ledger) = keeper.sources(everywhere)?;
        Ok(Self::with(level, everywhere, sources, ledger, Some(keeper)))
    }

    fn with(
        level: AccountingLevel,
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
        let packets = Frames::wanted(level, &sources);
        Self { sources, ledger_missing, keeper, packets }
    }

    /// A sentence when packets are not counted although they should be.
    pub(crate) fn refusal(&self) -> Option<String> {
        let reason = self.packets.as_ref()?.as_ref().err()?;
        Some(format!("{reason}. The accounting goes on by sockets, and estimates the books of the interfaces"))
    }

    /// An accountant that has read nothing yet, and what it must not outlive.
    pub(crate) fn accountant(self, options: Options) -> (Accountant, Option<Running>) {
        let own = self.sources.namespaces.first().map(|own| own.inode);
        let mut accountant = Accountant::new(options, self.sources);
        match (self.packets, own) {
            (Some(Ok(frames)), Some(own)) => accountant.set_packets(own, Box::new(frames)),
            (Some(Err(reason)), _) => accountant.set_packets_missing(reason),
            _ => {}
        }
        if let Some(reason) = self.ledger_missing {
            accountant.set_ledger_missing(reason);
        }
        (accountant, self.keeper)
    }
}

/// A ledger, or the part of it about one network namespace.
fn of_namespace(ledger: impl SocketLedger + 'static, inode: Option<u64>) -> Box<dyn SocketLedger> {
    match inode {
        Some(inode) => Box::new(OfNamespace { ledger, inode }),
        None => Box::new(ledger),
    }
}

/// The rows of one network namespace of a ledger that knows all.
struct OfNamespace<L> {
    ledger: L,
    inode: u64,
}

/// Hands on the rows of one network namespace.
fn only(inode: u64, each: &mut dyn FnMut(SocketRecord)) -> impl FnMut(SocketRecord) {
    move |record| {
        if u64::from(record.namespace) == inode {
            each(record);
        }
    }
}

impl<L: SocketLedger> SocketLedger for OfNamespace<L> {
    fn ended(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<u64, SysError> {
        self.ledger.ended(&mut only(self.inode, each))
    }

    fn living(&mut self, each: &mut dyn FnMut(SocketRecord)) -> Result<(), SysError> {
        self.ledger.living(&mut only(self.inode, each))
    }

    fn process(&mut self, tgid: u32, started_ns: u64) -> Result<Option<ProcessNote>, SysError> {
        self.ledger.process(tgid, started_ns)
    }

    fn missed(&mut self) -> Result<Missed, SysError> {
        self.ledger.missed()
    }

    fn parts(&self) -> Vec<(String, Option<String>)> {
        self.ledger.parts()
    }
}

/// Everything that the daemon's accountant reads, opened while it may be: afterwards the privilege is given up. What
/// needs one later is asked of a second process that keeps it, if there is any to keep.
///
/// # Errors
/// When netlink is refused here.
pub(crate) fn open_for_daemon(level: AccountingLevel) -> anyhow::Result<Opened> {
    let mut opened = Opened::by_keeper(level).context("cannot open what the accounting reads")?;
    if let Some(refusal) = opened.refusal() {
        tracing::warn!("accounting: {}", Untrusted(&refusal));
    }
    if let Some(Ok(frames)) = &mut opened.packets {
        frames.seal();
    }
    Ok(opened)
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
}

/// The newest picture, for whoever serves it; none before the first step.
pub(crate) type Pictures = Arc<dyn Fn() -> Option<Arc<Picture>> + Send + Sync>;

impl Accounting {
    /// Starts the thread, which lives until this is dropped.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start(
        (accountant, keeper): (Accountant, Option<Running>),
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
        Ok(Self { accountant, begin, done, last: None, running: false, late: 0, keeper })
    }

    /// Gives the newest picture; a step that is under way is waited for.
    pub(crate) fn pictures(&self) -> Pictures {
        let accountant = Arc::clone(&self.accountant);
        Arc::new(move || {
            let picture = accountant.lock().unwrap_or_else(PoisonError::into_inner).picture();
            (picture.at != Timestamp::default()).then_some(picture)
        })
    }

    /// Orders a step; one that is still under way is left to end.
    pub(crate) fn begin(&mut self, now: Elapsed, wall: Timestamp) {
        if let Some(how) = self.keeper.as_mut().and_then(Running::ended) {
            tracing::error!("accounting: {how}");
        }
        if !self.running {
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
        if let Some(reason) = self.keeper.as_ref().and_then(Running::failure) {
            faults.push(FaultReport { subject: "keeper".to_owned(), reason: reason.to_owned() });
        }
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
        let sources = Sources { host, namespaces: Vec::new(), find: None, ledger: None, users: None };
        Accounting::start((Accountant::new(Options::default(), sources), None), clock::Monotonic::start()).unwrap()
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
