//! The library where this machine's own build does not show it: in every order of its threads, with the
//! oldest compiler that it promises, and on Windows.

use std::process::Command;

use anyhow::Result;

use super::oldest::{OLDEST, Toolchain};
use super::report::Counts;
use crate::process;
use crate::steps::Steps;

/// What nothing is measured with need not be fast: it is built once and hardly runs.
const QUICK_BUILD: [&str; 4] = ["--config", "profile.dev.opt-level=0", "--config", QUICK_PACKAGES];
const QUICK_PACKAGES: &str = "profile.dev.package.'*'.opt-level=0";

/// The systems that are compiled for: what the standard library is built for, and where `None` stands, this one.
const CHECKS: &[(&str, &[&str], Option<&str>)] = &[
    ("alone", &["--no-default-features"], None),
    ("with what is on by default", &[], None),
    ("with portable sockets", &["--features", "portable-sockets"], None),
    ("for Windows", &[], Some(WINDOWS)),
    ("for Windows, with portable sockets", &["--features", "portable-sockets"], Some(WINDOWS)),
];
/// Its import libraries need no tool of Windows.
const WINDOWS: &str = "x86_64-pc-windows-msvc";

/// Runs all of it.
pub(super) fn run(steps: &Steps<'_>, counts: &mut Counts) -> Result<()> {
    let models = models(steps, counts);
    let portable = portable_sockets(steps, counts);
    match Toolchain::find(steps) {
        Ok(toolchain) => CHECKS.iter().try_for_each(|check| compiles(steps, &toolchain, check, counts))?,
        Err(error) => counts.skip(format!("the library with Rust {OLDEST} and on Windows: {error:#}")),
    }
    models.and(portable)
}

/// The lock-free parts under loom. A cfg is new flags for every crate, hence the folder of its own.
fn models(steps: &Steps<'_>, counts: &mut Counts) -> Result<()> {
    let name = "models of the library's lock-free parts";
    let mut command = process::cargo(steps.root);
    command.args(["test", "--locked", "--package", "squirrel-monitor", "--no-default-features", "--lib"]);
    command.args(QUICK_BUILD).args(["--", "models::"]);
    command.env("RUSTFLAGS", "--cfg squirrel_loom").env("CARGO_TARGET_DIR", steps.root.join("target/xtask/loom"));
    counted(steps, name, &mut command, counts)
}

/// The table of other systems, asked on this one.
fn portable_sockets(steps: &Steps<'_>, counts: &mut Counts) -> Result<()> {
    let mut command = process::cargo(steps.root);
    command.args(["test", "--locked", "--package", "squirrel-monitor", "--features", "portable-sockets", "--lib"]);
    command.args(["--", "sockets::portable::"]);
    counted(steps, "portable sockets of the library", &mut command, counts)
}

/// A step whose tests are counted. That it ran none is a failure: the filter would be out of date.
fn counted(steps: &Steps<'_>, name: &str, command: &mut Command, counts: &mut Counts) -> Result<()> {
    let list = steps.log("skips of the library");
    std::fs::write(&list, "")?;
    let before = counts.passed;
    let outcome = steps.run(name, command.env("SQUIRREL_SKIPS", &list));
    counts.add_rust(&steps.read_log(name));
    anyhow::ensure!(outcome.is_err() || counts.passed > before, "{name}: no test ran");
    counts.add_skips(super::report::skips_in(&std::fs::read_to_string(&list)?));
    outcome
}

/// Type checks the library with the oldest compiler. What is not shown is that it links and runs there.
fn compiles(
    steps: &Steps<'_>,
    toolchain: &Toolchain,
    (what, features, target): &(&str, &[&str], Option<&str>),
    counts: &mut Counts,
) -> Result<()> {
    let mut command = process::cargo(steps.root);
    toolchain.compile_with(&mut command);
    command.args(["check", "--locked", "--package", "squirrel-monitor", "--lib"]).args(*features).args(QUICK_BUILD);
    command.env("CARGO_TARGET_DIR", steps.root.join("target/xtask/oldest"));
    if let Some(target) = target {
        // There is no standard library for it here, but its source is.
        command.args(["-Zbuild-std=std,panic_abort", "--target", target]).env("RUSTC_BOOTSTRAP", "1");
    }
    let outcome = steps.run(&format!("the library with Rust {OLDEST}, {what}"), &mut command);
    match outcome {
        Ok(()) => counts.passed += 1,
        Err(_) => counts.failed += 1,
    }
    outcome
}
