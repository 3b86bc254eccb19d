//! What the prober's tasks do: look up, check, trace, and probe by hand.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use squirrel_check::{Asked, Checker, Finding, LONGEST_TIMEOUT, Module};
use squirrel_model::{Batch, Fault, Labels};
use squirrel_outbound::{Resolve, SystemResolver};
use tokio::sync::{Semaphore, oneshot};

use super::{Parts, Ran, RunError};
use crate::board::Board;
use crate::clock::Clock;
use crate::conduct::Carried;
use crate::entry::Traced;
use crate::names::{address_of, literal};
use crate::paths::{self, Order, Paths};
use crate::pings::Pings;
use crate::{Target, Work, hold, metrics};

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

/// What the prober's tasks share.
pub(super) struct Inner {
    pub(super) board: Arc<Mutex<Board>>,
    checker: Checker,
    resolver: Arc<dyn Resolve>,
    clock: Clock,
    pub(super) pings: Pings,
    pub(super) paths: Paths,
    pub(super) checks: Carried,
    pub(super) traces: Carried,
    pub(super) names: Carried,
    by_hand: Semaphore,
    /// Whether IPv4 and IPv6 can be pinged.
    can_ping: [bool; 2],
    closed: Vec<String>,
    /// Addresses that names had last.
    addresses: Mutex<HashMap<u32, IpAddr>>,
    /// Samples that the store did not take.
    pub(super) lost: Mutex<u64>,
    /// What was remembered at this revision of the board.
    pub(super) written: Mutex<u64>,
}

impl Inner {
    /// Opens everything; nothing is probed yet.
    pub(super) fn open(parts: Parts) -> io::Result<Self> {
        let Parts { pinger: (driver, closed), checker, monotonic, .. } = parts;
        let clock = Clock::new(monotonic);
        let board: Arc<Mutex<Board>> = Arc::default();
        let can_ping = [IpAddr::from([127, 0, 0, 1]), IpAddr::from(std::net::Ipv6Addr::LOCALHOST)]
            .map(|address| driver.can_ask(address));
        Ok(Self {
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
        })
    }

    pub(super) fn arrange(&self, targets: Vec<Arc<Target>>) {
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

    pub(super) async fn look_up(self: Arc<Self>, index: u32) {
        let Some(target) = self.target(index).filter(|target| matches!(target.work, Work::Ping { .. })) else { return };
        let before = hold(&self.addresses).get(&index).copied();
        let can_ask = |address| self.can_ping(address);
        let found = address_of(&*self.resolver, &target.instance, target.ip, before, can_ask).await;
        // It may have left meanwhile, or be asked by another version of IP; then it is looked up for that.
        let still = self
            .target(index)
            .is_some_and(|now| now.instance == target.instance && now.job == target.job && now.runs_like(&target));
        if !still {
            return;
        }
        match &found {
            Ok(address) => {
                hold(&self.addresses).insert(index, *address);
            }
            Err(_) => self.names.hasten(index, NAMES_AGAIN),
        }
        // A name server that fails for a while does not make a target unknown that was known.
        let address = found.or_else(|why| before.ok_or(why));
        self.pings.set(index, Some((target, address)));
    }

    pub(super) async fn check(self: Arc<Self>, index: u32) {
        let Some(target) = self.target(index) else { return };
        let Work::Check(module) = &target.work else { return };
        let at = self.clock.wall();
        // Never longer than its interval, whatever its module says: the next one is due then.
        let finding = self.ask(module, &target, Some(target.interval)).await;
        hold(&self.board).finding(index, &target, at, &finding);
    }

    /// A check takes its module's own time, or `limit` if that is less.
    async fn ask(&self, module: &Module, target: &Target, limit: Option<Duration>) -> Finding {
        let asked = Asked { target: &target.instance, hostname: None, limit };
        self.checker.clone().only_by(target.ip).ask(module, &asked).await
    }

    pub(super) async fn trace(self: Arc<Self>, index: u32) {
        let Some(target) = self.target(index) else { return };
        let at = self.clock.wall();
        let traced = self.traced(Some(index), &target).await;
        hold(&self.board).traced(index, &target, at, traced);
    }

    async fn traced(&self, index: Option<u32>, target: &Target) -> Result<Traced, String> {
        let Work::Path { packets, timeout } = target.work else { return Err("its path is not traced".to_owned()) };
        let before = index.and_then(|index| hold(&self.addresses).get(&index).copied());
        let address = address_of(&*self.resolver, &target.instance, target.ip, before, |_| true).await?;
        if let Some(index) = index {
            hold(&self.addresses).insert(index, address);
        }
        self.paths.trace(Order { index, address, packets, timeout }).await
    }

    pub(super) async fn run(&self, job: &str, instance: &str) -> Result<Ran, RunError> {
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
                // Nothing is due after it: whoever asks waits as long as the module would.
                let finding = self.ask(module, &target, None).await;
                hold(&self.board).by_hand(index, &target, at, &finding);
                Ok(Ran::Finding(finding))
            }
        }
    }

    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if hold(&self.board).pings() {
            faults.extend(self.closed.iter().map(|why| Fault { subject: "ping".to_owned(), reason: why.clone() }));
        }
        faults.extend(self.pings.trouble().map(|reason| Fault { subject: "ping".to_owned(), reason }));
        faults
    }

    pub(super) fn rows(&self, out: &mut Batch) {
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
