//! The prober: its threads and tasks, to be started, told of targets, asked and stopped.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use squirrel_api::probes::{Probe, ProbedPath};
use squirrel_check::{Checker, Finding, LONGEST_TIMEOUT};
use squirrel_model::{Batch, Elapsed, Fault, Labels, Timestamp};
use squirrel_outbound::{Resolve, SystemResolver};
use squirrel_probe::drive::{Driver, OpenError};
use squirrel_sys::clock::Monotonic;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

use crate::board::Board;
use crate::clock::Clock;
use crate::conduct::Carried;
use crate::entry::{Echo, Traced};
use crate::names::{address_of, literal};
use crate::paths::{self, Order, Paths};
use crate::pings::Pings;
use crate::series::Sample;
use crate::{Target, Work, hold, metrics, remembered};

/// Checks under way at one time at most.
const CHECKS_AT_ONCE: usize = 32;
/// Names that are looked up at one time.
const NAMES_AT_ONCE: usize = 2;
/// How often a name is looked up again.
const NAMES_EACH: Duration = Duration::from_mins(5);
/// How soon a name that has no address is.
const NAMES_AGAIN: Duration = Duration::from_secs(15);
/// Probes by hand that are under way at one time at most.
const BY_HAND: usize = 8;

/// What the prober is made of.
pub struct Parts {
    /// The sockets of pings, and why there are none for one version of IP or both. They are opened while the program
    /// still may.
    pub pinger: (Driver, Vec<OpenError>),
    /// Carries checks out.
    pub checker: Checker,
    /// The steady clock.
    pub monotonic: Monotonic,
    /// What was remembered of the last run ([`Watch::remember`]).
    pub remembered: Option<String>,
}

/// What a probe by hand brought.
#[derive(Debug)]
pub enum Ran {
    /// An echo.
    Echo(Echo),
    /// A check.
    Finding(Finding),
    /// A trace.
    Traced(Box<Traced>),
}

/// Why a probe by hand was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// There is no such probe.
    Unknown,
    /// So many are under way already.
    TooMany(usize),
    /// It could not be carried out, in words.
    Failed(String),
}

/// The prober. Dropping it ends its tasks; [`Watch::stop`] ends its threads too.
pub struct Watch {
    inner: Arc<Inner>,
    tasks: Mutex<JoinSet<()>>,
}

struct Inner {
    board: Arc<Mutex<Board>>,
    checker: Checker,
    resolver: Arc<dyn Resolve>,
    clock: Clock,
    pings: Pings,
    paths: Paths,
    checks: Carried,
    traces: Carried,
    names: Carried,
    by_hand: Semaphore,
    /// Whether IPv4 and IPv6 can be pinged.
    can_ping: [bool; 2],
    closed: Vec<String>,
    /// Addresses that names had last.
    addresses: Mutex<HashMap<u32, IpAddr>>,
    /// Samples that the store did not take.
    lost: Mutex<u64>,
    /// What was remembered at this revision of the board.
    written: Mutex<u64>,
}

impl Watch {
    /// Starts threads and tasks for these targets. Call it within a runtime.
    ///
    /// # Errors
    /// A system without room for threads or sockets.
    pub fn start(parts: Parts, targets: Vec<Arc<Target>>, runtime: &Handle) -> io::Result<Self> {
        let Parts { pinger: (driver, closed), checker, monotonic, remembered } = parts;
        let clock = Clock(monotonic);
        let board: Arc<Mutex<Board>> = Arc::default();
        let can_ping = [IpAddr::from([127, 0, 0, 1]), IpAddr::from(std::net::Ipv6Addr::LOCALHOST)]
            .map(|address| driver.can_ask(address));
        let inner = Arc::new(Inner {
            pings: Pings::start(driver, Arc::clone(&board), clock)?,
            paths: Paths::new(clock)?,
            board,
            checker,
            resolver: Arc::new(SystemResolver::default()),
            clock,
            checks: Carried::new(CHECKS_AT_ONCE, clock),
            traces: Carried::new(paths::AT_ONCE, clock),
            names: Carried::new(NAMES_AT_ONCE, clock),
            by_hand: Semaphore::new(BY_HAND),
            can_ping,
            closed: closed.iter().map(ToString::to_string).collect(),
            addresses: Mutex::default(),
            lost: Mutex::default(),
            written: Mutex::default(),
        });
        inner.arrange(targets);
        if let Some(text) = remembered {
            for note in remembered::restore(&mut hold(&inner.board), &text) {
                tracing::warn!("what was known of probes before the start: {note}");
            }
        }
        let mut tasks = JoinSet::new();
        let own = Arc::clone(&inner);
        tasks.spawn_on(inner.checks.clone().carry(move |index| Arc::clone(&own).check(index)), runtime);
        let own = Arc::clone(&inner);
        tasks.spawn_on(inner.traces.clone().carry(move |index| Arc::clone(&own).trace(index)), runtime);
        let own = Arc::clone(&inner);
        tasks.spawn_on(inner.names.clone().carry(move |index| Arc::clone(&own).look_up(index)), runtime);
        Ok(Self { inner, tasks: Mutex::new(tasks) })
    }

    /// Takes targets as they are written now. What did not change goes on undisturbed.
    pub fn arrange(&self, targets: Vec<Arc<Target>>) {
        self.inner.arrange(targets);
    }

    /// Samples since the last call, each with its own time. Call it each second.
    pub fn due(&self, at: Timestamp, now: Elapsed) -> Vec<Sample> {
        hold(&self.inner.board).due(at, now)
    }

    /// Counts samples that the store did not take.
    pub fn lost(&self, samples: usize) {
        *hold(&self.inner.lost) += samples as u64;
    }

    /// Adds what the prober says of itself.
    pub fn rows(&self, out: &mut Batch) {
        self.inner.rows(out);
    }

    /// How it stands with all targets, in the order of the configuration.
    pub fn all(&self) -> Vec<Probe> {
        hold(&self.inner.board).all()
    }

    /// The last trace of a path, and its changes; none for a target whose path is not traced.
    pub fn path(&self, job: &str, instance: &str) -> Option<(Option<Arc<Traced>>, ProbedPath)> {
        hold(&self.inner.board).path(job, instance)
    }

    /// A target by its name.
    pub fn target(&self, job: &str, instance: &str) -> Option<Arc<Target>> {
        let board = hold(&self.inner.board);
        board.find(job, instance).and_then(|index| board.target(index).cloned())
    }

    /// Parts that do not work, for people: sockets that are not permitted while somebody is to be pinged.
    pub fn faults(&self) -> Vec<Fault> {
        self.inner.faults()
    }

    /// Whether there is nothing to probe.
    pub fn is_idle(&self) -> bool {
        hold(&self.inner.board).is_empty()
    }

    /// Probes once, beside the schedule. An echo and a check count as any other; a trace is told alone, since it may
    /// take another way than those of the schedule.
    ///
    /// # Errors
    /// No such target, too many at once, or what is in the way.
    pub async fn run(&self, job: &str, instance: &str) -> Result<Ran, RunError> {
        self.inner.run(job, instance).await
    }

    /// What is to be remembered over a restart, if anything changed since the last call.
    pub fn remember(&self) -> Option<String> {
        let board = hold(&self.inner.board);
        let mut written = hold(&self.inner.written);
        (*written != board.revision).then(|| {
            *written = board.revision;
            remembered::save(&board)
        })
    }

    /// Ends tasks and threads, and gives the last samples: the end of all series. What is to be remembered must have
    /// been asked for before.
    pub fn stop(&self, at: Timestamp) -> Vec<Sample> {
        hold(&self.tasks).abort_all();
        self.inner.pings.stop();
        self.inner.paths.stop();
        hold(&self.inner.board).close(at)
    }
}

impl Inner {
    fn arrange(&self, targets: Vec<Arc<Target>>) {
        let changes = hold(&self.board).arrange(targets, self.clock.wall());
        for change in changes {
            let index = change.index;
            let Some(target) = change.target else {
                self.leave(index);
                continue;
            };
            if !change.runs_on {
                self.leave(index);
            }
            match (&target.work, literal(&target.instance)) {
                (Work::Ping { .. }, Some(address)) => self.pings.set(index, Some((target, Ok(address)))),
                (Work::Ping { .. }, None) if change.runs_on => {
                    let known = hold(&self.addresses).get(&index).copied();
                    if let Some(address) = known {
                        self.pings.set(index, Some((target, Ok(address))));
                    }
                }
                (Work::Ping { .. }, None) => {
                    self.names.set(index, Some(NAMES_EACH));
                    self.names.hasten(index, Duration::ZERO);
                }
                (Work::Check(_), _) if !change.runs_on => self.checks.set(index, Some(target.interval)),
                (Work::Path { .. }, _) if !change.runs_on => self.traces.set(index, Some(target.interval)),
                (Work::Check(_) | Work::Path { .. }, _) => {}
            }
        }
    }

    /// Ends everything that is done for a number.
    fn leave(&self, index: u32) {
        self.pings.set(index, None);
        self.checks.set(index, None);
        self.traces.set(index, None);
        self.names.set(index, None);
        self.paths.forget(index);
        hold(&self.addresses).remove(&index);
    }

    fn target(&self, index: u32) -> Option<Arc<Target>> {
        hold(&self.board).target(index).cloned()
    }

    fn can_ping(&self, address: IpAddr) -> bool {
        let [v4, v6] = self.can_ping;
        if address.is_ipv4() { v4 } else { v6 }
    }

    async fn look_up(self: Arc<Self>, index: u32) {
        let Some(target) = self.target(index).filter(|target| matches!(target.work, Work::Ping { .. })) else { return };
        let before = hold(&self.addresses).get(&index).copied();
        let found = address_of(&*self.resolver, &target.instance, before, |address| self.can_ping(address)).await;
        match (&found, before) {
            (Ok(address), _) => {
                hold(&self.addresses).insert(index, *address);
            }
            (Err(_), _) => self.names.hasten(index, NAMES_AGAIN),
        }
        // A name server that fails for a while does not make a target unknown that was known.
        let address = found.or_else(|why| before.ok_or(why));
        // It may have left meanwhile.
        let still = self.target(index).is_some_and(|now| now.instance == target.instance && now.job == target.job);
        if still {
            self.pings.set(index, Some((target, address)));
        }
    }

    async fn check(self: Arc<Self>, index: u32) {
        let Some(target) = self.target(index) else { return };
        let Work::Check(module) = &target.work else { return };
        let at = self.clock.wall();
        let finding = self.checker.check(module, &target.instance).await;
        hold(&self.board).finding(index, &target, at, &finding);
    }

    async fn trace(self: Arc<Self>, index: u32) {
        let Some(target) = self.target(index) else { return };
        let at = self.clock.wall();
        let traced = self.traced(Some(index), &target).await;
        hold(&self.board).traced(index, &target, at, traced);
    }

    async fn traced(&self, index: Option<u32>, target: &Target) -> Result<Traced, String> {
        let Work::Path { packets, timeout } = target.work else { return Err("its path is not traced".to_owned()) };
        let before = index.and_then(|index| hold(&self.addresses).get(&index).copied());
        let address = address_of(&*self.resolver, &target.instance, before, |_| true).await?;
        if let Some(index) = index {
            hold(&self.addresses).insert(index, address);
        }
        self.paths.trace(Order { index, address, packets, timeout }).await
    }

    async fn run(&self, job: &str, instance: &str) -> Result<Ran, RunError> {
        let found = {
            let board = hold(&self.board);
            board.find(job, instance).and_then(|index| Some((index, Arc::clone(board.target(index)?))))
        };
        let (index, target) = found.ok_or(RunError::Unknown)?;
        let Ok(_turn) = self.by_hand.try_acquire() else { return Err(RunError::TooMany(BY_HAND)) };
        let failed = |why: &str| RunError::Failed(why.to_owned());
        match &target.work {
            Work::Ping { timeout } => {
                let (tell, told) = oneshot::channel();
                hold(&self.board).wait_for(index, tell);
                self.pings.ask(index);
                // A name that is being looked up is not asked yet.
                let told = tokio::time::timeout(*timeout * 2, told).await;
                match told {
                    Ok(Ok(echo)) => Ok(Ran::Echo(echo)),
                    Ok(Err(_)) => Err(failed("the target was taken out of the configuration meanwhile")),
                    Err(_) => Err(failed("it was not asked: its name is still being looked up")),
                }
            }
            Work::Path { packets, timeout } => {
                let longest = paths::longest(*packets, *timeout).min(LONGEST_TIMEOUT);
                match tokio::time::timeout(longest, self.traced(None, &target)).await {
                    Ok(Ok(traced)) => Ok(Ran::Traced(Box::new(traced))),
                    Ok(Err(why)) => Err(RunError::Failed(why)),
                    Err(_) => Err(failed("it found no turn: too many paths are being traced")),
                }
            }
            Work::Check(module) => {
                let at = self.clock.wall();
                let finding = self.checker.check(module, &target.instance).await;
                hold(&self.board).finding(index, &target, at, &finding);
                Ok(Ran::Finding(finding))
            }
        }
    }

    fn faults(&self) -> Vec<Fault> {
        let pinged = hold(&self.board).all().iter().any(|probe| probe.kind == "ping");
        let mut faults = Vec::new();
        if pinged {
            faults.extend(self.closed.iter().map(|why| Fault { subject: "ping".to_owned(), reason: why.clone() }));
        }
        faults.extend(self.pings.trouble().map(|reason| Fault { subject: "ping".to_owned(), reason }));
        faults
    }

    fn rows(&self, out: &mut Batch) {
        let (states, counts) = {
            let board = hold(&self.board);
            (board.states(), board.counts)
        };
        let label = |name: &str, value: &str| Labels::new([(name, value)]).unwrap_or_default();
        for (state, count) in states {
            out.put(&metrics::TARGETS, &label("state", state.word()), count as f64);
        }
        let ((checks, checks_skipped), (paths, paths_skipped)) = (self.checks.counts(), self.traces.counts());
        let kinds = [
            ("ping", counts.pings, self.pings.missed()),
            ("check", checks, checks_skipped),
            ("path", paths, paths_skipped),
        ];
        for (kind, runs, skipped) in kinds {
            out.put(&metrics::RUNS, &label("kind", kind), runs as f64);
            out.put(&metrics::SKIPPED, &label("kind", kind), skipped as f64);
        }
        out.put_plain(&metrics::LOST, (counts.lost_samples + *hold(&self.lost)) as f64);
        out.put_plain(&metrics::REFUSED, counts.refused_series as f64);
        out.put_plain(&metrics::STRANGE, self.pings.strange() as f64);
    }
}
