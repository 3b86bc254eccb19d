//! A transparent shim on stdio: what the client writes goes to the server, what the server answers to the
//! client, and the inspector reads beside.
//!
//! Each direction has a thread that reads up to 64 KiB, shows it to the inspector, and writes it. Shown
//! first, since an answer must not be seen before its question; the inspector takes some microseconds for a
//! small piece and some 50 for a full one, and that is all the delay there is. Nothing waits for the end of a
//! message.

mod pump;
mod signals;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use squirrel_monitor::{MessageDirection, NetworkMonitor};
use squirrel_sys::clock::Monotonic;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior};

use crate::Report;
use pump::{Watch, pump};
use signals::Signals;

/// How long the output of a server that has ended is waited for: processes that it left behind may hold its
/// end of the pipe.
const LINGER: Duration = Duration::from_secs(5);

/// Which server is started, and how often is reported.
#[derive(Clone, Debug)]
pub struct Wrap {
    /// The program.
    pub command: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Time between two reports while it runs; zero is taken as a millisecond.
    pub every: Duration,
}

/// How the server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// Why there is a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The time has come.
    Interval,
    /// The server has ended.
    End,
}

/// Why nothing could be put between.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WrapError {
    /// The server did not start.
    #[error("cannot start {command:?}: {error}")]
    Start {
        /// The program.
        command: OsString,
        /// What the system said.
        error: io::Error,
    },
    /// Standard input, output or signals are not there.
    #[error("cannot stand between: {0}")]
    Streams(#[from] io::Error),
    /// The monitor could not start.
    #[error(transparent)]
    Monitor(#[from] squirrel_monitor::MonitorError),
}

impl WrapError {
    /// The exit code that shells give for it: 127 when there is no such program, 126 when it cannot be
    /// started, 125 for what is ours.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Start { error, .. } if error.kind() == io::ErrorKind::NotFound => 127,
            Self::Start { .. } => 126,
            _ => 125,
        }
    }
}

/// Starts the server and passes on until it ends. Its standard error is ours.
///
/// The signals that ask a program to do something (HUP, INT, QUIT, TERM, USR1, USR2) are sent on to the
/// server; all others do to us what they do. INT and QUIT of a terminal reach the server without our help.
///
/// # Errors
/// When the server cannot be started. What happens afterwards is its own.
pub async fn wrap(
    options: &Wrap,
    monitor: Arc<NetworkMonitor>,
    report: &mut dyn FnMut(Occasion, &Report),
) -> Result<Ended, WrapError> {
    let start = Monotonic::start();
    monitor.start().await?;
    let watch = Arc::new(Watch::new(&monitor)?);
    // Before the server is there, so that none is lost.
    let mut signals = Signals::listen()?;
    let mut child = spawn(options)?;
    let streams = child.stdin.take().zip(child.stdout.take());
    let (to_server, from_server) = streams.ok_or_else(|| io::Error::other("the pipes to the server are missing"))?;
    let (to_server, from_server) = (File::from(to_server.into_owned_fd()?), File::from(from_server.into_owned_fd()?));
    let from_client = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let to_client = File::from(io::stdout().as_fd().try_clone_to_owned()?);

    let (asking, answering) = (Arc::clone(&watch), Arc::clone(&watch));
    // Nobody waits for this one: it ends with its input, or with us.
    std::thread::Builder::new()
        .name("to-server".to_owned())
        .spawn(move || pump(from_client, to_server, MessageDirection::Received, &asking))?;
    let (done, mut finished) = oneshot::channel();
    std::thread::Builder::new().name("to-client".to_owned()).spawn(move || {
        pump(from_server, to_client, MessageDirection::Sent, &answering);
        // Whoever waited for it may have given up.
        let _ = done.send(());
    })?;

    let every = options.every.max(Duration::from_millis(1));
    let mut timer = tokio::time::interval_at(Instant::now() + every, every);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            signal = signals.next() => forward(&child, signal),
            _ = timer.tick() => {
                watch.tick();
                report(Occasion::Interval, &Report::of(&monitor, start.elapsed().0));
            }
        }
    };
    // All that it has written shall arrive.
    let _ = tokio::time::timeout(LINGER, &mut finished).await;
    watch.tick();
    report(Occasion::End, &Report::of(&monitor, start.elapsed().0));
    monitor.stop().await?;
    Ok(ended(status))
}

fn spawn(options: &Wrap) -> Result<Child, WrapError> {
    let mut command = Command::new(&options.command);
    command.args(&options.args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command.spawn().map_err(|error| WrapError::Start { command: options.command.clone(), error })
}

/// Sends a signal on. A server that has just ended needs none.
fn forward(child: &Child, signal: i32) {
    if let Some(id) = child.id()
        && !(signals::comes_from_terminal(signal) && squirrel_sys::signals::is_foreground())
    {
        let _ = squirrel_sys::signals::send(id, signal);
    }
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Code(code),
        (None, Some(signal)) => Ended::Signal(signal),
        (None, None) => Ended::Code(1),
    }
}
