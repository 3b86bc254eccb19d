//! A keeper without a ledger, for a command that looks once and is done.

use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use squirrel_keeper::{KEPT_CAPABILITIES, Keeper};
use squirrel_sys::courier::Courier;
use squirrel_sys::privilege::{Capabilities, CapabilitySet};

use super::command;
use crate::cli::KeeperRole;

/// Longest wait for an answer, the start of the process among it: a command has nothing else to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// The process, which ends with this.
#[derive(Debug)]
pub(crate) struct Looker {
    keeper: Keeper,
    child: Child,
    permitted: CapabilitySet,
}

impl Looker {
    /// Starts it, if this process has a privilege that it could use. To be called before any is given up.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn begin() -> anyhow::Result<Option<Self>> {
        let permitted = Capabilities::read()?.permitted;
        if !KEPT_CAPABILITIES.iter().any(|name| permitted.contains(name)) {
            return Ok(None);
        }
        let (courier, other_end) = Courier::pair().context("cannot make a connection to a second process")?;
        let child = command(KeeperRole::Look)
            .stdin(Stdio::from(other_end))
            .spawn()
            .context("cannot start this program a second time, to keep the privileges")?;
        Ok(Some(Self { keeper: Keeper::with_patience(courier, PATIENCE), child, permitted }))
    }

    /// The way to it.
    pub(crate) fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    /// Whether it may look at the processes of others.
    pub(crate) fn may_trace(&self) -> bool {
        self.permitted.contains("CAP_SYS_PTRACE")
    }
}

impl Drop for Looker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
