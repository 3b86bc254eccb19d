//! What is slow or needs the net: known vulnerabilities, long fuzzing, and miri.
//!
//! A part that cannot run for lack of a tool is skipped with the reason, and the last line counts
//! it; nothing is installed outside of `target/`.

mod advisories;
mod fuzz;
mod miri;
mod tools;

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::steps::Steps;

/// How one part ended.
enum Outcome {
    Passed,
    Skipped(String),
    Failed(String),
}

impl Outcome {
    /// The outcome of a step: its error is the reason.
    fn of(result: Result<()>) -> Self {
        match result {
            Ok(()) => Self::Passed,
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }
}

/// A part with its name.
type Part = (String, Outcome);

/// Runs all parts, or those named; whether none failed.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<bool> {
    let mut seconds = 60;
    let mut wanted = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seconds" => {
                let number = words.next().context("--seconds needs a number: the time for each fuzz target")?;
                seconds = number.parse().with_context(|| format!("`{number}` is no number of seconds"))?;
            }
            "advisories" | "fuzz" | "miri" => wanted.push(word.as_str()),
            other => bail!("`cargo xtask audit` does not know `{other}`; it takes --seconds N, advisories, fuzz, miri"),
        }
    }
    let steps = Steps::new(root)?;
    let is_wanted = |name| wanted.is_empty() || wanted.contains(&name);
    let mut parts = Vec::new();
    if is_wanted("advisories") {
        parts.push(("advisories".to_string(), advisories::run(&steps)));
    }
    if is_wanted("miri") {
        parts.extend(miri::run(&steps));
    }
    if is_wanted("fuzz") {
        parts.extend(fuzz::run(&steps, seconds)?);
    }
    Ok(report(&parts))
}

fn report(parts: &[Part]) -> bool {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    println!();
    for (name, outcome) in parts {
        match outcome {
            Outcome::Passed => passed += 1,
            Outcome::Skipped(reason) => {
                skipped += 1;
                println!("skipped: {name}: {reason}");
            }
            Outcome::Failed(reason) => {
                failed += 1;
                println!("FAILED: {name}: {reason}");
            }
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    failed == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_is_told_and_a_failure_fails() {
        let part = |outcome| ("a".to_string(), outcome);
        assert!(report(&[part(Outcome::Passed), part(Outcome::Skipped("no tool".to_string()))]));
        assert!(!report(&[part(Outcome::Passed), part(Outcome::Failed("found".to_string()))]));
    }

    #[test]
    fn an_unknown_argument_is_refused_before_anything_runs() {
        let error = run(Path::new("/nonexistent"), &["--minutes".to_string()]).expect_err("refused");
        assert!(error.to_string().contains("--seconds N"), "{error}");
    }
}
