//! The test command: everything that must hold before a change is merged, in the order in which a
//! person wants to hear of a fault.

mod browser;
mod examples;
mod hostile;
mod install;
mod library;
mod oldest;
mod report;

use std::path::Path;

use anyhow::{Result, bail, ensure};

use crate::steps::{self, Steps};
use crate::stopwatch::Stopwatch;
use crate::tidy::readme::unknown_subcommands;
use crate::{process, tidy};
use report::{Counts, skips_in};

/// How the command was called.
struct Options {
    /// Leave out what installs, rustdoc, the library elsewhere, the examples and the browser.
    fast: bool,
    /// Nothing but the library elsewhere.
    library: bool,
    /// Any skip is a failure.
    ci: bool,
}

/// Runs everything; whether all passed. The last line is `N passed, N failed, N skipped`.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<bool> {
    let ci = std::env::var("CI").is_ok_and(|value| value == "true");
    let mut options = Options { fast: false, library: false, ci };
    for argument in arguments {
        match argument.as_str() {
            "--fast" => options.fast = true,
            "--library" => options.library = true,
            other => bail!("`cargo xtask test` does not know `{other}`; it takes --fast or --library"),
        }
    }
    let watch = Stopwatch::start();
    let mut counts = Counts::default();
    let steps = Steps::new(root)?;
    let outcome = all_steps(&steps, &options, &mut counts);
    if let Err(error) = &outcome {
        println!("\n{error:#}");
        counts.failed = counts.failed.max(1);
    }
    println!("\nall of it took {:.0} s", watch.elapsed().as_secs_f64());
    let passed = counts.verdict(options.ci);
    // What was printed above is longer than any screen: whoever reads only the end learns what failed.
    for failure in steps.failed() {
        println!("failed: {failure}");
    }
    println!("{counts}");
    Ok(passed)
}

fn all_steps(steps: &Steps<'_>, options: &Options, counts: &mut Counts) -> Result<()> {
    let root = steps.root;
    if options.library {
        return library::run(steps, counts);
    }
    if options.fast {
        println!(
            "left out, because of --fast: installing, documentation, the library elsewhere, the examples, the browser"
        );
    } else {
        install::packages(steps, counts);
    }
    steps.cargo("format", &["fmt", "--all", "--check"])?;
    steps::inside("tidy", "cargo xtask tidy", || tidy::run(root, &[]))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--keep-going"];
    steps.cargo("lints", &[&clippy[..], &steps::FEATURES, &["--", "-D", "warnings"]].concat())?;
    if !options.fast {
        steps.documentation()?;
    }
    rust_tests(steps, counts)?;
    if !options.fast {
        library::run(steps, counts)?;
        examples::run(steps, counts)?;
    }
    let program = root.join("target/debug/squirrel");
    if root.join("crates/squirrel").exists() {
        // Its integration tests have built it; a build of its own would compile everything once more,
        // since tests switch features on.
        ensure!(program.exists(), "the tests have not built {}", program.display());
        steps::inside("commands of the README", "cargo xtask test", || subcommands(root, &program))?;
    }
    let web = root.join("crates/squirrel-server/web");
    if web.join("package.json").exists() && !options.fast {
        browser::run(steps, &web, &program, counts)?;
    }
    Ok(())
}

/// Builds the tests, so that their time is told apart, and runs them all.
fn rust_tests(steps: &Steps<'_>, counts: &mut Counts) -> Result<()> {
    let list = steps.log("skips");
    std::fs::write(&list, "")?;
    let test = [&["test", "--workspace", "--locked"], &steps::FEATURES[..]].concat();
    steps.cargo("build of the tests", &[&test[..], &["--no-run"]].concat())?;
    let mut command = process::cargo(steps.root);
    command.args(test).arg("--no-fail-fast").env("SQUIRREL_SKIPS", &list);
    let outcome = steps.run("tests", &mut command);
    counts.add_rust(&steps.read_log("tests"));
    counts.add_skips(skips_in(&std::fs::read_to_string(&list)?));
    outcome
}

/// The README shows no subcommand that the program does not have.
fn subcommands(root: &Path, program: &Path) -> Result<bool> {
    let help = process::output(std::process::Command::new(program).arg("--help"))?;
    let unknown = unknown_subcommands(&std::fs::read_to_string(root.join("README.md"))?, &help);
    for sentence in &unknown {
        println!("{sentence}");
    }
    Ok(unknown.is_empty())
}
