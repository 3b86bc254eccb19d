//! The program's processes that keep what privileges the accounting needs, and their start.
//!
//! ```text
//! squirrel serve ──► squirrel-start ──► squirrel-keeper   (answers what needs a privilege)
//!   (no privilege)    (starts, ends) └► squirrel-frames   (counts packets, while somebody looks)
//! ```
//!
//! Each is this program again, with the other end of a connection as its standard input, and ends with that
//! connection: so with the first process, however that ends. That one gives its privileges up and cannot make a keeper
//! any more; the starter can, and does nothing else.

mod care;
mod looker;
mod process;
mod starter;

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use squirrel_account::{Discovery, NamespaceSource, Sources};
use squirrel_keeper::{Keeper, KeptKernel, KeptLedger, Part, Starter};
use squirrel_model::{Batch, Elapsed, Metric, Untrusted};
use squirrel_sys::courier::Courier;
use squirrel_sys::privilege::{Capabilities, CapabilitySet};
use squirrel_sys::{EndedMulticast, Kernel, Linux, NetworkNamespace, SysError};

use crate::cli::KeeperRole;
use care::{Care, Step};
pub(crate) use looker::Looker;
pub(crate) use process::run;
use starter::Watched;

/// What is said of these processes, for the catalogue.
pub(crate) const METRICS: [&[&Metric]; 2] = [care::METRICS, starter::METRICS];

/// The word on the command line; people never type it.
const WORD: &str = "keeper";

/// Without any of these there is nothing to keep.
const USEFUL: [&str; 5] = ["CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"];

/// The command that makes this program a part of itself. By way of `/proc`, so that it is this very program also when
/// its file has been replaced meanwhile: all parts must speak the same words.
fn command(role: KeeperRole) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new("/proc/self/exe");
    command.arg0(role.process_name()).args([WORD, role.word()]).stdout(Stdio::null());
    command
}

/// The process that starts keepers.
#[derive(Debug)]
pub(crate) struct Starting {
    starter: Starter,
    child: Child,
    /// What it may give to those that it starts.
    permitted: CapabilitySet,
}

impl Starting {
    /// Starts it, if this process has a privilege that is worth to be kept. To be called before any is given up.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn begin() -> anyhow::Result<Option<Self>> {
        let permitted = Capabilities::read()?.permitted;
        if !USEFUL.iter().any(|name| permitted.contains(name)) {
            return Ok(None);
        }
        let (courier, other_end) = Courier::pair().context("cannot make a connection to a second process")?;
        let child = command(KeeperRole::Start)
            .stdin(Stdio::from(other_end))
            .spawn()
            .context("cannot start this program a second time, to keep the privileges")?;
        Ok(Some(Self { starter: Starter::new(courier)?, child, permitted }))
    }
}

impl Starting {
    /// How the starter ended, if it has. Costs one look at its connection while it lives.
    fn end(&mut self) -> Option<String> {
        if self.starter.is_there() {
            return None;
        }
        // Its connection closes a moment before it can be waited for, and also when it only stopped to obey.
        Some(match self.child.try_wait() {
            Ok(Some(status)) => status.to_string(),
            Ok(None) => "it closed its connection".to_owned(),
            Err(error) => error.to_string(),
        })
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        // What it has started first: a process that hangs would outlive it.
        for part in [Part::Frames, Part::Keeper] {
            let _ = self.starter.end(part);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A keeper that runs, and is replaced when it does not.
#[derive(Debug)]
pub(crate) struct Running {
    keeper: Keeper,
    care: Care,
    starter: Watched,
    starting: Starting,
}

impl Running {
    /// Starts a keeper, which answers within `patience` or is late.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(starting: Starting, patience: Duration) -> anyhow::Result<Self> {
        let started = starting.starter.start(Part::Keeper)?;
        let courier = started.courier.context("the process with privileges was started without a connection to it")?;
        Ok(Self {
            keeper: Keeper::with_patience(courier, patience),
            care: Care::default(),
            starter: Watched::default(),
            starting,
        })
    }

    /// Looks after the keeper without waiting: one that has died or hangs is replaced, at most so often.
    pub(crate) fn tend(&mut self, now: Elapsed) {
        if self.starter.is_up()
            && let Some(how) = self.starting.end()
        {
            tracing::error!("accounting: {}", self.starter.ended(&how));
        }
        let Some(standing) = self.keeper.standing() else { return };
        match self.care.judge(standing, now) {
            Step::Nothing => {}
            Step::Answers(said) => tracing::info!("accounting: {said}"),
            Step::End => {
                let how = match self.starting.starter.end(Part::Keeper) {
                    Ok(ended) => ended.before.unwrap_or_else(|| "nobody knows how".to_owned()),
                    Err(error) => error.to_string(),
                };
                tracing::error!(
                    "accounting: {}",
                    Untrusted(&self.care.ended(&how, self.starting.starter.is_there(), now))
                );
            }
            Step::Start => match self.starting.starter.start(Part::Keeper) {
                Ok(started) => {
                    if let Some(courier) = started.courier {
                        self.keeper.replace(courier);
                    }
                }
                Err(error) => {
                    let why = error.source.to_string();
                    let said = self.care.refused(&why, self.starting.starter.is_there());
                    tracing::error!("accounting: {}", Untrusted(&said));
                }
            },
        }
    }

    /// Starts the process that counts frames, which answers within `patience` or is late. One that is there already is
    /// ended.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn count_frames(&self, patience: Duration) -> Result<Keeper, SysError> {
        let started = self.starting.starter.start(Part::Frames)?;
        let missing = || std::io::Error::new(std::io::ErrorKind::InvalidData, "no connection to it came");
        let courier =
            started.courier.ok_or_else(|| SysError::new("start", "the process that counts packets", missing()));
        courier.map(|courier| Keeper::with_patience(courier, patience))
    }

    /// Ends the process that counts frames, and says how it ended if there was one.
    pub(crate) fn end_frames(&self) -> Option<String> {
        self.starting.starter.end(Part::Frames).ok()?.before
    }

    /// What is wrong with it and with its starter, or was lately: who, and a sentence.
    pub(crate) fn failures(&self, now: Elapsed) -> impl Iterator<Item = (&'static str, String)> {
        let keeper = self.care.failure(now).map(|reason| ("keeper", reason));
        keeper.into_iter().chain(self.starter.failure().map(|reason| ("starter", reason)))
    }

    /// Adds the rows of [`METRICS`].
    pub(crate) fn rows(&mut self, now: Elapsed, out: &mut Batch) {
        self.care.rows(now, self.keeper.timeouts(), out);
        self.starter.rows(out);
    }

    /// What the accountant reads, with all that needs a privilege asked of the keeper, and why there is no ledger, if
    /// there is none; and whether that is all of the host, or this network namespace alone.
    ///
    /// # Errors
    /// When netlink is refused here.
    pub(crate) fn sources(&self) -> Result<(Sources, Result<KeptLedger, String>, bool), SysError> {
        // First of all: a keeper loads its ledger before it answers anything else.
        let ledger = KeptLedger::open(&self.keeper).map_err(|error| error.source.to_string());
        let mut sources = Sources::open(false)?;
        let host: Arc<dyn Kernel> = Arc::new(KeptKernel::new(Linux::open()?, &self.keeper));
        sources.host = host;
        sources.may_trace = self.starting.permitted.contains("CAP_SYS_PTRACE");
        let keeper = self.keeper.clone();
        sources.containers = Some(Box::new(move |runtime, id| keeper.container(runtime, id)));
        let everywhere = self.keeper.namespaces().is_ok_and(|found| is_on_the_host(&found.namespaces));
        if everywhere {
            let keeper = self.keeper.clone();
            sources.find = Some(Box::new(move |watched| discover(&keeper, watched)));
        }
        Ok((sources, ledger, everywhere))
    }
}

/// Whether this process lives in the network namespace of the host, or of the container that it sees as its host: the
/// one of the lowest process that may be asked, mostly the first of all.
pub(crate) fn is_on_the_host(found: &[NetworkNamespace]) -> bool {
    let Ok(own) = NetworkNamespace::current() else { return false };
    let lowest = found.iter().filter(|namespace| namespace.process.is_some());
    lowest.min_by_key(|namespace| namespace.process).is_some_and(|namespace| namespace.inode == own.inode)
}

/// Finds the network namespaces of the host and opens those that are not watched, through the keeper.
fn discover(keeper: &Keeper, watched: &[u64]) -> Discovery {
    let found = match keeper.namespaces() {
        Ok(found) => found,
        Err(error) => {
            // Nothing is let go because of a look that failed.
            return Discovery { present: watched.to_vec(), new: Vec::new(), missing: vec![error.to_string()] };
        }
    };
    let mut discovery = Discovery::default();
    for namespace in found.namespaces {
        discovery.present.push(namespace.inode);
        if watched.contains(&namespace.inode) {
            continue;
        }
        let opener = keeper.opener(namespace.inode);
        // Before the first dump, or what ends in between is missed.
        let opened = EndedMulticast::open_by(Arc::clone(&opener)).and_then(|ended| {
            let kernel: Arc<dyn Kernel> = Arc::new(Linux::open_by(&opener)?);
            Ok(NamespaceSource {
                inode: namespace.inode,
                name: namespace.name,
                process: namespace.process,
                kernel,
                ended: Some(Box::new(ended)),
            })
        });
        match opened {
            Ok(source) => discovery.new.push(source),
            Err(error) => discovery.missing.push(error.to_string()),
        }
    }
    discovery
}
