//! Known vulnerabilities in what we build on, by cargo-deny.

use super::{Outcome, tools};
use crate::process;
use crate::steps::Steps;

/// Asks the database of advisories; without the net there is nothing to ask.
pub(super) fn run(steps: &Steps<'_>) -> Outcome {
    let program = match tools::installed(steps, "cargo-deny") {
        Ok(program) => program,
        Err(error) => return Outcome::Skipped(format!("cargo-deny cannot be installed: {error:#}")),
    };
    let mut fetch = std::process::Command::new(&program);
    fetch.current_dir(steps.root).args(["fetch", "db"]);
    if let Err(error) = process::output(&mut fetch) {
        return Outcome::Skipped(format!("the database of advisories cannot be fetched: {error:#}"));
    }
    let mut check = std::process::Command::new(&program);
    check.current_dir(steps.root).args(["check", "--disable-fetch", "advisories"]);
    Outcome::of(steps.run("advisories", &mut check))
}
