//! Our PromQL before an outside judge.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::process;

/// Runs the files of a folder given from outside; whether none failed. Ends with `core: N of M`.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<bool> {
    let (flags, words): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|word| word.starts_with('-'));
    if let Some(unknown) = flags.iter().find(|flag| flag.as_str() != "--verbose") {
        bail!(
            "`cargo xtask promql-conformance` does not know `{unknown}`; it takes --verbose, a folder, and files of it"
        );
    }
    let (dir, files) = words.split_first().context("name the folder of the .test files")?;
    let dir = std::fs::canonicalize(dir).with_context(|| format!("{dir} cannot be opened"))?;
    let mut command = process::cargo(root);
    command.args(["run", "--quiet", "--locked", "-p", "squirrel-promql", "--example", "promqltest_runner", "--"]);
    command.arg(dir).args(files).args(flags);
    let status = command.status().with_context(|| format!("`{}` cannot be started", process::shown(&command)))?;
    Ok(status.success())
}
