//! The dashboard: its types, and its behaviour in a browser in front of the real program.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::hostile::HostileHost;
use super::install::{is_root, node_version};
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
    let host = hostile_host(program, counts);
    let mut tests = match &host {
        Some(host) => host.command("node"),
        None => Command::new("node"),
    };
    tests.current_dir(web).arg("tests/run.mjs");
    let name = "the dashboard in a browser";
    if !program.exists() {
        println!("there is no program that serves it yet: its tests run against their own mock");
        let outcome = steps.run(name, &mut tests);
        counts.add_dashboard(&steps.read_log(name));
        return outcome;
    }
    let daemon = Daemon::start_on(host.as_ref().map(|host| &host.namespace), program, &steps.log("daemon"))?;
    tests.env("SQUIRREL_URL", format!("http://{}", daemon.address)).env("SQUIRREL_BIN", program);
    let outcome = steps.run(name, &mut tests);
    counts.add_dashboard(&steps.read_log(name));
    daemon.stop()?;
    outcome
}

/// The host with hostile names where one can be made; else the tests run on this host as it is, and
/// those that need such names are counted as skipped.
fn hostile_host(program: &Path, counts: &mut Counts) -> Option<HostileHost> {
    let what = "hostile names from the kernel to the page";
    if !is_root() {
        counts.skip(format!("{what}: only root makes network namespaces"));
        return None;
    }
    if !program.exists() {
        counts.skip(format!("{what}: {} is not built", program.display()));
        return None;
    }
    HostileHost::create().map_err(|error| counts.skip(format!("{what}: {error:#}"))).ok()
}

/// Whether `node_modules` is what the lock file says, by the copy that npm leaves there.
fn is_current(web: &Path) -> bool {
    let changed = |path: &str| std::fs::metadata(web.join(path)).and_then(|data| data.modified()).ok();
    match (changed("node_modules/.package-lock.json"), changed("package-lock.json")) {
        (Some(installed), Some(wanted)) => installed >= wanted,
        _ => false,
    }
}
