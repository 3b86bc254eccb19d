//! The real program, started for a test or a measurement.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::namespace::Namespace;
use crate::stopwatch::wait_until;
use crate::{http, process};

/// A daemon that hangs is given up after so long; none takes nearly that.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running `squirrel serve` with a data directory of its own.
pub(crate) struct Daemon {
    child: Child,
    pub(crate) address: SocketAddr,
    data: PathBuf,
}

impl Daemon {
    /// Starts it on a free port of this host and waits until the first samples can be queried.
    ///
    /// # Errors
    /// It ended, or was not ready within a minute; the log is named.
    pub(crate) fn start(program: &Path, log: &Path) -> Result<Self> {
        Self::start_on(None, program, log)
    }

    /// The same, inside a namespace where one is given: then `address` means nothing outside it.
    ///
    /// # Errors
    /// As for [`Daemon::start`].
    pub(crate) fn start_on(namespace: Option<&Namespace>, program: &Path, log: &Path) -> Result<Self> {
        Self::start_with(namespace, program, log, &[])
    }

    /// The same, with more arguments.
    ///
    /// # Errors
    /// As for [`Daemon::start`].
    pub(crate) fn start_with(namespace: Option<&Namespace>, program: &Path, log: &Path, more: &[&str]) -> Result<Self> {
        let call = || namespace.map_or_else(|| Command::new(program), |namespace| namespace.command(program));
        let address = http::free_port()?;
        let data = std::env::temp_dir().join(format!("squirrel-xtask-{}-{}", std::process::id(), address.port()));
        std::fs::create_dir_all(&data).with_context(|| format!("{} cannot be made", data.display()))?;
        let file = std::fs::File::create(log)?;
        let child = call()
            .args(["serve", "--listen", &address.to_string(), "--data-dir"])
            .arg(&data)
            .args(more)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let mut daemon = Self { child, address, data };
        let mut ended = None;
        let mut said = String::from("nothing");
        let done = wait_until(PATIENCE, || {
            ended = daemon.child.try_wait().ok().flatten();
            let ready = match namespace {
                Some(_) => has_samples(&mut call(), address, &mut said),
                None => is_ready(address, &mut said),
            };
            ended.is_some() || ready
        });
        match ended {
            Some(status) => bail!("squirrel serve ended ({status}); see {}", log.display()),
            None if !done => {
                bail!("squirrel serve was not ready within a minute: it said {said}; see {}", log.display())
            }
            None => Ok(daemon),
        }
    }

    /// The process, for what measures it from outside.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as systemd would, and checks that it did so in order.
    ///
    /// # Errors
    /// It did not end within a minute, or with an error.
    pub(crate) fn stop(mut self) -> Result<()> {
        process::output(Command::new("kill").args(["-TERM", &self.child.id().to_string()]))?;
        let mut status = None;
        wait_until(PATIENCE, || {
            status = self.child.try_wait().ok().flatten();
            status.is_some()
        });
        match status {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("squirrel serve ended with {status} after SIGTERM"),
            None => bail!("squirrel serve did not end within a minute after SIGTERM"),
        }
    }
}

/// Whether `/readyz` says that samples can be queried.
fn is_ready(address: SocketAddr, said: &mut String) -> bool {
    let answer = http::get(address, "/readyz");
    if let Ok(answer) = &answer {
        *said = format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body).trim());
    }
    answer.is_ok_and(|answer| answer.status == 200)
}

/// Whether the program itself, called where the daemon runs, is answered with a sample: no socket of
/// this process reaches into a namespace.
fn has_samples(call: &mut Command, address: SocketAddr, said: &mut String) -> bool {
    let answer = process::output(call.args(["query", "--server", &address.to_string(), "up"]).stdin(Stdio::null()));
    *said = answer.as_ref().map_or_else(|error| format!("{error:#}"), |answer| answer.trim().to_string());
    answer.is_ok_and(|answer| answer.starts_with("up{"))
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
        drop(std::fs::remove_dir_all(&self.data));
    }
}
