//! Steps with a name, a log file and a time.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::digest::{digest, failures};
use crate::process;
use crate::stopwatch::Stopwatch;

/// So much of a failed step's output is shown; the rest is in its log.
const SHOWN_LINES: usize = 400;

/// Features of the library that are off by default, and that all is checked and tested with.
pub(crate) const FEATURES: [&str; 2] = ["--features", "squirrel-monitor/tokio-net,squirrel-monitor-tower/full"];

/// Runs steps one after the other.
pub(crate) struct Steps<'a> {
    pub(crate) root: &'a Path,
    logs: PathBuf,
    failed: RefCell<Vec<String>>,
}

impl<'a> Steps<'a> {
    /// Logs go to `target/xtask`.
    pub(crate) fn new(root: &'a Path) -> Result<Self> {
        let logs = root.join("target/xtask");
        std::fs::create_dir_all(&logs).with_context(|| format!("{} cannot be made", logs.display()))?;
        Ok(Self { root, logs, failed: RefCell::default() })
    }

    /// The file that a step of this name writes.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{}.log", name.replace([' ', '/'], "-")))
    }

    /// What a step wrote.
    pub(crate) fn read_log(&self, name: &str) -> String {
        std::fs::read(self.log(name)).map(|octets| String::from_utf8_lossy(&octets).into_owned()).unwrap_or_default()
    }

    /// A step that calls cargo.
    pub(crate) fn cargo(&self, name: &str, arguments: &[&str]) -> Result<()> {
        self.run(name, process::cargo(self.root).args(arguments))
    }

    /// rustdoc, with its warnings (broken links above all) as errors.
    pub(crate) fn documentation(&self) -> Result<()> {
        let mut command = process::cargo(self.root);
        command
            .args(["doc", "--workspace", "--no-deps", "--locked", "--keep-going"])
            .args(FEATURES)
            .env("RUSTDOCFLAGS", "-D warnings");
        self.run("documentation", &mut command)
    }

    /// What has failed up to now, by the step's name and its own.
    pub(crate) fn failed(&self) -> Vec<String> {
        self.failed.borrow().clone()
    }

    /// A step that is another program. When it fails, it is shown what failed, its output, and how to repeat it.
    pub(crate) fn run(&self, name: &str, command: &mut Command) -> Result<()> {
        let log = self.log(name);
        let shown = process::shown(command);
        let what = format!("{name}: {shown}");
        let passed = timed(&what, || process::logged(command, &log))?;
        if !passed {
            let text = self.read_log(name);
            let failures = failures(&text);
            print!("{}", digest(&failures));
            self.failed.borrow_mut().extend(failures.iter().map(|failure| format!("{name}: {}", failure.name)));
            let lines: Vec<&str> = text.lines().collect();
            let from = lines.len().saturating_sub(SHOWN_LINES);
            println!("{}", lines[from..].join("\n"));
            bail!("{name} failed. All of its output: {}\nto repeat it: {shown}", log.display());
        }
        Ok(())
    }
}

/// A step inside this program.
pub(crate) fn inside(name: &str, repeat: &str, step: impl FnOnce() -> Result<bool>) -> Result<()> {
    if timed(name, step)? {
        return Ok(());
    }
    bail!("{name} failed\nto repeat it: {repeat}");
}

/// Says what begins, and what it took.
fn timed(what: &str, step: impl FnOnce() -> Result<bool>) -> Result<bool> {
    println!("── {what}");
    let watch = Stopwatch::start();
    let outcome = step();
    let word = if matches!(outcome, Ok(true)) { "ok" } else { "FAILED" };
    println!("   {word} {:.1} s", watch.elapsed().as_secs_f64());
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_step_names_its_log_and_how_to_repeat_it() {
        let root = std::env::temp_dir().join(format!("xtask-steps-{}", std::process::id()));
        let steps = Steps::new(&root).expect("makes the folder");
        let outcome = steps.run("a step", Command::new("sh").args(["-c", "echo out; echo err >&2; exit 1"]));
        let log = steps.read_log("a step");
        std::fs::remove_dir_all(&root).expect("removes the folder");
        let text = outcome.expect_err("fails").to_string();
        assert!(text.contains("a-step.log") && text.contains("to repeat it: sh -c"), "{text}");
        assert_eq!(log, "out\nerr\n");
    }

    #[test]
    fn what_failed_is_kept_for_the_end() {
        let root = std::env::temp_dir().join(format!("xtask-failed-{}", std::process::id()));
        let steps = Steps::new(&root).expect("makes the folder");
        let passed = steps.run("good", Command::new("sh").args(["-c", "echo 'FAIL  not_this'"]));
        let failed = steps.run("pages", Command::new("sh").args(["-c", "echo 'FAIL  a_page'; exit 1"]));
        std::fs::remove_dir_all(&root).expect("removes the folder");
        assert!(passed.is_ok() && failed.is_err());
        assert_eq!(steps.failed(), ["pages: a_page"]);
    }
}
