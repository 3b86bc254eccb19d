//! Logs: one line an event on standard error.

use std::io::{self, Write};

use anyhow::Context as _;
use squirrel_model::without_numbers;
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
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(|| Plain(std::io::stderr()))
            .with_ansi(colour)
            .with_target(false);
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

/// Writes lines without the numbers of errors: whoever reads a log has their words.
struct Plain<W>(W);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        // A line comes in one piece. What is no text is written as it is.
        match std::str::from_utf8(octets) {
            Ok(text) if text.contains("(os error ") => self.0.write_all(without_numbers(text).as_bytes())?,
            _ => self.0.write_all(octets)?,
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn filter(level: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(level).with_context(|| {
        format!(
            "level under [log] is {level:?}; write error, warn, info, debug or trace, or \"info,squirrel_store=debug\""
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_words_of_an_error_and_not_its_number() {
        let mut lines = Plain(Vec::new());
        let error = io::Error::from_raw_os_error(98);
        let line = format!("not listening: {error}\n");
        assert_eq!(lines.write(line.as_bytes()).unwrap(), line.len(), "all of it was taken");
        lines.write_all(b"\xff(os error 1)").unwrap();
        assert_eq!(lines.0, b"not listening: Address already in use\n\xff(os error 1)");
    }
}
