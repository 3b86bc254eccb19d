//! Progress of a long task, on a terminal only.

use std::io::{IsTerminal as _, Write as _};

use squirrel_store::offline::Progress;

/// Shows percents on standard error.
#[derive(Debug)]
pub(super) struct Meter {
    terminal: bool,
    percent: Option<u64>,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal(), percent: None }
    }

    pub(super) fn show(&mut self, progress: Progress) {
        let percent = progress.done.saturating_mul(100).checked_div(progress.total).unwrap_or(100).min(100);
        if self.terminal && self.percent != Some(percent) {
            self.percent = Some(percent);
            let _ = write!(std::io::stderr(), "\r{percent:3} %");
        }
    }
}

impl Drop for Meter {
    /// Leaves an empty line behind.
    fn drop(&mut self) {
        if self.percent.is_some() {
            let _ = write!(std::io::stderr(), "\r     \r");
        }
    }
}
