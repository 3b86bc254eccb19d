//! Fuzzing of everything that parses, with what `fuzz/` holds.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Outcome, Part, tools};
use crate::steps::Steps;

/// Runs each target for `seconds`. An input that was found to crash stays in `fuzz/artifacts/`.
pub(super) fn run(steps: &Steps<'_>, seconds: u64) -> Result<Vec<Part>> {
    let targets = targets(&steps.root.join("fuzz/fuzz_targets"))?;
    if let Err(error) = tools::nightly(steps) {
        return Ok(vec![("fuzz".to_string(), Outcome::Skipped(format!("{error:#}")))]);
    }
    let program = match tools::installed(steps, "cargo-fuzz") {
        Ok(program) => program,
        Err(error) => {
            let reason = format!("cargo-fuzz cannot be installed: {error:#}");
            return Ok(vec![("fuzz".to_string(), Outcome::Skipped(reason))]);
        }
    };
    let mut parts = Vec::new();
    for target in targets {
        let name = format!("fuzz {target}");
        let mut command = std::process::Command::new("rustup");
        command.current_dir(steps.root).args(["run", "nightly"]).arg(&program).args(["fuzz", "run", &target, "--"]);
        command.args([&format!("-max_total_time={seconds}"), "-max_len=4096", "-timeout=10", "-rss_limit_mb=1024"]);
        let subject = target.split('_').next().unwrap_or(&target);
        let dictionary = steps.root.join("fuzz/dictionaries").join(format!("{subject}.dict"));
        if dictionary.exists() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        // The dashboard is not what is fuzzed, and its files would be built again.
        command.env("SQUIRREL_NO_WEB", "1");
        let outcome = Outcome::of(steps.run(&name, &mut command));
        parts.push((name, outcome));
    }
    Ok(parts)
}

/// The names of all targets: one file each.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("{} cannot be listed", folder.display()))? {
        let path = entry?.path();
        if let (Some(stem), Some("rs")) = (path.file_stem(), path.extension().and_then(|e| e.to_str())) {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_declared_and_every_declaration_has_its_file() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).expect("reads");
        let mut declared: Vec<&str> = manifest
            .lines()
            .filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")?.strip_suffix(".rs\""))
            .collect();
        declared.sort_unstable();
        assert_eq!(targets(&fuzz.join("fuzz_targets")).expect("lists"), declared);
        assert!(!declared.is_empty());
    }
}
