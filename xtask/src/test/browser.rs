//! The dashboard: its types, and its behaviour in a browser in front of the real program.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::install::node_version;
use super::report::Counts;
use crate::daemon::Daemon;
use crate::process;
use crate::steps::Steps;

/// Checks types, and runs the browser tests against a daemon of the same build.
pub(super) fn run(steps: &Steps<'_>, web: &Path, program: &Path, counts: &mut Counts) -> Result<()> {
    if node_version().is_none_or(|version| version < 20) || !process::exists("npm") {
        counts.skip("types and behaviour of the dashboard: Node 20 with npm is not installed");
        return Ok(());
    }
    let npm = |arguments: &[&str]| {
        let mut command = Command::new("npm");
        command.current_dir(web).args(arguments);
        command
    };
    if !is_current(web) {
        steps.run("npm ci", &mut npm(&["ci", "--no-audit", "--no-fund"]))?;
    }
    steps.run("types of the dashboard", &mut npm(&["run", "check"]))?;
    // Some tests always use the mock, which serves this build: an old one would be tested instead.
    steps.run("bundle of the dashboard", &mut npm(&["run", "build"]))?;
    if !process::exists("chromium") {
        counts.skip("behaviour of the dashboard: chromium is not installed");
        return Ok(());
    }
    let name = "the dashboard in a browser";
    let mut tests = npm(&["test"]);
    if !program.exists() {
        println!("there is no program that serves it yet: its tests run against their own mock");
        let outcome = steps.run(name, &mut tests);
        counts.add_dashboard(&steps.read_log(name));
        return outcome;
    }
    let daemon = Daemon::start(program, &steps.log("daemon"))?;
    tests.env("SQUIRREL_URL", format!("http://{}", daemon.address)).env("SQUIRREL_BIN", program);
    let outcome = steps.run(name, &mut tests);
    counts.add_dashboard(&steps.read_log(name));
    daemon.stop()?;
    outcome
}

/// Whether `node_modules` is what the lock file says, by the copy that npm leaves there.
fn is_current(web: &Path) -> bool {
    let changed = |path: &str| std::fs::metadata(web.join(path)).and_then(|data| data.modified()).ok();
    match (changed("node_modules/.package-lock.json"), changed("package-lock.json")) {
        (Some(installed), Some(wanted)) => installed >= wanted,
        _ => false,
    }
}
