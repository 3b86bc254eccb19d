//! The program's second process, which keeps what privileges the accounting needs, and its start.
//!
//! It is this program again, with the other end of a connection as its standard input. It ends with that connection,
//! so with the daemon, however that ends.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::Context as _;
use squirrel_account::{Discovery, NamespaceSource, Sources};
use squirrel_bpf::Ledger;
use squirrel_keeper::{Host, KEPT_CAPABILITIES, Keeper, KeptKernel, KeptLedger};
use squirrel_sys::courier::Courier;
use squirrel_sys::privilege::{self, Capabilities};
use squirrel_sys::{EndedMulticast, Kernel, Linux, SocketLedger, SysError};

/// Without any of these there is nothing to keep.
const USEFUL: [&str; 5] = ["CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"];

/// The word on the command line; people never type it.
pub(crate) const WORD: &str = "keeper";

/// A keeper that runs.
pub(crate) struct Running {
    child: Child,
    keeper: Keeper,
    /// How it ended, once it has.
    failure: Option<String>,
}

impl Running {
    /// Starts a keeper, if this process has a privilege that one could keep. To be called before any is given up.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start() -> anyhow::Result<Option<Self>> {
        let permitted = Capabilities::read()?.permitted;
        if !USEFUL.iter().any(|name| permitted.contains(name)) {
            return Ok(None);
        }
        let (courier, other_end) = Courier::pair().context("cannot make a connection to a second process")?;
        // This very program, also when its file has been replaced meanwhile: both must speak the same words.
        let child = Command::new("/proc/self/exe")
            .arg(WORD)
            .stdin(Stdio::from(other_end))
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start this program a second time, to keep the privileges")?;
        Ok(Some(Self { child, keeper: Keeper::new(courier), failure: None }))
    }

    /// A sentence when it is found to have ended; once. This process has given up what a new one would need.
    pub(crate) fn ended(&mut self) -> Option<&str> {
        if self.failure.is_some() {
            return None;
        }
        let status = self.child.try_wait().ok().flatten()?;
        let process = self.child.id();
        self.failure = Some(format!(
            "the process {process}, which kept the privileges, ended ({status}): other users' sockets have no owner \
             any more, and bytes are counted less exactly; restart squirrel"
        ));
        self.failure()
    }

    /// How it ended, if it has.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// What the accountant reads, with all that needs a privilege asked of the keeper; and why there is no ledger, if
    /// there is none.
    ///
    /// # Errors
    /// When netlink is refused here.
    pub(crate) fn sources(&self, everywhere: bool) -> Result<(Sources, Result<KeptLedger, String>), SysError> {
        let mut sources = Sources::open(false)?;
        let host: Arc<dyn Kernel> = Arc::new(KeptKernel::new(Linux::open()?, &self.keeper));
        sources.host = host;
        if everywhere {
            let keeper = self.keeper.clone();
            sources.find = Some(Box::new(move |watched| discover(&keeper, watched)));
        }
        Ok((sources, KeptLedger::open(&self.keeper).map_err(|error| error.source.to_string())))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It ends by itself when the connection does; whoever holds that still may not keep it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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

/// The second process: opens what needs a privilege, gives up all that is not needed any more, and answers until the
/// first one has gone.
pub(crate) fn run() -> anyhow::Result<()> {
    // The first process decides when it is time: a stop that reaches both must not take its last answers away.
    squirrel_sys::signals::ignore_stops();
    let courier = Courier::from_standard_input().context("this command is started by squirrel itself")?;
    let ledger = Ledger::open(&squirrel_bpf::Options::default())
        .map(|ledger| Box::new(ledger) as Box<dyn SocketLedger>)
        .map_err(|unavailable| unavailable.to_string());
    let mut host = Host::open(ledger)?;
    privilege::keep_only(&KEPT_CAPABILITIES).context("cannot give up privileges")?;
    squirrel_keeper::serve(&courier, &mut host).context("the connection to the daemon failed")
}
