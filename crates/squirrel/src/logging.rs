//! Logs: one line an event on standard error.

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;

/// A handle that changes the level of a running program.
pub(crate) struct Logging {
    handle: reload::Handle<EnvFilter, tracing_subscriber::Registry>,
}

impl Logging {
    /// Starts logging at `level`, such as `info` or `info,squirrel_store=debug`.
    ///
    /// # Errors
    /// A level that cannot be understood, or logging that was started before.
    pub(crate) fn start(level: &str) -> anyhow::Result<Self> {
        let (filter, handle) = reload::Layer::new(filter(level)?);
        let colour = std::io::IsTerminal::is_terminal(&std::io::stderr());
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colour).with_target(false);
        tracing_subscriber::registry().with(filter).with(lines).try_init().context("logging was started before")?;
        Ok(Self { handle })
    }

    /// Changes the level.
    ///
    /// # Errors
    /// A level that cannot be understood; the old one stays.
    pub(crate) fn change(&self, level: &str) -> anyhow::Result<()> {
        self.handle.reload(filter(level)?).context("the level of the log could not be changed")
    }
}

fn filter(level: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(level).with_context(|| {
        format!(
            "level under [log] is {level:?}; write error, warn, info, debug or trace, or \"info,squirrel_store=debug\""
        )
    })
}
